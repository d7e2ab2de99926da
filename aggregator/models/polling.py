"""What is known of a source between its polls, and what a poll brought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.models.documents import Validators, Wishes


@dataclass(frozen=True, slots=True)
class Place:
    """Where a source is polled, and where it says that it moved for good, in how many polls so far."""

    current_url: str
    moved_to: str | None = None
    moved_polls: int = 0


@dataclass(frozen=True, slots=True)
class SourceState:
    """What the store remembers of a source, as a poll needs it. `hashes`, `gist` and `digest` are of the last document;
    the validators are of the one at the address `validated` (None: at `place`).

    `founding`: it came with the first configuration. `fetched` and `parsed`: the last polls that brought a document,
    and one that could be read. `id_by`: by what its entries are known (own, link, made).
    """

    id: int
    name: str
    url: str
    place: Place
    validators: Validators
    validated: str | None
    hashes: bytes
    gist: bytes
    digest: bytes
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
    validated: str | None = None
    fetched: datetime | None = None
    digest: bytes | None = None
