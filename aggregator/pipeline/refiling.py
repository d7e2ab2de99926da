"""Filing what is stored anew: what the configuration and the decisions as they are now would change, and doing it.

`aggregator plan` shows a `Plan`, `aggregator apply` carries it out: category by category, each in one transaction. What
enters a feed takes the place that it had there before; what was never there is announced if its story is not older than
publish.backfill, and is a back issue else. Nothing that leaves a feed this way gets a tombstone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aggregator import dedupe, store
from aggregator.models import Filing, StoredEntry

Parents = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Refiled:
    """A stored entry, and how it would be filed now."""

    entry: StoredEntry
    filings: tuple[Filing, ...]

    @property
    def changes(self) -> bool:
        """Whether anything of its filings differs, a reason included."""
        return set(self.entry.filings) != set(self.filings)


@dataclass(frozen=True, slots=True)
class Move:
    """A story that enters or leaves the feed of a category, with the entry and the voices that bring that about."""

    story: int
    entry: StoredEntry
    filings: tuple[Filing, ...]


@dataclass(slots=True)
class Plan:
    """What would change: `enters` and `leaves` by category, and `refiled`, all entries of which anything does."""

    refiled: list[Refiled] = field(default_factory=list)
    enters: dict[str, list[Move]] = field(default_factory=lambda: defaultdict(list))
    leaves: dict[str, list[Move]] = field(default_factory=lambda: defaultdict(list))

    def terms(self) -> list[str]:
        """The categories of which anything changes: a feed, or why an entry is filed."""
        filed = {filing.term for each in self.refiled for filing in set(each.entry.filings) ^ set(each.filings)}
        return sorted(filed | self.enters.keys() | self.leaves.keys())


def plan(db: store.Database, refiled: Iterable[Refiled], parents: Parents) -> Plan:
    """What these entries, filed anew, change in the feeds of the configured categories and in `other`."""
    found = Plan([each for each in refiled if each.changes])
    by_story: dict[int, list[Refiled]] = defaultdict(list)
    for each in found.refiled:
        by_story[each.entry.story].append(each)
    for story, changed in by_story.items():
        _plan_story(db, found, story, changed, parents)
    return found


def _plan_story(db: store.Database, found: Plan, story: int, changed: Sequence[Refiled], parents: Parents) -> None:
    was = store.publications.standing(db, story)
    if not was:
        return  # it was re-issued by its source, and is in no feed
    filed = dict(store.filings.members(db, [story])[story])
    filed |= {each.entry.row: frozenset(filing.term for filing in each.filings) for each in changed}
    will_be = set(dedupe.terms_of(frozenset().union(*filed.values()), parents))
    for terms, moves in ((will_be - was, found.enters), ((was & {*parents, "other"}) - will_be, found.leaves)):
        for term in terms:
            cause = _cause(changed, term, parents)
            moves[term].append(Move(story, cause.entry, _voices(cause, term, parents)))


def _cause(changed: Sequence[Refiled], term: str, parents: Parents) -> Refiled:
    """The entry whose filing brings a story into a category or out of it."""
    return next((each for each in changed if _voices(each, term, parents)), changed[0])


def _voices(each: Refiled, term: str, parents: Parents) -> tuple[Filing, ...]:
    """What is filed now, or was, under the category or one below it."""
    return tuple(
        filing
        for filing in sorted(
            set(each.entry.filings) ^ set(each.filings), key=lambda filing: (filing.term, filing.origin)
        )
        if term in dedupe.with_ancestors([filing.term], parents)
    )


def apply(db: store.Database, change: Plan, term: str, backfill: datetime, now: datetime) -> None:
    """Carry out what a plan says of one category: a job for the store's writer."""
    for each in change.refiled:
        filings = [filing for filing in each.filings if filing.term == term]
        if set(filings) != {filing for filing in each.entry.filings if filing.term == term}:
            store.filings.replace(db, each.entry.row, term, filings)
    for move in change.enters.get(term, ()):
        first = store.publications.announced(db, move.story)
        store.publications.enter(db, move.story, term, now, live=first is not None and first >= backfill)
        store.decisions.reopen(db, "hide", move.story)
    for move in change.leaves.get(term, ()):
        store.publications.leave(db, move.story, term, now)


def follow(db: store.Database, story: int, parents: Parents, now: datetime) -> None:
    """Bring the feeds of a story to the categories that its entries are in, as an editor has just changed them."""
    was = store.publications.standing(db, story)
    will_be = set(dedupe.terms_of(store.stories.terms(db, story), parents))
    live = store.publications.is_live(db, story)
    for term in sorted(will_be - was) if was else ():
        store.publications.enter(db, story, term, now, live)
    for term in sorted((was & {*parents, "other"}) - will_be):
        store.publications.leave(db, story, term, now)
    store.publications.mark_story(db, story, now)
    store.decisions.reopen(db, "hide", story)


def summary(change: Plan) -> Iterator[dict[str, object]]:
    """A plan as rows: of each category what enters and what leaves, with title, id and the voices."""
    for term in sorted(change.enters.keys() | change.leaves.keys()):
        enters, leaves = change.enters.get(term, []), change.leaves.get(term, [])
        yield {"term": term, "enters": list(map(_move, enters)), "leaves": list(map(_move, leaves))}


def _move(move: Move) -> dict[str, object]:
    return {
        "id": move.entry.published_id,
        "title": move.entry.title,
        "source": move.entry.source_name,
        "reasons": [{"term": filing.term, "origin": filing.origin, "reason": filing.reason} for filing in move.filings],
    }
