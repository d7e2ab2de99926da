"""What the editor configured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

# Terms that name something of the aggregator's own, so that no category may take them.
OWN_TERMS = ("all", "other")  # feeds that are of no category
OWN_LABELS: Mapping[str, Mapping[str, str]] = {
    "all": {"zh-Hans": "全部", "zh-Hant": "全部", "en": "All"},
    "other": {"zh-Hans": "其他", "zh-Hant": "其他", "en": "Other"},
}
RESERVED_TERMS = (*OWN_TERMS, "hot", "health", "search", "archive", "sources")


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

    `categories` hold every entry of it; `prior` is the share of its entries, over 0 and under 1, by term. `written` is
    the address as it stands in the configuration, where a part of it is a variable's value, which is not to be shown.
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
    written: str | None = None

    @property
    def shown(self) -> str:
        """The address for people and other programs to see."""
        return self.written or self.url


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

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms that have a feed."""
        return (*(category.term for category in self.categories), *OWN_TERMS)
