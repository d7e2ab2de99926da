"""An entry, the source and the rules → categories with reasons. Pure.

Two voices so far: the source's own categories, and the categories' rules. Words are compared folded, so that one
written in 简体 matches 繁體 and the other way round; patterns are RE2 (linear time), searched in the text as the reader
sees it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import re2

from aggregator import text
from aggregator.models import Category, Filing, Rule


@dataclass(frozen=True, slots=True)
class Subject:
    """What rules look at, per field: as the reader sees it (`plain`), and folded for comparing (`folded`)."""

    plain: Mapping[str, str]
    folded: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Item:
    """One word or pattern of a rule, ready to be looked for."""

    said: str
    word: str
    pattern: re2.Pattern | None

    def found(self, subject: Subject, fields: Sequence[str]) -> bool:
        if self.pattern is not None:
            return any(self.pattern.search(subject.plain.get(field, "")) for field in fields)
        return any(text.contains(subject.folded.get(field, ""), self.word) for field in fields)


@dataclass(frozen=True, slots=True)
class _CompiledRule:
    any: tuple[_Item, ...]
    all: tuple[_Item, ...]
    none: tuple[_Item, ...]
    fields: tuple[str, ...]

    def hit(self, subject: Subject) -> str | None:
        """The words by which the rule hits, or None."""
        hits = []
        for item in self.all:
            if not item.found(subject, self.fields):
                return None
            hits.append(item.said)
        if self.any:
            first = next((item.said for item in self.any if item.found(subject, self.fields)), None)
            if first is None:
                return None
            hits.append(first)
        if any(item.found(subject, self.fields) for item in self.none):
            return None
        return " + ".join(hits)


class Rulebook:
    """The rules of all categories, compiled once."""

    def __init__(self, categories: Sequence[Category]) -> None:
        self._terms = frozenset(category.term for category in categories)
        self._rules = [
            (category.term, number, _compile(rule))
            for category in categories
            for number, rule in enumerate(category.rules, 1)
        ]

    def file(self, subject: Subject, source_terms: Collection[str]) -> tuple[Filing, ...]:
        """The categories of one entry, each with its voice: `source`, or `rule` with the rule's number and words."""
        filings = [Filing(term, "source") for term in source_terms if term in self._terms]
        filed: set[str] = set()
        for term, number, rule in self._rules:
            if term not in filed and (words := rule.hit(subject)) is not None:
                filed.add(term)
                filings.append(Filing(term, "rule", f"{number}: {words}"))
        return tuple(filings)


def _compile(rule: Rule) -> _CompiledRule:
    return _CompiledRule(_items(rule.any), _items(rule.all), _items(rule.none), rule.fields)


def _items(said: Sequence[str]) -> tuple[_Item, ...]:
    return tuple(_item(item) for item in said)


def _item(said: str) -> _Item:
    if len(said) > 2 and said.startswith("/") and said.endswith("/"):
        return _Item(said, "", re2.compile(said[1:-1]))
    return _Item(said, text.fold(said), None)
