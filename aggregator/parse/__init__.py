"""Bytes → feed and entries. Pure; the only importer of feedparser.

    decode → JSON Feed?  → jsonfeed
           → clean, mend → cut into entries → feedparser over the entries that were not seen → entries

The cut makes the cost of a document the cost of what is new in it. Where it is not certain, feedparser gets the whole
document.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import tzinfo

from aggregator import errors, html, urls
from aggregator.models import Head, ParsedFeed
from aggregator.parse import cut, decoding, jsonfeed, repair, wishes, xmlfeed

# Part of every entry hash: a new version has every listed entry read again.
VERSION = b"1"

HASH_LENGTH = 8  # bytes


def read(body: bytes, content_type: str | None, url: str, zone: tzinfo | None, seen: bytes = b"") -> ParsedFeed:
    """Read one fetched document; raises ParseError when it is no feed.

    `url` is its address, `zone` the zone of dates that name none. `seen` are the `hashes` of the document before:
    entries with the same bytes are left out of the result.
    """
    decoded = decoding.decode(body, content_type)
    if jsonfeed.looks_like(decoded.text):
        return jsonfeed.read(decoded.text, decoded.encoding, url, zone, _seen(seen), VERSION)
    xml, repaired = repair.wellformed(repair.clean(decoded.text))
    repairs: tuple[str, ...] = ("document:mended",) if repaired else ()
    if decoded.encoding != "utf-8":
        repairs += (f"encoding:{decoded.encoding}",)
    return _read_xml(xml.encode(), decoded.encoding, url, zone, seen, repairs)


def _read_xml(
    document: bytes, encoding: str, url: str, zone: tzinfo | None, seen: bytes, repairs: tuple[str, ...]
) -> ParsedFeed:
    found = cut.cut(document)
    if found is None:
        return replace(_whole(document, encoding, url, zone, repairs, b""), wishes=wishes.read(document))
    feed = _unseen(document, found, encoding, url, zone, seen, repairs)
    return replace(feed, wishes=wishes.read(cut.small(document, found, ())))


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
    known = _seen(seen)
    keep = [k for k, digest in enumerate(hashes) if digest not in known]
    joined = b"".join(hashes)
    if hashes and not keep:
        return ParsedFeed("", encoding, Head(), (), joined)
    if not known or len(keep) == len(hashes):
        return _whole(document, encoding, url, zone, repairs, joined)
    small = cut.small(document, found, keep)
    feed = xmlfeed.read(small, encoding, url, zone, repairs, joined)
    if len(feed.entries) != len(keep):  # the cut and feedparser disagree: the whole document decides
        return _whole(document, encoding, url, zone, repairs, b"")
    return feed


def _whole(
    document: bytes, encoding: str, url: str, zone: tzinfo | None, repairs: tuple[str, ...], hashes: bytes
) -> ParsedFeed:
    feed = xmlfeed.read(document, encoding, url, zone, repairs, hashes)
    if not feed.format and not feed.entries:
        raise _no_feed(document, url)
    if hashes and len(feed.entries) * HASH_LENGTH != len(hashes):
        return xmlfeed.without_hashes(feed)
    return feed


def _no_feed(document: bytes, url: str) -> errors.ParseError:
    named = [address for address, _ in html.feeds(document.decode(), url, urls.join)]
    if named:
        return errors.ParseError(f"this is a page, not a feed; it names: {', '.join(named[:5])}", named)
    return errors.ParseError("this is no RSS, Atom or JSON Feed document")


def _seen(hashes: bytes) -> frozenset[bytes]:
    return frozenset(hashes[k : k + HASH_LENGTH] for k in range(0, len(hashes), HASH_LENGTH))
