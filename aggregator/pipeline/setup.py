"""What is derived from one configuration, once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property

from aggregator import categorize, prepare, publish, stories
from aggregator.models import Config, Edition, Weight

RECIPE_VERSION = 3  # raised when rendering changes, so that every feed is rendered anew after an upgrade


class Setup:
    """One configuration, ready for use. A tick uses one setup from its beginning to its end."""

    def __init__(self, config: Config) -> None:
        self.settings = config.settings
        self.categories = {category.term: category for category in config.categories}
        self.sources = {source.name: source for source in config.sources}
        self.parents: Mapping[str, str | None] = {c.term: c.parent for c in config.categories}
        self.terms = config.terms
        self._config = config
        self._editions = categorize.editions(config)
        self.teach((), 0)
        self.public = config.settings.data / "public"
        self.site = config.settings.site.base_url or f"http://{_local(config)}"
        self.labels = {term: self.label(term) for term in self.terms}

    def teach(self, learned: Iterable[Weight], generation: int) -> None:
        """Have what was learned count, from the next entry on. `generation`: how often something was learned."""
        self.generation = generation
        self.tools = prepare.pack(self._config, learned)

    def edition(self, source: str, learned: int) -> Edition:
        """The name of what files the entries of a source, when it was learned so often."""
        return replace(self._editions[source], learned=learned)

    @cached_property
    def aliases(self) -> stories.Aliases:
        """The table of names, read when the first entries are compared."""
        return stories.load_aliases(self._config.aliases)

    def label(self, term: str) -> str:
        """What the term is called in the site's language."""
        return publish.label(term, self.categories, self.settings.site.language)

    def names(self) -> dict[str, list[str]]:
        """For each term all that it is called."""
        names = {term: [label] for term, label in self.labels.items()}
        for category in self.categories.values():
            names[category.term] += [category.label, *category.labels.values()]
        return names

    def recipes(self) -> dict[str, str]:
        """For each term a digest of the configuration that shapes its documents."""
        shaping = [
            RECIPE_VERSION,
            self.site,
            self.settings.site.title,
            self.settings.site.language,
            sorted(self.labels.items()),
            sorted(self.parents.items()),
            self.settings.publish.limit,
            str(self.settings.publish.max_age),
            *sorted((source.name, source.written) for source in self.sources.values() if source.written),
        ]
        return {
            term: hashlib.blake2b(json.dumps([term, shaping]).encode(), digest_size=8).hexdigest()
            for term in self.terms
        }

    def documents(self) -> list[str]:
        """The paths of all feed documents, below the public folder."""
        return [f"feeds/{term}.{suffix}" for term in self.terms for suffix in publish.SUFFIXES]


def _local(config: Config) -> str:
    host, port = config.settings.listen_host, config.settings.listen_port
    shown = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - not bound here
    return f"[{shown}]:{port}" if ":" in shown and not shown.startswith("[") else f"{shown}:{port}"
