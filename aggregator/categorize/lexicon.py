"""The lexicon: how much each word of an entry speaks for each category."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

NEW_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Term:
    """What the lexicon knows of a category: from which probability on an entry is filed there."""

    threshold: float


@dataclass(frozen=True, slots=True)
class Weight:
    """What was learned of a word and a category."""

    word: str
    term: str
    weight: float


@dataclass(frozen=True, slots=True)
class Learned:
    """All that was learned so far, by word and term."""

    weights: Mapping[str, Mapping[str, Weight]] = field(default_factory=dict)

    def rows(self) -> Iterator[Weight]:
        """Everything, as it can be stored."""
        return (row for terms in self.weights.values() for row in terms.values())


NOTHING = Learned()


@dataclass(frozen=True, slots=True)
class Row:
    """A word, and the category that it is about."""

    word: str
    term: str


@dataclass(frozen=True, slots=True)
class Scores:
    """What the lexicon makes of one entry: for every term that it knows, how probably the entry belongs there."""

    by_term: Mapping[str, float]

    def words(self, term: str, most: int) -> list[tuple[str, float]]:
        """Up to `most` words that speak for `term`, the loudest first, each with its weight."""
        return []


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words and what they say, ready to judge."""

    terms: Mapping[str, Term] = field(default_factory=dict)

    def score(self, title: str, body: str = "", learned: Learned = NOTHING) -> Scores:
        """How well each category fits an entry with this folded title and this folded text."""
        return Scores({})


def added(extra: str) -> Iterator[Row]:
    """The rows of a person's own lines: a word in either script, a term, perhaps a weight; `#` begins a remark.

    Raises ValueError, which names the line, where one is not of this form.
    """
    for number, line in enumerate(extra.splitlines(), 1):
        fields = [field.strip() for field in line.split("#")[0].split("\t")]
        if fields == [""]:
            continue
        if len(fields) not in (2, 3):
            raise ValueError(f"line {number}: write a word, a tab, a term, and perhaps a tab and a weight")
        yield Row(*fields[:2])


def load(extra: str = "") -> Lexicon:
    """The shipped lexicon with the lines of `extra` added."""
    return Lexicon()
