"""The SAX driver that feedparser is to find: the standard library's, made faster, and with caps on what goes through.

feedparser is quadratic in the attributes of an element, in the categories of an entry and in the length of an author's
name. No honest document comes near the caps; what is beyond them is left out. The text between two tags goes through
in one piece: expat gives it line by line and reference by reference, each a call of Python.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from xml.sax import expatreader

from aggregator import urls

_PIECE = 64 * 1024  # bytes of text after which a new piece begins

_MOST_ATTRIBUTES = 100  # of an element
_MOST_ELEMENTS = 10_000  # of an entry, and of what stands before the first one
_MOST_CATEGORIES = 100  # of an entry
_LONGEST_NAME = 4_000  # characters of an author's name, which may be a list of names
_LONGEST_BASE = 500  # characters of an xml:base within a text, which goes before each address there
_RUN = re.compile(r"[\w.+-]{200}")  # a name or e-mail address has no longer words

# An element that is put in before a guid which says that it is no permalink.
NO_PERMALINK = "nopermalink"
# What an itunes:summary is called, which feedparser would take for the content of an entry that has a description.
ITUNES_SUMMARY = "itunessummary"
# What a description is called that is not the entry's own but of something within it, a picture most often: feedparser
# would take it for the entry's text.
INNER_DESCRIPTION = "innerdescription"
# What the address of an entry's own `image` is called, of which feedparser keeps that of the channel only.
PICTURE = "itempicture"

_ITUNES = "http://www.itunes.com/"
_MEDIA = "http://search.yahoo.com/mrss"
_XHTML = "http://www.w3.org/1999/xhtml "
_XML_BASE = "http://www.w3.org/XML/1998/namespace base xml"
_ADDRESSES = frozenset(("href", "poster", "src"))
_DESCRIBED = frozenset(("channel", "entry", "feed", "image", "item", "source", "textinput"))

# What feedparser raises for an element that stands outside of what it belongs to. It costs no other element.
_STUMBLES = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

_RENAMED = frozenset(("description", "link", "summary", "title", "url"))
_CATEGORIES = frozenset(("category", "keywords", "subject"))
_ENTRIES = frozenset(("entry", "item"))
_NAMES = frozenset(
    ("author", "contributor", "creator", "email", "managingeditor", "name", "owner", "publisher", "webmaster")
)


class _Parser(expatreader.ExpatParser):
    def reset(self) -> None:
        super().reset()
        parser = self._parser  # type: ignore[attr-defined]  # typeshed leaves it out
        parser.buffer_text = True
        parser.buffer_size = _PIECE
        parser.CharacterDataHandler = self._text
        self._elements = self._categories = 0
        self._left_out = 0  # elements that are open from the one that is left out on
        self._named = 0  # elements that are open from the one that holds a name on
        self._room = 0  # characters that it may still have
        self._text_base = ""  # of the XHTML that is open
        self._open: list[str] = []  # the elements that were handed on and are open, by the names that they got

    def start_element_ns(self, name: str, attrs: Mapping[str, str]) -> None:
        """Hand the element on, unless it or one around it is left out."""
        local = _local(name)
        if local in _ENTRIES:
            self._elements = self._categories = 0
        self._elements += 1
        self._categories += local in _CATEGORIES
        if self._left_out or self._elements > _MOST_ELEMENTS or self._categories > _MOST_CATEGORIES:
            self._left_out += 1
            return
        if self._named:
            self._named += 1
        elif local in _NAMES:
            self._named, self._room = 1, _LONGEST_NAME
        if name.startswith(_XHTML):
            attrs = self._rebased(attrs)
        if local in _RENAMED and (renamed := self._renamed(name, local)):
            name, attrs = renamed, {}
        self._open.append(name)
        if len(attrs) > _MOST_ATTRIBUTES:
            attrs = dict(islice(attrs.items(), _MOST_ATTRIBUTES))
        if attrs and local == "guid":
            said = next((value for key, value in attrs.items() if key.lower() == "ispermalink"), "true").strip().lower()
            attrs = {**attrs, "isPermaLink": said}  # some programs write True, which feedparser takes for false
            if said != "true":  # which feedparser does not tell where a link stands before the guid
                super().start_element_ns(NO_PERMALINK, {})
                super().end_element_ns(NO_PERMALINK)
        try:  # noqa: SIM105 - for each element, a context manager costs as much as all that is done here
            super().start_element_ns(name, attrs)
        except _STUMBLES:
            pass

    def _rebased(self, attrs: Mapping[str, str]) -> Mapping[str, str]:
        """Addresses made absolute where an xml:base within a text is in force: feedparser tells that of the text."""
        around = str(getattr(self.getContentHandler(), "baseuri", ""))  # where feedparser keeps that of what is open
        if not (self._open and self._open[-1].startswith(_XHTML)):
            self._text_base = around
        own = attrs.get(_XML_BASE)
        base = (urls.join(around, own) if own else None) or around
        if base == self._text_base or len(base) > _LONGEST_BASE:
            return attrs
        return {key: (key in _ADDRESSES and urls.join(base, value)) or value for key, value in attrs.items()}

    def _renamed(self, name: str, local: str) -> str:
        """What an element is called that describes an entry only where nothing else does, or the image of one; empty
        for any other."""
        around = _local(self._open[-1]) if self._open else ""
        if around == "image" and len(self._open) > 1 and _local(self._open[-2]) in _ENTRIES:
            return PICTURE if local == "url" else f"inner{local}"
        if local == "summary":
            return ITUNES_SUMMARY if name.startswith(_ITUNES) else ""
        is_own = local != "description" or (around in _DESCRIBED and not name.startswith(_MEDIA))
        return "" if is_own else INNER_DESCRIPTION

    def end_element_ns(self, name: str) -> None:
        """Hand the end on, if the element was."""
        if self._left_out:
            self._left_out -= 1
            return
        if self._named:
            self._named -= 1
        try:  # noqa: SIM105 - for each element, as above
            super().end_element_ns(self._open.pop())
        except _STUMBLES:
            pass

    def _text(self, text: str) -> None:
        if self._left_out:
            return
        if self._named:
            run = _RUN.search(text)
            text = text[: min(self._room, run.end() if run else self._room)]
            self._room -= len(text)
        self.getContentHandler().characters(text)


def _local(name: str) -> str:
    """The local name of an element that expat names with its namespace, in lower case."""
    return name.split(" ", 2)[" " in name].lower()


def create_parser() -> _Parser:
    """The parser, as `xml.sax.make_parser` asks a driver for one."""
    return _Parser()
