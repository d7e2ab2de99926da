"""What a worker does for a poll: a fetched document → the feed, and each unseen entry with all that is computed from it
alone.

Everything that takes time for an entry happens here, once, outside the serving process: parsing, sanitising, folding,
hashing, filing. What is left to do needs the store.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from aggregator import categorize, html, parse, text, urls
from aggregator.categorize.lexicon import NOTHING, Learned
from aggregator.models import Category, ParsedEntry, ParsedFeed, PreparedEntry, Source

_DIGESTED = attrgetter(
    *(field.name for field in fields(ParsedEntry) if field.name not in ("id", "published", "updated", "repairs"))
)
COMPARED = 1000  # characters of the text that are folded, for comparing and for filing


class Tools(NamedTuple):
    """What a configuration says of entries, made ready for use."""

    guide: categorize.Guide
    tracking: urls.Tracking


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


def pack(categories: Sequence[Category], tracking: str, words: str = "", learned: Learned = NOTHING) -> bytes:
    """What workers need of the configuration, as bytes that travel cheaply.

    `tracking` and `words` are lines added to our own list of parameters and to our own lexicon; `learned` is what the
    lexicon learned.
    """
    return pickle.dumps((tuple(categories), tracking, words, learned))


@lru_cache(maxsize=2)
def unpack(tools: bytes) -> Tools:
    """What `pack` packed, made ready once per process and configuration."""
    categories, tracking, words, learned = pickle.loads(tools)  # noqa: S301 - our own bytes, from our own process
    guide = categorize.Guide(categories, categorize.lexicon.load(words), learned)
    return Tools(guide, urls.load_tracking(tracking))


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


def _says_something(said: ParsedEntry) -> bool:
    """Whether there is anything to show: an element without title, link, text and enclosure is no entry."""
    return bool(said.title or said.link or said.content or said.summary or said.enclosures)


def _prepare(said: ParsedEntry, feed: ParsedFeed, source: Source, tools: Tools) -> PreparedEntry:
    seen = subject(said, source, feed.head.language)
    entry = replace(_cut_short(said, source), language=seen.plain["language"] or None)
    return PreparedEntry(
        entry=entry,
        canonical=entry.link and urls.single_page(entry.link, tools.tracking),
        title_key=_key(seen.folded["title"]),
        text_key=_key(seen.folded["text"]),
        digest=_digest(entry),
        filings=categorize.decide(tools.guide, seen, source).filings,
    )


def _cut_short(said: ParsedEntry, source: Source) -> ParsedEntry:
    """The entry as the source may be shown: whole, or (`full: false`) as an excerpt with the link."""
    if source.full:
        return said
    return replace(said, summary=html.excerpt(said.summary or said.content, source.excerpt), content="", enclosures=())


def _digest(entry: ParsedEntry) -> bytes:
    """A hash of all that an edit can change: not its dates, which some feeds move at each request, nor its id."""
    return hashlib.blake2b(repr(_DIGESTED(entry)).encode("utf-8", "replace"), digest_size=16).digest()


def _key(folded: str) -> bytes:
    return hashlib.blake2b(folded.encode("utf-8", "replace"), digest_size=8).digest()
