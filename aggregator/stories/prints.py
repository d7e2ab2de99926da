"""What is computed of an entry once, so that its stories can be found later: a small print, and the keys to find it by.

A print is a pure function of the entry, the table of aliases and the two shipped tables, so that it does not depend on
what came before. A key is a 36-bit integer: what it is a key of, and a 32-bit hash.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import rensa

from aggregator.stories import aliases, padding, rarity, titles

VERSION = 1  # of prints and keys; raise it whenever either would come out differently for any entry

TITLE_KEYS = 12
SHORTEST = 60  # characters of folded text, without padding, below which the text is no evidence
_HASHES, _ROWS, _BANDS = 40, 2, 7
_TOPIC_HASHES = 56
_SEED, _TOPIC_SEED = 20_240_607, 20_240_608
_LONGEST_TITLE = 90  # characters that are kept: more tells nothing more
_HEAD = struct.Struct("<BHBB")
_BY_CHANCE = 1 / 256  # of the hashes of two signatures that are equal by their one byte

_EXACT, _GRAM_KEY, _BAND = 1 << 32, 2 << 32, 3 << 32
_FOUR = re.compile("(?=(....))", re.DOTALL)  # all runs of four characters
_BAND_STARTS = [zlib.crc32(bytes([band])) for band in range(_BANDS)]


class Fingerprint(NamedTuple):
    """What an entry is compared by before anything else of it is looked at.

    `title` is the folded title without what its source puts around it, aliases brought to one. `signature` has one byte
    for each MinHash of the text's 4-grams (empty: too little text), `topic` of its rare pairs of characters or words;
    `length` is the characters of that text. `title_keys` are looked up within 72 hours, `text_keys` within 14 days.
    """

    title: str
    length: int = 0
    signature: bytes = b""
    topic: bytes = b""
    title_keys: tuple[int, ...] = ()
    text_keys: tuple[int, ...] = ()
    version: int = VERSION

    @property
    def keys(self) -> tuple[int, ...]:
        """All postings of the entry."""
        return self.title_keys + self.text_keys

    def pack(self) -> bytes:
        """The print as it is stored, without its keys: those are the postings."""
        head = _HEAD.pack(self.version, min(self.length, 0xFFFF), len(self.signature), len(self.topic))
        return head + self.signature + self.topic + self.title.encode("utf-8", "replace")

    @classmethod
    def unpack(cls, packed: bytes) -> Fingerprint:
        """The print that `pack` gave, without keys; of another version, what compares as if it had no text."""
        version, length, hashes, topic_hashes = _HEAD.unpack_from(packed)
        topic = _HEAD.size + hashes
        title = packed[topic + topic_hashes :].decode("utf-8", "replace")
        if version != VERSION:
            return cls(title, version=version)
        return cls(title, length, packed[_HEAD.size : topic], packed[topic : topic + topic_hashes])

    @property
    def letters(self) -> frozenset[str]:
        """The characters of the title, of English ones the words."""
        return _letters(self.title)


def fingerprint(
    title: str, folded_title: str, folded_text: str, source: str = "", table: aliases.Aliases | None = None
) -> Fingerprint:
    """The print of an entry with its keys. `folded_title` and `folded_text` are `text.fold` of the title and of the
    first 1,000 characters of the text; `source` is the source's name, which some titles repeat."""
    core = titles.core(title, folded_title, source, table or aliases.default())[:_LONGEST_TITLE]
    text = padding.removed(folded_text, folded_title)
    enough = len(text) >= SHORTEST
    hashes = _minhashes(_FOUR.findall(text), _HASHES, _SEED) if enough else []
    return Fingerprint(
        title=core,
        length=len(text),
        signature=_bytes(hashes),
        topic=_bytes(_minhashes(rarity.rare(text), _TOPIC_HASHES, _TOPIC_SEED)) if enough else b"",
        title_keys=tuple(_title_keys(folded_title, core)),
        text_keys=tuple(_bands(hashes)),
    )


def resemblance(a: Fingerprint, b: Fingerprint) -> float | None:
    """The estimated share of character 4-grams that two texts have in common; None where one has too little text."""
    return _common(a.signature, b.signature)


def common_topic(a: Fingerprint, b: Fingerprint) -> float | None:
    """The estimated share of rare pairs of characters that two texts have in common: between two reports of one event
    0.05 to 0.3, between strangers below 0.03. None where one has too little text."""
    return _common(a.topic, b.topic)


def _common(one: bytes, other: bytes) -> float | None:
    """The share of equal hashes, less those that are equal by chance."""
    if not one or len(one) != len(other):
        return None
    # Hashes that are equal leave a zero byte: in this way forty of them are compared in half a microsecond.
    equal = (int.from_bytes(one) ^ int.from_bytes(other)).to_bytes(len(one)).count(0)
    share: float = (equal / len(one) - _BY_CHANCE) / (1 - _BY_CHANCE)
    return max(0.0, share)


@lru_cache(maxsize=4096)  # while an event is news, its entries are candidates again and again
def _letters(title: str) -> frozenset[str]:
    return frozenset(rarity.units(title))


def _minhashes(grams: list[str], hashes: int, seed: int) -> list[int]:
    if not grams:
        return []
    sketch = rensa.RMinHash(hashes, seed)
    sketch.update(grams)
    return list(sketch.digest())


def _bytes(hashes: list[int]) -> bytes:
    """The lowest byte of each."""
    return struct.pack(f"<{len(hashes)}I", *hashes)[::4]


def _bands(hashes: list[int]) -> list[int]:
    if not hashes:
        return []
    packed = struct.pack(f"<{_BANDS * _ROWS}I", *hashes[: _BANDS * _ROWS])
    return [
        _BAND | zlib.crc32(packed[start : start + 4 * _ROWS], _BAND_STARTS[band])
        for band, start in enumerate(range(0, len(packed), 4 * _ROWS))
    ]


def _title_keys(folded_title: str, core: str) -> Iterator[int]:
    if folded_title:
        yield _EXACT | _hash(folded_title)
    yield from _unique(_GRAM_KEY | _hash(gram) for gram in rarity.rarest(core, TITLE_KEYS))


def _unique(keys: Iterable[int]) -> Iterable[int]:
    return dict.fromkeys(keys)


def _hash(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "replace"))
