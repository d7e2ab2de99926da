"""Bytes → feed and entries. Pure; the only importer of feedparser.

    decode → JSON Feed?  → jsonfeed
           → clean, mend → cut into entries → feedparser over the entries that were not seen → entries

The cut makes the cost of a document the cost of what is new in it. Where it is not certain, feedparser gets the whole
document.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import tzinfo
from hashlib import blake2b

from aggregator import errors, html, urls
from aggregator.models import Head, ParsedFeed
from aggregator.parse import cut, decoding, gists, jsonfeed, repair, wishes, xmlfeed

# Part of every entry hash: a new version has every listed entry read again.
VERSION = b"1"

HASH_LENGTH = 8  # bytes

# Entries that are read of one document; of a longer one the others are unseen when it changes. More would take longer
# than a document may, and none would be read.
MOST_AT_ONCE = 10_000

_PAGE = re.compile(r"\s*<(?:!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE)


def gist(body: bytes, content_type: str | None) -> bytes:
    """The `gist` of the ParsedFeed that reading this document would give, if it can be read; empty if it must be."""
    return gists.gist(body, content_type, VERSION)


def read(body: bytes, content_type: str | None, url: str, zone: tzinfo | None, seen: bytes = b"") -> ParsedFeed:
    """Read one fetched document; raises ParseError when it is no feed.

    `url` is its address, `zone` the zone of dates that name none. `seen` are the `hashes` of the document before:
    entries with the same bytes are left out of the result. Where they cannot be told apart, one hash is of all bytes.
    """
    feed = _read(body, content_type, url, zone, seen)
    complete = feed.complete and len(feed.entries) < MOST_AT_ONCE
    return replace(feed, complete=complete, gist=gist(body, content_type) if complete else b"")


def _read(body: bytes, content_type: str | None, url: str, zone: tzinfo | None, seen: bytes) -> ParsedFeed:
    if not body.strip():
        raise errors.ParseError("the document is empty")
    decoded = decoding.decode(body, content_type)
    if jsonfeed.looks_like(decoded.text):
        return jsonfeed.read(decoded.text, decoded.encoding, url, zone, _seen(seen), VERSION, MOST_AT_ONCE)
    if len(seen) == HASH_LENGTH and seen == _whole_hash(body):
        return ParsedFeed("", decoded.encoding, Head(), (), seen, wishes.read(decoded.text.encode()))
    xml = repair.clean(decoded.text)
    feed = _read_xml(xml, decoded.encoding, url, zone, seen)
    if not feed.entries and not feed.format and not feed.hashes and (plain := repair.without_prefix(xml)):
        feed = _read_xml(plain, decoded.encoding, url, zone, seen)
    if feed.hashes:
        return feed
    # (Some of a page's words may look like a feed's tags.)
    if not feed.entries and (not feed.format or _PAGE.match(repair.after_prolog(xml))):
        raise _no_feed(xml, url)
    hashes = _whole_hash(body) if feed.complete else b""
    return replace(feed, hashes=hashes, wishes=wishes.read(decoded.text.encode()))


def _whole_hash(body: bytes) -> bytes:
    """What stands for the hashes of the entries where these cannot be told: at least the same bytes are read once."""
    return blake2b(body, digest_size=HASH_LENGTH, key=VERSION).digest()


def _read_xml(xml: str, encoding: str, url: str, zone: tzinfo | None, seen: bytes) -> ParsedFeed:
    document, found, repaired = _cut(xml)
    repairs: tuple[str, ...] = ("document:mended",) if repaired else ()
    if encoding != "utf-8":
        repairs += (f"encoding:{encoding}",)
    if found is None:
        feed = _whole(document, encoding, url, zone, repairs, b"")
        return replace(feed, complete=not (repaired and repair.is_cut_off(xml)))
    feed = _unseen(document, found, encoding, url, zone, seen, repairs)
    if repaired and repair.is_cut_off(xml):
        feed = replace(feed, complete=False)
    return replace(feed, wishes=wishes.read(cut.small(document, found, ())))


def _cut(xml: str) -> tuple[bytes, cut.Cut | None, bool]:
    """The document in well-formed UTF-8, its cut, and whether it had to be repaired.

    To be cut a document must be well-formed: then one look is enough.
    """
    document = repair.after_prolog(xml).encode()
    if b"<?" not in document and (found := cut.cut(document)) is not None:
        return document, found, False
    mended, repaired = repair.wellformed(xml)
    document = mended.encode()
    return document, cut.cut(document), repaired


def _unseen(
    document: bytes,
    found: cut.Cut,
    encoding: str,
    url: str,
    zone: tzinfo | None,
    seen: bytes,
    repairs: tuple[str, ...],
) -> ParsedFeed:
    """The feed with the entries whose bytes were not seen."""
    hashes = cut.hashes(document, found, VERSION)
    keep, joined = cut.unseen(hashes, _seen(seen), MOST_AT_ONCE)
    if hashes and not keep:
        return ParsedFeed("", encoding, Head(), (), joined)
    if len(keep) == len(hashes):
        return _whole(document, encoding, url, zone, repairs, joined)
    small = cut.small(document, found, keep)
    feed = xmlfeed.read(small, encoding, url, zone, repairs, joined, xmlfeed.sets_base(document))
    if len(feed.entries) != len(keep):  # the cut and feedparser disagree: the whole document decides
        return _whole(document, encoding, url, zone, repairs, b"")
    return feed


def _whole(
    document: bytes, encoding: str, url: str, zone: tzinfo | None, repairs: tuple[str, ...], hashes: bytes
) -> ParsedFeed:
    feed = xmlfeed.read(document, encoding, url, zone, repairs, hashes, xmlfeed.sets_base(document))
    if hashes and len(feed.entries) * HASH_LENGTH != len(hashes):
        return xmlfeed.without_hashes(feed)
    return feed


def _no_feed(document: str, url: str) -> errors.ParseError:
    named = [address for address, _ in html.feeds(document, url, urls.join)]
    if named:
        return errors.ParseError(f"this is a page, not a feed; it names: {', '.join(named[:5])}", named)
    if _PAGE.match(document):
        return errors.ParseError("this is a page, not a feed, and it names none")
    return errors.ParseError("this is no RSS, Atom or JSON Feed document")


def _seen(hashes: bytes) -> frozenset[bytes]:
    return frozenset(hashes[k : k + HASH_LENGTH] for k in range(0, len(hashes), HASH_LENGTH))
