"""A lexicon from labelled titles: linear support vector machines, cut down to the words that matter. Pure.

Needs scikit-learn, the extra `lexicon`. The same examples give the same lexicon. docs/notes/lexicon.md has the reason
of each step and of each number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from aggregator import text
from aggregator.categorize import lexicon
from aggregator.categorize.lexicon import Lexicon, Row, Scale, Table, Term

ROWS = 30_000
OPENING = 500  # characters of a text that are learned from
PRECISE = 0.85  # the share of what is assigned to a term that is right, where nothing else is asked for

_COST = 0.4  # LinearSVC's C
_ROUNDS = 300  # of LinearSVC
_FOLDS = 4
_CUTS = (60_000, 42_000, ROWS)  # learned again after each, the machines lose less than if cut at once
_DECIMALS = 3  # of a weight
# How much one of them teaches, beside a title.
_TEXT_COUNT = 1.5
_KEYWORDS_COUNT = 0.3
_KNOWN_COUNT = 0.75
# How much it matters, first and last, that a word leans to a term; the titles by which that is doubted.
_LEANING, _DOUBT = 0.35, 5.0
_COMMON = 0.15  # power of a word's frequency by which its weights are the more important
_AGAINST = 0.8  # a weight against a term is less important than one for it
_UNKNOWN = -3.0  # the bias of a term without examples
_LEAST, _MOST = 0.5, 0.95  # no threshold is below, since feeds have much that belongs nowhere, or above
_LEAST_WITH_TEXT = 0.4  # a text says enough for one below that of a title
_UNTRIED = 0.6  # the threshold of a term that has too few examples to find one, or only known words
_ENOUGH = 100  # examples

Matrix = Any  # scipy.sparse.csr_matrix, which has no types


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled entry, folded: the terms that it belongs to, and those of which nobody can tell."""

    title: str
    text: str
    right: frozenset[str]
    unsure: frozenset[str] = frozenset()
    keywords: str = ""


@dataclass(frozen=True, slots=True)
class _Document:
    """What is learned from: an example's title, its title and text, its keywords, or a known word."""

    words: frozenset[str]
    right: frozenset[str]
    unsure: frozenset[str]
    count: float


_Judged = tuple[Example, Mapping[str, float]]


def build(
    examples: Sequence[Example], known: Sequence[Row], parents: Mapping[str, str], precise: Mapping[str, float]
) -> Table:
    """The lexicon of `examples` and `known` words, for the terms of `parents` (their parents, or "").

    A term's threshold is the lowest score from which on the share of what is assigned rightly is that of `precise`, or
    `PRECISE`. That and the calibration are found on examples that were left out while learning.
    """
    corpus = _Corpus([_with_children(example, known, parents) for example in examples], known, parents)
    table = corpus.table(range(len(examples)))
    judged: list[_Judged] = []
    for fold in range(_FOLDS):
        part = Lexicon(corpus.table([place for place in range(len(examples)) if place % _FOLDS != fold]))
        judged += [
            (example, part.rivalled(part.margins(example.title, example.text)))
            for example in corpus.examples[fold::_FOLDS]
        ]
    scales = {
        "title": _scale([(example, margins) for example, margins in judged if not example.text]),
        "text": _scale([(example, margins) for example, margins in judged if example.text]),
    }
    scored = [_scored(example, margins, scales) for example, margins in judged]
    terms = [_with_thresholds(term, scored, precise.get(term.term, PRECISE)) for term in table.terms]
    return replace(table, scales=scales, terms=tuple(terms))


def _with_children(example: Example, known: Sequence[Row], parents: Mapping[str, str]) -> Example:
    """`example` filed under the children, too, of whose known words it has one."""
    folded = f"{example.title} {example.text[:OPENING]}"
    children = {row.term for row in known if parents[row.term] and row.weight > 0 and text.contains(folded, row.word)}
    right = {child for child in children if parents[child] in example.right}
    return replace(example, right=example.right | right, unsure=example.unsure | children - right)


class _Corpus:
    """Examples and known words, taken apart once for all the machines that learn from parts of them."""

    def __init__(self, examples: Sequence[Example], known: Sequence[Row], parents: Mapping[str, str]) -> None:
        self.examples = examples
        self._parents = parents
        self._known = list(_known_documents(known, parents))
        self._wanted = {row.word for row in known}
        longer: dict[str, list[str]] = {}
        for word in sorted(self._wanted):
            if (beginning := lexicon.beginning_of(word)) != word:
                longer.setdefault(beginning, []).append(word)
        self._documents = [list(_documents(example, longer)) for example in examples]

    def table(self, places: Sequence[int]) -> Table:
        """What the examples at these places teach; not calibrated yet."""
        documents = [document for place in places for document in self._documents[place]] + self._known
        seen = Counter(word for place in places for word in _all_of(self._documents[place]))
        words = sorted(word for word, count in seen.items() if count >= lexicon.LEAST_SEEN or word in self._wanted)
        words += sorted(self._wanted - seen.keys())
        rarest, terms = lexicon.rarity(len(places), 0), list(self._parents)
        found = _matrix(documents, words) @ sparse.diags([lexicon.rarity(len(places), seen[word]) for word in words])
        leanings = _leanings(found, documents, terms)
        weights, biases = _machines(found, rarest, documents, terms, leanings)
        for cut in _CUTS:
            kept = _most_important(weights, np.array([max(1, seen[word]) for word in words]), cut)
            used = np.flatnonzero(kept.any(axis=1))
            words, found, leanings = [words[place] for place in used], found[:, used], leanings[used]
            loud = kept[used] * (leanings if cut == ROWS else 1.0)
            weights, biases = _machines(found, rarest, documents, terms, loud)
        weights = weights.round(_DECIMALS)
        rows = [
            Row(words[place], terms[column], float(weights[place, column]), seen[words[place]])
            for place, column in zip(*np.nonzero(weights), strict=True)
        ]
        shipped = [
            Term(term, round(float(bias), _DECIMALS), _UNTRIED, self._parents[term])
            for term, bias in zip(terms, biases, strict=True)
        ]
        return Table(len(places), tuple(shipped), {}, tuple(rows))


def _all_of(documents: Sequence[_Document]) -> frozenset[str]:
    """The words of an example's title and text."""
    return documents[0].words if len(documents) == 1 else documents[1].words | documents[0].words


def _documents(example: Example, longer: Mapping[str, Sequence[str]]) -> Iterator[_Document]:
    said = [(example.title, 1.0)]
    if example.text:
        said.append((f"{example.title} {example.text[:OPENING]}", _TEXT_COUNT))
    if example.keywords:
        said.append((example.keywords, _KEYWORDS_COUNT))
    for folded, count in said:
        words = lexicon.words_of(folded)
        if folded != example.keywords:  # each of those is its own phrase
            words |= lexicon.edges_of(folded)
        words.update([*lexicon.longer_in(folded, words, longer)])
        yield _Document(frozenset(words), example.right, example.unsure, count)


def _known_documents(known: Iterable[Row], parents: Mapping[str, str]) -> Iterator[_Document]:
    terms: dict[str, set[str]] = {}
    for row in known:
        terms.setdefault(row.word, set()).update({row.term, parents[row.term] or row.term})
    for word, right in terms.items():
        yield _Document(frozenset({word} | lexicon.words_of(word)), frozenset(right), frozenset(), _KNOWN_COUNT)


def _matrix(documents: Sequence[_Document], words: Sequence[str]) -> Matrix:
    """Which document has which word, as ones."""
    places = {word: place for place, word in enumerate(words)}
    found = [sorted(places[word] for word in document.words if word in places) for document in documents]
    ends = np.cumsum([0, *map(len, found)])
    columns = np.concatenate([np.array(each, dtype=np.int64) for each in found])
    return sparse.csr_matrix((np.ones(len(columns)), columns, ends), shape=(len(documents), len(words)))


def _leanings(found: Matrix, documents: Sequence[_Document], terms: Sequence[str]) -> Any:
    """How loudly each word (rows) is to speak for or against each term (columns), by how much more, or less, frequent
    it is in documents of that term (NB-SVM, Wang & Manning 2012)."""
    counts = np.array([document.count for document in documents])
    said = sparse.diags(counts) @ found.astype(bool)
    ratios = np.zeros((found.shape[1], len(terms)))
    for column, term in enumerate(terms):
        right = np.array([term in document.right for document in documents])
        wrong = ~right & np.array([term not in document.unsure for document in documents])
        if not right.any():
            continue
        share = counts[right].sum() / counts[right | wrong].sum()
        within, without = (said[each].sum(axis=0).A1 for each in (right, wrong))
        more = np.log((within + _DOUBT * share) / (without + _DOUBT * (1 - share))) - np.log(share / (1 - share))
        ratios[:, column] = np.abs(more)
    return 1 - _LEANING + _LEANING * ratios / np.sqrt((ratios**2).mean())


def _machines(
    found: Matrix, rarest: float, documents: Sequence[_Document], terms: Sequence[str], loud: Any
) -> tuple[Any, Any]:
    """Weights (words by terms) and biases, one machine for each term against all others.

    `found` are the rarities of each document's words; `loud` is how loudly each word speaks for or against each term
    beside the others, 0 where it has nothing to say.
    """
    loud = loud / np.sqrt((loud[loud > 0] ** 2).mean())
    weights, biases = np.zeros(loud.shape), np.full(len(terms), _UNKNOWN)
    squares = found.multiply(found).sum(axis=1).A1
    lengths = [lexicon.length_of(square, rarest) or rarest for square in squares]
    said = (sparse.diags(1 / np.array(lengths)) @ found).tocsr()
    counts = np.array([document.count for document in documents])
    for column, term in enumerate(terms):
        right = np.array([term in document.right for document in documents])
        used = np.flatnonzero(right | np.array([term not in document.unsure for document in documents]))
        words = np.flatnonzero(loud[:, column])
        if not right.any() or not len(words):
            continue
        machine = LinearSVC(C=_COST, max_iter=_ROUNDS, random_state=0, dual=True)
        louder = loud[words, column]
        machine.fit(said[used][:, words] @ sparse.diags(louder), right[used], counts[used])
        weights[words, column], biases[column] = machine.coef_[0] * louder, machine.intercept_[0]
    return weights, biases


def _most_important(weights: Any, seen: Any, rows: int) -> Any:
    """The `rows` weights that would be missed most, as a mask."""
    importance = np.where(weights > 0, weights, -weights * _AGAINST) * seen[:, None] ** _COMMON
    kept = np.zeros(importance.shape, bool)
    kept.flat[np.argsort(-importance, axis=None, kind="stable")[:rows]] = True
    return kept & (importance > 0)


def _scale(judged: Sequence[_Judged]) -> Scale:
    """The calibration of all terms together, by margins of examples that were left out."""
    pairs = [
        (margin, term in example.right)
        for example, margins in judged
        for term, margin in margins.items()
        if term not in example.unsure
    ]
    if len({right for _, right in pairs}) < 2:
        return Scale(1.0, 0.0)
    margins, right = zip(*pairs, strict=True)
    fitted = LogisticRegression(C=1e6).fit(np.array(margins)[:, None], right)
    return Scale(round(float(fitted.coef_[0, 0]), 3), round(float(fitted.intercept_[0]), 3))


def _scored(example: Example, margins: Mapping[str, float], scales: Mapping[str, Scale]) -> _Judged:
    """Its scores in the place of its margins."""
    scale = scales["text" if example.text else "title"]
    return example, {term: scale.probability(margin) for term, margin in margins.items()}


def _with_thresholds(term: Term, scored: Sequence[_Judged], precise: float) -> Term:
    """The term with the thresholds from which on a share `precise` of the left out examples is right: of all of them,
    or of titles and of those with a text apart where there are enough of both."""
    kinds = [[each for each in scored if bool(each[0].text) is has_text] for has_text in (False, True)]
    titles, texts = (
        _threshold(term, kind, precise, least) for kind, least in zip(kinds, (_LEAST, _LEAST_WITH_TEXT), strict=True)
    )
    if titles is None or texts is None:
        return replace(term, threshold=_threshold(term, scored, precise, _LEAST) or _UNTRIED)
    return replace(term, threshold=titles, with_text=texts)


def _threshold(term: Term, scored: Sequence[_Judged], precise: float, least: float) -> float | None:
    """The lowest score, not below `least`, from which on a share `precise` of these is right; None where too few are
    of the term."""
    if term.parent or sum(term.term in example.right for example, _ in scored) < _ENOUGH:
        return None
    best_first = sorted(
        (
            (scores[term.term], term.term in example.right)
            for example, scores in scored
            if term.term not in example.unsure
        ),
        reverse=True,
    )
    hits, lowest = 0, 1.0
    for count, (score, right) in enumerate(best_first, 1):
        hits += right
        if right and hits >= precise * count:
            lowest = score
    return round(min(max(lowest, least), _MOST), 3)
