"""Entries that may tell one story, and what editors decide of stories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aggregator.models.entries import Back

# How far apart two entries may be published, at the most, to be the same page or text, and to tell the same event.
SAME_TEXT_WINDOW = timedelta(days=14)
SAME_EVENT_WINDOW = timedelta(hours=72)


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
    """A story that a new entry may join: when its first entry was published, of which sources its entries are, and
    whether a live feed ever carried it."""

    began: datetime
    sources: tuple[int, ...]
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
