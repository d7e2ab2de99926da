"""RSS, RDF and Atom documents (well-formed UTF-8 by now) through feedparser, and from its dictionaries to our values.

feedparser's own sanitiser and link resolver are off: the first is bypassable, and both are slow. Base addresses
(xml:base) come with each text as `base`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, tzinfo
from functools import partial
from html import escape
from typing import Any

import feedparser.api

from aggregator import errors, html, text, urls
from aggregator.models import Enclosure, Head, ParsedEntry, ParsedFeed
from aggregator.parse import credits, dates, sax

_HTML_TYPES = ("text/html", "application/xhtml+xml", "html", "xhtml")
_RDF = ("rss090", "rss10")
_LONGEST_TITLE = 1000  # characters
_MOST_ENCLOSURES = 20

# Before libxml2, too, which feedparser takes where it is installed: caps would not be ours, and to look for it in vain
# costs 60 µs a document.
feedparser.api.PREFERRED_XML_PARSERS.insert(0, "aggregator.parse.sax")

# feedparser joins some addresses by itself, guids among them. Were that to the feed's own address, an entry's identity
# would hang on it; so there is none, which also saves a fifth of the time. But then feedparser would carry one
# element's xml:base on into the next: documents that have one get a base that nobody has, and `_said` takes it off
# again.
_NO_HOST = "http://base.invalid"
_NO_BASE = f"{_NO_HOST}/-/"
_IANA = "http://www.iana.org/assignments/relation/"
_PICTURE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif)(?:[?#]|$)", re.IGNORECASE)
# What shows something without a word; and how long sanitised markup may be that shows nothing at all.
_SHOWN = re.compile(r"<(?:img|video|audio|source) ")
_LONGEST_NOTHING = 200
_SETS_BASE = re.compile(rb"base(?<=[\s:]base)\s*=\s*[\"']")


def sets_base(document: bytes) -> bool:
    """Whether any element of the document says what its relative addresses are relative to."""
    return _SETS_BASE.search(document) is not None


def read(
    document: bytes, encoding: str, url: str, zone: tzinfo | None, repairs: tuple[str, ...], hashes: bytes, based: bool
) -> ParsedFeed:
    """Every entry of the document, in its order. `format` is empty when feedparser saw no feed.

    `based`: whether it, or the document that it was cut from, `sets_base`.
    """
    headers = {"content-type": "application/xml; charset=utf-8"}
    if based:
        headers["content-location"] = _NO_BASE
    try:
        parsed = feedparser.parse(
            io.BytesIO(document),  # bytes alone could be taken for a file's name
            response_headers=headers,
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except Exception as error:  # feedparser lets many kinds through on hostile input
        raise errors.ParseError(f"the document cannot be read ({type(error).__name__}: {error})") from error
    head = _head(parsed.feed, url, zone)
    site = _join(url, parsed.feed.get("link")) or url
    # A plain dict has none of feedparser's aliases, which cost time at each look.
    entries = tuple(_entry(dict(raw), parsed.version, url, site, zone, repairs) for raw in parsed.entries)
    return ParsedFeed(parsed.version, encoding, head, entries, hashes)


def without_hashes(feed: ParsedFeed) -> ParsedFeed:
    """The same feed, of which the next document is read whole."""
    return replace(feed, hashes=b"")


def _head(feed: Any, url: str, zone: tzinfo | None) -> Head:
    return Head(
        id=text.one_line(_said(feed.get("id"))) or None,
        title=_plain(feed, "title") or None,
        link=_first_link(feed, url),
        updated=_date(feed, ("updated", "published"), zone),
        author=_author(feed) or None,
        rights=_plain(feed, "rights") or None,
        language=text.language_tag(feed.get("language")),
    )


def _entry(raw: Any, version: str, url: str, site: str, zone: tzinfo | None, repairs: tuple[str, ...]) -> ParsedEntry:
    # feedparser has joined to an xml:base what that is the base of; a relative one is relative to the document alone.
    based = bool(_said(_said_of(raw, "title_detail").get("base")))
    link, link_repairs = _link(raw, version, url if based else site)
    page = url if based else link or url
    content, summary = _texts(raw, version, url, page)
    published = _date(raw, ("published", "created", "prism_publicationdate"), zone)
    updated = _date(raw, ("updated",), zone)
    if published is None and updated is None and not raw.keys().isdisjoint(("published", "updated", "created")):
        link_repairs += ("date:unreadable",)
    return ParsedEntry(
        id=text.one_line(_said(raw.get("id"))) or None,
        link=link,
        title=_title(raw, version),
        summary="" if summary == content else summary,
        content=content,
        author=_author(raw) or _author(_said_of(raw, "source")) or credits.author(html.plain(content or summary)),
        rights=_plain(raw, "rights"),
        language=text.language_tag(raw.get("language") or _said_of(raw, "title_detail").get("language")),
        published=published or updated,
        updated=updated,
        enclosures=tuple(_enclosures(raw, page)),
        image=_image(raw, content, summary, page),
        duration=_duration(raw.get("itunes_duration")),
        episode=text.one_line(str(raw.get("itunes_episode") or _written(raw, "podcast_episode")))[:20] or None,
        repairs=(*repairs, *link_repairs),
    )


# ---------------------------------------------------------------------------------------------------- links


def _link(raw: Any, version: str, base: str) -> tuple[str | None, tuple[str, ...]]:
    """The entry's page: the publisher's own link behind a proxy, the alternate (HTML first), a permalink guid (what RDF
    is about is one), any link.
    """
    original = raw.get("feedburner_origlink")
    if found := _join(base, original):
        return found, ()
    for link in sorted(_listed(raw, "links"), key=_link_rank):
        if _link_rank(link) < 9 and (found := _join(base, link.get("href"))):
            return found, ()
    if (found := _join(base, raw.get("link"))) and not raw.get("guidislink"):
        return found, ()
    is_permalink = "guidislink" in raw and sax.NO_PERMALINK not in raw
    if (is_permalink or version in _RDF) and (found := _permalink(base, _said(raw.get("id")))):
        return found, ("link:guid",)
    for link in sorted(_listed(raw, "links"), key=_is_enclosed):
        if found := _join(base, link.get("href")):
            return found, (f"link:{_relation(link)}",)
    return None, ("link:none",)


def _permalink(base: str, guid: str) -> str | None:
    """The page that a guid names which is said to be a permalink, as any is that nobody says anything of."""
    return _join(base, guid) if "://" in guid or guid.startswith("/") else None


def _said(address: Any) -> str:
    """The address as the document said it, without the base that feedparser joined it to."""
    value = str(address or "")
    if value.startswith(_NO_BASE):
        return value.removeprefix(_NO_BASE)
    return value.removeprefix(_NO_HOST)


def _join(base: str, address: Any) -> str | None:
    """The absolute address, or None where nothing usable was said."""
    said = _said(address)
    return urls.join(base, said) if said else None


def _link_rank(link: Any) -> int:
    if _relation(link) != "alternate":
        return 9
    return 0 if "html" in (link.get("type") or "html") else 1


def _relation(link: Any) -> str:
    """What a link leads to. IANA's names may be written as addresses (RFC 4287, section 4.2.7.2); some programs write
    them in capitals, or two of them as HTML does."""
    words = str(link.get("rel") or "").lower().removeprefix(_IANA).split()
    return "alternate" if not words or "alternate" in words else words[0]


def _first_link(feed: Any, url: str) -> str | None:
    for link in sorted(_listed(feed, "links"), key=_link_rank):
        if _link_rank(link) < 9 and (found := _join(url, link.get("href"))):
            return found
    return _join(url, feed.get("link"))


def _enclosures(raw: Any, base: str) -> Iterator[Enclosure]:
    found: set[str] = set()
    links = [link for link in _listed(raw, "links") if _is_enclosed(link)]
    listed = [(link.get("href"), _kind(link), link.get("length")) for link in links]
    listed += [
        (media.get("url"), media.get("type") or media.get("medium"), media.get("filesize"))
        for media in _listed(raw, "media_content")
        if media.get("medium") != "image"  # that is the entry's own, nothing to play or to load
    ]
    for href, kind, length in listed:
        address = _join(base, href)
        if address and address not in found and len(found) < _MOST_ENCLOSURES:
            found.add(address)
            yield Enclosure(address, text.one_line(kind or ""), _number(length))


def _is_enclosed(link: Any) -> bool:
    return _relation(link) == "enclosure"


def _listed(raw: Any, name: str) -> list[Any]:
    """What feedparser lists under a name. (An element of that name, which it does not know, stands there as text.)"""
    listed = raw.get(name)
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _said_of(raw: Any, name: str) -> dict[str, Any]:
    said = raw.get(name)
    return said if isinstance(said, dict) else {}


def _written(raw: Any, name: str) -> str:
    """The text of an element that feedparser does not know. (Where it has attributes they stand there instead.)"""
    said = raw.get(name)
    return said if isinstance(said, str) else ""


def _number(value: Any) -> int | None:
    digits = str(value or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None


def _duration(value: Any) -> int | None:
    """Seconds of an itunes:duration: `1234`, `20:34` or `1:20:34`; fractions of one are left out."""
    parts = str(value or "").strip().partition(".")[0].split(":")
    if len(parts) > 3 or not all(part.isascii() and part.isdigit() and len(part) < 7 for part in parts):
        return None
    seconds = 0
    for part in parts:
        seconds = seconds * 60 + int(part)
    return seconds


def _is_picture(media: Any) -> bool:
    """Whether a media:content or an enclosure is a picture, by its medium, its type, or else its address: both are
    optional (Media RSS 1.5.1), and enclosures lack the type too."""
    medium, kind = media.get("medium"), (_kind(media) or "").lower()
    if medium or kind:
        return bool(medium == "image" or (not medium and kind.startswith("image/")))
    return _PICTURE.search(media.get("url") or media.get("href") or "") is not None


def _kind(enclosed: Any) -> Any:
    """The type that is said; text/html is what feedparser says of a link that has none."""
    kind = enclosed.get("type")
    return None if kind == "text/html" and "href" in enclosed else kind


def _is_pixel(media: Any) -> bool:
    """Whether a picture is too small to be seen: it only counts readers."""
    return any(_number(media.get(side)) in (0, 1) for side in ("width", "height"))


def _image(raw: Any, content: str, summary: str, base: str) -> str | None:
    media = _listed(raw, "media_thumbnail") + [each for each in _listed(raw, "media_content") if _is_picture(each)]
    listed = [each.get("url") for each in media if not _is_pixel(each)]
    listed += [_said_of(raw, "image").get("href"), _written(raw, sax.PICTURE)]
    listed += [link.get("href") for link in _listed(raw, "links") if _is_enclosed(link) and _is_picture(link)]
    for address in listed:
        if found := _join(base, address):
            return found
    return html.first_image(content) or html.first_image(summary)


# ---------------------------------------------------------------------------------------------------- texts


def _title(raw: Any, version: str) -> str:
    detail = _said_of(raw, "title_detail")
    value = raw.get("title") or _written(raw, "itunes_title")
    if version.startswith("atom") and detail.get("type") == "text/plain":
        return text.one_line(value)[:_LONGEST_TITLE].rstrip()
    return _line(value)


def _texts(raw: Any, version: str, url: str, page: str) -> tuple[str, str]:
    """Content and summary as safe HTML. Of several contents, HTML before text, then the longest; where there is none,
    what an episode is about for itunes, if that is longer than its description.
    """
    contents = sorted(
        _listed(raw, "content"), key=lambda c: (c.get("type") in _HTML_TYPES, len(c.get("value") or "")), reverse=True
    )
    summary = _said_of(raw, "summary_detail")
    about = _written(raw, sax.ITUNES_SUMMARY)
    if not summary.get("value"):  # of contents, feedparser makes itself a summary without a detail
        own = "" if contents else raw.get("summary")
        said = own or about or _written(raw, sax.INNER_DESCRIPTION) or raw.get("subtitle")
        summary = {"value": said, "type": "text/plain"}
    elif not contents and len(about) > len(summary["value"]):
        contents = [{"value": about, "type": "text/plain"}]
    content = _safe(contents[0], version, url, page) if contents else ""
    safe = _safe(summary, version, url, page)
    return ("" if safe and not _shows_something(content) else content), safe


def _shows_something(safe: str) -> bool:
    return len(safe) > _LONGEST_NOTHING or html.plain(safe) != "" or _SHOWN.search(safe) is not None


def _safe(detail: Any, version: str, url: str, page: str) -> str:
    value = detail.get("value") or ""
    if not value:
        return ""
    if version.startswith("atom") and detail.get("type") == "text/plain" and not _is_marked_up(value):
        value = "<br>".join(escape(value, quote=False).splitlines())
    base = _join(url, detail.get("base")) or page
    return text.clean(html.sanitize(value, partial(urls.link, base), partial(urls.join, base)))


def _is_marked_up(value: str) -> bool:
    """Whether a text that Atom calls plain, as one without a type is, is HTML from its first character to its last."""
    bare = value.strip()
    return bare.startswith("<") and bare.endswith(">") and not html.plain(bare).lstrip().startswith("<")


def _plain(raw: Any, key: str) -> str:
    return _line(raw.get(key) or "")


def _line(value: str) -> str:
    """One line of plain text from what may be HTML."""
    return text.one_line(html.title(value))[:_LONGEST_TITLE].rstrip() if value else ""


def _author(raw: Any) -> str:
    names = [author.get("name") or author.get("email") or "" for author in _listed(raw, "authors")]
    if not any(names):
        names = [raw.get("author") or ""]
    return ", ".join(dict.fromkeys(filter(None, map(_line, names))))[:_LONGEST_TITLE]


def _date(raw: Any, keys: tuple[str, ...], zone: tzinfo | None) -> datetime | None:
    for key in keys:
        # `in` first: asked for an absent `updated`, feedparser answers with `published` and a warning
        if key in raw and (found := dates.read(str(raw[key]), zone)):
            return found
    return None
