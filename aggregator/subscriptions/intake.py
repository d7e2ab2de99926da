"""What of a subscription list becomes a source here: new, a duplicate of which, or invalid and why. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from aggregator import text, urls
from aggregator.config import values
from aggregator.config.scalars import BadValueError, Context
from aggregator.models import Category, Source
from aggregator.subscriptions.opml import Outline

_NO_CONTEXT = Context(Path(), {})
_FEED_SCHEME = re.compile(r"feed:(?://)?(?=https?:)", re.IGNORECASE)


class BadAddressError(ValueError):
    """No source can have this address; the text says why, and what to do."""


@dataclass(slots=True)
class Intake:
    """What became of each outline of a list.

    `duplicates` are of the source that is named with them; `unfiled` counts the new sources without a category by the
    folder that they stood in ("" is none).
    """

    added: list[Source] = field(default_factory=list)
    duplicates: list[tuple[Outline, str]] = field(default_factory=list)
    invalid: list[tuple[Outline, str]] = field(default_factory=list)
    unfiled: Counter[str] = field(default_factory=Counter)


def address(said: str) -> str:
    """The address that was meant, as sources.yaml takes it; raises BadAddressError."""
    url = _FEED_SCHEME.sub("", said.strip())
    if url[:7].lower() == "feed://":
        url = f"http://{url[7:]}"
    if not url:
        raise BadAddressError("it has no address")
    try:
        values.url(url.replace("${", "$${"), _NO_CONTEXT)
    except BadValueError as error:
        raise BadAddressError(f"its address {error.message}" + f" ({error.hint})" * bool(error.hint)) from error
    if urls.canonical(url) is None:
        raise BadAddressError("its address has no valid host")
    return url


def holder(sources: Iterable[Source], url: str) -> Source | None:
    """The source that has this address already, in whatever spelling."""
    wanted = key(url)
    return next((source for source in sources if wanted in (key(source.url), key(source.shown))), None)


def key(url: str) -> str | None:
    """What two spellings of one feed's address have in common."""
    return urls.canonical(url.partition("#")[0])


def names(sources: Iterable[Source]) -> set[str]:
    """The names that no new source can have: those in use, and those that were."""
    return {name for source in sources for name in (source.name, *source.formerly)}


def folders(categories: Sequence[Category]) -> dict[str, str]:
    """The term for each folded name of a category: its term, its label, its labels."""
    found = {text.fold(category.term): category.term for category in categories}
    for category in categories:
        for label in (category.label, *category.labels.values()):
            found.setdefault(text.fold(label), category.term)
    return found


def sort_out(outlines: Iterable[Outline], sources: Sequence[Source], terms: Mapping[str, str]) -> Intake:
    """Each outline as a new source, a duplicate (by canonical address) or invalid. `terms` are by folded folder name.

    The innermost folder that names a category counts; an address that the list has in several folders gets the
    categories of all of them. Names are made unique.
    """
    intake = Intake()
    held = {place: source.name for source in sources for place in (key(source.shown), key(source.url))}
    taken = names(sources)
    new: dict[str | None, tuple[Source, str]] = {}
    for outline in outlines:
        try:
            url = address(outline.url)
        except BadAddressError as error:
            intake.invalid.append((outline, str(error)))
            continue
        place = key(url)
        if place in held:
            intake.duplicates.append((outline, held[place]))
            if place in new:
                source, folder = new[place]
                new[place] = _filed(source, _categories(outline, terms)), folder
            continue
        held[place] = _unique(outline.name or urls.host(url), taken)
        taken.add(held[place])
        source = Source(held[place], url, _categories(outline, terms), language=language(outline.language))
        new[place] = source, outline.folders[-1] if outline.folders else ""
    intake.added = [source for source, _ in new.values()]
    intake.unfiled = Counter(folder for source, folder in new.values() if not source.categories)
    return intake


def _filed(source: Source, categories: Sequence[str]) -> Source:
    """The source with these categories too."""
    return replace(source, categories=tuple(dict.fromkeys((*source.categories, *categories))))


def _categories(outline: Outline, terms: Mapping[str, str]) -> tuple[str, ...]:
    for folder in reversed(outline.folders):
        if term := terms.get(text.fold(folder)):
            return (term,)
    return ()


def _unique(name: str, taken: set[str]) -> str:
    numbered, number = name, 1
    while numbered in taken:
        number += 1
        numbered = f"{name} ({number})"
    return numbered


def language(said: str | None) -> str | None:
    """A language as sources.yaml takes it, None for what is no language tag."""
    return said if said and re.fullmatch(values.LANGUAGE, said) else None
