"""Which story a new entry joins, and to which it is linked. Pure.

A story grows by entries that match one of its members, not the pile of them, and contradict none. It takes events for
72 hours from its beginning, and has 50 members at the most. What was decided earlier stands: an
entry that fits two stories joins the one that it fits best, and links the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregator.models import SAME_EVENT_WINDOW, Member, Standing, Unsettled
from aggregator.stories import aliases, deciding, prints
from aggregator.stories.deciding import Level, Said, Verdict

MOST = 50  # members of a story
LOOKED_AT = 30  # candidates at the most that get a first look
COMPARED = 8  # of those, the most promising that are compared
LINKED = 5  # stories at the most that one entry is linked to

_NEAR = (Level.SAME_TEXT, Level.SAME_EVENT)


@dataclass(frozen=True, slots=True)
class Match:
    """A member that an entry was compared with, and what came of it."""

    member: Member
    verdict: Verdict

    @property
    def evidence(self) -> dict[str, object]:
        """How the match is stored: the other entry, the level, the score, the reasons, and the version of all that."""
        return {
            "with": self.member.published_id,
            "level": str(self.verdict.level),
            "score": round(self.verdict.score, 3),
            "reasons": list(map(str, self.verdict.reasons)),
            "version": prints.VERSION,
        }


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry belongs: the match by which it joins a story (None: it starts its own), and those that it is
    linked to, one for each other story."""

    joins: Match | None = None
    links: tuple[Match, ...] = ()


class Newcomer:
    """A new entry, made ready to be compared with what is there."""

    def __init__(self, entry: Unsettled, packed: bytes, table: aliases.Aliases) -> None:
        self._entry = entry
        self._said = _said(entry.title, entry.source_name, packed, entry)
        self._table = table

    def promising(self, candidates: Iterable[tuple[int, bytes, datetime]]) -> list[int]:
        """A first, cheap look at prints, each with its number and when its entry was published: the numbers of those
        that are worth to be compared, at most `COMPARED`, the most promising first."""
        glance = deciding.Glance(self._said)
        promises = [
            (glance.promise(prints.Fingerprint.unpack(packed), published), number)
            for number, packed, published in candidates
        ]
        return [number for promise, number in sorted(promises, reverse=True)[:COMPARED] if promise]

    def place(self, matches: Iterable[Match], stories: Mapping[int, Standing]) -> Place:
        """Where the entry belongs, by its matches and the stories that they are in."""
        compared = sorted(matches, key=_nearest_first)
        contradicted = {match.member.story for match in compared if match.verdict.contradicts}
        nearest = [match for match in compared if match.verdict.links]
        told_again = {match.member.story for match in compared if match.verdict.tells_again}
        joins = next(
            (
                match
                for match in nearest
                if match.member.story not in contradicted
                and self._may_join(match, stories[match.member.story], match.member.story in told_again)
            ),
            None,
        )
        return Place(joins, tuple(_links(nearest, joins)))

    def _may_join(self, match: Match, story: Standing, told_again: bool) -> bool:
        level = match.verdict.level
        if level not in _NEAR or len(story.sources) >= MOST:
            return False
        if level is Level.SAME_TEXT:
            return True
        # What a source has told itself it joins only where that is told again, whoever tells it in between.
        is_new = told_again or self._entry.source not in story.sources
        return is_new and abs(self._entry.published - story.began) <= SAME_EVENT_WINDOW

    def matches(self, members: Iterable[Member]) -> Iterator[Match]:
        """Those of these members that it is linked with at least, or that it contradicts."""
        for member in members:
            other = _said(member.title, member.source_name, member.packed, member)
            verdict = deciding.compare(self._said, other, self._table, strangers=False)
            if verdict.links or verdict.contradicts:
                yield Match(member, verdict)


def _said(title: str, source: str, packed: bytes, entry: Unsettled | Member) -> Said:
    """The entry as it is compared. Its link was looked at before: a page that several titles share is no evidence."""
    fingerprint = prints.Fingerprint.unpack(packed)
    return Said(title, source, entry.published, None, entry.entry_id, fingerprint)


def _nearest_first(match: Match) -> tuple[bool, float, object, str]:
    joins = match.verdict.joins
    return not joins, -match.verdict.score, match.member.published, match.member.published_id


def _links(matches: Sequence[Match], joins: Match | None) -> Iterator[Match]:
    """The nearest match of each story but the one that is joined."""
    met = set() if joins is None else {joins.member.story}
    for match in matches:
        if match.member.story not in met and len(met) < LINKED:
            met.add(match.member.story)
            yield match
