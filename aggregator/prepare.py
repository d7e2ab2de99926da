"""What a worker does for a poll: a fetched document → the feed, and each unseen entry with all that is computed from it
alone.

Everything that takes time for an entry happens here, once, outside the serving process: parsing, sanitising, folding,
hashing, filing by rules. What is left to do needs the store.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import lru_cache
from operator import attrgetter
from zoneinfo import ZoneInfo

from aggregator import categorize, html, parse, text, urls
from aggregator.models import Category, ParsedEntry, ParsedFeed, PreparedEntry, Source

_DIGESTED = attrgetter(
    *(field.name for field in fields(ParsedEntry) if field.name not in ("id", "published", "updated", "repairs"))
)
COMPARED = 1000  # characters of the text that are folded, for comparing and for rules


def document(
    body: bytes, content_type: str | None, url: str, source: Source, tools: bytes, seen: bytes
) -> tuple[ParsedFeed, tuple[PreparedEntry, ...]]:
    """Read a document and prepare its unseen entries; raises ParseError. `tools` are from `pack`.

    The feed comes back without its entries: the prepared ones hold them.
    """
    zone = ZoneInfo(source.timezone) if source.timezone else None
    feed = parse.read(body, content_type, url, zone, seen)
    rules, tracking = _unpack(tools)
    prepared = tuple(_prepare(entry, feed, source, rules, tracking) for entry in feed.entries if _says_something(entry))
    return replace(feed, entries=()), prepared


def pack(categories: Sequence[Category], tracking: str) -> bytes:
    """What workers need of the configuration, as bytes that travel cheaply. `tracking`: lines added to our own file."""
    return pickle.dumps((tuple(categories), tracking))


@lru_cache(maxsize=2)
def _unpack(tools: bytes) -> tuple[categorize.Rulebook, urls.Tracking]:
    """The compiled rules and tracking parameters, made once per process and configuration."""
    categories, tracking = pickle.loads(tools)  # noqa: S301 - our own bytes, from our own parent process
    return categorize.Rulebook(categories), urls.load_tracking(tracking)


def _says_something(said: ParsedEntry) -> bool:
    """Whether there is anything to show: an element without title, link, text and enclosure is no entry."""
    return bool(said.title or said.link or said.content or said.summary or said.enclosures)


def _prepare(
    said: ParsedEntry, feed: ParsedFeed, source: Source, rules: categorize.Rulebook, tracking: urls.Tracking
) -> PreparedEntry:
    plain = html.beginning(said.content or said.summary, COMPARED)
    folded_title, folded_text = text.fold(said.title), text.fold(plain)
    language = source.language or said.language or feed.head.language or text.script(said.title + plain)
    entry = _cut_short(said, source)
    if entry.language != language:
        entry = replace(entry, language=language)
    subject = categorize.Subject(
        plain={
            "title": said.title,
            "text": plain,
            "url": said.link or "",
            "author": said.author,
            "source": source.name,
        },
        folded={"title": folded_title, "text": folded_text},
    )
    return PreparedEntry(
        entry=entry,
        canonical=entry.link and urls.single_page(entry.link, tracking),
        title_key=_key(folded_title),
        text_key=_key(folded_text),
        digest=_digest(entry),
        filings=rules.file(subject, source.categories),
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
