"""The lexicon: how much each word of an entry speaks for each category. Pure, and light enough for every entry.

The readable file `data/lexicon.tsv` is the truth. It is compiled when it is loaded, which takes a twentieth of a
second, so that no compiled copy can be out of date. Its lines, their fields separated by tabs:

    :titles   how many titles it was made of
    :scale    `title` or `text`, slope and shift of the calibration
    :term     a term, its bias, its threshold, its parent if it has one
    word      a term, the word's weight for it, in how many titles the word was seen (0: known, not seen)

A word is up to three Han characters, or one or two words of another script; what a person wrote may be longer. Words
are folded (`text.fold`): 简体 and 繁體 are one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from itertools import pairwise
from operator import add
from typing import NamedTuple

from aggregator import text

OPENING = 500  # characters of a text that are looked at; all of it is hardly better (docs/notes/lexicon.md)
LEAST_SEEN = 5  # a rarer word weighs as if it were this rare

_LONGEST = 3  # Han characters of a word that is looked up; a longer one is searched for where its beginning is found
_BRIEF = 60  # characters of a text below which an entry is judged like one that has only a title
_ADDED = 1.0  # weight of an added word whose line names none: alone in a title it is enough
_NEW_BIAS, _NEW_THRESHOLD = -1.0, 0.5  # of a term that only added words have
_HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(f"[{_HAN}]+|[^{_HAN}]+")
_HAN_FIRST = re.compile(f"[{_HAN}]")


# A word's rarity, and its weights, each with the place of its term.
_Word = tuple[float, tuple[tuple[int, float], ...]]


@dataclass(frozen=True, slots=True)
class Term:
    """What the lexicon knows of a category: its margin without any word, and from which score on it is assigned."""

    term: str
    bias: float
    threshold: float
    parent: str = ""


class Row(NamedTuple):
    """What a word says about one category, and in how many of the titles it was made of the word was seen."""

    word: str
    term: str
    weight: float
    titles: int = 0


@dataclass(frozen=True, slots=True)
class Scale:
    """From a margin to a probability."""

    slope: float
    shift: float

    def probability(self, margin: float) -> float:
        """Between 0 and 1."""
        return 1 / (1 + math.exp(min(50.0, -self.slope * margin - self.shift)))


@dataclass(frozen=True, slots=True)
class Table:
    """A lexicon as its file has it. `scales` are those of entries with only a `title`, and of those with a `text`."""

    titles: int
    terms: tuple[Term, ...]
    scales: Mapping[str, Scale]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Scores:
    """What the lexicon makes of one entry.

    `by_term` has for every term the probability that the entry belongs there, each for itself, the best first. A
    child's is never above its parent's.
    """

    by_term: Mapping[str, float]
    _lexicon: Lexicon
    _found: Collection[str]
    _length: float

    def words(self, term: str, most: int) -> list[tuple[str, float]]:
        """Up to `most` words that speak for `term`, the loudest first, each with what it adds to the margin."""
        said = [(word, self._lexicon.weight(word, term) / self._length) for word in self._found]
        return sorted((pair for pair in said if pair[1] > 0), key=lambda pair: (-pair[1], pair[0]))[:most]


class Lexicon:
    """A table, ready to judge."""

    def __init__(self, table: Table) -> None:
        self.terms = {term.term: term for term in table.terms}
        self._scales = table.scales
        self._titles = table.titles
        self._places: dict[str, int] = {}
        self._words: dict[str, _Word] = {}
        self._longer: dict[str, list[str]] = {}
        for term in self.terms:
            self._place(term)
        for row in table.rows:
            self._take_in(*row)

    def _place(self, term: str) -> int:
        """Where the sums of `term` are; one without a line of its own gets one."""
        if term not in self._places:
            self._places[term] = len(self._places)
            self.terms.setdefault(term, Term(term, _NEW_BIAS, _NEW_THRESHOLD))
        return self._places[term]

    def _take_in(self, word: str, term: str, weight: float, titles: int) -> None:
        known = self._words.get(word)
        if known is None:
            known = (rarity(self._titles, titles), ())
            if (beginning := _beginning(word)) != word:
                self._longer.setdefault(beginning, []).append(word)
        self._words[word] = (known[0], (*known[1], (self._place(term), weight * known[0])))

    def weight(self, word: str, term: str) -> float:
        """What `word` adds for `term`, before it is divided by the length of its entry."""
        return sum(weight for place, weight in self._words[word][1] if place == self._places.get(term))

    def score(self, title: str, body: str = "") -> Scores:
        """How well each category fits an entry with this folded title and this folded text."""
        found, length, margins = self._margins(title, body)
        scale = self._scales["text" if len(body) >= _BRIEF else "title"]
        by_term = {term: scale.probability(margins[place]) for term, place in self._places.items()}
        for term, known in self.terms.items():
            if known.parent:
                by_term[term] = min(by_term[term], by_term[known.parent])
        return Scores(dict(sorted(by_term.items(), key=_by_score)), self, found, length)

    def margins(self, title: str, body: str = "") -> dict[str, float]:
        """For each term how far the entry is on its side, before any calibration."""
        return dict(zip(self._places, self._margins(title, body)[2], strict=True))

    def _margins(self, title: str, body: str) -> tuple[set[str], float, list[float]]:
        """The known words of an entry, the length of the vector that they make, and the margin at each place."""
        found = self._found(f"{title} {body[:OPENING]}")
        square, sums = 0.0, [0.0] * len(self._places)
        for word in found:
            rare, weights = self._words[word]
            square += rare * rare
            for place, weight in weights:
                sums[place] += weight
        length = math.sqrt(square) or 1.0
        return (
            found,
            length,
            [total / length + term.bias for total, term in zip(sums, self.terms.values(), strict=True)],
        )

    def _found(self, folded: str) -> set[str]:
        words = words_of(folded)
        found = words & self._words.keys()
        for beginning in words & self._longer.keys():
            found.update(word for word in self._longer[beginning] if text.contains(folded, word))
        return found


def _by_score(pair: tuple[str, float]) -> float:
    return -pair[1]


def load(extra: str = "") -> Lexicon:
    """The shipped lexicon with the lines of `extra` (word, term, weight; without one it is enough alone) added.

    Raises ValueError, which names the line, where one of `extra` is not of this form.
    """
    table = read(shipped())
    return Lexicon(replace(table, rows=(*table.rows, *added(extra))))


def shipped() -> str:
    """The file that comes with the package."""
    return (resources.files("aggregator") / "data" / "lexicon.tsv").read_text("utf-8")


def read(content: str) -> Table:
    """The table that a file of this format holds."""
    titles, terms, scales, rows = 0, [], {}, []
    for line in content.splitlines():
        match line.split("\t"):
            case [":titles", number]:
                titles = int(number)
            case [":scale", name, slope, shift]:
                scales[name] = Scale(float(slope), float(shift))
            case [":term", term, bias, threshold, *parent]:
                terms.append(Term(term, float(bias), float(threshold), *parent))
            case [word, term, weight, seen]:
                rows.append(Row(word, term, float(weight), int(seen)))
    return Table(titles, tuple(terms), scales, tuple(rows))


def written(table: Table) -> str:
    """The file of `table`, its words in order."""
    lines = [f":titles\t{table.titles}"]
    lines += [f":scale\t{name}\t{scale.slope:g}\t{scale.shift:g}" for name, scale in table.scales.items()]
    lines += [
        f":term\t{term.term}\t{term.bias:g}\t{term.threshold:g}" + (f"\t{term.parent}" if term.parent else "")
        for term in table.terms
    ]
    lines += [f"{row.word}\t{row.term}\t{row.weight:g}\t{row.titles}" for row in sorted(table.rows, key=_in_order)]
    return "\n".join(lines) + "\n"


def _in_order(row: Row) -> tuple[str, str]:
    return row.word, row.term


def added(extra: str) -> Iterator[Row]:
    """The rows of a person's own lines: a word in either script, a term, perhaps a weight; `#` begins a remark."""
    for number, line in enumerate(extra.splitlines(), 1):
        fields = [field.strip() for field in line.split("#")[0].split("\t")]
        if fields == [""]:
            continue
        try:
            word, term, weight = (*fields, str(_ADDED))[:3]
            row = Row(text.fold(word), term, float(weight))
        except ValueError:
            raise ValueError(f"line {number}: write a word, a tab, a term, and perhaps a tab and a weight") from None
        if row.word and row.term:
            yield row


def words_of(folded: str) -> set[str]:
    """The words of a folded text that a lexicon may hold: one to three Han characters, one or two others in a row."""
    words: set[str] = set()
    for run in _RUN.findall(folded):
        if _HAN_FIRST.match(run):
            words.update(run)
            pairs = list(map(add, run, run[1:]))
            words.update(pairs)
            words.update(map(add, pairs, run[2:]))
        else:
            parts = run.split()
            words.update(parts)
            words.update([f"{one} {two}" for one, two in pairwise(parts)])
    return words


def rarity(titles: int, seen: int) -> float:
    """How much a word weighs that was seen in `seen` of `titles` titles: the natural logarithm of its rarity."""
    return math.log(max(titles, LEAST_SEEN) / max(seen, LEAST_SEEN)) + 1


def _beginning(word: str) -> str:
    """The part of `word` that `words_of` finds in a text that holds it."""
    run = _RUN.findall(word)[0]
    return run[:_LONGEST] if _HAN_FIRST.match(run) else " ".join(run.split()[:2])
