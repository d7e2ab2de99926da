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
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from aggregator import html, text, urls
from aggregator.models import SAME_TEXT_WINDOW, Back, Candidate, Known, NewEntry, PreparedEntry, Unsettled

# The namespace of published ids that we make (RFC 9562, section 5.5). It is part of every published feed: never change
# it.
NAMESPACE = uuid.UUID("5a0c2f0e-6d0b-5b52-9a55-1f4d3c9c7a11")

# An entry's own id may be published when it is one of these IRIs, with no character that RFC 3987 forbids.
_PUBLISHABLE = re.compile(
    r"(?:https?://[^\s<>\"{}|\\^`/][^\s<>\"{}|\\^`]*|(?:tag|urn):[^\s<>\"{}|\\^`]+)", re.IGNORECASE
)
_LONGEST_ID = 2000

_RUNGS = ("own", "link", "made")
_EDITION = re.compile(r"#\d{1,2}$")
_NUMBER = re.compile(r"\d+(?:[.:/]\d+)*")
_NUMERIC = "0123456789.:/"

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

    @property
    def fit(self) -> tuple[str, str]:
        """The best that is fit for use."""
        return self.rungs[self.start]

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
    said = entry.title or prepared.text_key.hex()  # what has no title is told apart by its text
    made = "\n".join((entry.id or "", entry.link or "", said, date))
    digest = hashlib.blake2b(made.encode("utf-8", "replace"), digest_size=16).hexdigest()
    page = entry.link if prepared.canonical else None  # a front page is no entry's own
    rungs = [("own", entry.id), ("link", page), ("made", f"made:{digest}")]
    if _is_version(prepared):
        rungs[:2] = rungs[1::-1]
    return [(code, value) for code, value in rungs if value]


def _is_version(prepared: PreparedEntry) -> bool:
    """Whether the entry's own id is its page's address and a number that counts the page's editions, as the BBC's are.

    Where the link has a fragment too, that is a place on a page that holds several entries.
    """
    entry = prepared.entry
    if not entry.id or not entry.link or "#" in entry.link or not _EDITION.search(entry.id):
        return False
    return prepared.canonical is not None and urls.canonical(entry.id) == prepared.canonical


@dataclass(frozen=True, slots=True)
class Changed:
    """A stored entry whose document now says something else."""

    known: Known
    prepared: PreparedEntry


@dataclass(frozen=True, slots=True)
class Sorted:
    """What a document's entries are to us. `new` is in the order in which they are to be stored, oldest first; `id_by`
    says by what the source's entries are to be known from now on."""

    new: list[NewEntry]
    changed: list[Changed]
    unchanged: int
    id_by: str


class _Memory:
    """What is stored of a source, by id and by page.

    `shared` are the pages of several entries (a show's page, a list's): no evidence of which entry it is.
    """

    def __init__(self, known: Iterable[Known], entries: Iterable[PreparedEntry]) -> None:
        self.by_id: dict[str, Known] = {}
        self._by_title: dict[bytes, list[Known]] = {}
        stored = Counter[str | None]()
        for one in known:
            self.by_id[one.entry_id] = one
            self._by_title.setdefault(one.title_key, []).append(one)
            stored[one.canonical] += 1
        listed = Counter(page for page, _ in {(entry.canonical, entry.title_key) for entry in entries})
        self.shared = {page for page in stored | listed if page is None or max(stored[page], listed[page]) > 1}

    def find(self, prepared: PreparedEntry, identity: Identity) -> Known | None:
        """The stored entry that this one is: by an id with the same page or title, or by its page and title."""
        made = identity.rungs[-1][1]
        for stored in self._with_ids(identity):
            if stored.entry_id == made or stored.digest == prepared.digest or self._is_like(stored, prepared):
                return stored
        return next((stored for stored in self._titled(prepared) if self._is_twin(stored, prepared)), None)

    def find_moved(self, unknown: Mapping[str, PreparedEntry], taken: Collection[int]) -> dict[str, Known]:
        """The stored entries that these are though both id and page are others, as after a move or where both change at
        each poll: by title and date. No two are the same one, nor one of those `taken` (by row).

        A title and text that come once again without a date may well be another entry, if nothing else has moved.
        """
        found: dict[str, Known] = {}
        left = set(taken)
        for fit_id, prepared in unknown.items():
            if twin := self._moved(prepared, left):
                found[fit_id] = twin
                left.add(twin.row)
        if len(found) >= UNFIT:
            return found
        return {fit_id: twin for fit_id, twin in found.items() if twin.dated}

    def _moved(self, prepared: PreparedEntry, taken: Collection[int]) -> Known | None:
        twins = [
            stored
            for stored in self._titled(prepared)
            if stored.row not in taken
            and _same_moment(stored, prepared)
            and (prepared.entry.title or _same_text(stored, prepared))
        ]
        return max(twins, key=lambda stored: stored.text_key == prepared.text_key, default=None)

    def find_edited(self, prepared: PreparedEntry, identity: Identity, taken: Collection[int]) -> Known | None:
        """The stored entry whose title and more was edited: the date is the same, or the page tells nothing and the id
        is the feed's own. No other entry of the document may be that one (`taken`, by row).

        Any other has lost its id to this one, as entries do whose ids only count.
        """
        for stored in self._with_ids(identity):
            trusted = identity.fit == ("own", stored.entry_id) and stored.canonical == prepared.canonical
            if stored.row not in taken and (trusted or _same_moment(stored, prepared)):
                return stored
        return None

    def free(self, identity: Identity, prepared: PreparedEntry) -> tuple[str, str]:
        """The best fit id that no other entry has."""
        fit = [
            (code, value)
            for code, value in identity.rungs[identity.start :]
            if code != "link" or prepared.canonical not in self.shared
        ]
        return next((rung for rung in fit if rung[1] not in self.by_id), identity.rungs[-1])

    def _titled(self, prepared: PreparedEntry) -> Sequence[Known]:
        return self._by_title.get(prepared.title_key, ())

    def _with_ids(self, identity: Identity) -> Iterator[Known]:
        return (self.by_id[entry_id] for entry_id in identity.ids() if entry_id in self.by_id)

    def _is_like(self, stored: Known, prepared: PreparedEntry) -> bool:
        same_page = stored.canonical == prepared.canonical and prepared.canonical not in self.shared
        return same_page or (stored.title_key == prepared.title_key and bool(prepared.entry.title))

    def _is_twin(self, stored: Known, prepared: PreparedEntry) -> bool:
        """Whether a stored entry of the same title is this one's page under another id, and no other episode."""
        if stored.canonical != prepared.canonical:
            return False
        if _same_moment(stored, prepared):
            return prepared.canonical is not None or _same_text(stored, prepared)
        if stored.dated and prepared.entry.published is not None:
            return prepared.canonical is not None and not prepared.entry.enclosures and _same_text(stored, prepared)
        return prepared.canonical not in self.shared


def _same_moment(stored: Known, prepared: PreparedEntry) -> bool:
    """Whether both were published at the same time; where neither has a date, whether they say the same."""
    said = prepared.entry.published
    if stored.dated != (said is not None):
        return False
    return stored.published == said if said is not None else _same_text(stored, prepared)


def _same_text(stored: Known, prepared: PreparedEntry) -> bool:
    """Whether both have the same text, and more than pictures."""
    said = prepared.entry
    return stored.text_key == prepared.text_key and bool(html.plain(said.content or said.summary).strip())


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
    memory = _Memory(known, entries)
    listed: dict[str, tuple[PreparedEntry, Identity]] = {}
    for prepared, identity in zip(entries, identities, strict=True):
        listed.setdefault(identity.fit[1], (prepared, identity))
    found = {entry_id: memory.find(*entry) for entry_id, entry in listed.items()}
    taken = {stored.row for stored in found.values() if stored is not None}
    moved = memory.find_moved({k: listed[k][0] for k, stored in found.items() if stored is None}, taken)
    taken |= {stored.row for stored in moved.values()}
    new: dict[str, NewEntry] = {}
    changed: list[Changed] = []
    done: set[int] = set()
    conflicts = 0
    for fit_id, (prepared, identity) in listed.items():
        stored = found[fit_id] or moved.get(fit_id) or memory.find_edited(prepared, identity, taken)
        if stored is None:
            code, entry_id = memory.free(identity, prepared)
            conflicts += code != identity.rungs[0][0]
            new.setdefault(entry_id, _new(entry_id, prepared, code, now))
            continue
        if stored.row not in done and not _says_the_same(stored, prepared):
            changed.append(Changed(stored, prepared))
        done.add(stored.row)
        taken.add(stored.row)
    if conflicts >= UNFIT and id_by == "own":
        id_by = "link"
    return Sorted(_announced(list(reversed(new.values())), horizon), changed, len(done) - len(changed), id_by)


def _says_the_same(stored: Known, prepared: PreparedEntry) -> bool:
    """Whether nothing was edited: all is as it was, or the text is gone, as that of older entries is in some feeds."""
    if stored.digest == prepared.digest:
        return True
    said = prepared.entry
    if (stored.canonical, stored.title_key) != (prepared.canonical, prepared.title_key):
        return False
    return stored.text_key != prepared.text_key and not said.content and not said.summary


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
    is_reissue = sum(_before(entry, horizon.seen) for entry in new) >= REISSUED
    return [
        replace(entry, back=Back.BACK_ISSUE)
        if _before(entry, horizon.back_issues)
        else replace(entry, back=Back.REISSUED)
        if is_reissue and _before(entry, horizon.seen)
        else entry
        for entry in new
    ]


def _before(entry: NewEntry, moment: datetime | None) -> bool:
    return moment is not None and entry.prepared.entry.published is not None and entry.published < moment


# ------------------------------------------------------------------------------------------------- edits


def is_material(old_title: str, old_text: str, new_title: str, new_text: str, cut: bool = False) -> bool:
    """Whether an edit changes what is said, given both folded titles and texts.

    It does when the title changed, when a number changed (a toll, a price, a score), or when more than a fifth of the
    text's 4-grams did. `cut`: the texts are beginnings of longer ones, and an addition pushes their last numbers out.
    """
    if old_title != new_title or _other_numbers(old_text, new_text, cut):
        return True
    old, new = text.grams(old_text, 4), text.grams(new_text, 4)
    return len(old - new) > EDITED * len(old) or len(new - old) > EDITED * len(new)


def _other_numbers(old_text: str, new_text: str, cut: bool) -> bool:
    if not cut:
        return Counter(_NUMBER.findall(old_text)) != Counter(_NUMBER.findall(new_text))
    old, new = (_NUMBER.findall(folded.rstrip(_NUMERIC)) for folded in (old_text, new_text))
    both = min(len(old), len(new))
    return Counter(old[:both]) != Counter(new[:both])


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
    near = [c for c in candidates if abs(entry.published - c.published) <= SAME_TEXT_WINDOW]
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
    return [*(with_ancestors(entry_terms, parents) or ["other"]), "all"]


def with_ancestors(terms: Collection[str], parents: Mapping[str, str | None]) -> list[str]:
    """Those of the categories that are configured, and all above them, in alphabetical order."""
    found: set[str] = set()
    for term in terms:
        step: str | None = term if term in parents else None
        while step is not None and step not in found:
            found.add(step)
            step = parents[step]
    return sorted(found)
