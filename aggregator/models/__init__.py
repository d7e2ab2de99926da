"""Frozen values that travel between modules: what the editor configured, what a feed said, what is published.

Datetimes are aware UTC, durations are `timedelta`. Three types for an entry, because they are three things:
`ParsedEntry` is what a feed said (cleaned), the store's rows are what we know, `PublishedEntry` is what a subscriber
sees.
"""

from __future__ import annotations

from aggregator.models.configuration import (
    OWN_LABELS,
    OWN_TERMS,
    RESERVED_TERMS,
    Category,
    Config,
    FetchSettings,
    PollSettings,
    PublishSettings,
    Rule,
    Settings,
    SiteSettings,
    Sought,
    Source,
)
from aggregator.models.documents import Enclosure, Head, ParsedEntry, ParsedFeed, Validators, Wishes
from aggregator.models.entries import Back, Known, NewEntry, PreparedEntry, Print
from aggregator.models.filing import Edition, Example, Filing, Ruling, StoredEntry, Weight
from aggregator.models.polling import Place, SourceState, Visit
from aggregator.models.publishing import FeedMark, FeedMeta, Mention, PublishedEntry, PublishedStory
from aggregator.models.stories import (
    SAME_EVENT_WINDOW,
    SAME_TEXT_WINDOW,
    Candidate,
    Decision,
    Member,
    OpenDecision,
    Standing,
    Unsettled,
)

__all__ = [
    "OWN_LABELS",
    "OWN_TERMS",
    "RESERVED_TERMS",
    "SAME_EVENT_WINDOW",
    "SAME_TEXT_WINDOW",
    "Back",
    "Candidate",
    "Category",
    "Config",
    "Decision",
    "Edition",
    "Enclosure",
    "Example",
    "FeedMark",
    "FeedMeta",
    "FetchSettings",
    "Filing",
    "Head",
    "Known",
    "Member",
    "Mention",
    "NewEntry",
    "OpenDecision",
    "ParsedEntry",
    "ParsedFeed",
    "Place",
    "PollSettings",
    "PreparedEntry",
    "Print",
    "PublishSettings",
    "PublishedEntry",
    "PublishedStory",
    "Rule",
    "Ruling",
    "Settings",
    "SiteSettings",
    "Sought",
    "Source",
    "SourceState",
    "Standing",
    "StoredEntry",
    "Unsettled",
    "Validators",
    "Visit",
    "Weight",
    "Wishes",
]
