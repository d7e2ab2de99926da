"""JSON Feed 1.1 (jsonfeed.org/version/1.1)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aggregator.models import FeedMeta, PublishedEntry


def document(meta: FeedMeta, entries: Sequence[PublishedEntry]) -> bytes:
    """The JSON Feed document, in UTF-8."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": meta.title,
        "home_page_url": f"{meta.site}/",
        "feed_url": f"{meta.site}/feeds/{meta.term}.json",
        "language": meta.language,
        "items": [_item(meta, entry) for entry in entries],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode()


def _item(meta: FeedMeta, entry: PublishedEntry) -> dict[str, Any]:
    source = {
        "id": entry.source.id or entry.source_url,
        "title": entry.source.title or entry.source_name,
        "home_page_url": entry.source.link or entry.source_url,
        "feed_url": entry.source_url,
    }
    item = {
        "id": entry.id,
        "url": entry.link,
        "title": entry.title,
        "content_html": entry.content or entry.summary or entry.title,
        "date_published": _rfc3339(entry.published),
        "date_modified": _rfc3339(entry.updated),
        "authors": [{"name": entry.author or entry.source.author or source["title"]}],
        "tags": [meta.labels.get(term, term) for term in entry.terms],
        "language": entry.language,
        "attachments": [_attachment(e.url, e.type, e.length) for e in entry.enclosures],
        "_source": source | {"rights": entry.rights or entry.source.rights or ""},
    }
    return {key: value for key, value in item.items() if value}


def _attachment(url: str, kind: str, length: int | None) -> dict[str, Any]:
    attachment: dict[str, Any] = {"url": url, "mime_type": kind or "application/octet-stream"}
    return attachment | ({"size_in_bytes": length} if length else {})


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
