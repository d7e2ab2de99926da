"""How rare pairs of characters and words are in titles: a shipped table, so that it never hangs on what came before."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path

_RARE = 4  # the step of the table up to which a pair is rare: some 15 of 50,000 titles
_LATIN = re.compile(r"[a-z][a-z0-9.+#]+")
_LAST_LATIN = "\u2fff"
_UNIT = re.compile(r"[a-z0-9.+#]+|\S")


def units(core: str) -> list[str]:
    """The characters of a folded title; words and numbers of Latin letters whole."""
    return _UNIT.findall(core)


def rarest(core: str, count: int) -> list[str]:
    """The `count` rarest pairs of neighbouring characters of a folded title, the rarest first; of English the words."""
    ranks = _ranks()
    grams = set(pairs(core))
    return sorted(grams, key=lambda gram: (ranks.get(gram, 0), zlib.crc32(gram.encode())))[:count]


def pairs(core: str) -> list[str]:
    """Neighbouring characters of a folded title two by two, and each word of Latin letters by itself."""
    found = units(core)
    words = [unit for unit in found if len(unit) > 1]
    both = [a + b for a, b in pairwise(found) if len(a) == len(b) == 1]
    return both + words


def rare(folded: str) -> list[str]:
    """The rare pairs of neighbouring characters of a folded text, and its rare words of Latin letters."""
    ranks = _ranks()
    words = [word for word in _LATIN.findall(folded) if ranks.get(word, 0) <= _RARE]
    return words + [a + b for a, b in pairwise(folded) if a > _LAST_LATIN < b and ranks.get(a + b, 0) <= _RARE]


def weight(grams: Iterable[str]) -> float:
    """How much it tells that two titles have these pairs and words in common: 8 for each that hardly any title has, and
    down to 1."""
    ranks = _ranks()
    return sum(max(1.0, 8.0 - ranks.get(gram, 0) / 3) for gram in grams)


@cache
def _ranks() -> dict[str, int]:
    """By pair or word how common it is, from 1; those that are not in the table are rarer still."""
    path = Path(__file__).parent.parent / "data" / "rarity.txt"
    ranks: dict[str, int] = {}
    if path.exists():
        for line in path.read_text("utf-8").splitlines():
            rank, _, grams = line.partition(" ")
            if rank.isdigit():
                ranks.update(dict.fromkeys(grams.split(), int(rank)))
    return ranks
