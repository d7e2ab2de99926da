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
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aggregator import text
from aggregator.models import Back, Candidate, Known, NewEntry, PreparedEntry, Unsettled

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

_RUNGS = ("own", "link", "made")
_NUMBER = re.compile(r"\d+(?:[.:/]\d+)*")

UNFIT = 2  # conflicts in one document after which a source's own ids are no longer believed
REISSUED = 5  # entries that should have been seen long ago, in one poll, that make it a re-issue of the archive
EDITED = 0.2  # share of the text's 4-grams above which an edit is material


@dataclass(frozen=True, slots=True)
class Identity:
    """By what an entry may be known: `(code, id)` from the best to the last, and the first of them that is fit for
    use.
    """

    rungs: tuple[tuple[str, str], ...]
    start: int

    def ids(self) -> list[str]:
        """Every id under which it may be stored, the fit ones first."""
        return [value for _, value in (*self.rungs[self.start :], *self.rungs[: self.start])]


def identify(entries: Sequence[PreparedEntry], id_by: str = "own") -> list[Identity]:
    """The identity of each entry of one document. Distinct entries (other link or title) get distinct ids.

    The feed's own id; where there is none, or where the document gives it to several different entries, the link, then
    the title and date. `id_by` is where to begin for a source whose ids proved unfit before.
    """
    ladders = [_ladder(prepared) for prepared in entries]
    starts = [min(_first(ladder, id_by), len(ladder) - 1) for ladder in ladders]
    for _ in range(max(map(len, ladders), default=0)):
        ids = [ladder[start][1] for ladder, start in zip(ladders, starts, strict=True)]
        pages = {(value, e.entry.link, e.title_key) for value, e in zip(ids, entries, strict=True)}
        different = Counter(value for value, _, _ in pages)
        clashes = [k for k, value in enumerate(ids) if different[value] > 1 and starts[k] < len(ladders[k]) - 1]
        if not clashes:
            break
        for k in clashes:
            starts[k] += 1
    return [Identity(tuple(ladder), start) for ladder, start in zip(ladders, starts, strict=True)]


def _first(ladder: Sequence[tuple[str, str]], id_by: str) -> int:
    codes = [code for code, _ in ladder]
    return next(k for k, code in enumerate(codes) if _RUNGS.index(code) >= _RUNGS.index(id_by))


def _ladder(prepared: PreparedEntry) -> list[tuple[str, str]]:
    entry = prepared.entry
    date = entry.published.isoformat() if entry.published else ""
    made = "\n".join((entry.id or "", entry.link or "", entry.title, date))
    digest = hashlib.blake2b(made.encode("utf-8", "replace"), digest_size=16).hexdigest()
    rungs = [("own", entry.id), ("link", entry.link), ("made", f"made:{digest}")]
    return [(code, value) for code, value in rungs if value]


@dataclass(frozen=True, slots=True)
class Changed:
    """A stored entry whose document now says something else."""

    known: Known
    prepared: PreparedEntry


@dataclass(frozen=True, slots=True)
class Sorted:
    """What a document's entries are to us. `new` is in the order in which they are to be stored, oldest first; `id_by`
    is
    by what the source's entries are to be known from now on."""

    new: list[NewEntry]
    changed: list[Changed]
    unchanged: int
    id_by: str


class _Memory:
    """What is stored of a source, by id and by page."""

    def __init__(self, known: Iterable[Known]) -> None:
        self.by_id: dict[str, Known] = {}
        self._by_page: dict[tuple[str | None, bytes], list[Known]] = {}
        for stored in known:
            self.by_id[stored.entry_id] = stored
            self._by_page.setdefault((stored.canonical, stored.title_key), []).append(stored)

    def find(self, prepared: PreparedEntry, identity: Identity) -> Known | None:
        """The stored entry that this one is: by its id, unless that stands for another entry now, or by its page."""
        for entry_id in identity.ids():
            stored = self.by_id.get(entry_id)
            if stored is not None and not _is_reused(stored, prepared):
                return stored
        page = (prepared.canonical, prepared.title_key)
        twins = self._by_page.get(page, ()) if prepared.canonical else ()
        return next((stored for stored in twins if _same_moment(stored, prepared)), None)


def _is_reused(stored: Known, prepared: PreparedEntry) -> bool:
    """Whether an id has gone over to another entry, as ids do that only count: link, title and date all differ."""
    same = stored.canonical == prepared.canonical or stored.title_key == prepared.title_key
    return not same and not _same_moment(stored, prepared)


def _same_moment(stored: Known, prepared: PreparedEntry) -> bool:
    """Whether both were published at the same time; where neither has a date, whether they say the same."""
    said = prepared.entry.published
    if stored.dated != (said is not None):
        return False
    return stored.published == said if said is not None else stored.text_key == prepared.text_key


def sort_out(
    entries: Sequence[PreparedEntry],
    identities: Sequence[Identity],
    known: Iterable[Known],
    now: datetime,
    horizon: Horizon,
    id_by: str = "own",
) -> Sorted:
    """Sort one document's entries into new, changed and unchanged ones, given their identities and what is stored.

    Of entries with one id the first counts. An edit changes an entry in place; see `is_material`.
    """
    memory = _Memory(known)
    new: dict[str, NewEntry] = {}
    changed: dict[int, Changed] = {}
    unchanged = conflicts = 0
    for prepared, identity in zip(entries, identities, strict=True):
        stored = memory.find(prepared, identity)
        if stored is None:
            code, entry_id = _free_rung(identity, memory)
            conflicts += code != identity.rungs[0][0]
            new.setdefault(entry_id, _new(entry_id, prepared, code, now))
        elif stored.digest == prepared.digest or stored.row in changed:
            unchanged += 1
        else:
            changed[stored.row] = Changed(stored, prepared)
    if conflicts >= UNFIT and id_by == "own":
        id_by = "link"
    return Sorted(_announced(list(reversed(new.values())), horizon), list(changed.values()), unchanged, id_by)


def _free_rung(identity: Identity, memory: _Memory) -> tuple[str, str]:
    """The best fit id that no other entry has."""
    fit = identity.rungs[identity.start :]
    return next(((code, value) for code, value in fit if value not in memory.by_id), fit[-1])


def _new(entry_id: str, prepared: PreparedEntry, code: str, now: datetime) -> NewEntry:
    said = prepared.entry
    repairs: tuple[str, ...] = () if code == "own" else (f"id:{code}",)
    if said.published is None:
        repairs += ("date:first_seen",)
    elif said.published > now:
        repairs += ("date:clamped",)
    published = min(said.published or now, now)
    updated = min(max(said.updated or published, published), now)
    return NewEntry(entry_id, prepared, published, updated, repairs=repairs)


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far back new entries are announced.

    `back_issues`: of a source just added, what was published before it is a back issue. `seen`: what was published
    before it should have been seen in an earlier poll; when many such come at once, the source has re-issued its
    archive.
    """

    back_issues: datetime | None = None
    seen: datetime | None = None


def _announced(new: list[NewEntry], horizon: Horizon) -> list[NewEntry]:
    old = [entry for entry in new if _before(entry, horizon.seen)]
    reissued = set(map(id, old)) if len(old) >= REISSUED else set()
    return [
        replace(entry, back=Back.BACK_ISSUE)
        if _before(entry, horizon.back_issues)
        else replace(entry, back=Back.REISSUED)
        if id(entry) in reissued
        else entry
        for entry in new
    ]


def _before(entry: NewEntry, moment: datetime | None) -> bool:
    return moment is not None and entry.prepared.entry.published is not None and entry.published < moment


# ------------------------------------------------------------------------------------------------- edits


def is_material(old_title: str, old_text: str, new_title: str, new_text: str) -> bool:
    """Whether an edit changes what is said, given both folded titles and texts.

    It does when the title changed, when a number changed (a toll, a price, a score), or when more than a fifth of the
    text's 4-grams did.
    """
    if old_title != new_title or _numbers(old_text) != _numbers(new_text):
        return True
    old, new = text.grams(old_text, 4), text.grams(new_text, 4)
    return len(old - new) > EDITED * len(old) or len(new - old) > EDITED * len(new)


def _numbers(folded: str) -> Counter[str]:
    return Counter(_NUMBER.findall(folded))


def updated(stored: Known, said: datetime | None, material: bool, now: datetime) -> datetime:
    """The entry's `updated` after an edit: it moves only when the edit is material, to what the feed says or to now."""
    if not material:
        return stored.updated
    if said is not None and stored.updated < said <= now:
        return said
    return max(now, stored.updated)


# ------------------------------------------------------------------------------------------------- stories


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
