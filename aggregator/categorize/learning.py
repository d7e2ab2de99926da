"""What the lexicon learns from an editor's corrections and from sources whose category is certain. Pure.

What was learned is added to the lexicon's margins and changes nothing else: without it the lexicon is what it was. It
is a table of rows (`Weight`) that can be read, stored, and thrown away.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from aggregator.categorize.lexicon import ITSELF, NEW_BIAS, Learned, Lexicon
from aggregator.models import Weight

MOST_ROWS = 20_000

_MARGIN = 1.0  # how sure a lesson wants the lexicon to be (docs/notes/lexicon.md)


class Teacher(NamedTuple):
    """How far one lesson may go, as a weight; and whether it wants the lexicon to be sure against the rivals of a
    category too, so that the entry is filed otherwise, or only of each category by itself."""

    step: float
    decides: bool


CORRECTION, SOURCE = Teacher(0.3, True), Teacher(0.05, False)


@dataclass(frozen=True, slots=True)
class Lesson:
    """A folded title and text, terms that it belongs to, and terms that it does not belong to."""

    title: str
    body: str
    right: frozenset[str]
    wrong: frozenset[str]


def learn(lexicon: Lexicon, learned: Learned, lesson: Lesson, teacher: Teacher = CORRECTION) -> list[Weight]:
    """The rows that `lesson` changes, as they are after it; none where the lexicon is sure of it already.

    This is the passive-aggressive rule (Crammer et al. 2006, PA-I): each term's margin is brought to where the lesson
    wants it by the smallest change of the weights that does, and by no more than the teacher's step.
    """
    margins_of = lexicon.decisive if teacher.decides else lexicon.margins
    margins = margins_of(lesson.title, lesson.body, learned)
    changed: list[Weight] = []
    values = {"": ITSELF, **lexicon.values(lesson.title, lesson.body)}
    length = sum(value * value for value in values.values())
    for term, sign in [
        *((term, 1.0) for term in sorted(lesson.right)),
        *((term, -1.0) for term in sorted(lesson.wrong)),
    ]:
        lacking = _MARGIN - sign * margins.get(term, NEW_BIAS)
        if lacking > 0:
            moved = sign * min(teacher.step, lacking / length)
            changed += (_moved(learned, word, term, moved * value) for word, value in values.items())
    return changed


def taught(
    lexicon: Lexicon, learned: Learned, lessons: Iterable[Lesson], teacher: Teacher = CORRECTION
) -> tuple[list[Weight], list[Weight]]:
    """The rows that lessons change, one after the other, and the rows that are too many then."""
    now = Learned.of(learned.rows())
    changed: dict[tuple[str, str], Weight] = {}
    for lesson in lessons:
        rows = learn(lexicon, now, lesson, teacher)
        changed |= {(row.word, row.term): row for row in rows}
        now.take(rows)
    gone = surplus(now)
    for row in gone:
        changed.pop((row.word, row.term), None)
    return list(changed.values()), gone


def _moved(learned: Learned, word: str, term: str, by: float) -> Weight:
    known = learned.weights.get(word, {}).get(term, Weight(word, term, 0.0, 0))
    return Weight(word, term, round(known.weight + by, 6), known.lessons + 1)


def lessons(entries: Sequence[tuple[str, str, Collection[str]]]) -> Iterator[Lesson]:
    """Lessons from entries of sources whose categories are certain: folded title, folded text, categories.

    Each term is taught by as many entries that do not belong there as by entries that do, in turn; what has no
    counterpart teaches nothing. (Entries that belong there, alone, were measured to make the lexicon worse.)
    """
    terms = sorted({term for _, _, right in entries for term in right})
    for term in terms:
        within = [entry for entry in entries if term in entry[2]]
        without = [entry for entry in entries if term not in entry[2]]
        for (title, body, _), (other_title, other_body, _) in zip(within, without, strict=False):
            yield Lesson(title, body, frozenset({term}), frozenset())
            yield Lesson(other_title, other_body, frozenset(), frozenset({term}))


def surplus(learned: Learned, most: int = MOST_ROWS) -> list[Weight]:
    """The rows by which `learned` is too large, the weakest; those that stand for a term itself go last."""
    rows = sorted(learned.rows(), key=lambda row: (not row.word, abs(row.weight)))
    return rows[: max(0, len(rows) - most)]
