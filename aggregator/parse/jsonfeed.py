"""JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1), read without trust: a wrong type counts as absent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from datetime import datetime, tzinfo
from functools import partial
from html import escape
from typing import Any

from aggregator import errors, html, text, urls
from aggregator.models import Enclosure, Head, ParsedEntry, ParsedFeed
from aggregator.parse import dates

_LONGEST_TITLE = 1000  # characters
_MOST_ATTACHMENTS = 20


def looks_like(document: str) -> bool:
    """Whether this is JSON rather than XML."""
    return document.lstrip()[:1] in ("{", "[")


def read(
    document: str, encoding: str, url: str, zone: tzinfo | None, seen: Collection[bytes], version: bytes
) -> ParsedFeed:
    """The feed with the entries whose hash is not in `seen`; raises ParseError when it is no JSON Feed."""
    try:
        feed = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise errors.ParseError(f"the document is no JSON: {error}") from error
    if not isinstance(feed, dict) or not isinstance(feed.get("items"), list):
        raise errors.ParseError("this JSON is no JSON Feed: it has no list of items")
    items = [item for item in feed["items"] if isinstance(item, dict)]
    hashes = [_hash(item, version) for item in items]
    new = [item for item, digest in zip(items, hashes, strict=True) if digest not in seen]
    return ParsedFeed(
        format="json",
        encoding=encoding,
        head=_head(feed, url),
        entries=tuple(_entry(item, url, zone) for item in new),
        hashes=b"".join(hashes),
    )


def _hash(item: dict[str, Any], version: bytes) -> bytes:
    said = json.dumps(item, sort_keys=True, ensure_ascii=True).encode()
    return hashlib.blake2b(said, digest_size=8, key=version).digest()


def _head(feed: dict[str, Any], url: str) -> Head:
    return Head(
        id=urls.join(url, _text(feed, "feed_url")) if feed.get("feed_url") else None,
        title=text.one_line(_text(feed, "title")) or None,
        link=urls.join(url, _text(feed, "home_page_url")) if feed.get("home_page_url") else None,
        author=_authors(feed) or None,
        language=text.language_tag(_text(feed, "language")),
    )


def _entry(item: dict[str, Any], url: str, zone: tzinfo | None) -> ParsedEntry:
    link = urls.join(url, _text(item, "url") or _text(item, "external_url")) if _has_link(item) else None
    base = link or url
    published, updated = _date(item, "date_published", zone), _date(item, "date_modified", zone)
    return ParsedEntry(
        id=text.one_line(_text(item, "id")) or None,
        link=link,
        title=text.one_line(html.title(_text(item, "title")))[:_LONGEST_TITLE].rstrip(),
        summary=escape(text.clean(_text(item, "summary")), quote=False),
        content=_content(item, base),
        author=_authors(item),
        language=text.language_tag(_text(item, "language")),
        published=published or updated,
        updated=updated,
        enclosures=tuple(_attachments(item, base)),
        image=urls.join(base, _text(item, "image")) if item.get("image") else None,
        repairs=() if link else ("link:none",),
    )


def _has_link(item: dict[str, Any]) -> bool:
    return bool(_text(item, "url") or _text(item, "external_url"))


def _content(item: dict[str, Any], base: str) -> str:
    if markup := _text(item, "content_html"):
        return text.clean(html.sanitize(markup, partial(urls.link, base), partial(urls.join, base)))
    return "<br>".join(escape(text.clean(_text(item, "content_text")), quote=False).splitlines())


def _attachments(item: dict[str, Any], base: str) -> list[Enclosure]:
    listed = item.get("attachments")
    found = []
    for attachment in listed[:_MOST_ATTACHMENTS] if isinstance(listed, list) else ():
        if isinstance(attachment, dict) and (address := urls.join(base, _text(attachment, "url"))):
            size = attachment.get("size_in_bytes")
            length = int(size) if isinstance(size, int | float) and 0 <= size < 1e15 else None
            found.append(Enclosure(address, text.one_line(_text(attachment, "mime_type")), length))
    return found


def _authors(said: dict[str, Any]) -> str:
    listed = said.get("authors")
    people = list(listed) if isinstance(listed, list) else []
    people.append(said.get("author"))  # JSON Feed 1.0
    names = [text.one_line(_text(person, "name")) for person in people if isinstance(person, dict)]
    return ", ".join(dict.fromkeys(filter(None, names)))


def _date(item: dict[str, Any], key: str, zone: tzinfo | None) -> datetime | None:
    value = _text(item, key)
    return dates.read(value, zone) if value else None


def _text(said: dict[str, Any], key: str) -> str:
    value = said.get(key)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
