"""Which story a new entry joins, and to which it is linked. Pure.

A story grows by entries that match one of its members, not the pile of them. It takes events for 72 hours from its
beginning, and has 50 members at the most. What was decided earlier stands: an entry that fits two stories joins the one
that it fits best, and links the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aggregator.models import SAME_EVENT_WINDOW, Member, Unsettled
from aggregator.stories import aliases, deciding, prints
from aggregator.stories.deciding import Level, Said, Verdict

MOST = 50  # members of a story
LOOKED_AT = 30  # candidates at the most that are looked at for one entry
COMPARED = 12  # of those, the most that are compared
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


def place(entry: Unsettled, packed: bytes, candidates: Sequence[tuple[Member, int]], table: aliases.Aliases) -> Place:
    """Where a new entry belongs among `candidates`, each with the number of keys that it shares with it."""
    said = _said(entry.title, entry.source_name, packed, entry)
    matches = sorted(_matches(said, candidates, table), key=_nearest_first)
    joins = next((match for match in matches if _may_join(entry, match)), None)
    return Place(joins, tuple(_links(matches, joins)))


def _matches(said: Said, candidates: Sequence[tuple[Member, int]], table: aliases.Aliases) -> Iterator[Match]:
    compared = 0
    for member, shared in candidates:
        other = _said(member.title, member.source_name, member.packed, member)
        if not deciding.promising(said.fingerprint, other.fingerprint, shared):
            continue
        verdict = deciding.compare(said, other, table)
        if verdict.links:
            yield Match(member, verdict)
        compared += 1
        if compared == COMPARED:
            return


def _said(title: str, source: str, packed: bytes, entry: Unsettled | Member) -> Said:
    """The entry as it is compared. Its link was looked at before: a page that several titles share is no evidence."""
    fingerprint = prints.Fingerprint.unpack(packed)
    return Said(title, source, entry.published, None, entry.entry_id, fingerprint)


def _nearest_first(match: Match) -> tuple[bool, float, object, str]:
    joins = match.verdict.joins
    return not joins, -match.verdict.score, match.member.published, match.member.published_id


def _may_join(entry: Unsettled, match: Match) -> bool:
    member, level = match.member, match.verdict.level
    if level not in _NEAR or member.size >= MOST:
        return False
    return level is Level.SAME_TEXT or abs(entry.published - member.began) <= SAME_EVENT_WINDOW


def _links(matches: Sequence[Match], joins: Match | None) -> Iterator[Match]:
    """The nearest match of each story but the one that is joined."""
    met = set() if joins is None else {joins.member.story}
    for match in matches:
        if match.member.story not in met and len(met) < LINKED:
            met.add(match.member.story)
            yield match
