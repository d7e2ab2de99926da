"""Four voices, one decision: what an editor said by hand, the source, the rules, and the lexicon's score.

    editor    always wins: filed there, or kept out, with all below it
    rules     `remove` keeps out of a category and all below it, `only` out of all others; `add` files
    source    its certain categories
    lexicon   files where the score reaches the category's threshold; the source's prior and rules' weights add to it

A reason is lines of codes and references. Of a rule `2: 芯片 + 英伟达`, its reference and what it found; before that
`only ai:` or `above tech:`, where it keeps out and is another category's. Of a score `words: 芯片 +1.20, gpu +0.80`,
then `prior +3.35`, `source 1 +0.50: 抽奖` for a rule's weight, and `threshold 1.80`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache

from aggregator.categorize import lexicon, rules
from aggregator.categorize.lexicon import Learned, Lexicon
from aggregator.categorize.rules import Hit, Subject
from aggregator.models import Category, Filing, Rule, Ruling, Source

# The share of a category in a source that says nothing: a prior is counted from here, and so is the score of a category
# that the lexicon does not know. There the threshold is this much higher, so that a rule of weight 1 is enough.
USUAL_SHARE = 0.05
_ENOUGH = 1.0
# What counts when categories are put in order: a rule that files, in log-odds (2 orders titles of four labelled sets
# best, more spoils the order where there is a text), and at least, for or against, a voice that leaves no doubt.
_RULE = 2.0
_CERTAIN = 10.0
_LEAST = 1e-9  # probability: nothing is impossible, and nothing certain
_HAIR = 1e-9  # so that a threshold of 0.3 is reached by three weights of 0.1
_WORDS = 5  # words of the lexicon that a reason names


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided of an entry: its categories, each voice for itself; the voices that kept it out of some; and for
    every category how much speaks for it, in log-odds, all voices included, and the lexicon's threshold."""

    filings: tuple[Filing, ...]
    against: tuple[Filing, ...]
    scores: Mapping[str, float]
    thresholds: Mapping[str, float]


class Guide:
    """What decides, made ready once for a configuration."""

    def __init__(self, categories: Sequence[Category], words: Lexicon, learned: Learned = lexicon.NOTHING) -> None:
        self.terms = tuple(category.term for category in categories)
        self.within = {term: _within(term, categories) for term in self.terms}
        self.rulebook = rules.of_categories(categories)
        self.lexicon = words
        self.learned = learned
        self._taught = {row.term for row in learned.rows()}
        self._thresholds = [
            {category.term: self._threshold(category, has_text) for category in categories}
            for has_text in (False, True)
        ]

    def thresholds(self, has_text: bool) -> Mapping[str, float]:
        """For each category the score from which on an entry belongs there, one with a text or one without."""
        return self._thresholds[has_text]

    def _threshold(self, category: Category, has_text: bool) -> float:
        if category.threshold is not None:
            return category.threshold
        if known := self.lexicon.terms.get(category.term):
            return _log_odds(known.least(has_text))
        taught = category.term in self._taught
        return _log_odds(lexicon.NEW_THRESHOLD) if taught else _log_odds(USUAL_SHARE) + _ENOUGH

    def hits(self, subject: Subject, source: Source) -> list[Hit]:
        """The rules that hit, the categories' and the source's, but those of categories that there are not."""
        hits = [*self.rulebook.hits(subject), *(_source_rules(source.rules).hits(subject) if source.rules else ())]
        return [hit for hit in hits if hit.term in self.within]


def _within(term: str, categories: Iterable[Category]) -> frozenset[str]:
    """The category and all below it."""
    found = {term}
    waiting = [term]
    children = {category.term: category.parent for category in categories}
    while waiting:
        above = waiting.pop()
        new = {child for child, parent in children.items() if parent == above} - found
        found |= new
        waiting += new
    return frozenset(found)


@lru_cache(maxsize=1000)
def _source_rules(said: tuple[Rule, ...]) -> rules.Rulebook:
    return rules.of_source(said)


def decide(guide: Guide, subject: Subject, source: Source, rulings: Iterable[Ruling] = ()) -> Verdict:
    """The categories of an entry, with reasons. `rulings` are what editors said of it by hand, the last word last."""
    return _Case(guide, subject, source, rulings).verdict()


class _Case:
    """One entry, before all voices."""

    def __init__(self, guide: Guide, subject: Subject, source: Source, rulings: Iterable[Ruling]) -> None:
        self._guide = guide
        self._source = source
        self._certain = [term for term in source.categories if term in guide.within]
        self._rulings = _standing(rulings, guide.within)
        self._acting: dict[str, list[Hit]] = {act: [] for act in ("add", "remove", "only")}
        self._weighing: list[Hit] = []
        for hit in guide.hits(subject, source):
            (self._acting[hit.rule.act] if hit.rule.weight is None else self._weighing).append(hit)
        self._said = guide.lexicon.score(subject.comparable("title"), subject.comparable("text"), guide.learned)
        self._thresholds = guide.thresholds(self._said.has_text)

    def verdict(self) -> Verdict:
        """What the voices decide together."""
        scores = self._scores()
        filed_by_rule = {hit.term for act in ("add", "only") for hit in self._acting[act]}
        reached = {term for term, least in self._thresholds.items() if scores[term] + _HAIR >= least}
        kept_out = dict(self._exclusions()) if self._rulings or any(self._acting.values()) else {}
        candidates = reached.union(filed_by_rule, self._certain, self._rulings) - kept_out.keys()
        voices = {term: list(self._voices(term, scores[term])) for term in self._guide.terms if term in candidates}
        self._put_in_order(scores, voices.keys(), kept_out.keys())
        return Verdict(
            tuple(filing for filings in voices.values() for filing in filings),
            tuple(kept_out[term] for term in self._guide.terms if term in kept_out),
            scores,
            self._thresholds,
        )

    def _put_in_order(self, scores: dict[str, float], candidates: Set[str], kept_out: Set[str]) -> None:
        """Add what the other voices say for and against each category."""
        doubtless = {*self._certain, *self._rulings, *(hit.term for hit in self._acting["only"])} & candidates
        for term in {hit.term for hit in self._acting["add"]} & candidates - doubtless:
            scores[term] += _RULE
        for term in doubtless:
            scores[term] = max(scores[term], 0.0) + _CERTAIN
        for term in kept_out:
            scores[term] = min(scores[term], 0.0) - _CERTAIN

    # ------------------------------------------------------------------------------------------ kept out

    def _exclusions(self) -> Iterator[tuple[str, Filing]]:
        """The categories that the entry is kept out of, each with the voice; the last one counts."""
        within = self._guide.within
        by_hand = {term for term, ruling in self._rulings.items() if ruling.filed}
        removed = {term: hit for hit in self._acting["remove"] for term in within[hit.term]}
        only = [hit for hit in self._acting["only"] if hit.term not in removed]
        if only:
            others = within.keys() - {hit.term for hit in only} - by_hand
            yield from ((term, Filing(term, "rule", f"only {only[0].term}: {_rule(only[0])}")) for term in others)
        for term in removed.keys() - by_hand:
            hit = removed[term]
            yield term, Filing(term, "rule", _rule(hit) if hit.term == term else f"above {hit.term}: {_rule(hit)}")
        for ruling in self._rulings.values():
            if not ruling.filed:
                below = within[ruling.term] - by_hand
                yield from ((term, Filing(term, "editor", ruling.who)) for term in below)

    # ------------------------------------------------------------------------------------------ filed

    def _voices(self, term: str, score: float) -> Iterator[Filing]:
        if (ruling := self._rulings.get(term)) is not None:
            yield Filing(term, "editor", ruling.who)
        if term in self._certain:
            yield Filing(term, "source")
        if hits := [hit for act in ("add", "only") for hit in self._acting[act] if hit.term == term]:
            yield Filing(term, "rule", "\n".join(map(_rule, hits)))
        threshold = self._thresholds[term]
        if score + _HAIR >= threshold and (reason := self._evidence(term)):
            lines = (*reason, f"threshold {round(threshold, 2) + 0.0:.2f}")  # never -0.00
            yield Filing(term, "lexicon", "\n".join(lines), round(score, 2))

    def _scores(self) -> dict[str, float]:
        """For every category the log-odds of the lexicon, with the source's prior and the weights of rules."""
        likely = self._said.by_term
        scores = {term: _log_odds(likely.get(term, USUAL_SHARE)) for term in self._guide.terms}
        for term in self._source.prior.keys() & scores.keys():
            scores[term] += _shift(self._source.prior[term])
        for hit in self._weighing:
            scores[hit.term] += hit.rule.weight or 0.0
        return scores

    def _evidence(self, term: str) -> list[str]:
        """The lines of a reason that make the score; none where nothing in the entry speaks for the category."""
        words = [f"{word} {weight:+.2f}" for word, weight in self._said.words(term, _WORDS)]
        weighing = [(hit, hit.rule.weight or 0.0) for hit in self._weighing if hit.term == term]
        if not words and not any(weight > 0 for _, weight in weighing):
            return []  # a prior alone files nothing
        lines = [f"words: {', '.join(words)}"] if words else []
        if share := self._source.prior.get(term):
            lines.append(f"prior {_shift(share):+.2f}")
        return lines + [f"{hit.reference} {weight:+.2f}: {hit.found}" for hit, weight in weighing]


def _standing(rulings: Iterable[Ruling], within: Mapping[str, frozenset[str]]) -> dict[str, Ruling]:
    """The last word on each category: keeping out of one takes back what was filed below it before."""
    standing: dict[str, Ruling] = {}
    for ruling in rulings:
        if ruling.term in within:
            for term in (ruling.term,) if ruling.filed else within[ruling.term]:
                standing.pop(term, None)
            standing[ruling.term] = ruling
    return standing


def _rule(hit: Hit) -> str:
    return f"{hit.reference}: {hit.found}"


def _shift(share: float) -> float:
    """How much likelier than usual an entry of a source is in a category of which it has this share, in log-odds."""
    return _log_odds(share) - _log_odds(USUAL_SHARE)


def _log_odds(likely: float) -> float:
    if not _LEAST < likely < 1 - _LEAST:
        likely = _LEAST if likely < 0.5 else 1 - _LEAST
    return math.log(likely / (1 - likely))
