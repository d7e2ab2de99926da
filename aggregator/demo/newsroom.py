"""What the publishers publish: articles without end, the same ones in the same order for a seed.

A story of stories.yaml becomes an event when its blanks are filled, and is told by one publisher for each language that
it has. Every second event of technology that is told in all languages is then copied from its first teller. When all
stories have been told they are told again, in another order, of other companies, cities, people and numbers.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

import yaml

from aggregator.demo import publishers
from aggregator.demo.publishers import Publisher

LANGUAGES = ("zh-Hans", "zh-Hant", "en")

_TRACKING = "?utm_source=yunjian&utm_medium=rss&utm_campaign=zaoxun&spm=1001.{number}"
_KEPT = 500  # articles of one publisher whose pages are still served
_SECOND = {"company": "rival", "city": "town", "team": "opponent"}  # the blank for another one of its kind

Blanks = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Article:
    """One article. `link` is the path of its page, with tracking parameters where it is a copy; `number` is unique."""

    publisher: Publisher
    event: int
    number: int
    title: str
    text: str
    link: str
    published: datetime

    @property
    def guid(self) -> str:
        """The id that an RSS feed gives it."""
        return f"{self.publisher.key}-{self.number}"


class Newsroom:
    """Writes articles, and keeps each publisher's latest ones, the newest first."""

    def __init__(self, seed: int) -> None:
        self._drafts = _drafts(seed)
        self._original: Article | None = None
        self.shelves: dict[str, deque[Article]] = {one.key: deque(maxlen=_KEPT) for one in publishers.PUBLISHERS}

    def write(self, at: datetime) -> Article:
        """The next article, published `at`, which is at least a second after the one before."""
        draft = next(self._drafts)
        number = int(at.timestamp())
        link = f"{draft.publisher.home}{number}.html"
        if draft.publisher.name == publishers.COPIES:
            assert self._original is not None
            link = self._original.link + _TRACKING.format(number=number)
        article = Article(draft.publisher, draft.event, number, draft.title, draft.text, link, at)
        if self._original is None or self._original.event != draft.event:
            self._original = article
        self.shelves[draft.publisher.key].appendleft(article)
        return article

    def of_event(self, event: int) -> list[Article]:
        """The articles that tell an event, in the order in which they came."""
        articles = itertools.chain.from_iterable(self.shelves.values())
        return sorted((one for one in articles if one.event == event), key=lambda one: one.number)


@dataclass(frozen=True, slots=True)
class _Draft:
    publisher: Publisher
    event: int
    title: str
    text: str


def _drafts(seed: int) -> Iterator[_Draft]:
    stories = material("stories")["stories"]
    events = itertools.count()
    for round_ in itertools.count():
        order = list(stories)
        Random(f"{seed}/{round_}").shuffle(order)
        for story in order:
            event = next(events)
            yield from _told(story, event, Random(f"{seed}/{round_}/{event}"))


def _told(story: Mapping[str, Any], event: int, chance: Random) -> Iterator[_Draft]:
    """One event as its publishers tell it, and a copy of the first one's article for every second that all tell."""
    filled = blanks(story.get("numbers", {}), chance)
    drafts = []
    for language in LANGUAGES:
        if language in story:
            title, text = (part.format_map(filled[language]) for part in story[language])
            drafts.append(_Draft(publishers.telling(story["beat"], language), event, title, text))
    yield from drafts
    if event % 2 == 0 and len(drafts) == len(LANGUAGES):
        copier = publishers.with_name(publishers.COPIES)
        yield _Draft(copier, event, f"【早讯】{drafts[0].title}", drafts[0].text)


def blanks(bounds: Mapping[str, tuple[int, int]], chance: Random) -> dict[str, Blanks]:
    """For each language what stands for the names and numbers of a story."""
    numbers = {name: chance.randint(low, high) for name, (low, high) in bounds.items()}
    filled: dict[str, dict[str, str | int]] = {language: dict(numbers) for language in LANGUAGES}
    for kind, names in material("names").items():
        wanted = [kind, _SECOND[kind]] if kind in _SECOND else [kind]
        for blank, name in zip(wanted, chance.sample(names, len(wanted)), strict=True):
            for language, spelling in zip(LANGUAGES, name, strict=True):
                filled[language][blank] = spelling
    return dict(filled)


@cache
def material(name: str) -> Any:
    """A YAML file of this package."""
    return yaml.safe_load(files("aggregator.demo").joinpath(f"{name}.yaml").read_text("utf-8"))
