"""Short ways to make the values that pure modules work on."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from aggregator.models import (
    Back,
    Candidate,
    Head,
    ParsedEntry,
    PreparedEntry,
    PublishedEntry,
    PublishedStory,
    Unsettled,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def key(value: str) -> bytes:
    """A stand-in for the hash of a folded text."""
    return hashlib.blake2b(value.encode(), digest_size=8).digest()


def prepared(**said: Any) -> PreparedEntry:
    """A prepared entry of these parsed fields."""
    fields: dict[str, Any] = {"id": "1", "link": "http://example.org/1", "title": "Title", "content": "text"} | said
    entry = ParsedEntry(**fields)
    stored = repr(replace(entry, id=None, published=None, updated=None)).encode()
    return PreparedEntry(
        entry=entry,
        canonical=entry.link,
        title_key=key(entry.title),
        text_key=key(entry.content),
        digest=hashlib.blake2b(stored, digest_size=16).digest(),
    )


def unsettled(**said: Any) -> Unsettled:
    """An entry that waits for its story."""
    fields: dict[str, Any] = {
        "row": 1,
        "source": 1,
        "source_name": "A",
        "entry_id": "1",
        "canonical": "http://example.org/1",
        "title": "Title",
        "title_key": key("Title"),
        "published": NOW,
        "back": Back.ANNOUNCED,
        "terms": (),
    }
    return Unsettled(**fields | said)


def candidate(**said: Any) -> Candidate:
    """A settled entry with the same link."""
    fields: dict[str, Any] = {"row": 9, "source": 2, "story": 5, "title_key": key("Title"), "published": NOW}
    fields |= {"published_id": "urn:x-test:9", "announced": True}
    return Candidate(**fields | said)


def published(**said: Any) -> PublishedEntry:
    """An entry as a subscriber sees it."""
    fields: dict[str, Any] = {
        "id": "tag:example.org,2026:1",
        "title": "标题 & <b>title</b>",
        "link": "http://example.org/1?a=1&b=2",
        "summary": "<p>summary</p>",
        "content": "<p>正文 &amp; text</p>",
        "author": "记者",
        "rights": "© someone",
        "language": "zh-Hans",
        "published": NOW,
        "updated": NOW + HOUR,
        "enclosures": (),
        "source_name": "source",
        "source_url": "http://example.org/feed.xml",
        "source": Head(id="urn:feed", title="Source", link="http://example.org/", updated=NOW, rights="© source"),
        "terms": ("tech",),
    }
    return PublishedEntry(**fields | said)


def story(seq: int, **said: Any) -> PublishedStory:
    """A row of the publication log."""
    return PublishedStory(seq, NOW, published(id=f"tag:example.org,2026:{seq}", **said))
