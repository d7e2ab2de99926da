"""What markup names: the feeds of a page, the picture of an entry."""

from __future__ import annotations

import re
from collections.abc import Callable

from aggregator.html.tokens import PLAIN_ATTRIBUTES, Tag, bounded, decoded, names, tokens

Join = Callable[[str | None, str], str | None]

# Of each kind.
_MAX_FEEDS = 50
# An image with a shorter side is a spacer, an emoji or an avatar.
_MIN_SIDE = 64

_IMAGE = re.compile(f"<img({PLAIN_ATTRIBUTES})>")
_FEED_TYPES = names(
    "application/atom application/atom+xml application/feed+json application/rdf+xml application/rss"
    " application/rss+xml application/x-atom+xml application/x-rss+xml application/xml text/rss text/rss+xml text/xml"
)
# What programs put before a feed's address so that a reader opens it.
_FEED_SCHEME = re.compile(r"\s*feed:(?=//|https?:)", re.IGNORECASE)
_RELATIONS = names("alternate feed service.feed")
_FEED_PATH = re.compile(
    r"https?://[^/]+[^?#]*?(?:/(?:feeds?|rss|atom|rdf)(?:/[^/?#]*)?/?|\.(?:rss|atom|rdf)"
    r"|/(?:rss|atom|feed|index)[^/?#]*\.(?:xml|json))(?:[?#].*)?",
    re.IGNORECASE | re.DOTALL,
)


def feeds(markup: str, base: str | None, join: Join) -> list[tuple[str, str]]:
    """The feeds that an HTML page at `base` names, (absolute address, title), each once.

    Those that it declares (`link rel=alternate`) come first, then links whose address looks like a feed's. `join`
    makes a reference absolute; the page's own `base` element counts.
    """
    declared: dict[str, str] = {}
    linked: dict[str, str] = {}
    anchor: str | None = None
    for token in tokens(bounded(markup)):
        if isinstance(token, str):
            if anchor:
                linked[anchor] = " ".join(f"{linked[anchor]} {decoded(token)}".split())
        elif token.name == "base":
            base = join(base, token.attributes().get("href", "")) or base
        elif token.name == "link":
            _declare(token.attributes(), base, join, declared)
        elif token.name == "a":
            anchor = None if token.end else _feed_link(token.attributes(), base, join, linked)
    return list((declared | {address: name for address, name in linked.items() if address not in declared}).items())


def first_image(safe: str) -> str | None:
    """The address of the first picture in sanitised markup; small images are none."""
    for image in _IMAGE.finditer(safe):
        attributes = Tag("img", False, image[1]).attributes()
        sides = (attributes.get(side, "") for side in ("width", "height"))
        if "src" in attributes and not any(side.isdigit() and int(side) < _MIN_SIDE for side in sides):
            return attributes["src"]
    return None


def _declare(attributes: dict[str, str], base: str | None, join: Join, declared: dict[str, str]) -> None:
    kind = attributes.get("type", "").partition(";")[0].strip().lower()
    relations = attributes.get("rel", "").lower().split()
    is_feed = kind in _FEED_TYPES and not _RELATIONS.isdisjoint(relations)
    if not (is_feed or (not kind and "feed" in relations)) or len(declared) >= _MAX_FEEDS:
        return
    address = join(base, _FEED_SCHEME.sub("", attributes.get("href", "")))
    if address:
        declared.setdefault(address, " ".join(attributes.get("title", "").split()))


def _feed_link(attributes: dict[str, str], base: str | None, join: Join, linked: dict[str, str]) -> str | None:
    """The address that was added to `linked`, whose title is the text to come; None if it is no new feed's."""
    address = join(base, _FEED_SCHEME.sub("", attributes.get("href", "")))
    if address is None or address in linked or len(linked) >= _MAX_FEEDS or not _FEED_PATH.fullmatch(address):
        return None
    linked[address] = ""
    return address
