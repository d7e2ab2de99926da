"""JSON Feed 1.1 (jsonfeed.org/version/1.1)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from aggregator import html
from aggregator.models import Enclosure, FeedMeta, Mention, PublishedEntry
from aggregator.publish import coverage
from aggregator.publish.media import media_type


def document(meta: FeedMeta, entries: Sequence[bytes]) -> bytes:
    """The JSON Feed document of these entries, in UTF-8."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": meta.title,
        "home_page_url": f"{meta.site}/",
        "feed_url": f"{meta.site}/feeds/{meta.term}.json",
        "language": meta.language,
        "items": [],
    }
    return _written(feed).removesuffix(b"]}") + b", ".join(entries) + b"]}"


def item(meta: FeedMeta, entry: PublishedEntry) -> bytes:
    """The entry as it stands in the document."""
    return _written(_item(meta, entry))


def _written(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()  # indented, it takes Python's own encoder, ten times as long


def _item(meta: FeedMeta, entry: PublishedEntry) -> dict[str, Any]:
    source = {
        "id": entry.source.id or entry.source_url,
        "title": entry.source.title or entry.source_name,
        "home_page_url": entry.source.link or entry.source_url,
        "feed_url": entry.source_url,
    }
    rights = entry.rights or entry.source.rights
    item = {
        "id": entry.id,
        "url": entry.link,
        "title": entry.title,
        "content_html": coverage.text(entry, meta.language),
        "summary": html.plain(entry.summary) if entry.content else "",
        "date_published": _rfc3339(entry.published),
        "date_modified": _rfc3339(entry.updated),
        "authors": [{"name": entry.author or entry.source.author or source["title"]}],
        "tags": [meta.labels.get(term, term) for term in entry.terms],
        "image": entry.image,
        "language": entry.language,
        "attachments": [_attachment(enclosure, entry.duration) for enclosure in entry.enclosures],
        "_itunes": {k: v for k, v in (("duration", entry.duration), ("episode", entry.episode)) if v},
        "_coverage": list(map(_mention, coverage.told(entry))),
        "_related": list(map(_mention, entry.related)),
        "_source": source | ({"rights": rights} if rights else {}),
    }
    return {key: value for key, value in item.items() if value}


def _mention(mention: Mention) -> dict[str, Any]:
    said = {"source": mention.source_name, "title": mention.title, "url": mention.link}
    return {key: value for key, value in said.items() if value}


def _attachment(enclosure: Enclosure, duration: int | None) -> dict[str, Any]:
    kind = media_type(enclosure)
    attachment = {
        "url": enclosure.url,
        "mime_type": kind,
        "size_in_bytes": enclosure.length,
        "duration_in_seconds": duration if kind.startswith(("audio/", "video/")) else None,
    }
    return {key: value for key, value in attachment.items() if value}


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
