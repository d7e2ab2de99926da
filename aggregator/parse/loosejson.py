"""JSON that is none → what can be read of it. Only for documents that the standard library refuses.

Commas too many or too few, comments, words that are no values, quotes that nobody escaped, brackets that have lost
their partner: each costs at most the object that it stands in. Nothing recurses, and every step is linear in the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

_MOST_DEEP = 200  # values within one another; deeper ones are left out
_MOST_OPEN = 10_000  # the same, after which nothing more is read
_WHOLE = 2  # containers that are open within the feed
_FEEDS_LIST = 3  # containers that are open within the list of a feed's entries: it is in the feed, that in a first list

_SPACE = r"(?>(?:\s++|//[^\n]*+|/\*.*?(?:\*/|\Z))*)"
# A quote that nobody escaped is part of a text unless it looks like its end; where the next object of a list begins, a
# text has lost its end.
_TEXT_ENDS = r"\s*+(?:[}\]]|,\s*+(?:[\"{}\[\]/\d-]|true|false|null|\w++\s*+:)|,?\s*+\Z|//|/\*)"
_OBJECT_BEGINS = r"\s*+,\s*+\{\s*+\"\w{1,40}+\"\s*+:"
_WORD = r"[^\s{}\[\],:\"]++"
_VALUE = re.compile(
    rf"""{_SPACE}(?:(?P<mark>[{{}}\[\],:])|"(?P<text>(?>(?:[^"\\}}]++|\\.|"(?!{_TEXT_ENDS})|\}}(?!{_OBJECT_BEGINS}))*))"""
    rf"""(?P<end>"|(?=\}})|\Z)|(?P<word>{_WORD}))""",
    re.DOTALL,
)
# A quote before a key that has no other before its colon is one too many.
_KEY = re.compile(
    rf"""{_SPACE}(?:"(?P<text>(?>(?:[^"\\\n{{}}\[\]]++|\\.)*))"(?=\s*+:)|(?P<mark>[{{}}\[\],:"])|(?P<word>{_WORD}))""",
    re.DOTALL,
)
_GOES_ON = re.compile(rf"{_SPACE},")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|[\"\\/bfnrt])|[\"\\]")
_NUMBER = re.compile(r"(-?\d+)(\.\d+)?([eE][+-]?\d+)?")
_WORDS = {"true": True, "True": True, "false": False, "False": False}


class _Open:
    """A list or object that has not ended, with the key whose value comes next."""

    __slots__ = ("held", "key")

    def __init__(self, held: list[Any] | dict[str, Any]) -> None:
        self.held = held
        self.key: str | None = None

    def put(self, value: Any) -> None:
        """Take the next element, or the value of the key."""
        if isinstance(self.held, list):
            self.held.append(value)
        elif self.key is not None:
            self.held.setdefault(self.key, value)  # what comes twice is another object's, whose beginning is lost
            self.key = None


def read(text: str, integer: Callable[[str], int | None]) -> tuple[Any, bool]:
    """The first value of `text`, and whether it has an end; what of an object has none is left out.

    `integer` reads the digits of whole numbers.
    """
    first = _Open([])
    opened = [first]
    position = 0
    while not first.held and len(opened) <= _MOST_OPEN:
        inner = opened[-1]
        wants_key = isinstance(inner.held, dict) and inner.key is None
        token = (_KEY if wants_key else _VALUE).match(text, position)
        if token is None:
            break
        position = token.end()
        if mark := token["mark"]:
            if len(opened) > _WHOLE or mark != "}" or not _GOES_ON.match(text, position):
                _follow(mark, opened)
        elif wants_key:
            inner.key = token["word"] or _text(token["text"])
        else:
            inner.put(_word(token["word"], integer) if token["word"] else _text(token["text"]))
    whole = bool(first.held)
    for around, inner in pairwise(opened):
        if around is not first and isinstance(inner.held, dict):
            break
        around.put(inner.held)
    return first.held[0] if first.held else None, whole  # type: ignore[index]


def _follow(mark: str, opened: list[_Open]) -> None:
    inner = opened[-1]
    if mark == ",":
        inner.key = None
    elif mark in "{[":
        if mark == "{" and isinstance(inner.held, dict) and inner.key is None:
            if len(opened) > _WHOLE and isinstance(opened[-2].held, list):  # the next one: the last has lost its end
                _close(opened)
            elif isinstance(listed := inner.held.get("items"), list):  # it is not over yet
                opened.append(_Open(listed))
        opened.append(_Open({} if mark == "{" else []))
    elif mark == "]":
        if isinstance(inner.held, list) and len(opened) > 1:
            _close(opened)
    elif mark == "}" and (isinstance(inner.held, dict) or len(opened) > _FEEDS_LIST):
        while isinstance(_close(opened), list):
            pass


def _close(opened: list[_Open]) -> list[Any] | dict[str, Any]:
    done = opened.pop().held
    if len(opened) <= _MOST_DEEP:
        opened[-1].put(done)
    else:
        opened[-1].key = None
    return done


def _text(raw: str) -> str:
    """A text between quotes, of which some within it and some backslashes may not be escaped."""
    escaped = _ESCAPE.sub(lambda found: found[0] if found[1] else f"\\{found[0]}", raw)
    return str(json.loads(f'"{escaped}"', strict=False))


def _word(word: str, integer: Callable[[str], int | None]) -> Any:
    number = _NUMBER.fullmatch(word)
    if not number:
        return _WORDS.get(word)
    return float(word) if number[2] or number[3] else integer(word)
