"""Whether two entries are one text, one event, related or different, and why. Pure and symmetric."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from aggregator.stories import aliases, evidence, prints, titles, vetoes

SAME_TEXT_WINDOW = timedelta(days=14)
SAME_EVENT_WINDOW = timedelta(hours=72)

# Scores from which two titles join one story, and from which each shows the other: set by cross-validated scores, with
# a margin (docs/notes/stories.md).
JOIN, LINK = 0.85, 0.71

# Shares of common 4-grams: of one text in two sources, and in one (where columns share their frame); below which one
# title over two texts is a coincidence, unless the title is long enough to tell by itself.
_COPY, _SURE_COPY, _COPY_IN_ONE_SOURCE, _COINCIDENCE = 0.45, 0.6, 0.9, 0.1
_FRAMES = frozenset(
    ("numbers", "opposite", "swapped", "model")
)  # vetoes that hold against texts that are not nearly equal
_TELLING_TITLE = 12  # letters and digits
_SHORTEST_TITLE = 4
_TELLING_TEXT = 300  # folded characters of a text from which on it must have something in common with another report
_LEAST_TOPIC, _LEAST_TOPIC_UNDATED = 0.03, 0.07  # shares of common rare pairs; more where no date speaks for one event
_REISSUE = timedelta(hours=20)
_EDITION = 0.75  # share of common pairs of characters from which a title is the other one, edited

# The first gate: what a pair must share to be compared at all.
_HINT = 0.2
_OVERLAP = 0.38  # of the characters of the shorter title


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
    """Whether two entries that share `shared` title keys are worth `compare`: a cheap first gate."""
    resemblance = prints.resemblance(new, other)
    if resemblance is not None and resemblance >= _HINT:
        return True
    least = min(len(new.letters), len(other.letters))
    overlap = len(new.letters & other.letters) / least if least else 0.0
    return overlap >= _OVERLAP and shared > 0


def compare(a: Said, b: Said, table: aliases.Aliases | None = None) -> Verdict:
    """What `a` and `b` are to each other, whatever their order. `table`: the names that are one; default our own."""
    if a.canonical is not None and a.canonical == b.canonical:
        return Verdict(Level.SAME_TEXT, 1.0, (Reason("link"),))
    one_source = a.source is not None and a.source == b.source
    if one_source and a.entry_id is not None and a.entry_id == b.entry_id:
        return Verdict(Level.SAME_TEXT, 1.0, (Reason("id"),))
    table = table or aliases.default()
    of_a, of_b = (titles.read(said.title, said.source or "", table) for said in (a, b))
    pair = _Pair(of_a, of_b, _apart(a, b), one_source, *_of_texts(a, b), _least_topic(a, b))
    return _as_copies(pair) or _as_events(pair)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two entries as they are decided on."""

    a: titles.Reading
    b: titles.Reading
    apart: timedelta
    one_source: bool
    resemblance: float | None
    topic: float | None
    least_topic: float


def _of_texts(a: Said, b: Said) -> tuple[float | None, float | None]:
    """What two texts have in common: of 4-grams, and of rare pairs (None where a text is too short to tell)."""
    short = min(a.fingerprint.length, b.fingerprint.length) < _TELLING_TEXT
    topic = None if short else prints.common_topic(a.fingerprint, b.fingerprint)
    return prints.resemblance(a.fingerprint, b.fingerprint), topic


def _least_topic(a: Said, b: Said) -> float:
    return _LEAST_TOPIC if a.published and b.published else _LEAST_TOPIC_UNDATED


def _apart(a: Said, b: Said) -> timedelta:
    """The time between two entries; none where one has no date."""
    return abs(a.published - b.published) if a.published and b.published else timedelta()


def _as_copies(pair: _Pair) -> Verdict | None:
    """The verdict on two entries with one text or one title; None where they have neither."""
    a, b = pair.a, pair.b
    same_title = a.letters == b.letters and len(a.letters) >= _SHORTEST_TITLE
    if same_title and not pair.one_source and pair.apart <= SAME_EVENT_WINDOW and not _differ_in_text(pair):
        return Verdict(Level.SAME_TEXT, 1.0, (Reason("title"),))
    if pair.resemblance is None or pair.apart > SAME_TEXT_WINDOW:
        return None
    if pair.resemblance < (_COPY_IN_ONE_SOURCE if pair.one_source else _COPY):
        return None
    reason = Reason("text", (f"{pair.resemblance:.0%}",))
    against = [] if same_title else [veto for veto in vetoes.found(a, b) if _stops_copy(veto, pair)]
    if against:
        return Verdict(Level.DIFFERENT, pair.resemblance, (*map(_reason, against), reason))
    if pair.one_source and same_title and pair.resemblance < 1 and pair.apart > _REISSUE:
        return Verdict(Level.RELATED, pair.resemblance, (Reason("column", (a.mask,)), reason))
    return Verdict(Level.SAME_TEXT, pair.resemblance, (reason,))


def _stops_copy(veto: vetoes.Veto, pair: _Pair) -> bool:
    """Whether two texts that are so alike are a frame with other contents all the same."""
    if veto.code == "column":
        return True
    return veto.hard and veto.code in _FRAMES and (pair.resemblance or 0) < _SURE_COPY


def _differ_in_text(pair: _Pair) -> bool:
    """Whether the texts say that one title is a coincidence, as of columns that many have."""
    return pair.resemblance is not None and pair.resemblance < _COINCIDENCE and len(pair.a.letters) < _TELLING_TITLE


def _as_events(pair: _Pair) -> Verdict:
    """The verdict by the titles: their score, held down by vetoes."""
    if pair.apart > SAME_EVENT_WINDOW:
        return Verdict(Level.DIFFERENT, 0.0, (Reason("far apart", (f"{pair.apart / timedelta(hours=1):.0f}",)),))
    a, b = pair.a, pair.b
    figures = evidence.collect(a, b, pair.apart / timedelta(hours=1))
    score = evidence.score(figures)
    against = [*vetoes.found(a, b), *_too_little(pair)]
    reasons = (*map(_reason, against), *(Reason(name, (f"{share:+.1f}",)) for name, share in evidence.shares(figures)))
    if any(veto.hard for veto in against):
        return Verdict(Level.DIFFERENT, min(score, 1 - JOIN), reasons)
    if pair.one_source and score >= JOIN:
        return Verdict(Level.RELATED, score, (Reason("one source"), *reasons))
    if score >= JOIN and not against:
        return Verdict(Level.SAME_TEXT if _is_edition(a, b) else Level.SAME_EVENT, score, reasons)
    return Verdict(Level.RELATED if score >= LINK else Level.DIFFERENT, score, reasons)


def _too_little(pair: _Pair) -> Iterator[vetoes.Veto]:
    """What two entries lack for being surely one event, though their titles have characters enough in common."""
    if not evidence.is_telling(pair.a, pair.b):
        yield vetoes.Veto("common words", "", False)
    same_core = pair.a.core == pair.b.core
    if (same_core and _differ_in_text(pair)) or (pair.topic is not None and pair.topic < pair.least_topic):
        yield vetoes.Veto("other texts", "", False)


def _is_edition(a: titles.Reading, b: titles.Reading) -> bool:
    """Whether one title is the other one, edited, rather than that of another report."""
    return a.core == b.core or 2 * len(a.pairs & b.pairs) >= _EDITION * (len(a.pairs) + len(b.pairs))


def _reason(veto: vetoes.Veto) -> Reason:
    return Reason(veto.code, (veto.words,) if veto.words else ())
