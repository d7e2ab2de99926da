"""What speaks against two entries being one, however alike their titles are: templates, columns, opposites.

A `hard` veto says that they are different things; a soft one only that they are not surely one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from aggregator.stories import contrasts, evidence, numbers
from aggregator.stories.titles import Reading

# How alike two titles must be for a difference in small things to be all that there is.
_TEMPLATE = 0.7
# The share of both titles together that only says the day: what is left names no event.
_DATED = 0.6
_SHORT = 12  # characters of a title that names no event beside a day or a greeting
_TOKEN = re.compile(r"[a-z]+|[\d.]+|[^\sa-z\d]")
_HAN = re.compile(r"[\u4e00-\u9fff]{2,}\Z")
_SUBSTITUTE = 8  # characters at most of what is put into a template
_GREETING = re.compile(
    "安康|(?:节|节日|新年|生日|春节|中秋|元旦|圣诞|新春|周末)快乐|早安|晚安|节日祝福|happy new year|merry christmas"
)


# What two related titles may differ in, too.
_SOFT = frozenset(("variant", "step", "sequel"))


class Veto(NamedTuple):
    """A code, the words that show it, and whether it settles that the two are different."""

    code: str
    words: str
    hard: bool


def found(a: Reading, b: Reading) -> Iterator[Veto]:
    """Every veto on two titles that are not the same; symmetric."""
    template = evidence.alike(a, b) >= _TEMPLATE
    yield from _columns(a, b)
    names = evidence.other_names(a, b)
    if contradiction := numbers.contradiction(a.numbers, b.numbers):
        kind, decisive = contradiction
        yield Veto("numbers", kind, decisive or template or names != "")
    for code, words in contrasts.found(a.core, b.core, a.signs, b.signs):
        yield Veto(code, words, code not in _SOFT and (code != "negation" or template))
    if names:
        yield Veto("names", names, template)
    if words := _other_words(a, b):
        yield Veto("words", words, False)
    if a.works and b.works and not any(x in y or y in x for x in a.works for y in b.works):
        yield Veto("works", "/".join(sorted((min(a.works), min(b.works)))), template)
    if a.offers != b.offers:
        yield Veto("format", "", False)
    if a.collects != b.collects:
        yield Veto("digest", "", False)
    if replaced := _substituted(a, b):
        words = "/".join(replaced.words)
        # Of English words, both may be verbs that say the same.
        yield Veto("template" if replaced.behind else "ending", words, not a.core.isascii())
        if replaced.before == 0 and all(map(_HAN.match, replaced.words)):
            yield Veto("subject", words, True)
    elif words := evidence.other_subjects(a, b):
        yield Veto("subject", words, template)


class _Replaced(NamedTuple):
    """What each of two titles has in the one place in which they differ, and how many tokens stand before it and
    behind it."""

    words: tuple[str, str]
    before: int
    behind: int


def _substituted(a: Reading, b: Reading) -> _Replaced | None:
    """What stands in the one place in which two titles differ, where each has something else there: the subject or the
    object of a template (平安银行 and 中信银行), unless they agree in a large number.
    """
    x, y = _tokens(a.core), _tokens(b.core)
    before = _common_start(x, y)
    one, other = x[before:], y[before:]
    behind = _common_start(one[::-1], other[::-1])
    one, other = one[: len(one) - behind], other[: len(other) - behind]
    lengths = [sum(map(len, tokens)) for tokens in (one, other)]
    short = min(lengths) >= 2 and (max(lengths) <= _SUBSTITUTE or (a.core.isascii() and max(len(one), len(other)) <= 2))
    if not short or 2 * (before + behind) < max(len(x), len(y)):
        return None
    rest = "".join(x[len(x) - behind :])
    if rest and all(rest in ("".join(_tokens(each.core)), "".join(_tokens(each.tail))) for each in (a, b)):
        return None  # each only calls for attention in its own way
    if set(one) & set(other) or numbers.agree_in_large(a.numbers, b.numbers):
        return None
    blank = " " if a.core.isascii() else ""
    first, second = sorted((blank.join(one), blank.join(other)))
    return _Replaced((first, second), before, behind)


def _tokens(core: str) -> list[str]:
    """The words of Latin letters, the numbers and the other characters of a folded title."""
    return _TOKEN.findall(core)


def _common_start(one: Sequence[str], other: Sequence[str]) -> int:
    """How many tokens two titles begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (x, y) in pairs if x != y), min(len(one), len(other)))


def _columns(a: Reading, b: Reading) -> Iterator[Veto]:
    """Issues of a recurring column: titles that differ in numerals only, or that say little but the day; greetings."""
    short = min(len(a.core), len(b.core)) <= _SHORT
    if a.mask == b.mask and a.letters != b.letters:
        yield Veto("column", a.mask, True)
    elif a.calendar and b.calendar and a.calendar + b.calendar >= _DATED and short and a.core != b.core:
        yield Veto("dated", "", True)
    if short and _GREETING.search(a.core) and _GREETING.search(b.core):
        yield Veto("greeting", "", True)


def _other_words(a: Reading, b: Reading) -> str:
    one, other = a.words - b.words, b.words - a.words
    return "/".join(sorted((min(one), min(other)))) if one and other else ""
