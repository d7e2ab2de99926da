"""Text of a feed → well-formed XML without a DOCTYPE, however the publisher wrote it. What can be read is kept.

What is well-formed stays as it is; the rest is written anew, tag by tag. (A recovering parser such as libxml2's closes
the wrong element at a lost end tag and nests all that follows.) Nothing is fetched, the document's own entities are
expanded within hard limits, and every step is linear in the text.
"""

from __future__ import annotations

import re
from collections import Counter
from html.entities import html5
from xml.parsers import expat
from xml.sax.saxutils import escape

from aggregator.errors import ParseError

# XML 1.0's Char (section 2.2) without Unicode's noncharacters, and what is not in it. A text that has nothing else is
# passed over in half the time that a search for the first of the others takes.
_CHARACTERS = " -\ud7ff\t\n\r\ue000-\ufdcf\ufdf0-\ufffd" + "".join(
    f"{chr(plane << 16)}-{chr(plane << 16 | 0xFFFD)}" for plane in range(1, 17)
)
_PERMITTED = re.compile(f"[{_CHARACTERS}]*+")
_FORBIDDEN = re.compile(f"[^{_CHARACTERS}]")
_CHARACTER_REFERENCE = re.compile(r"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));")
_HIGHEST_DIGITS = 7  # of 1114111

_SEPARATOR = "\x01"  # of namespace and local name, for expat: no XML document holds it
# An unclosed section lasts to the end of the text, so that no scan is repeated.
_SKIPPED = r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)"
_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*+(?::[A-Za-z_][A-Za-z0-9_.-]*+)?"

# ---------------------------------------------------------------------------------------------- characters


def clean(text: str) -> str:
    """`text` without the characters that XML forbids and without noncharacters, raw or as character references.

    References that write one character as a surrogate pair become that character.
    """
    if "&#" in text:
        text = _CHARACTER_REFERENCE.sub(_allowed, text)
    if not _PERMITTED.fullmatch(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
        text = _FORBIDDEN.sub("", text)
    return text


def _allowed(reference: re.Match[str]) -> str:
    """The reference as it is, a raw surrogate for `clean` to join, or nothing where it names no character."""
    number = _number(reference[1], reference[2])
    if 0xD800 <= number <= 0xDFFF:
        return chr(number)
    return "" if number > 0x10FFFF or _FORBIDDEN.match(chr(number)) else reference[0]


def _number(hexadecimal: str | None, decimal: str | None) -> int:
    """The code point of a character reference; above 0x10FFFF where it is absurd."""
    digits = (hexadecimal or decimal or "").lstrip("0")
    if len(digits) > _HIGHEST_DIGITS:
        return 0x110000
    return int(digits or "0", 16 if hexadecimal else 10)


# ---------------------------------------------------------------------------------------------- the ladder

_END = re.compile(r"</(?:[\w.-]+:)?(?:rss|feed|rdf|channel)\s*>", re.IGNORECASE)
_TAIL = 20_000  # characters behind the end of a feed, which some servers append


def wellformed(text: str) -> tuple[str, bool]:
    """`text`, already `clean`, as well-formed XML from the root element on, and whether it had to be repaired.

    Namespaces are well-formed too, and there is no processing instruction. Raises ParseError when there is no element.
    """
    body = after_prolog(text)
    if _is_wellformed(body):
        return _without_instructions(body), False
    mended = mend(body)
    if not _is_wellformed(mended):
        raise ParseError("there is no XML element that can be read in the document")
    return mended, True


_PREFIXED_ROOT = re.compile(r"<([\w.-]+):(?:rss|feed|rdf)(?=[\s>])", re.IGNORECASE)


def without_prefix(text: str) -> str | None:
    """`text` with the names of its elements as they are without the prefix of the root element; None where that has
    none. It stands for a namespace that nobody knows, if for any."""
    root = _PREFIXED_ROOT.match(after_prolog(text))
    if root is None:
        return None
    tag = re.compile(rf"({_SKIPPED})|<(/?){re.escape(root[1])}:", re.DOTALL)
    return tag.sub(lambda found: found[1] or f"<{found[2]}", text)


def is_cut_off(text: str) -> bool:
    """Whether a feed ends before its root element does: there may be entries of which nothing came."""
    return _END.search(text, max(len(text) - _TAIL, 0)) is None


def _is_wellformed(body: str) -> bool:
    try:
        expat.ParserCreate("utf-8", _SEPARATOR).Parse(body.encode(), True)
    except expat.ExpatError:
        return False
    return True


_INSTRUCTION = re.compile(rf"({_SKIPPED})|<\?.*?(?:\?>|\Z)", re.DOTALL)


def _without_instructions(body: str) -> str:
    if "<?" not in body:
        return body
    return _INSTRUCTION.sub(lambda match: match[1] or "", body)


# ---------------------------------------------------------------------------------------------- prolog and entities

_PROLOG = re.compile(r"(?>(?:\s++|<\?.*?\?>|<!--.*?-->)*)", re.DOTALL)
_DOCTYPE = re.compile(
    r"""<!DOCTYPE (?> (?: [^\[\]<>"']++ | "[^"]*" | '[^']*' )* )
        (?: \[
            (?P<subset> (?> (?: [^\]"'<]++ | "[^"]*" | '[^']*' | <!--.*?--> | <\?.*?\?> | <(?!!--|\?) )* ) )
        \] \s* )?
        >""",
    re.DOTALL | re.VERBOSE | re.IGNORECASE,
)
_ENTITY = re.compile(rf"<!ENTITY\s+({_NAME})\s+(?:\"([^\"]*)\"|'([^']*)'|SYSTEM\b|PUBLIC\b)")
_NAMED = re.compile(rf"({_SKIPPED})|&({_NAME});", re.DOTALL)

_MAX_ENTITIES = 256
_MAX_ENTITY_DEPTH = 8
_MAX_GROWTH = 200_000  # characters that all expansions of one document may put in


def after_prolog(text: str) -> str:
    """The document from its root element on, with the entities of its internal subset expanded."""
    start = _skipped(text, 0)
    doctype = _DOCTYPE.match(text, start)
    if not doctype:
        return text[start:]
    body = text[_skipped(text, doctype.end()) :]
    return _Entities(doctype["subset"]).expand_body(body) if doctype["subset"] else body


def _skipped(text: str, start: int) -> int:
    """Where the white space, comments and processing instructions from `start` on end."""
    prolog = _PROLOG.match(text, start)
    return prolog.end() if prolog else start


class _TooMuchError(Exception):
    """The entities expand deeper or further than any honest document's."""


class _Entities:
    """General entities of an internal subset. External ones are empty: nothing is ever fetched."""

    def __init__(self, subset: str) -> None:
        declared = [(match[1], match[2] or match[3] or "") for match in _ENTITY.finditer(subset)]
        self._values = {name: _CHARACTER_REFERENCE.sub(_character, value) for name, value in reversed(declared)}
        self._left = _MAX_GROWTH if len(declared) <= _MAX_ENTITIES else 0

    def expand_body(self, body: str) -> str:
        """`body` with every declared entity expanded, or with every one dropped if they go beyond the limits."""
        try:
            return self._expand(body, 0)
        except _TooMuchError:
            return _NAMED.sub(lambda match: "" if match[2] in self._values else match[0], body)

    def _expand(self, text: str, depth: int) -> str:
        if depth > _MAX_ENTITY_DEPTH:
            raise _TooMuchError
        return _NAMED.sub(lambda match: self._replacement(match, depth), text)

    def _replacement(self, match: re.Match[str], depth: int) -> str:
        value = self._values.get(match[2])
        if value is None:
            return match[0]
        self._left -= len(value) + 1
        if self._left < 0:
            raise _TooMuchError
        return self._expand(value, depth + 1)


def _character(reference: re.Match[str]) -> str:
    number = _number(reference[1], reference[2])
    return "" if number > 0x10FFFF or _FORBIDDEN.match(chr(number)) else chr(number)


# ---------------------------------------------------------------------------------------------- mending

_ROOT = re.compile(
    r"<!--.*?(?:-->|\Z)|<script\b.*?(?:</script|\Z)|(<(?:[\w.-]+:)?(?:rss|feed|rdf)(?=[\s/>]))",
    re.DOTALL | re.IGNORECASE,
)
_TAG_NAME = rf"(?!xmlns:){_NAME}"

_PAGE = re.compile(r"<(?:html|body)[\s>]", re.IGNORECASE)
_ENTRY = re.compile(r"<(item|entry)[\s>]", re.IGNORECASE)
_ROOTS = {"item": '<rss version="2.0"><channel>', "entry": '<feed xmlns="http://www.w3.org/2005/Atom">'}
_SECTION_EDGE = re.compile(r"<!\[CDATA\[|\]\]>|\Z")
# A section whose beginning is written in small letters, with blanks or without its first bracket.
_SLOPPY_SECTION = re.compile(r"<!\s*+(?:\[\s*+)?CDATA\s*+\[", re.IGNORECASE)
_LAST_START = re.compile(rf"<({_TAG_NAME})[^<>]*>[^<>]*<!\[CDATA\[\Z")
_LOOK_BACK = 200  # characters before a CDATA section in which its element begins

# (Of a run of them all but the last are taken at once.)
_LOOSE = r"&&+(?=&)|<<+(?=<)|&(?:\#[xX]?[0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*)?;?|[<>]"
# A quoted value may hold a few raw `<`: few, so that a lost quote costs no second scan of the document; or whole tags,
# if it ends where a value does.
_VALUE = (
    r"""(?:"[^"<]*(?:<[^"<>]*){0,4}"|'[^'<]*(?:<[^'<>]*){0,4}'"""
    r"""|(?<==)(?:"[^"]{0,500}"|'[^']{0,500}')(?=\s*/?>|\s+[\w:.-]+\s*=))"""
)
# Elements that are no words in angle brackets, even where their start tag has lost its `>`; and where it ends then.
_CERTAIN = r"(?=(?i:item|entry|description|summary|content:encoded)[\s<])"
_AT_ANOTHER = r"(?=<(?:!\[CDATA\[|/?[A-Za-z]))"
_TOKEN = re.compile(
    rf"""<!\[CDATA\[ (?P<data> .*? ) (?: \]\]> | \]{{0,2}}\Z )
      | <!-- .*? (?: --> | \Z )
      | < [?!] [^<>]*+ (?: > | \Z )
      | </ (?P<end> {_TAG_NAME} ) [^<>]*+ >
      | < (?P<certain> {_CERTAIN} )? (?P<start> {_TAG_NAME} ) (?=[\s/<>])
        (?: (?P<attributes> (?> (?: [^<>"']++ | {_VALUE} )* ) ) >
          | (?P<torn> [^<>]*+ ) (?: > | (?(certain) {_AT_ANOTHER} | (?!) ) ) )
      | < [^<>]*+ \Z | & [#\w]{{0,32}} \Z
      | (?P<loose> {_LOOSE} )""",
    re.DOTALL | re.VERBOSE,
)
_LOOSE_TOKEN = re.compile(_LOOSE)
_ATTRIBUTE = re.compile(rf"({_NAME})(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")

_PREDEFINED = frozenset(("&lt;", "&gt;", "&amp;", "&quot;", "&apos;"))
_MAX_DEPTH = 200  # elements in one another; deeper tags are left out and their text kept
_ENTRIES = frozenset(("item", "entry"))
# What holds a word or an address and no other element: where another part of the entry begins, such a one has ended.
_LINES = frozenset(("guid", "id", "link", "pubdate", "published", "title", "updated"))
_PARTS = _LINES | frozenset(
    (
        *("author", "category", "comments", "content", "creator", "date", "description", "enclosure", "encoded"),
        *("image", "source", "summary", "thumbnail"),
    )
)
# What holds a text, which may be HTML that has elements of such names; and where an entry begins or ends.
_TEXT_EDGE = re.compile(
    r"<(?P<ends>/?)(?P<name>(?:[\w.-]+:)?(?:content|description|encoded|summary)|(?P<entry>(?:[\w.-]+:)?(?:item|entry)))"
    r"(?=[\s/>])",
    re.IGNORECASE,
)
_CONTAINERS = frozenset(("rss", "feed", "rdf", "channel"))
# Names in Namespaces in XML 1.0, section 3, that no declaration may bind.
_RESERVED = frozenset(("http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/"))
# The namespaces that feeds use without declaring them.
_NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "georss": "http://www.georss.org/georss",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "podcast": "https://podcastindex.org/namespace/1.0",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "rss": "http://purl.org/rss/1.0/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "thr": "http://purl.org/syndication/thread/1.0",
    "wfw": "http://wellformedweb.org/CommentAPI/",
    "xhtml": "http://www.w3.org/1999/xhtml",
}


def mend(text: str) -> str:
    """`text` with its markup put right, from the root element on; "" when there is no element.

    Bare `&` and `<` are escaped, HTML's entities become characters, attributes are quoted and unique, every element is
    closed, every prefix declared; comments, instructions and whatever stands before the root element and behind its
    last entry are dropped.
    """
    text = _with_ends(_SLOPPY_SECTION.sub("<![CDATA[", text))
    root = next((match for match in _ROOT.finditer(text) if match[1]), None)
    return _Mender().mend(_with_root(text[root.start() :] if root else text))


def _with_root(text: str) -> str:
    """`text` as it is if it begins with an element that holds entries, or has none; else, from the first entry on, in a
    document of their kind: the beginning is lost."""
    first = next((token for token in _TOKEN.finditer(text) if token["start"]), None)
    if first and first["start"].lower().rpartition(":")[2] in _CONTAINERS:
        return text
    entry = None if _PAGE.search(text) else _ENTRY.search(text)
    return _ROOTS[entry[1].lower()] + text[entry.start() :] if entry else text


def _with_ends(text: str) -> str:
    """`text` with an end for each CDATA section that has none before the next one begins, though the element has that
    it stands in, and without the beginning of a comment that never ends."""
    comments = text.rfind("-->") + 1
    text = text[:comments] + text[comments:].replace("<!--", "")
    pieces: list[str] = []
    done = opened = 0
    for edge in _SECTION_EDGE.finditer(text):
        if opened and edge[0] != "]]>" and (end := _end_of_element(text, opened, edge.start())):
            pieces += (text[done:end].removesuffix("]]"), "]]>")
            done = end
        opened = 0 if edge[0] == "]]>" else edge.end()
    return "".join(pieces) + text[done:]


def _end_of_element(text: str, opened: int, end: int) -> int:
    """Where, before `end`, the element ends that begins with the CDATA section opened just before `opened`; or 0."""
    start = _LAST_START.search(text, max(opened - _LOOK_BACK, 0), opened)
    return max(text.find(f"</{start[1]}>", opened, end), 0) if start else 0


def _unclosed_texts(text: str) -> frozenset[int]:
    """Where the elements begin that hold a text and have no end before the entry's."""
    unclosed: set[int] = set()
    opened: dict[str, int] = {}
    for edge in _TEXT_EDGE.finditer(text):
        if edge["entry"]:
            unclosed.update(opened.values())
            opened.clear()
        elif edge["ends"]:
            opened.pop(edge["name"].lower(), None)
        else:
            opened.setdefault(edge["name"].lower(), edge.start())
    return frozenset(unclosed.union(opened.values()))


class _Mender:
    """Writes the tokens of one document anew."""

    def __init__(self) -> None:
        self._written: list[str] = []
        self._open: list[str] = []
        self._counts: Counter[str] = Counter()  # how many elements of each name, in lower case, are open
        self._prefixes = _Prefixes()
        self._last_entry = 0  # where it begins
        self._unclosed: frozenset[int] = frozenset()  # where texts begin that have no end
        self._text = 0  # elements that are open from the root to such a text; 0 where none is open

    def mend(self, text: str) -> str:
        tokens = _TOKEN.finditer(text)
        root = next((token for token in tokens if token["start"]), None)
        if root is None:
            return ""
        self._last_entry = max((match.start() for match in _ENTRY.finditer(text)), default=0)
        self._unclosed = _unclosed_texts(text)
        self._write(root)
        end = root.end()
        for token in tokens:
            if not self._open:
                break
            self._written.append(text[end : token.start()])
            self._write(token)
            end = token.end()
        if self._open:
            self._written.append(text[end:])
        while self._open:
            self._close()
        return self._prefixes.declare("".join(self._written))

    def _write(self, token: re.Match[str]) -> None:
        if token["start"]:
            self._start(token["start"], token["attributes"] or token["torn"] or "", token.start() in self._unclosed)
        elif token["end"]:
            self._end(token["end"], token.start() < self._last_entry)
        elif token["data"]:
            self._written.append(f"<![CDATA[{token['data']}]]>")
        elif token["loose"]:
            self._written.append(_escaped(token))

    def _start(self, name: str, attributes: str, is_unclosed: bool) -> None:
        prefix, colon, local = name.lower().rpartition(":")
        if local in _CONTAINERS and self._counts[name.lower()]:  # one within another, or after it
            if local == "channel":
                self._leave_for({self._open[0].lower()})
            return
        if local in _ENTRIES:
            self._leave_for({f"{prefix}{colon}channel", f"{prefix}{colon}feed", "rdf:rdf"})
        elif local in _PARTS:
            if self._open[-1:] and self._open[-1].lower() in _LINES:
                self._close()
            while self._text:
                self._close()
        if len(self._open) >= _MAX_DEPTH:
            return
        values = {key: value for key, value in _attributes(attributes).items() if self._prefixes.accept(key, value)}
        self._prefixes.enter(name)
        self._written.append(f"<{name}" + "".join(f' {key}="{value}"' for key, value in values.items()) + ">")
        self._open.append(name)
        self._counts[name.lower()] += 1
        if is_unclosed:
            self._text = len(self._open)
        if attributes.endswith("/"):
            self._close()

    def _leave_for(self, containers: set[str]) -> None:
        """Close all within the innermost container: where an entry begins, what is still open has lost its end tag."""
        if any(self._counts[name] for name in containers):
            while self._open[-1].lower() not in containers:
                self._close()

    def _end(self, name: str, entries_follow: bool) -> None:
        """Close the innermost open element of this name and all within. The tag says nothing where none is open, nor
        where it would close the document before its last entry."""
        is_root = self._counts[name.lower()] == 1 and self._open[0].lower() == name.lower()
        if self._counts[name.lower()] and not (is_root and entries_follow):
            while self._close() != name.lower():
                pass

    def _close(self) -> str:
        name = self._open.pop()
        self._written.append(f"</{name}>")
        self._counts[name.lower()] -= 1
        if len(self._open) < self._text:
            self._text = 0
        return name.lower()


class _Prefixes:
    """The namespace prefixes of a document: which it uses, which its root declares, what any element binds them to."""

    def __init__(self) -> None:
        self._root = ""
        self._at_root: set[str] = set()
        self._used: set[str] = set()
        self._bound: dict[str, str] = {}

    def accept(self, attribute: str, value: str) -> bool:
        """Note the prefix that an attribute declares or uses; False for a declaration that XML forbids."""
        prefix, _, local = attribute.partition(":")
        if prefix != "xmlns":
            self._use(attribute)
            return True
        if value in _RESERVED or (local and (not value or local in ("xml", "xmlns"))):
            return False
        if local:
            self._bound.setdefault(local, value)
        return True

    def enter(self, element: str) -> None:
        """Note that `element`, whose attributes have been accepted, begins. The first one is the root."""
        if not self._root:
            self._root = element
            self._at_root = set(self._bound)
        self._use(element)

    def _use(self, name: str) -> None:
        prefix, _, local = name.partition(":")
        if local and prefix != "xml":
            self._used.add(prefix)

    def declare(self, document: str) -> str:
        """`document`, which begins with the root's tag, with every prefix that it leaves undeclared declared there."""
        missing = sorted(self._used - self._at_root)
        declarations = "".join(f' xmlns:{prefix}="{self._namespace(prefix)}"' for prefix in missing)
        end = len(self._root) + 1
        return document[:end] + declarations + document[end:]

    def _namespace(self, prefix: str) -> str:
        return self._bound.get(prefix) or _NAMESPACES.get(prefix, f"urn:undeclared:{prefix}")


def _attributes(text: str) -> dict[str, str]:
    """The attributes of a start tag, fit for double quotes. Of those with the same name the first is kept, and of those
    whose names differ by prefix only as well: the prefixes may mean the same."""
    values: dict[str, str] = {}
    seen = set()
    for name, double, single, bare in _ATTRIBUTE.findall(text):
        key = name if name.startswith("xmlns:") else name[name.find(":") + 1 :] + ":" * (":" in name)
        if key not in seen:
            seen.add(key)
            values[name] = _LOOSE_TOKEN.sub(_escaped, double or single or bare).replace('"', "&quot;")
    return values


def _escaped(token: re.Match[str]) -> str:
    """A reference, `<` or `>`, which may be wrong where it stands, as XML that means what it looked like."""
    raw = token[0]
    if raw in _PREDEFINED:
        return raw
    if reference := _CHARACTER_REFERENCE.fullmatch(raw):
        return f"&#{ord(character)};" if (character := _character(reference)) else ""
    if raw.endswith(";") and raw[1:] in html5:
        return escape(html5[raw[1:]])
    return escape(raw)
