"""What is new, changed, unchanged, or a copy. Pure: every function decides from its arguments alone.

Within a source an entry is its repaired id. Across sources two entries are one story when they link to the same page.
What one document cannot say (no id, an id given twice) is repaired here, because an entry without an identity would be
lost or doubled.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.models import Candidate, Known, NewEntry, PreparedEntry, Unsettled

# The namespace of published ids that we make (RFC 9562, section 5.5). It is part of every published feed: never change
# it.
NAMESPACE = uuid.UUID("5a0c2f0e-6d0b-5b52-9a55-1f4d3c9c7a11")

# How long after a page's first entry another entry with its link is taken for a copy of it.
COPY_WINDOW = timedelta(days=14)

# An entry's own id may be published when it is one of these IRIs, with no character that RFC 3987 forbids.
_PUBLISHABLE = re.compile(
    r"(?:https?://[^\s<>\"{}|\\^`/][^\s<>\"{}|\\^`]*|(?:tag|urn):[^\s<>\"{}|\\^`]+)", re.IGNORECASE
)
_LONGEST_ID = 2000


def identify(entries: Sequence[PreparedEntry]) -> list[tuple[str, tuple[str, ...]]]:
    """The repaired id of each entry of one document, with what was repaired. Distinct entries get distinct ids.

    The feed's own id; where there is none, or where the document gives it to several different entries, the link, then
    the title and date.
    """
    ladders = [_ladder(prepared) for prepared in entries]
    chosen: list[tuple[str, tuple[str, ...]]] = []
    for ladder, level in zip(ladders, _levels(entries, ladders), strict=True):
        code, value = ladder[level]
        chosen.append((value, (f"id:{code}",) if code != "own" else ()))
    return chosen


def _levels(entries: Sequence[PreparedEntry], ladders: Sequence[list[tuple[str, str]]]) -> list[int]:
    """How far down its ladder each entry must go until no different entry of the document has the same id."""
    levels = [0] * len(ladders)
    for _ in range(max(map(len, ladders), default=0)):
        ids = [ladder[level][1] for ladder, level in zip(ladders, levels, strict=True)]
        pages = {(i, e.entry.link, e.title_key) for i, e in zip(ids, entries, strict=True)}
        different = Counter(value for value, _, _ in pages)
        clashes = [k for k, value in enumerate(ids) if different[value] > 1 and levels[k] < len(ladders[k]) - 1]
        if not clashes:
            break
        for k in clashes:
            levels[k] += 1
    return levels


def _ladder(prepared: PreparedEntry) -> list[tuple[str, str]]:
    entry = prepared.entry
    rungs = [("own", entry.id), ("link", entry.link)]
    date = entry.published.isoformat() if entry.published else ""
    made = "\n".join((entry.id or "", entry.link or "", entry.title, date))
    digest = hashlib.blake2b(made.encode("utf-8", "replace"), digest_size=16).hexdigest()
    return [(code, value) for code, value in rungs if value] + [("made", f"made:{digest}")]


@dataclass(frozen=True, slots=True)
class Changed:
    """A stored entry whose document now says something else. `updated` moves only when title or text changed."""

    known: Known
    prepared: PreparedEntry
    updated: datetime


@dataclass(frozen=True, slots=True)
class Sorted:
    """What a document's entries are to us. `new` is in the order in which they are to be stored, oldest first."""

    new: list[NewEntry]
    changed: list[Changed]
    unchanged: int


def sort_out(
    entries: Sequence[PreparedEntry],
    ids: Sequence[tuple[str, tuple[str, ...]]],
    known: Mapping[str, Known],
    now: datetime,
    announce_from: datetime | None,
) -> Sorted:
    """Sort one document's entries into new, changed and unchanged ones, given their `ids` and what is stored under
    them.

    New entries published before `announce_from` (None: none) are back issues. Of entries with one id the first counts.
    """
    new: dict[str, NewEntry] = {}
    changed: dict[str, Changed] = {}
    unchanged = 0
    for prepared, (entry_id, repairs) in zip(entries, ids, strict=True):
        stored = known.get(entry_id)
        if stored is None:
            new.setdefault(entry_id, _new(entry_id, prepared, repairs, now, announce_from))
        elif stored.digest == prepared.digest or entry_id in changed:
            unchanged += 1
        else:
            changed[entry_id] = Changed(stored, prepared, _updated(stored, prepared, now))
    return Sorted(list(reversed(new.values())), list(changed.values()), unchanged)


def _new(
    entry_id: str,
    prepared: PreparedEntry,
    repairs: tuple[str, ...],
    now: datetime,
    announce_from: datetime | None,
) -> NewEntry:
    said = prepared.entry
    published = min(said.published or now, now)
    if said.published is None:
        repairs += ("date:first_seen",)
    elif said.published > now:
        repairs += ("date:clamped",)
    updated = min(max(said.updated or published, published), now)
    back = announce_from is not None and published < announce_from
    return NewEntry(entry_id, prepared, published, updated, back, repairs)


def _updated(stored: Known, prepared: PreparedEntry, now: datetime) -> datetime:
    if (stored.title_key, stored.text_key) == (prepared.title_key, prepared.text_key):
        return stored.updated
    said = prepared.entry.updated
    if said is not None and stored.updated < said <= now:
        return said
    return max(now, stored.updated)


def copy_of(entry: Unsettled, candidates: Iterable[Candidate]) -> tuple[Candidate, str] | None:
    """Which settled entry this one is a copy of, and by what evidence; None when it starts a story of its own.

    `candidates` link to the same page. A link that stands under several titles (a show's page, a front page) names no
    single story: then, as within one source, only an equal folded title joins.
    """
    near = [c for c in candidates if abs(entry.published - c.published) <= COPY_WINDOW]
    for candidate in near:
        if candidate.title_key == entry.title_key:
            return candidate, "link+title"
    if not near or any(c.source == entry.source for c in near):
        return None
    if len({c.story for c in near}) > 1:
        return None
    return near[-1], "link"


def published_id(source_name: str, entry_id: str, taken: bool) -> str:
    """The id under which an entry is published: its own if it is a fit IRI and not `taken`, else a UUIDv5 URN."""
    if not taken and is_publishable(entry_id):
        return entry_id
    return uuid.uuid5(NAMESPACE, f"{source_name}\n{entry_id}").urn


def is_publishable(entry_id: str) -> bool:
    """Whether an entry's own id may be published: an absolute http(s), tag or urn IRI (RFC 4287, section 4.2.6)."""
    return len(entry_id) <= _LONGEST_ID and _PUBLISHABLE.fullmatch(entry_id) is not None


def terms_of(entry_terms: Collection[str], parents: Mapping[str, str | None]) -> list[str]:
    """The feeds that a story with these categories belongs to: the categories, their ancestors, and always `all`.

    A story without a configured category belongs to `other`.
    """
    found: set[str] = set()
    for term in entry_terms:
        step: str | None = term if term in parents else None
        while step is not None and step not in found:
            found.add(step)
            step = parents[step]
    return [*sorted(found or {"other"}), "all"]
