"""Settling: what gives a stored entry its story, its published id and its feeds. Jobs for the store's writer.

Entries are settled in the order of their times, whatever order they came in within a tick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from aggregator import dedupe, prepare, store, stories
from aggregator.models import SAME_TEXT_WINDOW, Back, Print, Unsettled
from aggregator.pipeline import decisions, refiling

REMEMBERED = SAME_TEXT_WINDOW + timedelta(days=1)  # how long an entry is found as the same text
SETTLED_AT_ONCE = 200  # entries in one transaction


Evidence = Mapping[str, object]


def settle(
    db: store.Database, parents: Mapping[str, str | None], aliases: Callable[[], stories.Aliases], now: datetime
) -> bool:
    """Give waiting entries their story, their published id and their feeds; whether more may wait."""
    waiting = store.stories.unsettled(db, SETTLED_AT_ONCE)
    grown: set[int] = set()
    for entry in waiting:
        grown |= _settle(db, entry, parents, aliases, now)
    store.publications.mark_stories(db, grown, now)
    decisions.apply(db, parents, now)
    return len(waiting) == SETTLED_AT_ONCE


def _settle(
    db: store.Database,
    entry: Unsettled,
    parents: Mapping[str, str | None],
    aliases: Callable[[], stories.Aliases],
    now: datetime,
) -> set[int]:
    """Give an entry its story, its published id and its feeds; the stories that show more now."""
    made = store.fingerprints.waiting(db, entry.row)
    place = stories.Place() if made is None else _place(db, entry, made, aliases)
    joined = _copied(db, entry) or _matched(place)
    taken = store.stories.published_id_taken(db, entry.entry_id)
    published_id = dedupe.published_id(entry.source_name, entry.entry_id, taken)
    terms = dedupe.terms_of(entry.terms, parents)
    if joined is None:
        story = store.stories.start(db, entry.row, published_id, now)
    else:
        story, evidence = joined
        store.stories.join(db, entry.row, published_id, story, evidence)
        terms = [term for term in terms if term != "other"]
    if entry.back is not Back.REISSUED:
        store.publications.add(db, story, terms, now, live=entry.back is Back.ANNOUNCED)
        refiling.cover(db, story, now)
    if made is not None:
        store.fingerprints.post(db, entry.row, made, entry.published)
    return {story} | _linked(db, entry, story, place)


def _copied(db: store.Database, entry: Unsettled) -> tuple[int, Evidence] | None:
    """The story of an entry that links to the same page, and the evidence."""
    candidates = store.stories.with_link(db, entry.canonical) if entry.canonical else []
    found = dedupe.copy_of(entry, [c for c in candidates if _shows(entry, c.announced)])
    if found is None:
        return None
    candidate, reason = found
    return candidate.story, {
        "with": candidate.published_id,
        "level": "same_text",
        "score": 1.0,
        "reasons": [reason],
        "version": stories.VERSION,
    }


def _matched(place: stories.Place) -> tuple[int, Evidence] | None:
    return None if place.joins is None else (place.joins.member.story, place.joins.evidence)


def _shows(entry: Unsettled, announced: bool) -> bool:
    """Whether a story shows its reader what the entry tells: one that no live feed carried would hide it."""
    return announced or entry.back is not Back.ANNOUNCED


def _place(db: store.Database, entry: Unsettled, made: Print, aliases: Callable[[], stories.Aliases]) -> stories.Place:
    nearest = store.fingerprints.nearest(db, made, entry.published, stories.LOOKED_AT)
    if not nearest:
        return stories.Place()
    newcomer = stories.Newcomer(entry, made.packed, aliases())
    members = store.fingerprints.members(db, newcomer.promising(nearest))
    matches = list(newcomer.matches(members))
    standing = store.stories.standing(db, {match.member.story for match in matches})
    return newcomer.place([m for m in matches if _shows(entry, standing[m.member.story].announced)], standing)


def _linked(db: store.Database, entry: Unsettled, story: int, place: stories.Place) -> set[int]:
    """Link the entry and what is related to it, so that both are shown; the other stories."""
    matches = [match for match in (*place.links, place.joins) if match is not None and match.member.story != story]
    store.fingerprints.relate(db, entry.row, [(match.member.row, match.evidence) for match in matches])
    return {match.member.story for match in matches}


def rebuild(db: store.Database, added: str) -> Iterator[int]:
    """Make anew what recent entries are compared by; 1 for each. `added`: lines of the editor's own table of names."""
    if (now := store.sources.last_tick(db)) is None:
        return
    aliases = stories.load_aliases(added)
    store.fingerprints.clear(db)
    for row in store.fingerprints.texts(db, now - REMEMBERED):
        made = prepare.printed(row["title"], row["content"] or row["summary"], row["source"], aliases)
        store.fingerprints.put(db, row["id"], made)
        if row["story"] is not None:
            store.fingerprints.post(db, row["id"], made, row["published"])
        yield 1
