"""What is computed of an entry once, so that its stories can be found later: a small print, and the keys to find it by.

A print is a pure function of the entry, the table of aliases and the two shipped tables, so that it does not depend on
what came before. A key is a 36-bit integer: what it is a key of, and a 32-bit hash.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import rensa

from aggregator.stories import aliases, padding, rarity, titles

VERSION = 1  # of prints and keys; raise it whenever either would come out differently for any entry

TITLE_KEYS = 12
GRAM = 4
SHORTEST = 60  # characters of folded text, without padding, below which the text is no evidence
_HASHES, _ROWS, _BANDS = 64, 2, 7
_SEED = 20_240_607
_LONGEST_TITLE = 90  # characters that are kept: more tells nothing more
_HEAD = struct.Struct("<BHB")

_EXACT, _GRAM_KEY, _BAND = 1 << 32, 2 << 32, 3 << 32


@dataclass(frozen=True)
class Fingerprint:
    """What an entry is compared by before anything else of it is looked at.

    `title` is the folded title without what its source puts around it, aliases brought to one; `signature` one byte for
    each MinHash of the text (empty: too little text), `length` the characters of that text. `title_keys` are looked up
    within 72 hours, `text_keys` within 14 days.
    """

    title: str
    length: int = 0
    signature: bytes = b""
    title_keys: tuple[int, ...] = ()
    text_keys: tuple[int, ...] = ()
    version: int = VERSION

    @property
    def keys(self) -> tuple[int, ...]:
        """All postings of the entry."""
        return self.title_keys + self.text_keys

    def pack(self) -> bytes:
        """The print as it is stored, without its keys: those are the postings."""
        head = _HEAD.pack(self.version, min(self.length, 0xFFFF), len(self.signature))
        return head + self.signature + self.title.encode("utf-8", "replace")

    @classmethod
    def unpack(cls, packed: bytes) -> Fingerprint:
        """The print that `pack` gave, without keys; of another version, what compares as if it had no text."""
        version, length, size = _HEAD.unpack_from(packed)
        start = _HEAD.size + size
        title = packed[start:].decode("utf-8", "replace")
        if version != VERSION:
            return cls(title, version=version)
        return cls(title, length, packed[_HEAD.size : start], version=version)

    @cached_property
    def letters(self) -> frozenset[str]:
        """The characters of the title, of English ones the words."""
        return frozenset(rarity.units(self.title))


def fingerprint(
    title: str, folded_title: str, folded_text: str, source: str = "", table: aliases.Aliases | None = None
) -> Fingerprint:
    """The print of an entry with its keys. `folded_title` and `folded_text` are `text.fold` of the title and of the
    first 1,000 characters of the text; `source` is the source's name, which some titles repeat."""
    core = titles.read(title, source, table or aliases.DEFAULT).core[:_LONGEST_TITLE]
    text = padding.removed(folded_text, folded_title)
    hashes = _minhashes(text) if len(text) >= SHORTEST else []
    return Fingerprint(
        title=core,
        length=len(text),
        signature=bytes(value & 0xFF for value in hashes),
        title_keys=tuple(_title_keys(folded_title, core)),
        text_keys=tuple(_bands(hashes)),
    )


def resemblance(a: Fingerprint, b: Fingerprint) -> float | None:
    """The estimated share of character 4-grams that two texts have in common; None where one has too little text."""
    if not a.signature or len(a.signature) != len(b.signature):
        return None
    equal = sum(x == y for x, y in zip(a.signature, b.signature, strict=True))
    by_chance = len(a.signature) / 256
    return max(0.0, (equal - by_chance) / (len(a.signature) - by_chance))


def _minhashes(text: str) -> list[int]:
    sketch = rensa.RMinHash(_HASHES, _SEED)
    sketch.update([text[start : start + GRAM] for start in range(len(text) - GRAM + 1)])
    return list(sketch.digest())


def _bands(hashes: list[int]) -> Iterator[int]:
    for band in range(_BANDS if hashes else 0):
        rows = hashes[band * _ROWS : (band + 1) * _ROWS]
        yield _BAND | zlib.crc32(struct.pack(f"<B{_ROWS}I", band, *rows))


def _title_keys(folded_title: str, core: str) -> Iterator[int]:
    if folded_title:
        yield _EXACT | _hash(folded_title)
    yield from _unique(_GRAM_KEY | _hash(gram) for gram in rarity.rarest(core, TITLE_KEYS))


def _unique(keys: Iterable[int]) -> Iterable[int]:
    return dict.fromkeys(keys)


def _hash(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "replace"))
