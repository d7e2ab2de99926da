"""What no single value shows: names, addresses and terms that clash, categories that do not exist, half credentials.

These checks read the documents, not the validated shapes, so that a mistake in one value never hides them. A value that
cannot be read is left to the shapes' validation.
"""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from aggregator import models
from aggregator.config import scalars, syntax
from aggregator.config.document import Document, Location, Mapping
from aggregator.config.scalars import BadValueError, Context
from aggregator.errors import Problem


@dataclass(frozen=True, slots=True)
class _Fact:
    """A text at a place: `typed` for messages, `text` with its variables filled in for comparing, as NFC, since nobody
    sees the difference."""

    location: Location
    typed: str
    text: str


def problems(sources: Document, categories: Document, context: Context) -> Iterator[Problem]:
    """Everything that clashes within and between the two documents.

    Terms are unknown only where the categories can be read.
    """
    yield from _source_problems(sources, context)
    yield from _category_problems(categories, context)
    if isinstance(categories.data, Mapping) and isinstance(categories.data.get("categories"), list):
        known = _Terms(categories, context)
        for fact in (*_facts(sources, "sources", "category", context), *_rules_terms(sources, context)):
            yield from known.unknown(sources, fact)
        for fact in _prior_terms(sources, context):
            yield from known.unknown(sources, fact, at_key=True)
        for fact in _facts(categories, "categories", "parent", context):
            yield from known.unknown(categories, fact)


# ---------------------------------------------------------------------------------------------- facts


def _items(document: Document, key: str) -> list[tuple[int, Mapping]]:
    """The mappings of the list under `key`, with their positions."""
    items = document.data.get(key) if isinstance(document.data, Mapping) else None
    return [(n, item) for n, item in enumerate(items) if isinstance(item, Mapping)] if isinstance(items, list) else []


def _facts(document: Document, top: str, key: str, context: Context) -> list[_Fact]:
    """The texts under `key` of each item of the list `top`, whether one or a list of them."""
    return [fact for n, item in _items(document, top) for fact in _texts(item, (top, n), key, context)]


def _texts(item: Mapping, above: Location, key: str, context: Context) -> Iterator[_Fact]:
    value = item.get(key)
    if isinstance(value, list):
        for n, each in enumerate(value):
            yield from _fact((*above, key, n), each, context)
    elif value is not None:
        yield from _fact((*above, key), value, context)


def _rules_terms(sources: Document, context: Context) -> Iterator[_Fact]:
    """The terms that sources' rules are about."""
    for n, source in _items(sources, "sources"):
        rules = source.get("rules")
        for m, rule in enumerate(rules if isinstance(rules, list) else ()):
            if isinstance(rule, Mapping):
                yield from _texts(rule, ("sources", n, "rules", m), "category", context)


def _prior_terms(sources: Document, context: Context) -> Iterator[_Fact]:
    """The keys of sources' priors."""
    for n, source in _items(sources, "sources"):
        prior = source.get("prior")
        for term in prior if isinstance(prior, Mapping) else ():
            yield from _fact(("sources", n, "prior", term), term, context)


def _fact(location: Location, value: object, context: Context) -> Iterator[_Fact]:
    with contextlib.suppress(BadValueError):
        yield _Fact(location, scalars.typed(value), unicodedata.normalize("NFC", scalars.text(value, context)))


def _repeated(
    document: Document, facts: Iterable[_Fact], what: str, hint: str, key: Callable[[str], object] = str
) -> Iterator[Problem]:
    """A problem for each fact that was there before, as far as `key` goes. `what` shows the fact in place of `{}`."""
    first: dict[object, _Fact] = {}
    for fact in facts:
        earlier = first.setdefault(key(fact.text), fact)
        if earlier is not fact:
            shown = scalars.shown(fact.typed)
            line = document.line(earlier.location)
            yield document.problem(
                fact.location, f"{what.format(shown)} is here a second time, first in line {line}", hint
            )


# ---------------------------------------------------------------------------------------------- sources


def _source_problems(document: Document, context: Context) -> Iterator[Problem]:
    names = _facts(document, "sources", "name", context)
    urls = _facts(document, "sources", "url", context)
    yield from _repeated(document, names, "the name {}", "a name is the identity of one source")
    yield from _repeated(
        document, urls, "this address", "one address is one source: list both categories there", _same_address
    )
    yield from _former_names(document, names, context)
    for n, item in _items(document, "sources"):
        yield from _credentials(document, ("sources", n), item)
        yield from _certain_and_likely(document, ("sources", n), item, context)


def _same_address(url: str) -> object:
    """What two spellings of one feed's address have in common (RFC 3986, section 6.2.2.1 and 6.2.3)."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return url
    return parts.scheme, parts.hostname, port, parts.path or "/", parts.query


def _former_names(document: Document, names: list[_Fact], context: Context) -> Iterator[Problem]:
    current = {fact.text: fact for fact in names}
    former = _facts(document, "sources", "formerly", context)
    yield from _repeated(document, former, "the former name {}", "only one source can have had it")
    for fact in former:
        if holder := current.get(fact.text):
            message = (
                f"{scalars.shown(fact.typed)} is still the name of the source in line {document.line(holder.location)}"
            )
            yield document.problem(fact.location, message, "'formerly' takes only names that no source has any more")


def _credentials(document: Document, above: Location, item: Mapping) -> Iterator[Problem]:
    """Credentials that are half given, or given twice."""

    def problem(key: str, message: str, hint: str) -> Problem:
        return document.problem((*above, key), message, hint, at_key=True)

    if "password" in item and "password_file" in item:
        yield problem("password_file", "there are both password and password_file", "keep one of the two")
    secret = next((key for key in ("password", "password_file") if key in item), "")
    if secret and "username" not in item:
        yield problem(secret, f"there is a {secret} but no username", "add username")
    if "username" in item and not secret:
        yield problem("username", "there is a username but no password", "add password or password_file")
    headers = item.get("headers")
    if "username" in item and isinstance(headers, Mapping):
        for name in (name for name in headers if name.lower() == "authorization"):
            hint = "keep one of the two"
            yield document.problem((*above, "headers", name), f"there are both username and {name}", hint, at_key=True)


def _certain_and_likely(document: Document, above: Location, item: Mapping, context: Context) -> Iterator[Problem]:
    """Terms for which a source has a share although all of its entries are filed there."""
    prior = item.get("prior")
    if not isinstance(prior, Mapping):
        return
    for fact in _texts(item, above, "category", context):
        if fact.text in prior:
            message = f"{scalars.shown(fact.text)} is a category of all its entries already"
            yield document.problem((*above, "prior", fact.text), message, "keep one of the two", at_key=True)


# ---------------------------------------------------------------------------------------------- categories


def _category_problems(document: Document, context: Context) -> Iterator[Problem]:
    terms = _facts(document, "categories", "term", context)
    yield from _repeated(document, terms, "the term {}", "a term is the identity of one category")
    yield from _address_clashes(document, terms, context)
    yield from _circles(document, context)


_OWN_LABELS = {label for labels in models.OWN_LABELS.values() for label in labels.values()}


def _labels(document: Document, context: Context) -> Iterator[tuple[int, _Fact]]:
    """Each label of each category, with the category's position."""
    for n, item in _items(document, "categories"):
        above: Location = ("categories", n)
        yield from ((n, fact) for fact in _texts(item, above, "label", context))
        labels = item.get("labels")
        if isinstance(labels, Mapping):
            for language in labels:
                yield from ((n, fact) for fact in _texts(labels, (*above, "labels"), language, context))


def _address_clashes(document: Document, terms: list[_Fact], context: Context) -> Iterator[Problem]:
    """Labels that lead to something else: `/feeds/<label>` is an address, like `/feeds/<term>`."""
    owners: dict[str, tuple[int, _Fact]] = {fact.text: (int(fact.location[1]), fact) for fact in terms}
    for n, fact in _labels(document, context):
        shown = scalars.shown(fact.typed)
        owner, earlier = owners.setdefault(fact.text, (n, fact))
        if fact.text in (*models.RESERVED_TERMS, *_OWN_LABELS):
            yield document.problem(
                fact.location, f"the label {shown} is reserved", "labels give addresses: choose another"
            )
        elif owner != n:
            message = f"the label {shown} already leads to the category in line {document.line(earlier.location)}"
            yield document.problem(fact.location, message, "labels give addresses: choose another")


class _Terms:
    """The terms that exist, to tell which do not, and what was probably meant."""

    def __init__(self, categories: Document, context: Context) -> None:
        facts = _facts(categories, "categories", "term", context)
        typed = {fact.location[1]: fact.typed for fact in facts}
        self._terms = {fact.text: fact.typed for fact in facts}
        self._by_label = {fact.text: typed[n] for n, fact in _labels(categories, context) if n in typed}

    def unknown(self, document: Document, fact: _Fact, *, at_key: bool = False) -> Iterator[Problem]:
        """A problem if there is no category of the term `fact`."""
        if fact.text not in self._terms:
            message = f"there is no category {scalars.shown(fact.typed)}"
            yield document.problem(fact.location, message, self._hint(fact), at_key=at_key)

    def _hint(self, fact: _Fact) -> str:
        if term := self._by_label.get(fact.text):
            return f"that is a label: write its term, {term}"
        if fact.text in models.RESERVED_TERMS:
            return "the term is reserved for the aggregator's own pages"
        if width := syntax.full_width(fact.typed):
            return width
        meant = scalars.nearest(fact.typed, self._terms.values())
        return f"did you mean {meant}?" if meant else "add it to categories.yaml, or write one that is there"


def _circles(document: Document, context: Context) -> Iterator[Problem]:
    """Parents that lead back to where they began: each circle once, at the first `parent` of it."""
    parents: dict[str, _Fact] = {}
    for n, item in _items(document, "categories"):
        for term in _texts(item, ("categories", n), "term", context):
            parent = next(_texts(item, ("categories", n), "parent", context), None)
            if parent:
                parents[term.text] = parent
    done: set[str] = set()
    for start in parents:
        way = _upwards(start, parents, done)
        done.update(way)
        if way and parents[way[-1]].text in way:
            circle = [parents[term] for term in way[way.index(parents[way[-1]].text) :]]
            message = f"parents go in a circle: {' → '.join(fact.typed for fact in (circle[-1], *circle))}"
            yield document.problem(circle[0].location, message, "remove one of them")


def _upwards(start: str, parents: dict[str, _Fact], done: set[str]) -> list[str]:
    """The terms from `start` up, as far as they have parents and are met for the first time."""
    way: list[str] = []
    term = start
    while term in parents and term not in done and term not in way:
        way.append(term)
        term = parents[term].text
    return way
