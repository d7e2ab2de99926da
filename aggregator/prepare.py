"""What a worker does for a poll: a fetched document → the feed, and each unseen entry with all that is computed from it
alone.

Everything that takes time for an entry happens here, once, outside the serving process: parsing, sanitising, folding,
hashing, filing. What is left to do needs the store.
"""

from __future__ import annotations

import hashlib
import math
import pickle
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from aggregator import categorize, html, parse, stories, text, urls, workers
from aggregator.categorize import learning, lexicon
from aggregator.categorize.lexicon import Learned
from aggregator.models import (
    Config,
    Example,
    Filing,
    ParsedEntry,
    ParsedFeed,
    PreparedEntry,
    Print,
    Source,
    StoredEntry,
    Weight,
)

_DIGESTED = attrgetter(
    *(field.name for field in fields(ParsedEntry) if field.name not in ("id", "published", "updated", "repairs"))
)
COMPARED = 1000  # characters of the text that are folded, for comparing and for filing


class Tools(NamedTuple):
    """What a configuration says of entries, made ready for use."""

    guide: categorize.Guide
    tracking: urls.Tracking
    aliases: stories.Aliases


def document(
    body: bytes, content_type: str | None, url: str, source: Source, tools: bytes, seen: bytes
) -> tuple[ParsedFeed, tuple[PreparedEntry, ...]]:
    """Read a document and prepare its unseen entries; raises ParseError. `tools` are from `pack`.

    The feed comes back without its entries: the prepared ones hold them.
    """
    zone = ZoneInfo(source.timezone) if source.timezone else None
    feed = parse.read(body, content_type, url, zone, seen)
    ready = unpack(tools)
    prepared = tuple(_prepare(entry, feed, source, ready) for entry in feed.entries if _says_something(entry))
    return replace(feed, entries=()), prepared


def pack(config: Config, learned: Iterable[Weight] = ()) -> workers.Kept:
    """What workers need of the configuration, and what the lexicon learned, as bytes that travel cheaply."""
    said = (config.categories, config.tracking, config.aliases, config.lexicon, tuple(learned))
    return workers.Kept(pickle.dumps(said))


@lru_cache(maxsize=2)
def unpack(tools: bytes) -> Tools:
    """What `pack` packed, made ready once per process and configuration."""
    categories, tracking, aliases, words, learned = pickle.loads(tools)  # noqa: S301 - bytes of `pack`, from our parent
    # Where a score files nothing anyway, nobody waits for the words.
    scored = any(category.threshold != math.inf for category in categories)
    guide = categorize.Guide(categories, _lexicon(words) if scored else lexicon.EMPTY, Learned.of(learned))
    return Tools(guide, urls.load_tracking(tracking), stories.load_aliases(aliases))


@lru_cache(maxsize=1)
def _lexicon(words: str) -> lexicon.Lexicon:
    """The lexicon with these lines added, which stays when only the rest changes."""
    return lexicon.load(words)


def refile(entries: Sequence[StoredEntry], sources: Mapping[str, Source], tools: bytes) -> list[tuple[Filing, ...]]:
    """How each of these stored entries would be filed now; `tools` are from `pack`."""
    guide = unpack(tools).guide
    return [_refiled(entry, sources[entry.source_name], guide) for entry in entries]


def _refiled(entry: StoredEntry, source: Source, guide: categorize.Guide) -> tuple[Filing, ...]:
    said = ParsedEntry(
        id=None,
        link=entry.link,
        title=entry.title,
        content=entry.markup,
        author=entry.author,
        language=entry.language,
    )
    return categorize.decide(guide, subject(said, source), source, entry.rulings).filings


def subject(said: ParsedEntry, source: Source, feed_language: str | None = None) -> categorize.Subject:
    """What of an entry is looked at for filing; its title and the beginning of its text are folded here, once."""
    plain = html.beginning(said.content or said.summary, COMPARED)
    language = source.language or said.language or feed_language or text.script(said.title + plain)
    return categorize.Subject(
        plain={
            "title": said.title,
            "text": plain,
            "url": said.link or "",
            "author": said.author,
            "source": source.name,
            "language": language or "",
        },
        folded={"title": text.fold(said.title), "text": text.fold(plain)},
    )


def learn_correction(example: Example, tools: bytes) -> tuple[list[Weight], list[Weight]]:
    """What an editor's correction teaches beyond what was learned: rows that change, rows that are too many then."""
    guide = unpack(tools).guide
    lesson = learning.Lesson(*_folded(example), frozenset(example.right), frozenset(example.wrong))
    return learning.taught(guide.lexicon, guide.learned, [lesson])


def learn_certain(examples: Sequence[Example], tools: bytes) -> tuple[list[Weight], list[Weight]]:
    """As `learn_correction`, from entries of sources whose categories are certain: they teach less."""
    guide = unpack(tools).guide
    lessons = learning.lessons([(*_folded(example), example.right) for example in examples])
    return learning.taught(guide.lexicon, guide.learned, lessons, learning.SOURCE)


def _folded(example: Example) -> tuple[str, str]:
    return text.fold(example.title), text.fold(html.beginning(example.markup, COMPARED))


def _says_something(said: ParsedEntry) -> bool:
    """Whether there is anything to show: an element without title, link, text and enclosure is no entry."""
    return bool(said.title or said.link or said.content or said.summary or said.enclosures)


def _prepare(said: ParsedEntry, feed: ParsedFeed, source: Source, tools: Tools) -> PreparedEntry:
    seen = subject(said, source, feed.head.language)
    language = seen.plain["language"] or None
    entry = _cut_short(said, source)
    if entry.language != language:
        entry = replace(entry, language=language)
    # Filed by what is stored of it, so that filing it anew later says the same.
    shown = seen if source.full else subject(entry, source)
    canonical = entry.link and urls.single_page(entry.link, tools.tracking)
    return PreparedEntry(
        entry=entry,
        canonical=canonical,
        title_key=_key(seen.folded["title"]),
        text_key=_key(seen.folded["text"]),
        digest=_digest(replace(entry, link=canonical or entry.link)),
        filings=categorize.decide(tools.guide, shown, source).filings,
        print=_print(said.title, seen.folded["title"], seen.folded["text"], source.name, tools.aliases),
    )


def printed(title: str, markup: str, source: str, aliases: stories.Aliases) -> Print:
    """The print of a stored entry, as it would be made of it now."""
    plain = html.beginning(markup, COMPARED)
    return _print(title, text.fold(title), text.fold(plain), source, aliases)


def _print(title: str, folded_title: str, folded_text: str, source: str, aliases: stories.Aliases) -> Print:
    made = stories.fingerprint(title, folded_title, folded_text, source, aliases)
    return Print(made.pack(), made.title_keys, made.text_keys)


def _cut_short(said: ParsedEntry, source: Source) -> ParsedEntry:
    """The entry as the source may be shown: whole, or (`full: false`) as an excerpt with the link."""
    if source.full:
        return said
    return replace(said, summary=html.excerpt(said.summary or said.content, source.excerpt), content="", enclosures=())


def _digest(entry: ParsedEntry) -> bytes:
    """A hash of all that an edit can change: not its dates, which some feeds move at each request, nor its id. Its link
    is to be that of the page, since some feeds track each request by it.
    """
    return hashlib.blake2b(repr(_DIGESTED(entry)).encode("utf-8", "replace"), digest_size=16).digest()


def _key(folded: str) -> bytes:
    return hashlib.blake2b(folded.encode("utf-8", "replace"), digest_size=8).digest()
