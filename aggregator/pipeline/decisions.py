"""What an editor's decisions do: hide a story, join two, split entries off, file an entry or keep it out of a category.
Each can be undone.

A story that was joined into another keeps its row and its place in the log: undoing puts its members back. In whatever
order decisions are undone, stories are then as if those had never been made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from datetime import datetime
from typing import Any

from aggregator import dedupe, store
from aggregator.models import Back, Decision, Filing, OpenDecision
from aggregator.pipeline import refiling

Effect = Mapping[str, Any]
Parents = Mapping[str, str | None]
_Act = Callable[[store.Database, OpenDecision, Parents, datetime], Effect]


def apply(db: store.Database, parents: Parents, now: datetime) -> None:
    """Bring stories and the log to what the editor's decisions say, and mark the feeds that this changes."""
    while (decision := store.decisions.waiting(db)) is not None:  # one may change what another has moved
        store.decisions.applied(db, decision.row, _ACTS[decision.said.act](db, decision, parents, now))


def why(decision: Decision) -> str:
    """Why a story was withdrawn, as the log says it."""
    done = {"join": f"joined with {decision.other}", "split": "split off"}[decision.act]
    return f"{done} by {decision.who}"


# ------------------------------------------------------------------------------------------------- hide


def _hide(db: store.Database, decision: OpenDecision, parents: Parents, now: datetime) -> Effect:
    """Hide the story in which the target is, or show it, if none of its entries is hidden any more."""
    story = store.stories.of(db, decision.said.target)
    if story is not None:
        refiling.cover(db, story, now)
    return {}


# ------------------------------------------------------------------------------------------------- join, split


def _join(db: store.Database, decision: OpenDecision, parents: Parents, now: datetime) -> Effect:
    """Make the target's story a part of the other's."""
    said = decision.said
    if decision.undone:
        return _undo(db, decision, parents, now)
    story, other = store.stories.of(db, said.target), store.stories.of(db, said.other or "")
    if story is None or other is None or story == other:
        return {}
    effect = _effect(db, story, store.stories.membership(db, story))
    live = store.publications.is_live(db, story)
    store.publications.withdraw(db, story, why(said), now)
    _move(db, effect["members"], other, said)
    _announce(db, other, live, parents, now)
    refiling.follow(db, other, parents, now)
    return effect


def _split(db: store.Database, decision: OpenDecision, parents: Parents, now: datetime) -> Effect:
    """Give the target a story of its own; where it is its story's representative, give the others one."""
    said = decision.said
    if decision.undone:
        return _undo(db, decision, parents, now)
    story = store.stories.of(db, said.target)
    if story is None:
        return {}
    members = store.stories.membership(db, story)
    if store.stories.representative(db, story) == said.target:
        leaving = [member for member in members if member["id"] != said.target]
    else:  # what had joined it when it was split off before comes along
        leaving = [member for member in members if member["id"] == said.target]
        leaving += [member for member in members if member["copy_of"] == said.target]
    if not leaving or len(leaving) == len(members):
        return {}
    effect = _effect(db, story, leaving)
    begun = _story_of_its_own(db, leaving[0]["id"], now)
    _move(db, leaving, begun, said)
    store.publications.restore_moved(db, begun, now)
    _announce(db, begun, any(member["back"] == Back.ANNOUNCED for member in leaving), parents, now)
    refiling.follow(db, begun, parents, now)
    refiling.follow(db, story, parents, now)
    return effect


def _story_of_its_own(db: store.Database, published_id: str, now: datetime) -> int:
    """The story that an entry represents: the one that it had before it was joined with another, or a new one."""
    story = store.stories.represented_by(db, published_id)
    if story is not None and not store.stories.membership(db, story):
        return story
    return store.stories.begin(db, published_id, now)


def _effect(db: store.Database, story: int, members: Sequence[Mapping[str, Any]]) -> Effect:
    return {"story": store.stories.representative(db, story), "members": list(members)}


def _move(db: store.Database, members: Sequence[Mapping[str, Any]], story: int, said: Decision) -> None:
    own = store.stories.representative(db, story)
    evidence = json.dumps({"with": said.other or own, "level": said.act, "who": said.who}, ensure_ascii=False)
    for member in members:
        first = member["id"] == own
        store.stories.move(db, member["id"], story, None if first else own, "" if first else evidence)


def _announce(db: store.Database, story: int, live: bool, parents: Parents, now: datetime) -> None:
    """Put a story into the feeds of its categories, as it has new members."""
    terms = dedupe.terms_of(store.stories.terms(db, story), parents)
    store.publications.add(db, story, terms, now, live)
    store.publications.mark_stories(db, [story], now)


def _undo(db: store.Database, decision: OpenDecision, parents: Parents, now: datetime) -> Effect:
    """Take back what a decision moved. What was decided later of these entries moved them on, or others to them: it is
    taken back before, the last first, and what stands of it is carried out again.
    """
    later = _later(db, decision)
    for other in reversed(later):
        _put_back(db, other, parents, now)
    _put_back(db, decision, parents, now)
    for other in later:
        effect = {} if other.undone else _ACTS[other.said.act](db, other, parents, now)
        store.decisions.applied(db, other.row, effect)
    return {}


def _later(db: store.Database, decision: OpenDecision) -> list[OpenDecision]:
    """The later decisions on what a decision moved, and on what those moved."""
    found, concerned = [], _moved(decision)
    for other in store.decisions.moves_after(db, decision.row) if concerned else ():
        if not concerned.isdisjoint({other.said.target, other.said.other, *_moved(other)}):
            found.append(other)
            concerned |= _moved(other)
    return found


def _moved(decision: OpenDecision) -> set[str]:
    return {member["id"] for member in decision.effect.get("members", ())}


def _put_back(db: store.Database, decision: OpenDecision, parents: Parents, now: datetime) -> None:
    """Put the members that a decision moved back into the story that they came from. What has joined one that was split
    off comes along.
    """
    story = store.stories.represented_by(db, decision.effect.get("story", ""))
    if story is None:
        return
    moved = {member["id"]: member for member in decision.effect["members"]}
    left = {left for member in moved if (left := store.stories.of(db, member)) is not None}
    copies = [copy for begun in left for copy in store.stories.membership(db, begun) if copy["copy_of"] in moved]
    for member in ({copy["id"]: copy for copy in copies} | moved).values():
        store.stories.move(db, member["id"], story, member["copy_of"], member["evidence"])
    store.publications.restore_moved(db, story, now)
    for changed in sorted({story, *left}):
        if store.stories.membership(db, changed):
            refiling.follow(db, changed, parents, now)
        else:
            store.publications.withdraw(db, changed, why(decision.said), now)


# ------------------------------------------------------------------------------------------------- file, unfile


def _file(db: store.Database, entry: int, decision: OpenDecision, parents: Parents) -> Effect:
    """Put the entry into the category that is the other."""
    filing = Filing(decision.said.other or "", "editor", decision.said.who)
    if not decision.undone:
        store.filings.put(db, entry, [filing])
    elif not store.decisions.stands(db, decision.said):
        store.filings.remove(db, entry, [filing])
    return {}


def _unfile(db: store.Database, entry: int, decision: OpenDecision, parents: Parents) -> Effect:
    """Keep the entry out of the category that is the other, and out of those below it."""
    if decision.undone:
        store.filings.put(db, entry, [Filing(*filing) for filing in decision.effect.get("filings", ())])
        return {}
    filed = store.filings.of(db, [entry])[entry]
    gone = [filing for filing in filed if decision.said.other in dedupe.with_ancestors([filing.term], parents)]
    store.filings.remove(db, entry, gone)
    return {"filings": [astuple(filing) for filing in gone]} if gone else {}


def _refiling(change: Callable[[store.Database, int, OpenDecision, Parents], Effect]) -> _Act:
    """The act that changes how the target is filed, and has its story's feeds follow."""

    def act(db: store.Database, decision: OpenDecision, parents: Parents, now: datetime) -> Effect:
        if decision.undone and (lesson := decision.effect.get("lesson")):
            store.learned.take_back(db, lesson)
        target = decision.said.target
        entry, story = store.stories.entry(db, target), store.stories.of(db, target)
        if entry is None or story is None:
            return {}
        effect = change(db, entry, decision, parents)
        refiling.follow(db, story, parents, now)
        return effect

    return act


def _forget(db: store.Database, decision: OpenDecision, parents: Parents, now: datetime) -> Effect:
    """Forget what was learned."""
    store.learned.clear(db)
    return {}


_ACTS: Mapping[str, _Act] = {
    "hide": _hide,
    "join": _join,
    "split": _split,
    "file": _refiling(_file),
    "unfile": _refiling(_unfile),
    "forget": _forget,
}
