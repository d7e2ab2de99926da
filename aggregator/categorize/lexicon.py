"""The lexicon: how much each word of an entry speaks for each category."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Term:
    """What the lexicon knows of a category: from which probability on an entry is filed there."""

    threshold: float


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

    def score(self, title: str, body: str = "", learned: object = None) -> Scores:
        """How well each category fits an entry with this folded title and this folded text."""
        return Scores({})


def load(extra: str = "") -> Lexicon:
    """The shipped lexicon with the lines of `extra` added."""
    return Lexicon()
