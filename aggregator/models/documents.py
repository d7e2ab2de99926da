"""What a feed said, cleaned, and how it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.models.travelling import travelling


@dataclass(frozen=True, slots=True)
class Validators:
    """Opaque validators of a representation (RFC 9110, section 8.8), sent back byte for byte."""

    etag: str | None = None
    last_modified: str | None = None


@travelling
@dataclass(frozen=True, slots=True)
class Head:
    """What a feed document says of itself (RFC 4287, section 4.2.11: what atom:source preserves)."""

    id: str | None = None
    title: str | None = None
    link: str | None = None
    updated: datetime | None = None
    author: str | None = None
    rights: str | None = None
    language: str | None = None


@travelling
@dataclass(frozen=True, slots=True)
class Enclosure:
    """RFC 4287 link rel=enclosure, RSS enclosure, JSON Feed attachment. `length` in bytes."""

    url: str
    type: str = ""
    length: int | None = None


@travelling
@dataclass(frozen=True, slots=True)
class ParsedEntry:
    """What a feed said of one entry: sanitised, links absolute, dates as far as the feed had usable ones.

    `summary` and `content` are safe HTML; `title`, `author` and `rights` are plain text. `repairs` are codes of what
    was mended (`link:guid`, `date:unreadable`, …), for the trace. `duration` is in seconds.
    """

    id: str | None
    link: str | None
    title: str
    summary: str = ""
    content: str = ""
    author: str = ""
    rights: str = ""
    language: str | None = None
    published: datetime | None = None
    updated: datetime | None = None
    enclosures: tuple[Enclosure, ...] = ()
    image: str | None = None
    duration: int | None = None
    episode: str | None = None
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wishes:
    """How often a feed document wants to be fetched: RSS ttl and sy:updatePeriod, skipHours (0 to 23, GMT) and skipDays
    (0 Monday to 6 Sunday), RSS 2.0."""

    ttl: timedelta | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """One fetched document. `entries` are the entries that were not in `seen` when it was read, in document order;
    `hashes` has 8 bytes for every entry of the document, or 8 for all of it where the cut was not certain. `gist` is
    the same for documents that differ in nothing but the time at which they were made; empty where none was made.
    `complete`: all entries that were not in `seen` were read, and the document has an end.
    """

    format: str
    encoding: str
    head: Head
    entries: tuple[ParsedEntry, ...]
    hashes: bytes = b""
    wishes: Wishes = Wishes()
    gist: bytes = b""
    complete: bool = True
