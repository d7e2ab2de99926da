"""What files entries, by name: so that a stored entry can say by what it was filed. Pure."""

from __future__ import annotations

import hashlib
from functools import cache

from aggregator.categorize import lexicon
from aggregator.models import Config, Edition


def editions(config: Config) -> dict[str, Edition]:
    """For each source the name of what files its entries, before anything was learned."""
    words, rules = _name((_shipped_words(), config.lexicon)), _name(config.categories)
    return {
        source.name: Edition(words, _name((rules, source.categories, sorted(source.prior.items()), source.rules)))
        for source in config.sources
    }


@cache
def _shipped_words() -> str:
    return _name(lexicon.shipped())


def _name(said: object) -> str:
    return hashlib.blake2b(repr(said).encode("utf-8", "replace"), digest_size=8).hexdigest()
