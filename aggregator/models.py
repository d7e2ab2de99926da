"""Frozen values that travel between modules: what the editor configured, what a feed said, what is published.

Datetimes are aware UTC, durations are `timedelta`. Three types for an entry, because they are three things:
`ParsedEntry` is what a feed said (cleaned), the store's rows are what we know, `PublishedEntry` is what a subscriber
sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import IntEnum
from ipaddress import IPv4Network, IPv6Network
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

# Terms that name something of the aggregator's own, so that no category may take them.
RESERVED_TERMS = ("all", "other", "hot", "health", "search", "archive", "sources")

# How far apart two entries may be published, at the most, to be the same page or text, and to tell the same event.
SAME_TEXT_WINDOW = timedelta(days=14)
SAME_EVENT_WINDOW = timedelta(hours=72)

_T = TypeVar("_T")


def _travelling(kind: type[_T]) -> type[_T]:
    """A frozen dataclass that is pickled as a call of itself: half the time of going through its slots one by one."""
    # mypy does not know that `kind` is a dataclass, nor that a class may get a method later.
    values = attrgetter(*(each.name for each in fields(kind)))  # type: ignore[arg-type]
    kind.__reduce__ = lambda self: (kind, values(self))  # type: ignore[method-assign]
    return kind


# ---------------------------------------------------------------------------------------------- configuration


@dataclass(frozen=True, slots=True)
class Sought:
    """An item of a rule that is looked for in a field of its own."""

    field: str
    said: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: it hits when every `all`, at least one `any` (where given) and no `none` is found.

    An item is a word or phrase, or a pattern between slashes (`/…/`, RE2 syntax), looked for in each of `fields`
    (title, text, url, author, source, language). A rule that hits adds its `weight` to the category's score, or, where
    it has none, does its `act`: `add`, `remove` or `only`. `category` is the term that a source's rule is about.
    """

    any: tuple[str | Sought, ...] = ()
    all: tuple[str | Sought, ...] = ()
    none: tuple[str | Sought, ...] = ()
    fields: tuple[str, ...] = ("title", "text")
    act: str = "add"
    weight: float | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Category:
    """A category. `term` is its URL-safe identity for ever; `label` and `labels` (by language tag) may change.

    `threshold`: the score from which on an entry belongs to it; None: the lexicon's own, infinity: no score is enough.
    """

    term: str
    label: str
    labels: Mapping[str, str] = field(default_factory=dict)
    parent: str | None = None
    threshold: float | None = None
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A feed that we poll. `name` is its identity; `formerly` are names that it had before.

    `categories` hold every entry of it; `prior` is the share of its entries, over 0 and under 1, by term.
    """

    name: str
    url: str
    categories: tuple[str, ...] = ()
    prior: Mapping[str, float] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    every: timedelta | None = None
    language: str | None = None
    timezone: str | None = None
    enabled: bool = True
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    full: bool = True
    excerpt: int = 300
    formerly: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """How the published site names itself. `base_url` is empty or ends without a slash."""

    title: str = "聚合"
    base_url: str = ""
    language: str = "zh-Hans"
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """Limits of one fetch, and manners towards hosts. `max_body` is in bytes, after decompression."""

    allow_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    deadline: timedelta = timedelta(seconds=20)
    max_body: int = 15 * 1024 * 1024
    concurrency: int = 32
    per_host: int = 2
    host_gap: timedelta = timedelta(seconds=1)
    contact: str = ""


@dataclass(frozen=True, slots=True)
class PollSettings:
    """Bounds of the interval of a source that sets no `every`."""

    floor: timedelta = timedelta(minutes=30)
    ceiling: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """`limit`: stories in a live feed. `max_age`: none, or how long a story stays in it. `backfill`: how far back a
    source that is added later is announced."""

    limit: int = 100
    max_age: timedelta | None = None
    backfill: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Settings:
    """aggregator.yaml. `data` is absolute; `keep` is how long texts are stored (store.keep)."""

    site: SiteSettings = SiteSettings()
    listen_host: str = "127.0.0.1"
    listen_port: int = 8080
    data: Path = Path("data")
    fetch: FetchSettings = FetchSettings()
    poll: PollSettings = PollSettings()
    publish: PublishSettings = PublishSettings()
    keep: timedelta = timedelta(days=400)
    log_level: str = "info"
    log_format: str = "text"


@dataclass(frozen=True, slots=True)
class Config:
    """One whole, valid configuration, as read from `folder`."""

    folder: Path
    settings: Settings
    sources: tuple[Source, ...]
    categories: tuple[Category, ...]
    tracking: str = ""  # lines that add to our own list of tracking parameters
    aliases: str = ""  # lines that add to our own table of names
    lexicon: str = ""  # lines that add to our own words


# ---------------------------------------------------------------------------------------------- fetching


@dataclass(frozen=True, slots=True)
class Validators:
    """Opaque validators of a representation (RFC 9110, section 8.8), sent back byte for byte."""

    etag: str | None = None
    last_modified: str | None = None


# ---------------------------------------------------------------------------------------------- parsing


@_travelling
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


@_travelling
@dataclass(frozen=True, slots=True)
class Enclosure:
    """RFC 4287 link rel=enclosure, RSS enclosure, JSON Feed attachment. `length` in bytes."""

    url: str
    type: str = ""
    length: int | None = None


@_travelling
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
    `hashes` has 8 bytes for every entry of the document, or 8 for all of it where the cut was not certain."""

    format: str
    encoding: str
    head: Head
    entries: tuple[ParsedEntry, ...]
    hashes: bytes = b""
    wishes: Wishes = Wishes()


# ---------------------------------------------------------------------------------------------- categorizing


@_travelling
@dataclass(frozen=True, slots=True)
class Filing:
    """One category of one entry: which voice put it there (`editor`, `source`, `rule`, `lexicon`), why (codes and
    references, which `explain` puts into words), and the score of the lexicon's voice."""

    term: str
    origin: str
    reason: str = ""
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Edition:
    """What files entries: digests of the lexicon, and of the rules and the source; and how often something was learned
    up to then."""

    lexicon: str
    rules: str
    learned: int = 0


class Weight(NamedTuple):
    """What was learned of a word for a term, and in how many lessons. The empty word stands for the term itself."""

    word: str
    term: str
    weight: float
    lessons: int = 1


class Example(NamedTuple):
    """An entry to learn from: its title, its text (HTML), terms that it belongs to, and terms that it does not."""

    title: str
    markup: str
    right: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ruling:
    """What an editor said by hand of one category of one entry: `filed` there, or kept out. `who` said it."""

    term: str
    filed: bool
    who: str = ""


@dataclass(frozen=True, slots=True)
class Print:
    """What an entry is compared by: a packed fingerprint, and its keys of 34 bits, of the title and of the text."""

    packed: bytes
    title_keys: tuple[int, ...] = ()
    text_keys: tuple[int, ...] = ()


@_travelling
@dataclass(frozen=True, slots=True)
class StoredEntry:
    """What filing looks at of a stored entry, how it is filed, and what editors said of that. `markup` is its text."""

    row: int
    published_id: str
    story: int
    source_name: str
    title: str
    link: str | None
    markup: str
    author: str
    language: str | None
    filings: tuple[Filing, ...]
    rulings: tuple[Ruling, ...]


@_travelling
@dataclass(frozen=True, slots=True)
class PreparedEntry:
    """A parsed entry with all that is computed from it alone, so that storing it needs no more text work.

    `canonical` is the key of its link (None: the link names no page of its own). `title_key` and `text_key` are 8-byte
    hashes of the folded title and text, `digest` one of every stored field.
    """

    entry: ParsedEntry
    canonical: str | None
    title_key: bytes
    text_key: bytes
    digest: bytes
    filings: tuple[Filing, ...] = ()
    print: Print | None = None


# ---------------------------------------------------------------------------------------------- storing


class Back(IntEnum):
    """Whether a new entry is announced, a back issue (only for archives), or re-issued by its source (in no feed)."""

    ANNOUNCED = 0
    BACK_ISSUE = 1
    REISSUED = 2


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of an entry, as deciding whether it is the same and changed needs it. `row` is its number in this
    database, `dated` whether its feed gave `published`."""

    row: int
    entry_id: str
    canonical: str | None
    digest: bytes
    title_key: bytes
    text_key: bytes
    published: datetime
    updated: datetime
    dated: bool


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to be stored: its repaired id, settled dates, and whether it is announced."""

    id: str
    prepared: PreparedEntry
    published: datetime
    updated: datetime
    back: Back = Back.ANNOUNCED
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A stored entry that waits for its story."""

    row: int
    source: int
    source_name: str
    entry_id: str
    canonical: str | None
    title: str
    title_key: bytes
    published: datetime
    back: Back
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A settled entry that an unsettled one may be a copy of. `announced`: a live feed carried its story."""

    row: int
    source: int
    story: int
    title_key: bytes
    published: datetime
    published_id: str
    announced: bool


@dataclass(frozen=True, slots=True)
class Member:
    """An entry of a story that a new one may belong to."""

    row: int
    published_id: str
    entry_id: str
    title: str
    published: datetime
    source_name: str
    packed: bytes
    story: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A story that a new entry may join: when its first entry was published, how many entries it has, and whether a
    live feed ever carried it."""

    began: datetime
    size: int
    announced: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """What an editor said of a published id, by hand. It holds against everything later, until undone. `other`: the
    published id that a story is joined with."""

    who: str
    decided_at: datetime
    act: str
    target: str
    other: str | None = None


@dataclass(frozen=True, slots=True)
class OpenDecision:
    """A decision that waits to be applied, or `undone`, to be taken back. `effect`: what applying it moved."""

    row: int
    said: Decision
    undone: bool
    effect: Mapping[str, Any]


# ---------------------------------------------------------------------------------------------- polling


@dataclass(frozen=True, slots=True)
class Place:
    """Where a source is polled, and where it says that it moved for good, in how many polls so far."""

    current_url: str
    moved_to: str | None = None
    moved_polls: int = 0


@dataclass(frozen=True, slots=True)
class SourceState:
    """What the store remembers of a source, as a poll needs it. `hashes`: 8 bytes for each entry of the last document.

    `founding`: it came with the first configuration. `fetched` and `parsed`: the last polls that brought a document,
    and one that could be read. `id_by`: by what its entries are known (own, link, made).
    """

    id: int
    name: str
    url: str
    place: Place
    validators: Validators
    hashes: bytes
    failures: int
    rhythm: timedelta | None
    wishes: Wishes
    founding: bool
    fetched: datetime | None
    parsed: datetime | None
    id_by: str


@dataclass(frozen=True, slots=True)
class Visit:
    """What one poll leaves in the source's row. What is None stays as it is there, but for `not_before`."""

    source: int
    status: str
    reason: str
    failures: int
    polled: datetime
    next_poll: datetime
    not_before: datetime | None = None
    place: Place | None = None
    validators: Validators | None = None
    fetched: datetime | None = None


# ---------------------------------------------------------------------------------------------- publishing


@_travelling
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
