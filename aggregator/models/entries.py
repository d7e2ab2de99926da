"""An entry on its way into the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from aggregator.models.documents import ParsedEntry
from aggregator.models.filing import Filing
from aggregator.models.travelling import travelling


@dataclass(frozen=True, slots=True)
class Print:
    """What an entry is compared by: a packed fingerprint, and its keys of 34 bits, of the title and of the text."""

    packed: bytes
    title_keys: tuple[int, ...] = ()
    text_keys: tuple[int, ...] = ()


@travelling
@dataclass(frozen=True, slots=True)
class PreparedEntry:
    """A parsed entry with all that is computed from it alone, so that storing it needs no more text work.

    `canonical` is the key of its link (None: the link names no page of its own). `title_key` and `text_key` are 8-byte
    hashes of the folded title and text, `digest` one of every stored field (of the link, only the page).
    """

    entry: ParsedEntry
    canonical: str | None
    title_key: bytes
    text_key: bytes
    digest: bytes
    filings: tuple[Filing, ...] = ()
    print: Print | None = None


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
