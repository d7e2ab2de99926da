"""Subscription lists as OPML 1.0, 1.1 and 2.0 (opml.org/spec2.opml). Pure.

A list is read tag by tag and not as XML, because what must not be lost are its `outline` tags: bare `&` and `<`, lost
quotes and end tags, or a document cut off in the middle cost at most the name of the outline where they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lxml import etree

from aggregator import text
from aggregator.html.tokens import decoded
from aggregator.models import Source
from aggregator.parse import decoding

# Folders that an outline is told to be in: the innermost ones, so that hostile nesting costs no square.
_MAX_FOLDERS = 16
_FEED_TYPES = frozenset(("rss", "atom", "rdf", "feed"))

# No value goes on beyond the next tag of the list, whatever became of its closing quote.
_NEXT = r"</?(?:[\w-]+:)?(?:outline|body|opml)(?=[\s/>])"
_TAG = re.compile(
    rf"""< (?P<end>/)? (?:[\w-]+:)? outline (?=[\s/>])
         (?: (?P<attributes>
                (?> (?: [^<>"']++ | "(?>(?:[^"<]|<(?!{_NEXT[1:]}))*)" | '(?>(?:[^'<]|<(?!{_NEXT[1:]}))*)' )* )
             ) >
           | (?P<torn> (?> (?: [^<] | <(?!{_NEXT[1:]}) )* ) ) )""",
    re.IGNORECASE | re.VERBOSE,
)
_WELLFORMED = re.compile(r"""(?>(?:\s*+[^\s=<>"'/]++\s*+=\s*+(?:"[^"]*+"|'[^']*+'))*)\s*+""")
_ATTRIBUTE = re.compile(r"""([^\s=<>"'/]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_KNOWN = re.compile(
    r"""(?:^|(?<=[\s"']))(text|title|type|xmlurl|htmlurl|url|description|language|version|category)\s*=\s*""",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"""(["'])(.*?)\1(?=[\s/>]|\Z)""", re.DOTALL)
_TAIL = re.compile(r"\s*/?>.*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Outline:
    """One subscription as its list says it. `folders` are those around it, outermost first; any text may be empty."""

    name: str
    url: str
    folders: tuple[str, ...] = ()
    language: str = ""


def read(document: bytes) -> Iterator[Outline]:
    """Every outline of a list that has an address, or says that it is a feed and has none; nothing is ever raised."""
    folders: list[str] = []
    for tag in _TAG.finditer(_without_comments(decoding.decode(document, None).text)):
        if tag["end"]:
            del folders[-1:]
            continue
        written, closed = _contents(tag)
        attributes = _attributes(written)
        outline = _outline(attributes, tuple(filter(None, folders[-_MAX_FOLDERS:])), closed)
        if outline:
            yield outline
        if not closed:
            folders.append("" if outline else _name(attributes))


def _without_comments(document: str) -> str:
    """`document` without its comments; one that is never closed is none, so that nothing after it is lost."""
    end = document.rfind("-->") + len("-->")
    return re.sub(r"<!--.*?-->", "", document[:end], flags=re.DOTALL) + document[end:]


def _contents(tag: re.Match[str]) -> tuple[str, bool]:
    """The attributes of a start tag as written, and whether it closes itself."""
    torn: str | None = tag["torn"]
    if torn is not None:
        return torn, "/>" in torn
    written: str = tag["attributes"].rstrip()
    return written.removesuffix("/"), written.endswith("/")


def _attributes(written: str) -> dict[str, str]:
    """Attributes by name in lower case, the first of a name; well-formed ones exactly, others as far as they go."""
    found: dict[str, str] = {}
    if _WELLFORMED.fullmatch(written):
        for name, double, single in _ATTRIBUTE.findall(written):
            found.setdefault(name.lower(), decoded(double or single))
        return found
    marks = list(_KNOWN.finditer(written))
    ends = [*(mark.start() for mark in marks[1:]), len(written)]
    for mark, end in zip(marks, ends, strict=False):
        found.setdefault(mark[1].lower(), decoded(_unquoted(written[mark.end() : end])))
    return found


def _unquoted(value: str) -> str:
    """What was meant by a value whose quotes may be missing."""
    if quoted := _QUOTED.match(value):
        return quoted[2]
    return _TAIL.sub("", value).strip().strip("\"'")


def _outline(attributes: Mapping[str, str], folders: tuple[str, ...], closed: bool) -> Outline | None:
    """The subscription of an outline, None for a folder or a note."""
    is_feed = attributes.get("type", "").strip().lower() in _FEED_TYPES
    address = attributes.get("xmlurl")
    if address is None and is_feed:
        address = attributes.get("url", "" if closed else None)
    if address is None:
        return None
    return Outline(_name(attributes), address.strip(), folders, attributes.get("language", "").strip())


def _name(attributes: Mapping[str, str]) -> str:
    return text.one_line(attributes.get("text", "")) or text.one_line(attributes.get("title", ""))


def write(title: str, sources: Sequence[Source], labels: Mapping[str, str]) -> bytes:
    """An OPML 2.0 document of these sources: first those without a category, then a folder for each of `labels` (by
    term) that has any. A source of several categories stands in the folder of each.
    """
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = text.clean(title)
    body = etree.SubElement(root, "body")
    for source in sources:
        if not source.categories:
            _write(body, source)
    for term, label in labels.items():
        members = [source for source in sources if term in source.categories]
        if members:
            folder = etree.SubElement(body, "outline", text=text.clean(label))
            for source in members:
                _write(folder, source)
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True))


def _write(parent: etree._Element, source: Source) -> None:
    name = text.clean(source.name)
    outline = etree.SubElement(parent, "outline", type="rss", text=name, title=name, xmlUrl=text.clean(source.shown))
    if source.language:
        outline.set("language", source.language)
