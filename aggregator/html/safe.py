"""Safe HTML for a published entry.

No parser sees hostile nesting (60,000 nested tags cost nh3 14 seconds). What `tidy` finds in order gets its addresses
only; of all else `_Writer` writes the tokens anew, allowed ones only, well-formed, not too deep, the way a browser's
parser would have understood them. That goes to nh3, which has the last word on what is allowed and finds its own normal
form: so sanitising twice changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from html import escape
from pathlib import Path
from typing import NamedTuple

import nh3

from aggregator.html.tidy import tidied
from aggregator.html.tokens import BLOCKS, PLAIN_ATTRIBUTES, RENAMED, Tag, bounded, names, tokens, without_forbidden

Resolve = Callable[[str], str | None]

_MAX_TAGS = 10_000
_MAX_DEPTH = 100

# What a browser opens again when a block closes its paragraph (HTML, "formatting").
_FORMATTING = names("a b code em i s small strong u")
_INLINE = _FORMATTING | names("abbr audio cite del dfn ins kbd mark q rp rt ruby samp sub sup time var video")
_VOID = names("br hr img source wbr")
_HEADINGS = names("h1 h2 h3 h4 h5 h6")
_LISTS = names("ul ol")
# How deep a part stands in its table. What is no part stands in cells and captions only.
_LEVELS = {"table": 0, "caption": 1, "thead": 1, "tbody": 1, "tfoot": 1, "tr": 2, "td": 3, "th": 3}
_CELLS = names("td th caption")
_FRAMES = _LEVELS.keys() - _CELLS
_ALLOWED = _INLINE | BLOCKS | _VOID | _LEVELS.keys()

# A new one of these ends the one that is open, unless something of the second set lies between (HTML, 13.2.6.4.7).
_ENDS_ITS_LIKE = {
    "p": (names("p"), _CELLS),
    "a": (names("a"), _CELLS),
    "li": (names("li"), (BLOCKS | _LEVELS.keys()) - names("div p li")),
    "dd": (names("dd dt"), (BLOCKS | _LEVELS.keys()) - names("div p dd dt")),
    "dt": (names("dd dt"), (BLOCKS | _LEVELS.keys()) - names("div p dd dt")),
}

# Attributes that are kept as written; `_NUMBERS` of them only where they are whole numbers.
_KEPT = {
    "a": ("title",),
    "abbr": ("title",),
    "audio": ("controls",),
    "details": ("open",),
    "dfn": ("title",),
    "img": ("alt", "title", "width", "height"),
    "li": ("value",),
    "ol": ("start", "reversed", "type"),
    "source": ("type",),
    "td": ("colspan", "rowspan"),
    "th": ("colspan", "rowspan", "scope"),
    "time": ("datetime",),
    "video": ("controls", "width", "height"),
}
_NUMBERS = names("colspan height rowspan start value width")
_ADDRESSES = {"a": ("href",), "audio": ("src",), "img": ("src",), "source": ("src",), "video": ("src", "poster")}
# Elements that are nothing without their first address.
_POINTLESS = names("a img source")
# Where pages that load images late keep the address, best first.
_LATE = (
    "data-src",
    "data-original",
    "data-lazy-src",
    "data-actualsrc",
    "data-original-src",
    "data-lazyload",
    "data-lazy",
    "data-echo",
    "data-url",
    "data-croporisrc",
    "zoomfile",
    "file",
)

_CLEANER = nh3.Cleaner(
    tags=set(_ALLOWED),
    # "*": none on every element; left out, it would be nh3's own list.
    attributes={
        "*": set(),
        **{name: {*_KEPT.get(name, ()), *_ADDRESSES.get(name, ())} for name in {*_KEPT, *_ADDRESSES}},
    },
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel=None,
)

_MARKUP = re.compile("[<>&\xa0]")
_NUMBER = re.compile(r"\s*([0-9]{1,5})(?:\.[0-9]+)?(?:px)?\s*")
# As browsers read a dimension: whatever follows the number is ignored.
_DIMENSION = re.compile(r"\s*([0-9]+)")
_TINY = re.compile(
    r"(?:^|[;\s])(?:max-)?(?:width|height)\s*:\s*"
    r"(?:0+(?:\.0*)?[a-z%]*|0*\.[0-9]+(?:px|pt|e[mx]|rem)|0*1(?:\.0*)?(?:px|pt)?)\s*(?:;|!|$)",
    re.IGNORECASE,
)
_HIDDEN = re.compile(r"(?:^|[;\s])display\s*:\s*none\s*(?:;|!|$)", re.IGNORECASE)
# What an image is called that is there to be asked for and not to be seen.
_NOTHING_TO_SEE = re.compile(
    r"[^?#]*/(?:1x1|1px|pixel|beacon|blank|clear|spacer|tracker|tracking|transparent)\.(?:gif|png)(?:[?#]|\Z)",
    re.IGNORECASE,
)
# Of a srcset, without how wide it is; a comma within an address has no blank behind it.
_CANDIDATE = re.compile(r"(?:^|,\s)\s*([^\s,]\S*[^\s,])")
_ADDRESS_LIKE = re.compile(r"[^\s{\[<][^\s{<]*[./][^\s{<]*")
# nh3 takes quadratic time for a run of them.
_BARE_AMPERSAND = re.compile("&(?![a-zA-Z#])")
# An element whose address nh3 did not believe, and which is nothing without it: it goes when all is written once more.
# (The address is written first, and nh3 keeps the order.)
_LOST = re.compile(r'<(?:a(?! href=")|(?:img|source)(?! src="))[ >]')
# A parser drops the first line feed of a pre, so that one must not be written.
_PRE_START = re.compile(r"<pre>\n+")


def sanitize(markup: str, link: Resolve, media: Resolve) -> str:
    """`markup` as HTML that is safe to publish; sanitising it again changes nothing.

    `link` makes an `href` absolute, `media` the address of an image, sound or film; what they give None for is left
    out. Text that is no HTML (`a < b`, `AT&T`) stays, late images get their address back, tracking pixels go.
    """
    markup = bounded(markup)
    if not _MARKUP.search(markup):
        return markup
    safe = _sanitized(markup, link, media)
    return _sanitized(safe, link, media) if _LOST.search(safe) else safe


def _sanitized(markup: str, link: Resolve, media: Resolve) -> str:
    tidy = tidied(markup)
    written = None if tidy is None else _Writing(link, media).readdress(tidy)
    if written is None:
        written = _Writing(link, media).write(tokens(markup))
    safe = _CLEANER.clean(_BARE_AMPERSAND.sub("&amp;", written))
    # Only a reference can have brought back what `bounded` took away.
    return _PRE_START.sub("<pre>", without_forbidden(safe) if "&#" in written else safe)


class _Writing:
    """One document on its way from tokens to well-formed markup: decides what is written, and with which attributes."""

    def __init__(self, link: Resolve, media: Resolve) -> None:
        self._link = link
        self._media = media
        self._writer = _Writer()
        self._images: set[str] = set()
        self._in_noscript = False

    def write(self, parts: Iterable[str | Tag]) -> str:
        for part in parts:
            if isinstance(part, str):
                self._writer.text(part)
            elif part.name == "noscript":
                self._in_noscript = not part.end
            else:
                self._write_tag(part)
            if self._writer.full:
                break
        return self._writer.finish()

    def readdress(self, tidy: str) -> str | None:
        """Tidy markup with other attributes; None where an element is left out and its content stays."""
        parts: list[str] = []
        end = 0
        for start in _REWRITTEN.finditer(tidy):
            attributes = self._attributes(start[1], Tag(start[1], False, start[2]))
            if attributes is None and start[1] != "img":
                return None
            parts += (tidy[end : start.start()], "" if attributes is None else f"<{start[1]}{_joined(attributes)}>")
            end = start.end()
        return "".join(parts) + tidy[end:]

    def _write_tag(self, tag: Tag) -> None:
        name = RENAMED.get(tag.name, tag.name)
        if name not in _ALLOWED:
            return
        if tag.end:
            self._writer.end(name)
            return
        attributes = self._attributes(name, tag)
        if attributes is not None:
            self._writer.start(name, _joined(attributes))

    def _attributes(self, name: str, tag: Tag) -> dict[str, str] | None:
        """What is written in the start tag; None if the element is left out (its content stays)."""
        if not tag.markup or name not in _CLEANED:
            return None if name in _POINTLESS else {}
        given = tag.attributes()
        kept = self._addresses(name, given)
        if kept is None:
            return None
        for key in _KEPT.get(name, ()):
            value = _number(given.get(key, "")) if key in _NUMBERS else given.get(key)
            if value is not None:
                kept[key] = value
        return kept

    def _addresses(self, name: str, given: dict[str, str]) -> dict[str, str] | None:
        if name == "img":
            image = None if _is_pixel(given) else self._image(given)
            return {"src": image} if image else None
        resolve = self._link if name == "a" else self._media
        kept = {}
        for key in _ADDRESSES.get(name, ()):
            address = resolve(given[key]) if given.get(key) else None
            if address:
                kept[key] = address
        return None if name in _POINTLESS and not kept else kept

    def _image(self, given: dict[str, str]) -> str | None:
        """The address of an image, late ones first; None for a tracker, and for a copy that noscript repeats."""
        candidates = [given[key].strip() for key in _LATE if key in given]
        candidates = [value for value in candidates if _ADDRESS_LIKE.fullmatch(value)]
        candidates += [given.get("src", ""), *_CANDIDATE.findall(given.get("srcset", given.get("data-srcset", "")))]
        address = next(filter(None, map(self._media, filter(None, candidates))), None)
        if address is None or (self._in_noscript and address in self._images):
            return None
        if _beacons().match(address) or _NOTHING_TO_SEE.match(address):
            return None
        self._images.add(address)
        return address


_CLEANED = frozenset({*_KEPT, *_ADDRESSES})
_REWRITTEN = re.compile(rf"<({'|'.join(sorted(_CLEANED))})({PLAIN_ATTRIBUTES})>")


def _joined(attributes: dict[str, str]) -> str:
    return "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())


def _number(value: str) -> str | None:
    """The whole number that a dimension or a count gives, in ASCII digits."""
    match = _NUMBER.fullmatch(value)
    return match[1] if match else None


def _is_pixel(given: dict[str, str]) -> bool:
    """Whether an image is too small to be seen, or hidden (and not only until it is loaded)."""
    style = given.get("style", "")
    sides = (_DIMENSION.match(given.get(side, "")) for side in ("width", "height"))
    if any(side and int(side[1][:5]) <= 1 for side in sides) or _TINY.search(style):
        return True
    return ("hidden" in given or _HIDDEN.search(style) is not None) and given.keys().isdisjoint(_LATE)


@cache
def _beacons() -> re.Pattern[str]:
    """Matches the addresses of images that only count readers, as `data/beacons.txt` lists them."""
    lines = (Path(__file__).parents[1] / "data" / "beacons.txt").read_text("utf-8").splitlines()
    places = [line for line in lines if line and not line.startswith("#")]
    patterns = (re.escape(place) + ("" if "/" in place else r"(?=[/:?#]|$)") for place in places)
    return re.compile(rf"https?://(?:[^/?#]*\.)?(?:{'|'.join(patterns)})")


class _Open(NamedTuple):
    """An element that is open, with the attributes that it was written with."""

    name: str
    attributes: str


class _Writer:
    """Writes elements so that an HTML parser builds the very tree that was written: it closes what a parser would
    close, opens the parts of a table that a parser would add, and leaves out what nests deeper than the cap."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._open: list[_Open] = []
        self._tags = 0

    @property
    def full(self) -> bool:
        return self._tags >= _MAX_TAGS

    def text(self, text: str) -> None:
        if self._top() in _FRAMES:
            if text.isspace():
                return
            self._open_cell()
        self._out.append(text.replace("<", "&lt;"))

    def start(self, name: str, attributes: str) -> None:
        carried: list[_Open] = []
        is_part = name in _LEVELS and name != "table"  # which has room wherever its table had
        if is_part:
            if not self._make_place(_LEVELS[name] - 1):
                return
        else:
            if self._top() in _FRAMES:
                self._open_cell()
            carried = self._close_before(name)
        if name in _VOID:
            self._put(name, attributes)
        elif is_part or (len(self._open) < _MAX_DEPTH and not self._is_stray(name)):
            self._push(_Open(name, attributes))
        self._reopen(carried)

    def _is_stray(self, name: str) -> bool:
        return name in ("rt", "rp") and self._find({"ruby"}, _CELLS) is None

    def end(self, name: str) -> None:
        index = self._find({name}, _scope(name))
        if name in _VOID or index is None:
            return
        closed = self._close(index)
        if name in _FORMATTING:
            self._reopen([element for element in closed[1:] if element.name in _FORMATTING | BLOCKS])

    def finish(self) -> str:
        self._close(0)
        return "".join(self._out)

    def _top(self) -> str:
        return self._open[-1].name if self._open else ""

    def _put(self, name: str, attributes: str) -> None:
        self._out.append(f"<{name}{attributes}>")
        self._tags += 1

    def _push(self, element: _Open) -> None:
        self._put(*element)
        self._open.append(element)

    def _reopen(self, elements: list[_Open]) -> None:
        for element in elements:
            self._push(element)

    def _find(self, names: Iterable[str], scope: Iterable[str]) -> int | None:
        """The innermost open element of `names`, not looking beyond one of `scope`."""
        for index in range(len(self._open) - 1, -1, -1):
            name = self._open[index].name
            if name in names:
                return index
            if name in scope:
                return None
        return None

    def _close(self, index: int) -> list[_Open]:
        """Closes the open elements from `index` on and gives them, the outermost first."""
        closed = self._open[index:]
        del self._open[index:]
        self._out.extend(f"</{element.name}>" for element in reversed(closed))
        return closed

    def _close_before(self, name: str) -> list[_Open]:
        """Closes what cannot stay open when `name` starts, and gives the formatting that goes on in it."""
        if name in _ENDS_ITS_LIKE:
            self._close_innermost(*_ENDS_ITS_LIKE[name])
        while name in ("rt", "rp") and self._top() in ("rt", "rp", "p", "li", "dd", "dt"):
            self._close(len(self._open) - 1)
        carried: list[_Open] = []
        if name in BLOCKS:
            closed = self._close_innermost({"p"}, _CELLS)
            if name != "table":  # nothing but its parts can stand in it
                carried = [element for element in closed if element.name in _FORMATTING]
        if name in _HEADINGS and self._top() in _HEADINGS:
            self._close(len(self._open) - 1)
        return carried

    def _close_innermost(self, names: Iterable[str], scope: Iterable[str]) -> list[_Open]:
        index = self._find(names, scope)
        return [] if index is None else self._close(index)

    def _open_cell(self) -> None:
        self._make_place(_LEVELS["td"] - 1)
        self._push(_Open("td", ""))

    def _make_place(self, level: int) -> bool:
        """Goes to where a part can stand whose parent is of `level`; False outside every table."""
        fitting = {name for name in _FRAMES if _LEVELS[name] <= level}
        index = self._find(fitting, ())
        if index is None:
            return False
        self._close(index + 1)
        for missing in range(_LEVELS[self._top()] + 1, level + 1):
            self._push(_Open("tbody" if missing == 1 else "tr", ""))
        return True


def _scope(name: str) -> Iterable[str]:
    """The elements that an end tag of `name` does not reach beyond (HTML, 13.2.4.2)."""
    if name in _LEVELS:
        return () if name == "table" else ("table",)
    return _CELLS | _LISTS if name == "li" else _CELLS
