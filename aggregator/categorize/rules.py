"""What editors look for in an entry: words, phrases and patterns in its fields.

Words are compared folded, so that one written in 简体 matches 繁體 and the other way round. Patterns are RE2 (linear
time), searched in the text as the reader sees it, and in its 简体 if they hold Han characters. All words of all rules
are looked for in one pass over a text, and only rules of which an item was found are weighed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import re2

from aggregator import text
from aggregator.models import Category, Rule, Sought

_SET_MEMORY = 64 * 1024 * 1024  # bytes that RE2 may use for all words at once; past that it would find nothing
_NAMED = 5  # items of `any` that a hit names at the most


@dataclass(frozen=True, slots=True)
class Subject:
    """What rules look at, per field: as the reader sees it (`plain`), and folded, where that is at hand already."""

    plain: Mapping[str, str]
    folded: Mapping[str, str]

    def comparable(self, field: str) -> str:
        """The field, folded."""
        folded = self.folded.get(field)
        return text.fold(self.plain.get(field, "")) if folded is None else folded


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that hit: for which term, how it is referred to (its number, from 1, with whose list it stands in), and
    the items that were found."""

    term: str
    reference: str
    rule: Rule
    found: str


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A rule, with its items as numbers."""

    term: str
    reference: str
    rule: Rule
    any: tuple[int, ...]
    all: tuple[int, ...]
    none: tuple[int, ...]

    def hits(self, found: Collection[int]) -> bool:
        """Whether the rule hits where these items are found."""
        return (
            all(item in found for item in self.all)
            and (not self.any or any(item in found for item in self.any))
            and not any(item in found for item in self.none)
        )


class Rulebook:
    """Rules, compiled once."""

    def __init__(self, rules: Iterable[tuple[str, str, Rule]]) -> None:
        """`rules`: of each its term, how it is referred to, and itself, in the order in which hits are told."""
        self._items = _Items()
        self._rules = [self._compiled(*each) for each in rules]
        self._items.close()
        self._rules_with: dict[int, list[int]] = defaultdict(list)
        for place, rule in enumerate(self._rules):
            for item in (*rule.any, *rule.all):
                self._rules_with[item].append(place)

    def _compiled(self, term: str, reference: str, rule: Rule) -> _Compiled:
        numbers = [self._items.number(said, rule.fields) for said in (rule.any, rule.all, rule.none)]
        return _Compiled(term, reference, rule, *numbers)

    def hits(self, subject: Subject) -> Iterator[Hit]:
        """The rules that hit."""
        found = self._items.found(subject)
        for place in sorted({place for item in found for place in self._rules_with.get(item, ())}):
            rule = self._rules[place]
            if rule.hits(found):
                yield Hit(rule.term, rule.reference, rule.rule, self._said(rule, found))

    def _said(self, rule: _Compiled, found: Collection[int]) -> str:
        some = [item for item in rule.any if item in found][:_NAMED]
        parts = [self._items.said[item] for item in rule.all]
        if some:
            parts.append(", ".join(self._items.said[item] for item in some))
        return " + ".join(parts)


def of_categories(categories: Sequence[Category]) -> Rulebook:
    """The rules of all categories; each is referred to by its number in its category."""
    return Rulebook(
        (category.term, str(number), rule) for category in categories for number, rule in enumerate(category.rules, 1)
    )


def of_source(rules: Sequence[Rule]) -> Rulebook:
    """The rules of one source; each is referred to as `source` and its number."""
    return Rulebook((rule.category or "", f"source {number}", rule) for number, rule in enumerate(rules, 1))


class _Items:
    """The items of all rules, numbered, and found in a subject together: an item is something said, and its fields."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self._numbers: dict[tuple[str, tuple[str, ...]], int] = {}
        self._fields: dict[str, _Field] = defaultdict(_Field)

    def number(self, items: Sequence[str | Sought], fields: tuple[str, ...]) -> tuple[int, ...]:
        """The numbers of these items, new ones taken in; `fields` are for those without one of their own."""
        return tuple(
            self._number(item.said, (item.field,), f"{item.field} {item.said}")
            if isinstance(item, Sought)
            else self._number(item, fields, item)
            for item in items
        )

    def _number(self, said: str, fields: tuple[str, ...], shown: str) -> int:
        if (known := self._numbers.get((said, fields))) is not None:
            return known
        number = self._numbers[said, fields] = len(self.said)
        self.said.append(shown)
        for field in fields:
            self._fields[field].take_in(said, number)
        return number

    def close(self) -> None:
        """Make ready for `found`; nothing is taken in any more."""
        for field in self._fields.values():
            field.close()

    def found(self, subject: Subject) -> set[int]:
        """The numbers of all that is found in a subject."""
        found: set[int] = set()
        for name, field in self._fields.items():
            field.find(subject.plain.get(name, ""), subject.comparable(name), found)
        return found


class _Field:
    """The words and patterns that are looked for in one field."""

    def __init__(self) -> None:
        self._numbers: dict[str, list[int]] = defaultdict(list)  # of each word, folded
        self._words: list[str] = []
        self._signed: dict[str, list[_Pattern]] = defaultdict(list)  # of each word, folded: those with a point before
        self._patterns: list[_Pattern] = []
        options = re2.Options()
        options.max_mem = _SET_MEMORY
        self._set = re2.Set.SearchSet(options)

    def take_in(self, said: str, number: int) -> None:
        if len(said) > 2 and said.startswith("/") and said.endswith("/"):
            self._patterns.append(_Pattern(said[1:-1], number))
        elif word := text.fold(said):
            if pattern := _pointed(said):
                self._signed[word].append(_Pattern(pattern, number))
            self._numbers[word] += [] if pattern else [number]

    def close(self) -> None:
        self._words = list(self._numbers)
        for word in self._words:
            self._set.Add(re2.escape(word))
        if self._words:
            self._set.Compile()

    def find(self, plain: str, folded: str, found: set[int]) -> None:
        """Add the numbers of what stands in a text to `found`."""
        for place in (self._set.Match(folded) if self._words else None) or ():
            word = self._words[place]
            if text.contains(folded, word):  # not as a part of a longer word
                found.update(self._numbers[word])
                if word in self._signed:
                    signed = text.signed(plain)
                    found.update(pattern.number for pattern in self._signed[word] if pattern.hits(signed, signed))
        if self._patterns:
            hans = text.simplified(plain)
            found.update(pattern.number for pattern in self._patterns if pattern.hits(plain, hans))


class _Pattern:
    """A pattern, as it is written, and in 简体 where that may matter."""

    def __init__(self, said: str, number: int) -> None:
        self.number = number
        self._plain = re2.compile(said)
        self._hans = None if said.isascii() else _in_hans(said)

    def hits(self, plain: str, hans: str) -> bool:
        """Whether it is found in a text or in its 简体."""
        return bool(self._plain.search(plain)) or (self._hans is not None and bool(self._hans.search(hans)))


def _pointed(said: str) -> str | None:
    """The pattern for a word with a point before it, which folding drops: .NET is in ASP.NET, and no net. None for any
    other word."""
    signed = text.signed(said)
    if not signed.startswith(".") or not signed[1:2].isalpha():
        return None
    escaped = r"\s+".join(map(re2.escape, signed.split()))
    return escaped + (r"(?:[^a-z]|$)" if signed[-1].isalpha() and signed[-1].isascii() else "")


def _in_hans(said: str) -> re2.Pattern | None:
    """The pattern in 简体, or None where conversion spoils it: a range may end before it begins then."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text.simplified(said), options)
    except re2.error:
        return None
