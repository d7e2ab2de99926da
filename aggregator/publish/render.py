"""One feed in three formats. An entry that cannot be published is left out and named; never the file."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from aggregator import html
from aggregator.models import FeedMeta, PublishedEntry
from aggregator.publish import jsonfeed, xmlfeeds

SUFFIXES = ("atom", "rss", "json")

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


def render(meta: FeedMeta, entries: Sequence[PublishedEntry]) -> Rendered:
    """Render a feed with these entries, newest first."""
    readable = [_titled(entry) for entry in entries]
    left_out: dict[str, str] = {}
    documents = {
        "atom": _guarded(xmlfeeds.atom, meta, readable, left_out),
        "rss": _guarded(xmlfeeds.rss, meta, readable, left_out),
        "json": _guarded(jsonfeed.document, meta, readable, left_out),
    }
    return Rendered(documents, tuple(sorted(left_out.items())))


def _guarded(
    build: Callable[[FeedMeta, Sequence[PublishedEntry]], bytes],
    meta: FeedMeta,
    entries: Sequence[PublishedEntry],
    left_out: dict[str, str],
) -> bytes:
    """Build the document; if an entry breaks it, build it without the entries that break it alone."""
    try:
        return build(meta, entries)
    except Exception:  # noqa: BLE001 - whatever an entry provokes in a library concerns that entry only
        good = []
        for entry in entries:
            try:
                build(meta, [entry])
            except Exception as error:  # noqa: BLE001 - as above; it is reported
                left_out[entry.id] = str(error) or type(error).__name__
            else:
                good.append(entry)
        return build(meta, good)


def _titled(entry: PublishedEntry) -> PublishedEntry:
    """The entry with a title: a reader shows it in a list. Where the source gave none, the beginning of the text."""
    if entry.title:
        return entry
    beginning = " ".join(html.plain(entry.summary or entry.content).split())
    short = beginning[:60] + ("…" if len(beginning) > 60 else "")
    return replace(entry, title=short or entry.link or entry.source_name)
