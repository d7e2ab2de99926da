"""What two titles have in common and in what they differ, in figures that can be read.

Each figure is symmetric, and from 0 to 1. Which of them counts how much is data: `data/weights.txt`, fitted to labelled
pairs by tests/bench/fitting.py. Its head says what each is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from aggregator.stories import numbers, rarity, titles
from aggregator.stories.titles import Reading

FILE = Path(__file__).parent.parent / "data" / "weights.txt"
_TELLING = 32.0  # weight of common pairs: four rare ones, or more that are less rare
_TELLING_WORDS, _NUMBER = 26.0, 8.0  # of common words, and of a common number beside them
_LONGEST = math.log1p(72)


def collect(a: Reading, b: Reading, hours: float) -> dict[str, float]:
    """The figures of two titles; `hours` lie between the entries."""
    letters = a.units & b.units
    said = _speakers(a, b)
    return {
        "letters": len(letters) / (min(len(a.units), len(b.units)) or 1),
        "dice": alike(a, b),
        "equal_numbers": _share(numbers.shared(a.numbers, b.numbers)),
        "unequal_numbers": float(numbers.contradiction(a.numbers, b.numbers) is not None),
        "other_names": float(other_names(a, b) != ""),
        "other_words": float(bool(a.words - b.words and b.words - a.words)),
        "other_speaker": float(said == "other"),
        "absent_speaker": float(said == "absent"),
        "reaction": float(a.reacts != b.reacts),
        "background": float(a.explains != b.explains),
        "hours": _lateness(hours),
    }


class Ceiling:
    """The highest score that a title with these numbers can have with other titles."""

    def __init__(self, amounts: numbers.Numbers) -> None:
        weights = _weights()
        equal = _share(numbers.shared(amounts, amounts))
        self._start = weights["intercept"] + weights["equal_numbers"] * equal
        self._letters, self._dice, self._hours = weights["letters"], weights["dice"], weights["hours"]

    def score(self, letters: float, dice: float, hours: float) -> float:
        """That with any title that has such figures in common with it, `hours` before or after it."""
        alike = self._letters * letters + self._dice * dice
        return _logistic(self._start + alike + self._hours * _lateness(hours))


def _share(equal: int) -> float:
    return min(equal, 2) / 2


def _lateness(hours: float) -> float:
    return min(1.0, math.log1p(hours) / _LONGEST)


def score(figures: Mapping[str, float]) -> float:
    """How likely it is that two titles with these figures tell one event (a logistic regression)."""
    weights = _weights()
    total = weights["intercept"] + sum(weights[name] * value for name, value in figures.items())
    return _logistic(total)


def _logistic(total: float) -> float:
    return 1 / (1 + math.exp(-total))


def shares(figures: Mapping[str, float]) -> list[tuple[str, float]]:
    """What each figure adds to the score or takes from it (in log odds), the weightiest first."""
    weights = _weights()
    parts = [(name, weights[name] * value) for name, value in figures.items() if value]
    return sorted(parts, key=lambda part: -abs(part[1]))


@cache
def _weights() -> dict[str, float]:
    lines = (line.split() for line in FILE.read_text("utf-8").splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value, *_ in lines}


def alike(a: Reading, b: Reading) -> float:
    """The share of characters and words that two titles have in common."""
    return 2 * len(a.units & b.units) / (len(a.units) + len(b.units) or 1)


def is_telling(a: Reading, b: Reading) -> bool:
    """Whether what two titles have in common is more than the words of many titles: a name, a number, rare words.

    An English title has a few words where a Chinese one has twenty characters: there only rare words count.
    """
    weight = rarity.weight(titles.pairs(a.core) & titles.pairs(b.core))
    equal_numbers = numbers.shared(a.numbers, b.numbers)
    if a.core.isascii() and b.core.isascii():
        return weight + equal_numbers * _NUMBER >= _TELLING_WORDS
    if a.core == b.core or weight >= _TELLING or equal_numbers:
        return True
    named = any(a.names[kind] & b.names[kind] for kind in a.names.keys() & b.names.keys())
    return named or numbers.one_day(a.numbers, b.numbers)


def other_subjects(a: Reading, b: Reading) -> str:
    """A known name of either title, where both name people, places or companies and none of that kind alike."""
    for kind in sorted(a.names.keys() & b.names.keys() - {titles.ORGANISATIONS}):
        if a.names[kind].isdisjoint(b.names[kind]):
            return "/".join(sorted((min(a.names[kind]), min(b.names[kind]))))
    return ""


def other_names(a: Reading, b: Reading) -> str:
    """A name of either title that the other one does not have, where both have such a one of the same kind."""
    for kind in sorted(a.names.keys() & b.names.keys()):
        one, other = a.names[kind] - b.names[kind], b.names[kind] - a.names[kind]
        if one and other:
            return "/".join(sorted((min(one), min(other))))
    return ""


def _speakers(a: Reading, b: Reading) -> str:
    """Whether somebody else speaks in the other title (`other`), or speaks whom that one does not name (`absent`)."""
    if a.speakers and b.speakers:
        return "" if any(_one_name(x, y) for x in a.speakers for y in b.speakers) else "other"
    speakers, other = (a.speakers, b) if a.speakers else (b.speakers, a)
    return "absent" if speakers and not any(_is_named(name, other) for name in speakers) else ""


def _one_name(x: str, y: str) -> bool:
    """Whether two names are one, also where one is a short form: 卓荣泰 and 卓揆 are not, 外交部 and 中国外交部 are."""
    return x in y or y in x or len(set(x) & set(y)) * 2 > max(len(set(x)), len(set(y)))


def _is_named(name: str, reading: Reading) -> bool:
    pairs = rarity.pairs(name)
    return name in reading.core or sum(pair in reading.core for pair in pairs) * 2 >= max(len(pairs), 1)
