"""Which categories entries are in and why, and what is learned and ruled of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from aggregator.models.travelling import travelling


@travelling
@dataclass(frozen=True, slots=True)
class Filing:
    """One category of one entry: which voice put it there (`editor`, `source`, `rule`, `lexicon`), why (codes and
    references, which `explain` puts into words), and the score of the lexicon's voice."""

    term: str
    origin: str
    reason: str = ""
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Edition:
    """What files entries: digests of the lexicon, and of the rules and the source; and how often something was learned
    up to then."""

    lexicon: str
    rules: str
    learned: int = 0


class Weight(NamedTuple):
    """What was learned of a word for a term, and in how many lessons. The empty word stands for the term itself."""

    word: str
    term: str
    weight: float
    lessons: int = 1


class Example(NamedTuple):
    """An entry to learn from: its title, its text (HTML), terms that it belongs to, and terms that it does not."""

    title: str
    markup: str
    right: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ruling:
    """What an editor said by hand of one category of one entry: `filed` there, or kept out. `who` said it."""

    term: str
    filed: bool
    who: str = ""


@travelling
@dataclass(frozen=True, slots=True)
class StoredEntry:
    """What filing looks at of a stored entry, how it is filed, and what editors said of that. `markup` is its text."""

    row: int
    published_id: str
    story: int
    source_name: str
    title: str
    link: str | None
    markup: str
    author: str
    language: str | None
    filings: tuple[Filing, ...]
    rulings: tuple[Ruling, ...]
