"""An entry, the source and the rules → categories with reasons. Pure.

Two voices so far: the source's own categories, and the categories' rules. Words are compared folded, so that one
written in 简体 matches 繁體 and the other way round; patterns are RE2 (linear time), searched in the text as the reader
sees it. All words of all rules are looked for in one pass over a text, and only rules of which a word was found are
weighed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import re2

from aggregator import text
from aggregator.models import Category, Filing, Rule

_SET_MEMORY = 64 * 1024 * 1024  # bytes that RE2 may use for all words at once; past that it would find nothing


@dataclass(frozen=True, slots=True)
class Subject:
    """What rules look at, per field: as the reader sees it (`plain`), and folded, where that is at hand already."""

    plain: Mapping[str, str]
    folded: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A rule, with its words and patterns as numbers."""

    term: str
    number: int
    any: tuple[int, ...]
    all: tuple[int, ...]
    none: tuple[int, ...]
    fields: tuple[str, ...]

    def hit(self, found: Mapping[str, Collection[int]]) -> list[int] | None:
        """The items by which the rule hits, or None. `found` are the items found in each field."""
        here = {item for field in self.fields for item in found[field]}
        if not here.issuperset(self.all) or not here.isdisjoint(self.none):
            return None
        some = next((item for item in self.any if item in here), None)
        if self.any and some is None:
            return None
        return [*self.all, *([] if some is None else [some])]


class _Items:
    """The words and patterns of all rules, numbered, and found in a text together."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self._numbers: dict[str, int] = {}
        self._words: list[tuple[int, str]] = []
        self._patterns: list[tuple[int, re2.Pattern]] = []
        options = re2.Options()
        options.max_mem = _SET_MEMORY
        self._set = re2.Set.SearchSet(options)

    def number(self, said: Sequence[str]) -> tuple[int, ...]:
        """The numbers of these words and patterns, new ones taken in."""
        return tuple(self._numbers[item] if item in self._numbers else self._take_in(item) for item in said)

    def _take_in(self, said: str) -> int:
        number = self._numbers[said] = len(self.said)
        self.said.append(said)
        if len(said) > 2 and said.startswith("/") and said.endswith("/"):
            self._patterns.append((number, re2.compile(said[1:-1])))
        elif word := text.fold(said):
            self._words.append((number, word))
            self._set.Add(re2.escape(word))
        return number

    def close(self) -> None:
        """Make ready for `found`; nothing is taken in any more."""
        if self._words:
            self._set.Compile()

    def found(self, plain: str, folded: str) -> set[int]:
        """The numbers of all that stands in a text."""
        here = {number for number, pattern in self._patterns if pattern.search(plain)}
        for place in (self._set.Match(folded) if self._words else None) or ():
            number, word = self._words[place]
            if text.contains(folded, word):  # not as a part of a longer word
                here.add(number)
        return here


class Rulebook:
    """The rules of all categories, compiled once."""

    def __init__(self, categories: Sequence[Category]) -> None:
        self._terms = frozenset(category.term for category in categories)
        self._items = _Items()
        self._rules = [
            self._weighed(category.term, number, rule)
            for category in categories
            for number, rule in enumerate(category.rules, 1)
        ]
        self._items.close()
        self._fields = sorted({field for rule in self._rules for field in rule.fields})
        self._rules_with: dict[int, list[int]] = defaultdict(list)
        for place, rule in enumerate(self._rules):
            for item in (*rule.any, *rule.all):
                self._rules_with[item].append(place)

    def _weighed(self, term: str, number: int, rule: Rule) -> _Weighed:
        numbers = self._items.number
        return _Weighed(term, number, numbers(rule.any), numbers(rule.all), numbers(rule.none), rule.fields)

    def file(self, subject: Subject, source_terms: Collection[str]) -> tuple[Filing, ...]:
        """The categories of one entry, each with its voice: `source`, or `rule` with the rule's number and words."""
        filings = [Filing(term, "source") for term in source_terms if term in self._terms]
        found = {field: self._found(subject, field) for field in self._fields}
        places = {place for items in found.values() for item in items for place in self._rules_with.get(item, ())}
        filed: set[str] = set()
        for place in sorted(places):
            rule = self._rules[place]
            if rule.term not in filed and (items := rule.hit(found)) is not None:
                filed.add(rule.term)
                words = " + ".join(self._items.said[item] for item in items)
                filings.append(Filing(rule.term, "rule", f"{rule.number}: {words}"))
        return tuple(filings)

    def _found(self, subject: Subject, field: str) -> set[int]:
        plain = subject.plain.get(field, "")
        folded = subject.folded.get(field)
        return self._items.found(plain, text.fold(plain) if folded is None else folded)
