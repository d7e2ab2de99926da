"""Atom 1.0 (RFC 4287) and RSS 2.0 through feedgen, with what feedgen lacks as an extension of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from aggregator.models import FeedMeta, Head, PublishedEntry

_DC = "http://purl.org/dc/elements/1.1/"


class _FeedExtension(BaseExtension):  # type: ignore[misc]
    def extend_ns(self) -> dict[str, str]:
        return {"dc": _DC}


class _EntryExtension(BaseEntryExtension):  # type: ignore[misc]
    """atom:source whole (RFC 4287, section 4.2.11), RSS's source, and dc:creator, as RSS's author is an e-mail
    address.
    """

    source: Head
    source_url: str
    author: str

    def extend_atom(self, entry: Any) -> Any:
        source = etree.SubElement(entry, "source")
        _text(source, "id", self.source.id)
        _text(source, "title", self.source.title)
        if self.source.link:
            etree.SubElement(source, "link", href=self.source.link, rel="alternate")
        _text(source, "updated", self.source.updated.isoformat() if self.source.updated else None)
        _text(source, "rights", self.source.rights)
        return entry

    def extend_rss(self, entry: Any) -> Any:
        _text(entry, f"{{{_DC}}}creator", self.author)
        etree.SubElement(entry, "source", url=self.source_url).text = self.source.title
        return entry


def _text(parent: Any, tag: str, value: str | None) -> None:
    if value:
        etree.SubElement(parent, tag).text = value


def atom(meta: FeedMeta, entries: Sequence[PublishedEntry]) -> bytes:
    """The Atom document."""
    return bytes(_generator(meta, "atom", "application/atom+xml", entries).atom_str())


def rss(meta: FeedMeta, entries: Sequence[PublishedEntry]) -> bytes:
    """The RSS document."""
    return bytes(_generator(meta, "rss", "application/rss+xml", entries).rss_str())


def _generator(meta: FeedMeta, suffix: str, media_type: str, entries: Sequence[PublishedEntry]) -> Any:
    feed = FeedGenerator()
    feed.register_extension("aggregator", _FeedExtension, _EntryExtension)
    feed.id(meta.id)
    feed.title(meta.title)
    feed.description(meta.title)
    feed.language(meta.language)
    feed.updated(meta.updated)
    feed.lastBuildDate(meta.updated)
    feed.generator("aggregator")
    feed.link(href=f"{meta.site}/feeds/{meta.term}.{suffix}", rel="self", type=media_type)
    feed.link(href=f"{meta.site}/", rel="alternate", type="text/html")  # last: feedgen's RSS takes the last one
    for entry in entries:
        _add(feed, meta, entry)
    return feed


def _add(feed: Any, meta: FeedMeta, entry: PublishedEntry) -> None:
    item = feed.add_entry(order="append")
    item.id(entry.id)
    item.guid(entry.id, permalink=False)
    item.title(entry.title)
    item.published(entry.published)
    item.updated(entry.updated)
    author = entry.author or entry.source.author or entry.source.title or entry.source_name
    item.author(name=author)
    if entry.link:
        item.link(href=entry.link, rel="alternate")
    if entry.summary:
        item.summary(entry.summary, type="html")
    if entry.content or not entry.link:
        item.content(entry.content or entry.summary or entry.title, type="html")
    for term in entry.terms:
        item.category(term=term, scheme=f"{meta.site}/", label=meta.labels.get(term, term))
    for enclosure in entry.enclosures:
        item.enclosure(enclosure.url, enclosure.length or 0, enclosure.type or "application/octet-stream")
    if entry.rights or entry.source.rights:
        item.rights(entry.rights or entry.source.rights)
    item.aggregator.author = author
    item.aggregator.source_url = entry.source_url
    item.aggregator.source = Head(
        id=entry.source.id or entry.source_url,
        title=entry.source.title or entry.source_name,
        link=entry.source.link or entry.source_url,
        updated=entry.source.updated or entry.updated,
        rights=entry.source.rights,
    )
