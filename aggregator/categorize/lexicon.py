"""The lexicon: how much each word of an entry speaks for each category. Pure, and light enough for every entry.

The readable file `data/lexicon.tsv` is the truth. It is compiled when it is loaded, which takes a tenth of a
second, so that no compiled copy can be out of date. Its lines, their fields separated by tabs:

    :titles   how many titles it was made of
    :scale    `title` or `text`, slope and shift of the calibration
    :term     a term, its bias, its threshold, its parent if it has one
    :text     a term, its threshold for entries that have a text, where that is another one
    word      a term, the word's weight for it, in how many titles the word was seen (0: known, not seen)

A word is up to three Han characters, or one or two words of another script; what a person wrote may be longer. `^` and
`$` mark what begins and what ends a phrase. Words are folded (`text.fold`): 简体 and 繁體 are one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from itertools import pairwise
from operator import add
from typing import NamedTuple

from aggregator import text
from aggregator.models import Weight

OPENING = 750  # characters of a text that are looked at; more of it is no better (docs/notes/lexicon.md)
LEAST_SEEN = 5  # a rarer word weighs as if it were this rare
NEW_BIAS, NEW_THRESHOLD = -1.0, 0.5  # of a term that has only added or learned words
ITSELF = 0.3  # how much the weight that a term itself learned counts, beside those of words

_LONGEST = 3  # Han characters of a word that is looked up; a longer one is searched for where its beginning is found
_TITLE = 1.5  # how much a word of the title counts where there is a text, one of the text counts 1
_HEAD = 300  # characters of a text that say what it is about; what comes after them goes into details
_LATER = 0.5  # how much a word of those details counts
_BRIEF = 60  # characters of a text below which an entry is judged like one that has only a title
_RARITY = 1.5  # power of a word's rarity
_LENGTH = 1.1  # power of a vector's length by which its words are divided: many words are a little less sure than few
_RIVALRY = 0.75  # an entry that fits another category nearly as well is less surely of this one
_ADDED = 1.0  # weight of an added word whose line names none: alone in a title it is enough
_HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(f"[{_HAN}]+|[^{_HAN}]+")
_HAN_RUN = re.compile(f"[{_HAN}]+")
_HAN_FIRST = re.compile(f"[{_HAN}]")

# A word's rarity, and its weights, each with the place of its term.
_Word = tuple[float, tuple[tuple[int, float], ...]]


@dataclass(frozen=True, slots=True)
class Term:
    """What the lexicon knows of a category: its margin without any word, and from which score on it is assigned, of
    entries that have a text perhaps from another one on."""

    term: str
    bias: float
    threshold: float
    parent: str = ""
    with_text: float | None = None

    def least(self, has_text: bool) -> float:
        """The threshold of an entry with a text, or of one that has only a title."""
        return self.with_text if has_text and self.with_text is not None else self.threshold


@dataclass(frozen=True, slots=True)
class Learned:
    """All that was learned so far, by word and term."""

    weights: dict[str, dict[str, Weight]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Weight]) -> Learned:
        """What these rows hold; of two rows for the same word and term the later one counts."""
        made = cls()
        made.take(rows)
        return made

    def take(self, rows: Iterable[Weight]) -> None:
        """Put these rows in the place of those for the same word and term."""
        for row in rows:
            self.weights.setdefault(row.word, {})[row.term] = row

    def rows(self) -> Iterator[Weight]:
        """Everything, as it can be stored."""
        return (row for terms in self.weights.values() for row in terms.values())


NOTHING = Learned()


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
class _Heard:
    """The words of an entry that say something, shipped and learned, with how much each counts; the length of the
    vector that they make; and the margins, before anything was learned and with it."""

    known: Mapping[str, float]
    taught: Mapping[str, float]
    length: float
    shipped: Mapping[str, float]
    margins: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Scores:
    """What the lexicon makes of one entry.

    `by_term` has for every term the probability that the entry belongs there, each for itself, the best first. A
    child's is never above its parent's. `has_text`: whether it was judged as one with a text, not as a title.
    """

    by_term: Mapping[str, float]
    has_text: bool
    _lexicon: Lexicon
    _learned: Learned
    _heard: _Heard

    def words(self, term: str, most: int) -> list[tuple[str, float]]:
        """Up to `most` words that speak for `term`, the loudest first, each with what it adds to the margin."""
        said = self._lexicon.said(self._heard, term, self._learned)
        loudest = sorted([(-weight, word) for word, weight in said.items() if weight > 0])[:most]
        return [(word, -weight / self._heard.length) for weight, word in loudest]


class Lexicon:
    """A table, ready to judge."""

    def __init__(self, table: Table) -> None:
        self.terms = {term.term: term for term in table.terms}
        self._scales = table.scales
        self._rarest = rarity(table.titles, 0)
        self._titles = table.titles
        self._places: dict[str, int] = {}
        self._words: dict[str, _Word] = {}
        self._of_term: list[dict[str, float]] = []  # the same weights, at the place of each term by word
        self._longer: dict[str, list[str]] = {}
        self._above = {term.term: term.parent or term.term for term in table.terms}
        for term in table.terms:
            self._place(term.term)
        for row in table.rows:
            self._take_in(*row)
        self._listed = self._words.keys() | self._longer.keys()

    def _place(self, term: str) -> int:
        """Where the sums of `term` are; one without a line of its own gets one."""
        if term not in self._places:
            self._places[term] = len(self._places)
            self._of_term.append({})
            self.terms.setdefault(term, Term(term, NEW_BIAS, NEW_THRESHOLD))
        return self._places[term]

    def _take_in(self, word: str, term: str, weight: float, titles: int) -> None:
        place = self._place(term)
        if word not in self._words:
            rare = rarity(self._titles, titles)
            self._of_term[place][word] = weighty = weight * rare
            self._words[word] = (rare, ((place, weighty),))
            if len(word) > _LONGEST and (beginning := beginning_of(word)) != word:
                self._longer.setdefault(beginning, []).append(word)
            return
        rare, weights = self._words[word]
        before = dict(weights)
        before[place] = before.get(place, 0.0) + weight * rare  # a person adds to a weight that is there
        self._of_term[place][word] = before[place]
        self._words[word] = (rare, tuple(before.items()))

    def score(self, title: str, body: str = "", learned: Learned = NOTHING) -> Scores:
        """How well each category fits an entry with this folded title and this folded text."""
        heard = self._heard(title, body, learned)
        has_text = len(body) >= _BRIEF
        scale = self._scales["text" if has_text else "title"]
        rivalled = self.rivalled(heard.margins, heard.shipped)
        by_term = {term: scale.probability(margin) for term, margin in rivalled.items()}
        for term, known in self.terms.items():
            if known.parent:
                by_term[term] = min(by_term[term], by_term[known.parent])
        return Scores(dict(sorted(by_term.items(), key=_by_score)), has_text, self, learned, heard)

    def margins(self, title: str, body: str = "", learned: Learned = NOTHING) -> Mapping[str, float]:
        """For each term how far the entry is on its side, before any calibration."""
        return self._heard(title, body, learned).margins

    def decisive(self, title: str, body: str = "", learned: Learned = NOTHING) -> Mapping[str, float]:
        """The margins from which it is decided: less what rivals take."""
        heard = self._heard(title, body, learned)
        return self.rivalled(heard.margins, heard.shipped)

    def rivalled(self, margins: Mapping[str, float], shipped: Mapping[str, float] | None = None) -> dict[str, float]:
        """Margins less a share of the best other one's. A child's rivals are those of its parent.

        A rival is as strong as in `shipped`, before anything was learned: what speaks for or against a category since
        then changes nothing for the others.
        """
        above = self._above
        rivals = margins if shipped is None else shipped
        best, second, winner = -1.0, -1.0, ""
        for term, margin in rivals.items():
            if margin > second and above.get(term, term) == term:
                if margin > best:
                    best, second, winner = margin, best, term
                else:
                    second = margin
        return {
            term: margin - _RIVALRY * (second if above.get(term, term) == winner else best)
            for term, margin in margins.items()
        }

    def values(self, title: str, body: str = "") -> dict[str, float]:
        """What learning may give weights to: the known words of an entry, and all of its title, each as it counts."""
        heard = self._heard(title, body, NOTHING)
        loudness = _loudness(body)
        counts = {word: loudness for word in words_of(title) if len(word) > 1} | {**heard.known}
        return {word: count * self._rarity(word) / heard.length for word, count in sorted(counts.items())}

    def said(self, heard: _Heard, term: str, learned: Learned) -> dict[str, float]:
        """What each word of an entry adds for `term`, before it is divided by the length of the entry."""
        weights = self._of_term[self._places[term]] if term in self._places else {}
        said = {word: heard.known[word] * weights[word] for word in heard.known.keys() & weights.keys()}
        for word, count in heard.taught.items():
            if row := learned.weights[word].get(term):
                said[word] = said.get(word, 0.0) + count * row.weight * self._rarity(word)
        return said

    def _rarity(self, word: str) -> float:
        return self._words[word][0] if word in self._words else self._rarest

    def _heard(self, title: str, body: str, learned: Learned) -> _Heard:
        known: dict[str, float] = {}
        taught: dict[str, float] = {}
        square, sums = 0.0, [0.0] * len(self._places)
        for part, count in _parts(title, body):
            spoken = [*_spoken(part), *edges_of(part)]
            listed = self._listed.intersection(spoken)
            listed.update(list(longer_in(part, listed, self._longer)))
            words = (self._words.keys() & listed) - known.keys()
            squared, added = self._sums(words)
            square += count * count * squared
            sums = [before + count * more for before, more in zip(sums, added, strict=True)]
            known |= dict.fromkeys(words, count)
            if learned.weights:
                taught = dict.fromkeys(filter(learned.weights.__contains__, (*spoken, *listed)), count) | taught
        length = length_of(square, self._rarest) or self._rarest
        shipped = {term: total / length + self.terms[term].bias for term, total in zip(self.terms, sums, strict=True)}
        margins = dict(shipped)
        for word in (*taught, ""):
            value = taught[word] * self._rarity(word) / length if word else ITSELF
            for term, row in learned.weights.get(word, {}).items():
                margins[term] = margins.get(term, NEW_BIAS) + row.weight * value
        return _Heard(known, taught, length, shipped, margins)

    def _sums(self, words: Iterable[str]) -> tuple[float, list[float]]:
        """The squared rarities of these words, and their weights for each term, summed up."""
        square, sums = 0.0, [0.0] * len(self._places)
        for word in words:
            rare, weights = self._words[word]
            square += rare * rare
            for place, weight in weights:
                sums[place] += weight
        return square, sums


def _parts(title: str, body: str) -> list[tuple[str, float]]:
    """What of an entry is looked at, and how much a word counts that is in this part of it first."""
    parts = [(title, _loudness(body)), (body[:_HEAD], 1.0), (body[_HEAD:OPENING], _LATER)]
    return [part for part in parts if part[0]]


def _loudness(body: str) -> float:
    """How much a word of the title counts beside this text."""
    return _TITLE if body else 1.0


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
    return _data("lexicon.tsv")


def known() -> str:
    """The lines of words that the authors know, from which the shipped lexicon was made beside titles."""
    return _data("known.tsv")


def _data(name: str) -> str:
    return (resources.files("aggregator") / "data" / name).read_text("utf-8")


def read(content: str) -> Table:
    """The table that a file of this format holds."""
    titles, terms, scales, rows, with_text = 0, [], {}, [], {}
    for line in content.splitlines():
        if not line.startswith(":"):
            word, term, weight, seen = line.split("\t")
            rows.append(Row(word, term, float(weight), int(seen)))
            continue
        match line.split("\t"):
            case [":titles", number]:
                titles = int(number)
            case [":scale", name, slope, shift]:
                scales[name] = Scale(float(slope), float(shift))
            case [":term", term, bias, threshold, *parent]:
                terms.append(Term(term, float(bias), float(threshold), "".join(parent)))
            case [":text", term, threshold]:
                with_text[term] = float(threshold)
    terms = [replace(term, with_text=with_text.get(term.term)) for term in terms]
    return Table(titles, tuple(terms), scales, tuple(rows))


def written(table: Table) -> str:
    """The file of `table`, its words in order."""
    lines = [f":titles\t{table.titles}"]
    lines += [f":scale\t{name}\t{scale.slope:g}\t{scale.shift:g}" for name, scale in table.scales.items()]
    lines += [
        f":term\t{term.term}\t{term.bias:g}\t{term.threshold:g}" + (f"\t{term.parent}" if term.parent else "")
        for term in table.terms
    ]
    lines += [f":text\t{term.term}\t{term.with_text:g}" for term in table.terms if term.with_text is not None]
    lines += [f"{row.word}\t{row.term}\t{row.weight:g}\t{row.titles}" for row in sorted(table.rows, key=_in_order)]
    return "\n".join(lines) + "\n"


def _in_order(row: Row) -> tuple[str, str]:
    return row.word, row.term


def added(lines: str) -> Iterator[Row]:
    """The rows that a person wrote: words with commas between them, a tab, a term, perhaps a tab and a weight."""
    for number, line in enumerate(lines.splitlines(), 1):
        fields = [field.strip() for field in line.split("#")[0].split("\t")]
        if fields == [""]:
            continue
        try:
            words, term, weight = (*fields, str(_ADDED))[:3]
            rows = [Row(text.fold(word), term, float(weight)) for word in words.split(",")]
        except ValueError:
            raise ValueError(f"line {number}: write words, a tab, a term, and perhaps a tab and a weight") from None
        yield from (row for row in rows if row.word and row.term)


def words_of(folded: str) -> set[str]:
    """The words of a folded text that a lexicon may hold: one to three Han characters, one or two others in a row."""
    return set(_spoken(folded))


def _spoken(folded: str) -> list[str]:
    words: list[str] = []
    for run in _RUN.findall(folded):
        if _HAN_FIRST.match(run):
            pairs = list(map(add, run, run[1:]))
            words += run
            words += pairs
            words += map(add, pairs, run[2:])
        else:
            parts = run.split()
            words += parts
            words += [f"{one} {two}" for one, two in pairwise(parts)]
    return words


def edges_of(folded: str) -> set[str]:
    """The one or two Han characters with which each phrase of a folded text begins and ends, marked as such."""
    edges: set[str] = set()
    for run in _HAN_RUN.findall(folded):
        edges.update(("^" + run[0], "^" + run[:2], run[-1] + "$", run[-2:] + "$"))
    return edges


def rarity(titles: int, seen: int) -> float:
    """How much a word weighs that was seen in `seen` of `titles` titles, by the logarithm of its rarity."""
    return float((math.log(max(titles, LEAST_SEEN) / max(seen, LEAST_SEEN)) + 1) ** _RARITY)


def length_of(square: float, rarest: float) -> float:
    """What the words of an entry are divided by: the sum of their squared rarities is `square`, the highest `rarest`.

    One word that is as rare as can be has the length that makes it count as 1.
    """
    return float(rarest * (square / rarest**2) ** (_LENGTH / 2))


def beginning_of(word: str) -> str:
    """The part of `word` that `words_of` finds in a text that holds it: the whole, if it is not too long."""
    run = _RUN.findall(word)[0]
    return run[:_LONGEST] if _HAN_FIRST.match(run) else " ".join(run.split()[:2])


def longer_in(folded: str, words: Collection[str], longer: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Which of the longer words, by their beginnings, a folded text has; `words` are its `words_of`."""
    for beginning in longer.keys() & words:
        for word in longer[beginning]:
            if text.contains(folded, word):
                yield word


# What knows no word.
EMPTY = Lexicon(Table(0, (), dict.fromkeys(("title", "text"), Scale(1.0, 0.0)), ()))
