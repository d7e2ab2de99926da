"""Whether two entries are one text, one event, related or different, and why. Pure and symmetric."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from aggregator.stories import aliases, prints, rarity

SAME_TEXT_WINDOW = timedelta(days=14)
SAME_EVENT_WINDOW = timedelta(hours=72)


class Level(StrEnum):
    """What two entries are to each other, from near to far."""

    SAME_TEXT = "same_text"
    SAME_EVENT = "same_event"
    RELATED = "related"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Said:
    """An entry as it is compared. `canonical` is the key of its link (None: it names no page of its own), `entry_id`
    its id within its source. What is None is not known: a date that is missing counts as equal to the other one, a
    source that is missing as a different one.
    """

    title: str
    source: str | None
    published: datetime | None
    canonical: str | None
    entry_id: str | None
    fingerprint: prints.Fingerprint


@dataclass(frozen=True, slots=True)
class Reason:
    """One piece of evidence or one veto: a code, and what it speaks of. `str` of it is how it is stored."""

    code: str
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((self.code, *self.words))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What two entries are to each other. `score`: 0 to 1; `reasons`: the weightiest first."""

    level: Level
    score: float
    reasons: tuple[Reason, ...] = ()

    @property
    def joins(self) -> bool:
        """Whether both belong in one story."""
        return self.level in (Level.SAME_TEXT, Level.SAME_EVENT)

    @property
    def links(self) -> bool:
        """Whether a reader of one is shown the other."""
        return self.level is not Level.DIFFERENT


def promising(new: prints.Fingerprint, other: prints.Fingerprint, shared: int) -> bool:
    """Whether two entries that share `shared` title keys are worth `compare`: a cheap gate."""
    if new.signature and other.signature and (prints.resemblance(new, other) or 0) >= 0.2:
        return True
    least = min(len(new.letters), len(other.letters))
    return least > 0 and len(new.letters & other.letters) / least >= (0.3 if shared > 1 else 0.4)


def compare(a: Said, b: Said, table: aliases.Aliases = aliases.DEFAULT) -> Verdict:
    """What `a` and `b` are to each other; the order of the two makes no difference."""
    if a.canonical is not None and a.canonical == b.canonical:
        return Verdict(Level.SAME_TEXT, 1.0, (Reason("link"),))
    resemblance = prints.resemblance(a.fingerprint, b.fingerprint)
    if resemblance is not None and resemblance >= 0.5:
        return Verdict(Level.SAME_TEXT, resemblance, (Reason("text", (f"{resemblance:.2f}",)),))
    return _by_titles(a, b)


def _by_titles(a: Said, b: Said) -> Verdict:
    grams = [set(rarity.pairs(said.fingerprint.title)) for said in (a, b)]
    union = len(grams[0] | grams[1])
    score = len(grams[0] & grams[1]) / union if union else 0.0
    reasons = tuple(_reasons(score))
    same_source = a.source is not None and a.source == b.source
    if score >= 0.6 and not same_source:
        return Verdict(Level.SAME_EVENT, score, reasons)
    return Verdict(Level.RELATED if score >= 0.4 else Level.DIFFERENT, score, reasons)


def _reasons(score: float) -> Iterator[Reason]:
    yield Reason("title", (f"{score:.2f}",))


def sentence(reason: Reason) -> str:
    """A reason in words."""
    return str(reason)
