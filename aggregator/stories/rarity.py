"""How rare pairs of characters and words are in titles: a shipped table, so that it never hangs on what came before."""

from __future__ import annotations

import operator
import re
import zlib
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path

FILE = Path(__file__).parent.parent / "data" / "rarity.txt"

_RARE = 4  # the step of the table up to which a pair is rare: some 15 of 50,000 titles
_WORD = re.compile(r"[a-z][a-z0-9.+#]+")
_NO_HAN = re.compile(r"[^\u3400-\U0003ffff]+")
# Words of English titles that tell nothing.
_EMPTY_WORDS = """
a an the of to in on for and or but at by with from as is are was were be been it its this that these those he she his
her they their we our you your i my not no after before over under into out up off about amid says said say will would
could may can has have had more most new first how why what when who where
"""
EMPTY = frozenset(_EMPTY_WORDS.split())
_UNIT = re.compile(r"[a-z0-9.+#]+|\S")


def units(core: str) -> list[str]:
    """The characters of a folded title, words and numbers of Latin letters whole; of a title of Latin letters alone the
    stems of its telling words."""
    found = _UNIT.findall(core)
    return [_stem(word) for word in found if word not in EMPTY] if core.isascii() else found


def _stem(word: str) -> str:
    """An English word without the commonest endings: enough to bring forms together, not to tell words apart."""
    if len(word) > 5 and word.endswith(("ing", "ed", "es")):
        return word.removesuffix("ing").removesuffix("ed").removesuffix("es")
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def pairs(core: str) -> list[str]:
    """Neighbouring characters of a folded title two by two, and each word of Latin letters by itself."""
    found = units(core)
    words = [unit for unit in found if len(unit) > 1]
    both = [a + b for a, b in pairwise(found) if len(a) == len(b) == 1]
    return both + words


def rarest(core: str, count: int) -> list[str]:
    """The `count` rarest pairs of neighbouring characters of a folded title, the rarest first; of English the words."""
    steps = _steps()
    return sorted(set(pairs(core)), key=lambda gram: (steps.get(gram, 0), zlib.crc32(gram.encode())))[:count]


def rare(folded: str) -> list[str]:
    """The rare pairs of neighbouring characters of a folded text, and its rare words of Latin letters."""
    words = set(_WORD.findall(folded)) - _common()
    if folded.isascii():
        return list(words)
    han = _NO_HAN.sub("\n", folded)
    both = set(map(operator.add, han, han[1:])) - _common()
    return [*words, *(pair for pair in both if "\n" not in pair)]


def weight(grams: Iterable[str]) -> float:
    """How much it tells that two titles have these pairs and words in common: 8 for each pair that hardly any title
    has, and down to 1."""
    steps = _steps()
    thirds = sum(max(3, 24 - steps.get(gram, 0)) for gram in grams)  # whole, as a sum of fractions hangs on their order
    return thirds / 3


@cache
def _steps() -> dict[str, int]:
    """By pair or word how common it is, from 1; those that are not in the table are rarer still."""
    steps: dict[str, int] = {}
    for line in FILE.read_text("utf-8").splitlines():
        step, _, grams = line.partition(" ")
        if step.isdigit():
            steps.update(dict.fromkeys(grams.split(" "), int(step)))
    return steps


@cache
def _common() -> frozenset[str]:
    return frozenset(gram for gram, step in _steps().items() if step > _RARE)
