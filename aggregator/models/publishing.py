"""What a subscriber sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from aggregator.models.documents import Enclosure, Head
from aggregator.models.travelling import travelling


@travelling
@dataclass(frozen=True, slots=True)
class Mention:
    """An entry that a story names: one that also tells it, or one of a related story."""

    source_name: str
    title: str
    link: str | None


@dataclass(frozen=True, slots=True)
class PublishedEntry:
    """A story as a subscriber sees it: its representative's id, title, text, link and source, and the categories of all
    its entries. `coverage` are its other entries, `related` the representatives of stories that are linked to it."""

    id: str
    title: str
    link: str | None
    summary: str
    content: str
    author: str
    rights: str
    language: str | None
    published: datetime
    updated: datetime
    enclosures: tuple[Enclosure, ...]
    source_name: str
    source_url: str
    source: Head
    terms: tuple[str, ...]
    image: str | None = None
    duration: int | None = None
    episode: str | None = None
    coverage: tuple[Mention, ...] = ()
    related: tuple[Mention, ...] = ()


@dataclass(frozen=True, slots=True)
class PublishedStory:
    """One row of the publication log with the story that it put into a feed."""

    seq: int
    published_at: datetime
    entry: PublishedEntry


@dataclass(frozen=True, slots=True)
class FeedMark:
    """The dirty mark of a published term: how often it changed, and the tick of the last change."""

    term: str
    changed: int
    as_of: datetime


@dataclass(frozen=True, slots=True)
class FeedMeta:
    """What a published feed says of itself. `site` is an absolute address without a final slash; `labels` are of
    terms.
    """

    term: str
    id: str
    title: str
    site: str
    language: str
    updated: datetime
    labels: Mapping[str, str]
