"""One feed in three formats. An entry that cannot be published is left out and named; never the file."""

from __future__ import annotations

import hashlib
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from aggregator import html
from aggregator.models import FeedMeta, PublishedEntry
from aggregator.publish import jsonfeed, xmlfeeds

_Build = Callable[[FeedMeta, Sequence[bytes]], bytes]
_Write = Callable[[FeedMeta, PublishedEntry], bytes]
_FORMATS: Mapping[str, tuple[_Build, _Write]] = {
    "atom": (xmlfeeds.atom, xmlfeeds.atom_entry),
    "rss": (xmlfeeds.rss, xmlfeeds.rss_item),
    "json": (jsonfeed.document, jsonfeed.item),
}
SUFFIXES = tuple(_FORMATS)

_REMEMBERED = 16 * 1024 * 1024  # bytes: the entries of some twenty feeds

# The namespace of feeds' ids (RFC 9562, section 5.5). It is part of every published feed: never change it.
_NAMESPACE = uuid.UUID("2f6f6c5e-5d0e-5d8a-8f53-6f0c6b1a7e42")


@dataclass(frozen=True, slots=True)
class Rendered:
    """Documents by suffix (`atom`, `rss`, `json`), and the entries left out: published id and reason."""

    documents: dict[str, bytes]
    left_out: tuple[tuple[str, str], ...]


def feed_id(term: str) -> str:
    """The atom:id of a term's feed: always the same, wherever the feed is served."""
    return uuid.uuid5(_NAMESPACE, f"feed\n{term}").urn


class _Written(NamedTuple):
    """An entry as it stands in documents, by suffix, and why it stands in none of the others."""

    documents: Mapping[str, bytes]
    trouble: str


class _Memory:
    """What was written last, by what it was written of: at most so many bytes of it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = 0
        self._kept: OrderedDict[bytes, _Written] = OrderedDict()

    def find(self, key: bytes) -> _Written | None:
        """What was put there; it is kept the longer for it."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, key: bytes, written: _Written) -> None:
        """Keep this, and forget what nobody asked for longest."""
        self._kept[key] = written
        self._bytes += _size(written)
        while self._bytes > self._most:
            self._bytes -= _size(self._kept.popitem(last=False)[1])


def _size(written: _Written) -> int:
    return sum(map(len, written.documents.values()))


_memory = _Memory(_REMEMBERED)


def render(meta: FeedMeta, entries: Sequence[PublishedEntry]) -> Rendered:
    """Render a feed with these entries, newest first. The cost is that of the entries that were not rendered lately."""
    written = [(entry.id, _of_memory(meta, entry)) for entry in entries]
    documents = {
        suffix: build(meta, [each.documents[suffix] for _, each in written if suffix in each.documents])
        for suffix, (build, _) in _FORMATS.items()
    }
    return Rendered(documents, tuple(sorted((entry_id, each.trouble) for entry_id, each in written if each.trouble)))


def _of_memory(meta: FeedMeta, entry: PublishedEntry) -> _Written:
    """The entry as it is written; of all that a feed says of itself, an entry says no more than this."""
    said = (entry, meta.site, meta.language, [meta.labels.get(term, term) for term in entry.terms])
    key = hashlib.blake2b(repr(said).encode("utf-8", "replace"), digest_size=16).digest()
    written = _memory.find(key)
    if written is None:
        written = _write(meta, _titled(entry))
        _memory.put(key, written)
    return written


def _write(meta: FeedMeta, entry: PublishedEntry) -> _Written:
    documents, trouble = {}, ""
    for suffix, (_, write) in _FORMATS.items():
        try:
            documents[suffix] = write(meta, entry)
        except Exception as error:  # noqa: BLE001 - whatever an entry provokes in a library concerns that entry only
            trouble = str(error) or type(error).__name__
    return _Written(documents, trouble)


def _titled(entry: PublishedEntry) -> PublishedEntry:
    """The entry with a title: a reader shows it in a list. Where the source gave none, the beginning of the text."""
    if entry.title:
        return entry
    beginning = " ".join(html.plain(entry.summary or entry.content).split())
    short = beginning[:60] + ("…" if len(beginning) > 60 else "")
    return replace(entry, title=short or entry.link or entry.source_name)
