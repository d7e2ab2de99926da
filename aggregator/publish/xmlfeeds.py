"""Atom 1.0 (RFC 4287) and RSS 2.0 through feedgen, with what feedgen lacks as an extension of it.

An entry is written by itself, and documents are put together from what was written: the same bytes as of a document
that is written at once.

feedgen leaves out rel, type and length of an entry's links, so that a subscriber would take an enclosure for the page:
enclosures are written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from aggregator.models import Enclosure, FeedMeta, Head, Mention, PublishedEntry
from aggregator.publish import coverage
from aggregator.publish.media import media_type

_ATOM = "http://www.w3.org/2005/Atom"
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_DC = "http://purl.org/dc/elements/1.1/"
_ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
_MEDIA = "http://search.yahoo.com/mrss/"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


_EXTENSIONS = {"dc": _DC, "itunes": _ITUNES, "media": _MEDIA}
# What feedgen declares at the root of a document.
_NAMESPACES = {"feed": _EXTENSIONS, "rss": _EXTENSIONS | {"atom": _ATOM, "content": _CONTENT}}


class _FeedExtension(BaseExtension):  # type: ignore[misc]
    def extend_ns(self) -> dict[str, str]:
        return _EXTENSIONS


class _EntryExtension(BaseEntryExtension):  # type: ignore[misc]
    """atom:source whole (RFC 4287, section 4.2.11), RSS's source, the entry's language, its enclosures, and what RSS
    has no element for: dc:creator (RSS's author is an e-mail address), dc:rights, atom:updated.
    """

    source: Head
    source_url: str
    author: str
    rights: str
    language: str | None
    updated: datetime
    enclosures: Sequence[Enclosure]
    mentioned: Sequence[Mention]
    image: str | None
    duration: int | None
    episode: str | None

    def extend_atom(self, entry: Any) -> Any:
        if self.language:
            entry.set(_XML_LANG, self.language)
        for enclosure in self.enclosures:
            link = etree.SubElement(entry, "link", rel="enclosure", href=enclosure.url, type=media_type(enclosure))
            if enclosure.length:
                link.set("length", str(enclosure.length))
        for mention in self.mentioned:
            etree.SubElement(entry, "link", rel="related", href=mention.link, title=mention.title)
        self._extend_media(entry)
        source = etree.SubElement(entry, "source")
        _text(source, "id", self.source.id)
        _text(source, "title", self.source.title)
        if self.source.link:
            etree.SubElement(source, "link", href=self.source.link, rel="alternate")
        _text(source, "updated", self.source.updated.isoformat() if self.source.updated else None)
        _text(source, "rights", self.source.rights)
        return entry

    def extend_rss(self, entry: Any) -> Any:
        for enclosure in self.enclosures[:1]:  # RSS has one at the most
            length = str(enclosure.length or 0)
            etree.SubElement(entry, "enclosure", url=enclosure.url, length=length, type=media_type(enclosure))
        for mention in self.mentioned:
            etree.SubElement(entry, f"{{{_ATOM}}}link", rel="related", href=mention.link, title=mention.title)
        self._extend_media(entry)
        _text(entry, f"{{{_DC}}}creator", self.author)
        _text(entry, f"{{{_DC}}}language", self.language)
        _text(entry, f"{{{_DC}}}rights", self.rights)
        _text(entry, f"{{{_ATOM}}}updated", self.updated.isoformat())
        etree.SubElement(entry, "source", url=self.source_url).text = self.source.title
        return entry

    def _extend_media(self, entry: Any) -> None:
        """What both formats say by the same extensions: Media RSS and Apple's podcast namespace."""
        if self.image:
            etree.SubElement(entry, f"{{{_MEDIA}}}thumbnail", url=self.image)
        _text(entry, f"{{{_ITUNES}}}duration", str(self.duration) if self.duration else None)
        _text(entry, f"{{{_ITUNES}}}episode", self.episode)


def _text(parent: Any, tag: str, value: str | None) -> None:
    if value:
        etree.SubElement(parent, tag).text = value


def atom_entry(meta: FeedMeta, entry: PublishedEntry) -> bytes:
    """The entry as it stands in an Atom document."""
    return _within("feed", _item(meta, entry).atom_entry())


def rss_item(meta: FeedMeta, entry: PublishedEntry) -> bytes:
    """The entry as it stands in an RSS document."""
    return _within("rss", _item(meta, entry).rss_entry())


def atom(meta: FeedMeta, entries: Sequence[bytes]) -> bytes:
    """The Atom document of these entries."""
    return _filled(_feed(meta, "atom", "application/atom+xml").atom_str(), b"</feed>", entries)


def rss(meta: FeedMeta, entries: Sequence[bytes]) -> bytes:
    """The RSS document of these entries."""
    return _filled(_feed(meta, "rss", "application/rss+xml").rss_str(), b"</channel></rss>", entries)


def _within(root: str, element: Any) -> bytes:
    """The bytes of an entry's element where the root of its document declares the namespaces."""
    frame = etree.Element(root, nsmap=_NAMESPACES[root])
    frame.append(element)
    document = etree.tostring(frame, encoding="UTF-8", xml_declaration=False)
    return bytes(document[document.index(b">") + 1 : document.rindex(b"<")])


def _filled(document: bytes, end: bytes, entries: Sequence[bytes]) -> bytes:
    """A document without entries, with these in their place: before its end."""
    return document.removesuffix(end) + b"".join(entries) + end


def _feed(meta: FeedMeta, suffix: str, media_type: str) -> Any:
    """What a feed says of itself."""
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
    return feed


def _item(meta: FeedMeta, entry: PublishedEntry) -> Any:
    item = FeedEntry()
    item.register_extension("aggregator", _EntryExtension)
    mentioned = coverage.markup(entry, meta.language)
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
    if entry.content or not entry.link or mentioned:
        item.content(coverage.text(entry, meta.language), type="html")
    for term in entry.terms:
        item.category(term=term, scheme=f"{meta.site}/", label=meta.labels.get(term, term))
    rights = entry.rights or entry.source.rights or ""
    if rights:
        item.rights(rights)
    item.aggregator.author = author
    item.aggregator.rights = rights
    item.aggregator.language = entry.language
    item.aggregator.updated = entry.updated
    item.aggregator.enclosures = entry.enclosures
    item.aggregator.mentioned = coverage.mentioned(entry)
    item.aggregator.image = entry.image
    item.aggregator.duration = entry.duration
    item.aggregator.episode = entry.episode
    item.aggregator.source_url = entry.source_url
    item.aggregator.source = Head(
        id=entry.source.id or entry.source_url,
        title=entry.source.title or entry.source_name,
        link=entry.source.link or entry.source_url,
        updated=entry.source.updated or entry.updated,
        rights=entry.source.rights,
    )
    return item
