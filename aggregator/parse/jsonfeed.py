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
from aggregator.parse import credits, cut, dates, loosejson

_LONGEST_TITLE = 1000  # characters
_MOST_ATTACHMENTS = 20

_MOST_DIGITS = 1000  # of a number that says something

_DECODER = json.JSONDecoder(strict=False)  # which reads line breaks within a text
# Half as fast: for documents with a number that Python refuses to read.
_LENIENT = json.JSONDecoder(strict=False, parse_int=lambda digits: _integer(digits))


def looks_like(document: str) -> bool:
    """Whether this is JSON rather than XML."""
    return document.lstrip()[:1] in ("{", "[")


def read(
    document: str, encoding: str, url: str, zone: tzinfo | None, seen: Collection[bytes], version: bytes, most: int
) -> ParsedFeed:
    """The feed with the entries whose hash is not in `seen`, `most` at the most; raises ParseError when it is no JSON
    Feed."""
    feed, whole, repairs = _decoded(document.lstrip())
    if not isinstance(feed, dict) or not isinstance(feed.get("items"), list):
        raise errors.ParseError("this JSON is no JSON Feed: it has no list of items")
    items = [item for item in feed["items"] if isinstance(item, dict)]
    keep, hashes = cut.unseen([_hash(item, version) for item in items], seen, most)
    return ParsedFeed(
        format="json",
        encoding=encoding,
        head=_head(feed, url),
        entries=tuple(_entry(items[place], url, zone, repairs) for place in keep),
        hashes=hashes,
        complete=whole,
    )


def _decoded(document: str) -> tuple[Any, bool, tuple[str, ...]]:
    """What the document says, whether it has an end, and the repairs that its entries bear. A mended one is a feed, or
    it is no JSON."""
    for decoder in (_DECODER, _LENIENT):
        try:
            return decoder.raw_decode(document)[0], True, ()
        except (ValueError, RecursionError) as error:
            refused = error
    said, whole = loosejson.read(document, _integer)
    if not isinstance(said, dict) or not isinstance(said.get("items"), list):
        raise errors.ParseError(f"the document is no JSON: {refused}") from refused
    return said, whole, ("document:mended",)


def _integer(digits: str) -> int | None:
    """The number, if it has no more digits than Python reads."""
    return int(digits) if len(digits) < _MOST_DIGITS else None


def _hash(item: dict[str, Any], version: bytes) -> bytes:
    try:
        said = json.dumps(item, sort_keys=True, ensure_ascii=True)
    except RecursionError:  # what is just not too deep to be read may be too deep to be written
        flat = {key: value for key, value in item.items() if not isinstance(value, list | dict)}
        said = json.dumps(flat, sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(said.encode(), digest_size=8, key=version).digest()


def _head(feed: dict[str, Any], url: str) -> Head:
    return Head(
        id=urls.join(url, _text(feed, "feed_url")) if feed.get("feed_url") else None,
        title=text.one_line(_text(feed, "title")) or None,
        link=urls.join(url, _text(feed, "home_page_url")) if feed.get("home_page_url") else None,
        author=_authors(feed) or None,
        language=text.language_tag(_text(feed, "language")),
    )


def _entry(item: dict[str, Any], url: str, zone: tzinfo | None, repairs: tuple[str, ...]) -> ParsedEntry:
    link = _link(item, url)
    base = link or url
    published, updated = _date(item, "date_published", zone), _date(item, "date_modified", zone)
    content, summary = _content(item, base), escape(text.clean(_text(item, "summary")), quote=False)
    return ParsedEntry(
        id=text.one_line(_text(item, "id")) or None,
        link=link,
        title=text.one_line(html.title(_text(item, "title")))[:_LONGEST_TITLE].rstrip(),
        summary=summary,
        content=content,
        author=_authors(item) or credits.author(html.plain(content or summary)),
        language=text.language_tag(_text(item, "language")),
        published=published or updated,
        updated=updated,
        enclosures=tuple(_attachments(item, base)),
        image=_image(item, base) or html.first_image(content),
        duration=_duration(item),
        repairs=repairs if link else (*repairs, "link:none"),
    )


def _link(item: dict[str, Any], url: str) -> str | None:
    """The item's page; its id, which is ideally that address, where it names none."""
    named = (urls.join(url, said) for key in ("url", "external_url") if (said := _text(item, key)))
    return next(filter(None, named), None) or urls.join(None, _text(item, "id"))


def _content(item: dict[str, Any], base: str) -> str:
    if markup := _text(item, "content_html"):
        return text.clean(html.sanitize(markup, partial(urls.link, base), partial(urls.join, base)))
    return "<br>".join(escape(text.clean(_text(item, "content_text")), quote=False).splitlines())


def _image(item: dict[str, Any], base: str) -> str | None:
    named = [_text(item, key) for key in ("image", "banner_image")]
    named += [_text(each, "url") for each in _listed(item) if _text(each, "mime_type").startswith("image/")]
    return next((found for said in named if said and (found := urls.join(base, said))), None)


def _listed(item: dict[str, Any]) -> list[dict[str, Any]]:
    listed = item.get("attachments")
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _duration(item: dict[str, Any]) -> int | None:
    """Seconds of the first attachment that says how long it is."""
    said = (_number(attachment.get("duration_in_seconds")) for attachment in _listed(item))
    return next((seconds for seconds in said if seconds), None)


def _number(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and 0 <= value < 1e15 else None


def _attachments(item: dict[str, Any], base: str) -> list[Enclosure]:
    found = []
    for attachment in _listed(item)[:_MOST_ATTACHMENTS]:
        if address := urls.join(base, _text(attachment, "url")):
            kind, length = text.one_line(_text(attachment, "mime_type")), _number(attachment.get("size_in_bytes"))
            found.append(Enclosure(address, kind, length))
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
