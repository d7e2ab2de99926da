"""Markup → texts and tags, in linear time, as a browser would cut it; words that are no HTML element stay text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from html.entities import html5
from itertools import islice
from typing import NamedTuple

# Caps: what is beyond them is left out. Real articles stay far below.
_MAX_LENGTH = 512 * 1024
_MAX_TOKENS = 10_000
_MAX_ATTRIBUTES = 64
_MAX_REFERENCES = 50_000  # nh3 takes quadratic time for them


def names(listed: str) -> frozenset[str]:
    """A set of names, written as a sentence of them."""
    return frozenset(listed.split())


BLOCKS = names("blockquote dd details div dl dt figcaption figure h1 h2 h3 h4 h5 h6 hr li ol p pre summary table ul")
# Elements that are written as another one, most of them because that is what they do to the text around them.
RENAMED = {
    **dict.fromkeys(names("address article aside center fieldset footer form header hgroup legend"), "div"),
    **dict.fromkeys(names("main nav section"), "div"),
    **dict.fromkeys(names("dir menu"), "ul"),
    **dict.fromkeys(names("listing xmp"), "pre"),
    "acronym": "abbr",
    "image": "img",
    "strike": "s",
    "tt": "code",
}
# Left out with everything in them.
SKIPPED = names(
    "applet button canvas datalist iframe math noembed noframes object script select style svg template textarea title"
)
_END_OF_SKIPPED = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in SKIPPED}
# Of these one may stand within another, as an svg does in the foreignObject of an svg.
_NESTING = SKIPPED - names("iframe noembed noframes script style textarea title")
_TAG_OF_SKIPPED = {name: re.compile(rf"<(/?){name}(?=[\s/>])[^<>]*+", re.IGNORECASE) for name in _NESTING}
_FLOWING = names(
    "a abbr acronym audio b bdi bdo big blink br cite code del dfn em font i img image ins kbd label mark nobr q rb rp"
    " rt rtc ruby s samp small span strike strong sub sup time tt u var video wbr"
)
_OTHERS = names(
    "area base basefont bgsound body caption col colgroup command data dialog embed frame frameset head html input"
    " isindex keygen link map marquee meta meter noscript optgroup option output param picture plaintext progress"
    " search slot source spacer tbody td tfoot th thead tr track"
)
KNOWN = BLOCKS | RENAMED.keys() | SKIPPED | _FLOWING | _OTHERS

# XML 1.0 cannot carry these (section 2.2), or no text needs them: controls, surrogates, noncharacters.
# (Ranges beyond the first plane are slow to look through, so that the few characters there are looked at twice.)
_FORBIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U00010000-\U0010ffff](?<!["
    + "".join(f"{chr(plane << 16)}-{chr(plane << 16 | 0xFFFD)}" for plane in range(1, 17))
    + "])"
)
_CDATA = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL)
# Linear: every repetition is possessive or in an atomic group, and a `<` outside quotes ends a tag.
TOKEN = re.compile(
    r"""<!--(?:-?>|.*?(?:--!?>|\Z)) | <[!?][^>]*+(?:>|\Z)
    | <(?P<end>/?)(?P<name>[a-zA-Z][^\s/<>]*+)
      (?P<attributes>
        (?>(?:[\s/]++|=?[^\s/<>=]++(?>(?:\s*+=\s*+(?>(?:"[^"]*+"|'[^']*+'|[^\s"'<>][^\s<>]*+)?))?)|=)*)
      )
      (?P<close>>|(?=<)|\Z)""",
    re.DOTALL | re.VERBOSE,
)
# Tags that need no guessing, as most are. They have few attributes: a parser compares each with all others of its tag.
PLAIN_ATTRIBUTES = r"""(?>(?:[ \n\t]++[a-zA-Z_:][a-zA-Z0-9_:.-]*+(?>(?:="[^"<>]*+"|='[^'<>]*+')?)){0,20})[ \n\t]*+/?"""
PLAIN_TAG = re.compile(rf"<(/?)([a-z][a-z0-9]*+){PLAIN_ATTRIBUTES}>")
_ATTRIBUTE = re.compile(r"""(=?[^\s/<>=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>][^\s<>]*))?)?""")
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")


class Tag(NamedTuple):
    """A start or end tag; `markup` is its attributes as written."""

    name: str
    end: bool
    markup: str

    def attributes(self) -> dict[str, str]:
        """Names in lower case, values decoded; the first of a name counts, and so many as the cap allows."""
        found: dict[str, str] = {}
        for match in islice(_ATTRIBUTE.finditer(self.markup), _MAX_ATTRIBUTES):
            found.setdefault(match[1].lower(), without_forbidden(decoded(match[2] or match[3] or match[4] or "")))
        return found


def bounded(markup: str) -> str:
    """`markup` within the caps, without characters that must not be published, CDATA sections opened."""
    markup = without_forbidden(markup[:_MAX_LENGTH])
    if markup.count("&") > _MAX_REFERENCES:
        markup = "&".join(markup.split("&", _MAX_REFERENCES)[:-1])
    return _CDATA.sub(r"\1", markup) if "<![CDATA[" in markup else markup


def without_forbidden(text: str) -> str:
    """`text` without characters that must not be published; line breaks are line feeds."""
    if text.isprintable():
        return text
    return _FORBIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def decoded(text: str) -> str:
    """`text` with its character references read once: those that end in `;`, so that `?a=1&copy=2` stays."""
    return _REFERENCE.sub(_character, text) if "&" in text else text


def tokens(markup: str) -> Iterator[str | Tag]:
    """The texts (references not decoded) and tags of `markup` in order, without comments and skipped elements."""
    start = position = 0
    unclosed = _Unclosed(set(), set())
    strange: set[str] = set()  # names that are no element's, but had attributes
    for _ in range(_MAX_TOKENS):
        match = TOKEN.search(markup, position)
        if match is None:
            yield markup[start:]
            return
        if match["name"] and not is_tag(match) and not (match["end"] and match["name"].lower() in strange):
            position = match.end("name")
            continue
        if match.start() > start:
            yield markup[start : match.start()]
        start = position = match.end()
        if match["name"]:
            tag = Tag(match["name"].lower(), bool(match["end"]), match["attributes"])
            if tag.name not in KNOWN:
                strange.add(tag.name)
            if tag.name not in SKIPPED:
                yield tag
            elif tag.name not in unclosed.endless:
                start = position = _after_skipped(markup, tag, position, unclosed)


def is_tag(match: re.Match[str]) -> bool:
    """Whether what looks like a tag is one: an element of HTML or a name that only markup has, and not cut short."""
    name, attributes = match["name"].lower(), match["attributes"]
    if not match["close"]:
        return name in KNOWN and ("=" in attributes or not attributes.strip())
    return name in KNOWN or "-" in name or ":" in name or "=" in attributes


class _Unclosed(NamedTuple):
    """Names of skipped elements for which markup holds no end tag any more, or too few: no scan is repeated."""

    endless: set[str]
    unbalanced: set[str]


def _after_skipped(markup: str, tag: Tag, position: int, unclosed: _Unclosed) -> int:
    """Where the element that `tag` starts is over: at its end tag, or at once if it has none."""
    if tag.end or tag.markup.endswith("/"):
        return position
    end = _end_of_skipped(markup, tag.name, position, unclosed)
    if end:
        return end.start()
    unclosed.endless.add(tag.name)
    return len(markup) if tag.name in ("script", "style") else position


def _end_of_skipped(markup: str, name: str, position: int, unclosed: _Unclosed) -> re.Match[str] | None:
    """The end tag of an element; where some of its name have none, the first end tag of the name."""
    if name in _NESTING and name not in unclosed.unbalanced:
        level = 1
        for tag in _TAG_OF_SKIPPED[name].finditer(markup, position):
            if not tag[0].endswith("/"):
                level += -1 if tag[1] else 1
            if level == 0:
                return tag
        unclosed.unbalanced.add(name)
    return _END_OF_SKIPPED[name].search(markup, position)


def _character(reference: re.Match[str]) -> str:
    name = reference.group()
    return unescape(name) if name[1] == "#" or name[1:] in html5 else name
