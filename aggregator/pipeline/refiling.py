"""Filing what is stored anew: what the configuration and the decisions as they are now would change, and doing it.

`aggregator plan` shows a `Plan`, `aggregator apply` carries it out: category by category, then the filings of the
entries themselves, some hundred at a time; nothing is published meanwhile. What dies on the way is begun again: a plan
is made of what is stored, and entries whose categories change are filed last. What enters a feed takes the place that
it had there before; what was never there is announced if its story is not older than publish.backfill, and is a back
issue else. Nothing that leaves a feed this way gets a tombstone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, TypeVar

from aggregator import dedupe, store
from aggregator.models import Edition, Filing, StoredEntry

Parents = Mapping[str, str | None]

MOVED_AT_ONCE = 2000  # stories that enter or leave a feed in one job
AT_ONCE = 100  # entries, or stories, in one job, before others have their turn

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Count:
    """How many entries are filed otherwise than before; how many were `left` as they are, since an editor had filed or
    moved them meanwhile, and want to be looked at again."""

    changed: int = 0
    left: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.changed + other.changed, self.left + other.left)


def batches(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """Some of the rows after the other."""
    return (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))


@dataclass(frozen=True, slots=True)
class Refiled:
    """A stored entry, without its text, and how it would be filed now."""

    entry: StoredEntry
    filings: tuple[Filing, ...]

    @property
    def changes(self) -> bool:
        """Whether anything of its filings differs, a reason included."""
        return set(self.entry.filings) != set(self.filings)

    @property
    def moves(self) -> bool:
        """Whether it is in other categories."""
        return _terms(self.entry.filings) != _terms(self.filings)


def refiled(entries: Iterable[StoredEntry], filings: Iterable[tuple[Filing, ...]]) -> list[Refiled]:
    """These entries, and how they would be filed now."""
    return [Refiled(replace(entry, markup=""), filed) for entry, filed in zip(entries, filings, strict=True)]


@dataclass(frozen=True, slots=True)
class Move:
    """A story that enters or leaves the feed of a category, with the entry and the voices that bring that about.
    `announced`: when it was first put into a live feed; `place`: where it stands among all that were published;
    `hidden`: no reader sees that it moves."""

    story: int
    entry: StoredEntry
    filings: tuple[Filing, ...]
    announced: datetime | None
    place: int
    hidden: bool


class Part(NamedTuple):
    """What one job carries out of a plan. Most categories have but one part, which is the `last` then."""

    term: str
    enters: Sequence[Move]
    leaves: Sequence[Move]
    last: bool


@dataclass(slots=True)
class Plan:
    """What would change in feeds: which stories enter and leave them, by category."""

    enters: dict[str, list[Move]] = field(default_factory=lambda: defaultdict(list))
    leaves: dict[str, list[Move]] = field(default_factory=lambda: defaultdict(list))

    def terms(self) -> list[str]:
        """The categories whose feeds change."""
        return sorted(self.enters.keys() | self.leaves.keys())

    def parts(self) -> Iterator[Part]:
        """The plan in parts, one or more for each category."""
        for term in self.terms():
            # As they came, so that the newest stand first where they enter, too.
            enters = sorted(self.enters.get(term, []), key=lambda move: move.place)
            leaves = self.leaves.get(term, [])
            most = max(len(enters), len(leaves))
            for start in range(0, most, MOVED_AT_ONCE):
                end = start + MOVED_AT_ONCE
                yield Part(term, enters[start:end], leaves[start:end], last=end >= most)


def moving(db: store.Database, some: Sequence[Refiled], parents: Parents) -> list[Refiled]:
    """Those of the entries of which the feeds of their stories may change: their categories do, or the feeds are not
    those that their categories, or the ones above these, have now."""
    filed, standing = _known(db, {each.entry.story for each in some})
    return [
        each
        for each in some
        if each.moves or _strays(_terms_of(filed[each.entry.story]), standing[each.entry.story], parents)
    ]


def _strays(terms: frozenset[str], standing: frozenset[str], parents: Parents) -> bool:
    """Whether a story is in feeds of other categories than it is filed in. That it is in `other` besides, since it was
    in none once, is no reason to take it out there."""
    return bool(standing) and set(dedupe.with_ancestors(terms, parents)) != standing & parents.keys()


def plan(db: store.Database, some: Iterable[Refiled], parents: Parents) -> Plan:
    """What entries that are `moving`, filed anew, change in the feeds of the configured categories and in `other`."""
    by_story: dict[int, list[Refiled]] = defaultdict(list)
    for each in some:
        by_story[each.entry.story].append(each)
    found, hidden = Plan(), store.decisions.stories(db, "hide")
    for batch in batches(list(by_story)):
        filed, standing = _known(db, batch)
        announced, places = store.publications.announced(db, batch), store.publications.places(db, batch)
        for story in batch:
            filed[story] |= {each.entry.row: _terms(each.filings) for each in by_story[story]}
            was, will_be = standing[story], set(dedupe.terms_of(_terms_of(filed[story]), parents))
            if not was:
                continue  # it was re-issued by its source, and is in no feed
            for terms, moves in ((will_be - was, found.enters), ((was & {*parents, "other"}) - will_be, found.leaves)):
                for term in terms:
                    cause = _cause(by_story[story], term, parents)
                    voices = _voices(cause, term, parents)
                    place = places.get(story, 0)
                    moves[term].append(
                        Move(story, cause.entry, voices, announced.get(story), place, hidden=story in hidden)
                    )
    return found


def _known(
    db: store.Database, stories: Iterable[int]
) -> tuple[dict[int, dict[int, frozenset[str]]], Mapping[int, frozenset[str]]]:
    """Of each story the categories of its entries, and the feeds that it is in."""
    numbers = list(stories)
    return store.filings.members(db, numbers), store.publications.standing(db, numbers)


def _terms(filings: Iterable[Filing]) -> frozenset[str]:
    return frozenset(filing.term for filing in filings)


def _terms_of(filed: Mapping[int, frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*filed.values())


def _cause(changed: Sequence[Refiled], term: str, parents: Parents) -> Refiled:
    """The entry whose filing brings its story into a category or out of it."""
    return next((each for each in changed if _voices(each, term, parents)), changed[0])


def _voices(each: Refiled, term: str, parents: Parents) -> tuple[Filing, ...]:
    """What is filed now, or was, under the category or one below it; where that is the same, what is filed there."""
    differs = set(each.entry.filings) ^ set(each.filings) or set(each.filings)
    return tuple(
        filing
        for filing in sorted(differs, key=lambda filing: (filing.term, filing.origin))
        if term in dedupe.with_ancestors([filing.term], parents)
    )


# ------------------------------------------------------------------------------------------------- jobs for the writer


def move(db: store.Database, part: Part, backfill: datetime, now: datetime) -> None:
    """Carry out a part of a plan. The feed is marked with the last one, so that nobody renders half of it."""
    live = {each.story: each.announced is not None and each.announced >= backfill for each in part.enters}
    store.publications.enter(db, live, part.term, now)
    store.publications.leave(db, [each.story for each in part.leaves], part.term, now)
    for story in store.decisions.stories(db, "hide") & live.keys():
        cover(db, story, now)
    if part.last:
        store.publications.mark(db, [part.term], now)


def file(db: store.Database, some: Sequence[Refiled], edition: Callable[[str], Edition], now: datetime) -> Count:
    """File these entries anew, but for those that are not `as_read`, and note what filed them."""
    good = as_read(db, some)
    changed = [each for each in good if each.changes]
    for each in changed:
        store.filings.replace(db, each.entry.row, each.filings)
    store.filings.stamp(db, {each.entry.row: edition(each.entry.source_name) for each in good})
    store.publications.mark_carrying(db, {each.entry.story for each in changed if each.moves}, now)
    return Count(len(changed), len(some) - len(good))


def as_read(db: store.Database, some: Sequence[Refiled]) -> list[Refiled]:
    """Those of the entries that are as they were when they were read: in the same story, and filed as they were."""
    rows = [each.entry.row for each in some]
    filed, stories = store.filings.of(db, rows), store.filings.story_of(db, rows)
    return [
        each
        for each in some
        if stories.get(each.entry.row) == each.entry.story and set(filed[each.entry.row]) == set(each.entry.filings)
    ]


def follow(db: store.Database, story: int, parents: Parents, now: datetime) -> None:
    """Bring the feeds of a story to the categories that its entries are in, as an editor has just changed them."""
    was = store.publications.standing(db, [story])[story]
    will_be = set(dedupe.terms_of(store.stories.terms(db, story), parents))
    live = store.publications.is_live(db, story)
    enters, leaves = will_be - was if was else set(), (was & {*parents, "other"}) - will_be
    for term in sorted(enters):
        store.publications.enter(db, {story: live}, term, now)
    for term in sorted(leaves):
        store.publications.leave(db, [story], term, now)
    store.publications.mark(db, sorted(enters | leaves), now)
    store.publications.mark_stories(db, [story], now)
    cover(db, story, now)


def cover(db: store.Database, story: int, now: datetime) -> None:
    """Keep a story out of every feed as long as one of its entries is hidden, whichever, and in its feeds else."""
    who = store.decisions.hides(db, story)
    if who is None:
        store.publications.show(db, story, now)
    else:
        store.publications.hide(db, story, who, now)


def summary(change: Plan) -> Iterator[dict[str, object]]:
    """A plan as rows: of each category what readers see enter and leave, with title, id and the voices."""
    for term in change.terms():
        enters, leaves = (
            [_move(move) for move in moves.get(term, []) if not move.hidden] for moves in (change.enters, change.leaves)
        )
        if enters or leaves:
            yield {"term": term, "enters": enters, "leaves": leaves}


def _move(move: Move) -> dict[str, object]:
    return {
        "id": move.entry.published_id,
        "title": move.entry.title,
        "source": move.entry.source_name,
        "reasons": [{"term": filing.term, "origin": filing.origin, "reason": filing.reason} for filing in move.filings],
    }
