"""Whether two entries are one text, one event, related or different, and why. Pure and symmetric."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from aggregator.models import SAME_EVENT_WINDOW, SAME_TEXT_WINDOW
from aggregator.stories import aliases, evidence, numbers, prints, titles, vetoes

# Scores from which two titles join one story (more where no date speaks for one event), and from which each shows the
# other: set by cross-validated scores, with a margin (docs/notes/stories.md).
JOIN, JOIN_UNDATED, LINK = 0.85, 0.92, 0.7

# Shares of common 4-grams from which two texts are one: in two sources, whatever their titles say, and within one
# source, where columns share their frame. Below the last one title over two texts is a coincidence.
_COPY, _SURE_COPY, _COPY_IN_ONE_SOURCE, _COINCIDENCE = 0.45, 0.6, 0.9, 0.1
# Vetoes that hold against two texts that are alike, but no sure copies: they have one frame.
_FRAMES = frozenset(("column", "numbers", "opposite", "swapped", "model"))
# Those that hold against sure copies, too: notices that differ in whom they are about, or in what they say of him.
_SUBJECTS = frozenset(("subject", "opposite", "swapped"))
_HOUR = timedelta(hours=1)
_REISSUE = timedelta(hours=20)  # after which one title in one source is the next issue of a column

# Han characters of a title that is no title, and of one that is nobody else's.
_SHORTEST_TITLE, _TELLING_TITLE = 4, 12
# Shares of common pairs of characters of the titles, or of 4-grams of the texts, from which one event is one text.
_EDITION, _EDITED_TEXT = 0.75, 0.25

# Folded characters from which on two texts on one event must have rare pairs in common, and how large a share: more
# where no date speaks for one event.
_TELLING_TEXT = 300
_LEAST_TOPIC, _LEAST_TOPIC_UNDATED = 0.03, 0.07

# The first gate: the share of common 4-grams, or of the characters of the shorter title, of what is compared at all.
_HINT, _OVERLAP = 0.2, 0.38


# Share of the letters of the shorter title that the other one must have, where one text below both may be a frame: in
# one source, and of brief texts in two.
_OWN_TITLES, _BRIEF_TITLES = 0.7, 0.3
_BRIEF_TEXT = 120  # folded characters


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
    """What two entries are to each other. `score`: 0 to 1; `reasons`: the weightiest first. `contradicts`: they are
    alike, and tell different things."""

    level: Level
    score: float
    reasons: tuple[Reason, ...] = ()
    contradicts: bool = False

    @property
    def joins(self) -> bool:
        """Whether both belong in one story."""
        return self.level in (Level.SAME_TEXT, Level.SAME_EVENT)

    @property
    def links(self) -> bool:
        """Whether a reader of one is shown the other."""
        return self.level is not Level.DIFFERENT

    @property
    def tells_again(self) -> bool:
        """Whether both would be one event, were they not of one source."""
        return _ONE_SOURCE in self.reasons


class Glance:
    """A first, cheap look at what a new entry could be compared with: it takes no other title apart."""

    def __init__(self, new: Said) -> None:
        self._new = new
        self._letters = new.fingerprint.letters
        self._ceiling = evidence.Ceiling(numbers.read(new.title))

    def promise(self, other: prints.Fingerprint, published: datetime | None) -> float:
        """How near an entry with this print, published then, can at best be to the new one; 0 where `compare` would not
        even link them. Copies come first, from 1 on."""
        resemblance = prints.resemblance(self._new.fingerprint, other)
        if resemblance is not None and resemblance >= _COPY:
            return 1 + resemblance
        apart = _apart(self._new.published, published)
        if apart is not None and apart > SAME_EVENT_WINDOW:
            return 0.0
        mine, its = self._letters, other.letters
        common, least = len(mine & its), min(len(mine), len(its))
        if common == 0 or (common < _OVERLAP * least and (resemblance or 0.0) < _HINT):
            return 0.0
        best = self._ceiling.score(common / least, 2 * common / (len(mine) + len(its)), _hours(apart))
        return best if best >= LINK else 0.0


_ONE_SOURCE = Reason("one source")
_STRANGERS = Verdict(Level.DIFFERENT, 0.0)


def compare(a: Said, b: Said, table: aliases.Aliases | None = None, strangers: bool = True) -> Verdict:
    """What `a` and `b` are to each other, whatever their order. `table`: the names that are one; default our own.

    Without `strangers`, nothing more is said of two that are different.
    """
    if a.canonical is not None and a.canonical == b.canonical:
        return Verdict(Level.SAME_TEXT, 1.0, (Reason("link"),))
    one_source = a.source is not None and a.source == b.source
    if one_source and a.entry_id is not None and a.entry_id == b.entry_id:
        return Verdict(Level.SAME_TEXT, 1.0, (Reason("id"),))
    table = table or aliases.default()
    of_a, of_b = (titles.read(said.title, said.source or "", table) for said in (a, b))
    apart, shared = _apart(a.published, b.published), _of_texts(a.fingerprint, b.fingerprint)
    pair = _Pair(of_a, of_b, apart, one_source, *shared, _is_brief(a, b))
    return _as_copies(pair) or _as_events(pair, strangers)


def _apart(one: datetime | None, other: datetime | None) -> timedelta | None:
    return abs(one - other) if one and other else None


def _hours(apart: timedelta | None) -> float:
    return apart / _HOUR if apart else 0.0


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two entries as they are decided on. `apart` is None where a date is missing, what texts have in common where one
    is too short."""

    a: titles.Reading
    b: titles.Reading
    apart: timedelta | None
    one_source: bool
    resemblance: float | None
    topic: float | None
    brief: bool

    def within(self, window: timedelta) -> bool:
        """Whether no more than `window` lies between them; a date that is missing counts as equal."""
        return self.apart is None or self.apart <= window

    def least(self, dated: float, undated: float) -> float:
        """The one of two thresholds that holds for them."""
        return undated if self.apart is None else dated


def _is_brief(a: Said, b: Said) -> bool:
    return min(a.fingerprint.length, b.fingerprint.length) < _BRIEF_TEXT


def _of_texts(a: prints.Fingerprint, b: prints.Fingerprint) -> tuple[float | None, float | None]:
    """What two texts have in common, of 4-grams and of rare pairs."""
    topic = None if min(a.length, b.length) < _TELLING_TEXT else prints.common_topic(a, b)
    return prints.resemblance(a, b), topic


def _as_copies(pair: _Pair) -> Verdict | None:
    """The verdict on two entries with one text or one title; None where they have neither."""
    same_title = pair.a.letters == pair.b.letters and _size(pair.a) >= _SHORTEST_TITLE
    if same_title and not pair.one_source and pair.within(SAME_EVENT_WINDOW) and not _differ_in_text(pair):
        return Verdict(Level.SAME_TEXT, 1.0, (Reason("title"),))
    least = _COPY_IN_ONE_SOURCE if pair.one_source else _COPY
    if pair.resemblance is None or pair.resemblance < least or not pair.within(SAME_TEXT_WINDOW):
        return None
    if not same_title and _is_frame(pair):
        return None
    reason = Reason("text", (f"{pair.resemblance:.0%}",))
    if same_title and pair.one_source and not pair.within(_REISSUE):
        return Verdict(Level.RELATED, pair.resemblance, (Reason("column", (pair.a.mask,)), reason))
    against = [] if same_title else [veto for veto in vetoes.found(pair.a, pair.b) if _stops_copy(veto, pair)]
    if against:
        return Verdict(Level.DIFFERENT, pair.resemblance, (*map(_reason, against), reason))
    return Verdict(Level.SAME_TEXT, pair.resemblance, (reason,))


def _is_frame(pair: _Pair) -> bool:
    """Whether equal texts may be what a source says below every title, so that the titles must say it too."""
    if not pair.one_source and not pair.brief:
        return False
    one, other = set(pair.a.letters), set(pair.b.letters)
    alike = len(one & other) / (min(len(one), len(other)) or 1)
    return alike < (_OWN_TITLES if pair.one_source else _BRIEF_TITLES)


def _size(reading: titles.Reading) -> float:
    """The letters of a title, five Latin ones for each Han character."""
    return len(reading.letters) / (5 if reading.letters.isascii() else 1)


def _stops_copy(veto: vetoes.Veto, pair: _Pair) -> bool:
    """Whether two texts that are so alike are a frame with other contents all the same: of a sure copy only where the
    titles say that they are two issues."""
    if pair.one_source:
        return veto.code != "ending"  # the same notice, or announcement
    if veto.code in _SUBJECTS:
        return True
    if (pair.resemblance or 0) < _SURE_COPY:
        return veto.code in _FRAMES and veto.hard
    if pair.a.mask != pair.b.mask:
        return False
    return not pair.within(_REISSUE) or (veto.code == "numbers" and numbers.is_decisive(veto.words))


def _differ_in_text(pair: _Pair) -> bool:
    """Whether the texts say that one title is a coincidence, as of columns that many have."""
    return pair.resemblance is not None and pair.resemblance < _COINCIDENCE and _size(pair.a) < _TELLING_TITLE


def _as_events(pair: _Pair, strangers: bool) -> Verdict:
    """The verdict by the titles: their score, held down by vetoes."""
    hours = _hours(pair.apart)
    if not pair.within(SAME_EVENT_WINDOW):
        return Verdict(Level.DIFFERENT, 0.0, (Reason("far apart", (f"{hours:.0f}",)),))
    figures = evidence.collect(pair.a, pair.b, hours)
    score = evidence.score(figures)
    if score < LINK and not strangers:
        return _STRANGERS
    against = [*vetoes.found(pair.a, pair.b), *(_too_little(pair) if score >= LINK else ())]
    reasons = (*map(_reason, against), *(Reason(name, (f"{share:+.1f}",)) for name, share in evidence.shares(figures)))
    if any(veto.hard for veto in against):
        return Verdict(Level.DIFFERENT, min(score, 1 - JOIN), reasons, score >= JOIN)
    if score >= pair.least(JOIN, JOIN_UNDATED):
        if pair.one_source and not against:
            return Verdict(Level.RELATED, score, (_ONE_SOURCE, *reasons))
        if not against:
            return Verdict(Level.SAME_TEXT if _is_edition(pair) else Level.SAME_EVENT, score, reasons)
    return Verdict(Level.RELATED if score >= LINK else Level.DIFFERENT, score, reasons)


def _too_little(pair: _Pair) -> Iterator[vetoes.Veto]:
    """What two entries lack for being surely one event, though their titles have characters enough in common."""
    if not evidence.is_telling(pair.a, pair.b):
        yield vetoes.Veto("common words", "", False)
    other_topic = pair.topic is not None and pair.topic < pair.least(_LEAST_TOPIC, _LEAST_TOPIC_UNDATED)
    if other_topic or (pair.a.core == pair.b.core and _differ_in_text(pair)):
        yield vetoes.Veto("other texts", "", False)


def _is_edition(pair: _Pair) -> bool:
    """Whether one entry is the other one, edited, rather than another report."""
    one, other = titles.pairs(pair.a.core), titles.pairs(pair.b.core)
    alike = pair.a.core == pair.b.core or 2 * len(one & other) >= _EDITION * (len(one) + len(other))
    return alike or (pair.resemblance or 0) >= _EDITED_TEXT


def _reason(veto: vetoes.Veto) -> Reason:
    return Reason(veto.code, (veto.words,) if veto.words else ())
