"""A feed document → the byte ranges of its entries, so that only those that changed are parsed.

Only documents whose entries can be told for certain are cut; for any other there is no cut, and it is parsed whole.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from xml.parsers import expat

_HASH_SIZE = 8  # bytes
_SEPARATOR = "\x01"  # of namespace and local name: no XML document holds it
_XML = "http://www.w3.org/XML/1998/namespace" + _SEPARATOR
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#" + _SEPARATOR + "RDF"
_RSS_1 = frozenset(
    namespace + _SEPARATOR + "item"
    for namespace in (
        "http://purl.org/rss/1.0/",
        "http://purl.org/net/rss1.1#",
        "http://my.netscape.com/rdf/simple/0.9/",
        "http://channel.netscape.com/rdf/simple/0.9/",
    )
)
_ENTRY_NAMES = frozenset(("item", "entry"))


@dataclass(frozen=True, slots=True)
class Cut:
    """`spans` are the entries' start and end in the document, in bytes and in order.

    `context` is a digest of what they inherit: the names of their ancestors, and the namespaces, xml:base and xml:lang
    that these set.
    """

    spans: tuple[tuple[int, int], ...]
    context: bytes


def cut(document: bytes) -> Cut | None:
    """The entries of a document in well-formed UTF-8, or None where they are not certain.

    Entries are the `item`s of one RSS channel, those beside the channel of an RDF document, or the `entry`s of an Atom
    feed. They are not certain when the document is ill-formed, has a DOCTYPE, or has elements of these names elsewhere,
    or what looks like the start of one within an entry.
    """
    if document.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return None  # expat would follow the mark and count other bytes than ours
    cutter = _Cutter(document)
    try:
        cutter.run()
    except (expat.ExpatError, _UncertainError):
        return None
    return Cut(tuple(cutter.spans), cutter.context)


def unseen(digests: Sequence[bytes], seen: Collection[bytes], most: int) -> tuple[list[int], bytes]:
    """Which entries to read, by their places: those whose digest was not seen, `most` at the most. And the digests of
    all, joined, but of those that are left for the next time.
    """
    new = [place for place, digest in enumerate(digests) if digest not in seen]
    left = frozenset(new[most:])
    return new[:most], b"".join(digest for place, digest in enumerate(digests) if place not in left)


def hashes(document: bytes, found: Cut, version: bytes) -> list[bytes]:
    """8 bytes for each entry, which change with its bytes, with what it inherits, and with `version`."""
    keyed = blake2b(digest_size=_HASH_SIZE, key=blake2b(found.context + version, digest_size=32).digest())
    digests = []
    for start, end in found.spans:
        digest = keyed.copy()
        digest.update(document[start:end])
        digests.append(digest.digest())
    return digests


def small(document: bytes, found: Cut, keep: Collection[int]) -> bytes:
    """The document with only the entries whose numbers are in `keep`."""
    kept = frozenset(keep)
    pieces = []
    position = 0
    for number, (start, end) in enumerate(found.spans):
        if number not in kept:
            pieces.append(document[position:start])
            position = end
    pieces.append(document[position:])
    return b"".join(pieces)


_START_TAG = re.compile(rb"<([^\s/>]+)")
_TAG = re.compile(rb"""<(?:[^>"']|"[^"]*"|'[^']*')*>""")
_END_TAG = re.compile(rb"</([^\s/>]+)\s*>")


@lru_cache(maxsize=4)
def _another(begun: bytes) -> re.Pattern[bytes]:
    """Finds a start tag that begins with these bytes."""
    return re.compile(re.escape(begun) + rb"[\s/>]")


class _UncertainError(Exception):
    """The entries of this document cannot be told for certain."""


class _Element:
    """An open element outside of entries, with what its descendants inherit from it."""

    __slots__ = ("inherited", "local", "name", "namespace")

    def __init__(self, name: str, attributes: dict[str, str], declared: list[tuple[str, str]]) -> None:
        self.name = name
        self.local = name.rpartition(_SEPARATOR)[2]
        self.namespace = name.removesuffix(self.local)
        in_scope = sorted(item for item in attributes.items() if item[0].startswith(_XML))
        self.inherited = (name, in_scope, sorted(declared))


class _Cutter:
    """Follows expat through a document. Within an entry it only looks for the end of one of the entry's name."""

    def __init__(self, document: bytes) -> None:
        self.spans: list[tuple[int, int]] = []
        self.context = b""
        self._document = document
        self._open: list[_Element] = []
        self._declared: list[tuple[str, str]] = []
        self._parent: _Element | None = None
        self._entry = ""
        self._start = 0
        self._parser = expat.ParserCreate("utf-8", _SEPARATOR)
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartNamespaceDeclHandler = self._declare
        self._outside()

    def run(self) -> None:
        """Parse the document, once; raises ExpatError or _UncertainError."""
        try:
            self._parser.Parse(self._document, True)
        finally:
            del self._parser  # it and this object would keep each other, and the document, alive

    def _outside(self) -> None:
        self._declared.clear()
        self._parser.StartElementHandler = self._element_starts
        self._parser.EndElementHandler = self._element_ends

    def _doctype(self, *_: object) -> None:
        raise _UncertainError

    def _declare(self, prefix: str | None, namespace: str | None) -> None:
        self._declared.append((prefix or "", namespace or ""))

    def _element_starts(self, name: str, attributes: dict[str, str]) -> None:
        if name == self._entry and self._parent is self._open[-1]:  # as nearly every one that comes here
            self._inside()
            return
        element = _Element(name, attributes, self._declared)
        if element.local.lower() in _ENTRY_NAMES:
            self._first_entry_starts(element)
        else:
            self._open.append(element)
            self._declared.clear()

    def _element_ends(self, _: str) -> None:
        self._open.pop()

    def _first_entry_starts(self, entry: _Element) -> None:
        if self._parent is not None or not self._belongs(entry):
            raise _UncertainError
        self._parent, self._entry = self._open[-1], entry.name
        inherited = [element.inherited for element in self._open]
        self.context = blake2b(repr(inherited).encode(), digest_size=16).digest()
        self._inside()

    def _inside(self) -> None:
        self._start = self._parser.CurrentByteIndex
        self._parser.StartElementHandler = None
        self._parser.EndElementHandler = self._inner_ends

    def _belongs(self, entry: _Element) -> bool:
        """Whether an element of an entry's name stands where its format has entries."""
        path = [element.local for element in self._open]
        if path == ["rss", "channel"]:
            return entry.local == "item" and entry.namespace == self._open[1].namespace
        if path == ["feed"]:
            return entry.local == "entry" and entry.namespace == self._open[0].namespace
        return [element.name for element in self._open] == [_RDF] and entry.name in _RSS_1

    def _inner_ends(self, name: str) -> None:
        if name == self._entry:
            self.spans.append((self._start, self._end(self._parser.CurrentByteIndex)))
            self._outside()

    def _end(self, index: int) -> int:
        """Where the entry ends, given where its end tag begins, or where itself begins, when it is a self-closing tag.

        Calls from expat cost more than its parsing, so that the elements that start within an entry are not followed:
        what may be another one of its name is seen in its bytes.
        """
        if index == self._start and (tag := _TAG.match(self._document, index)):
            return tag.end()
        opened, closed = _START_TAG.match(self._document, self._start), _END_TAG.match(self._document, index)
        if not opened or not closed or opened[1] != closed[1]:
            raise _UncertainError
        if _another(opened[0]).search(self._document, opened.end(), index):
            raise _UncertainError
        return closed.end()
