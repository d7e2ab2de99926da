"""Names that differ by region and script, brought to one: 輝達, 英伟达 and Nvidia.

The table is data (`data/aliases.txt`, whose head says how it is written). It is applied to folded text.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aggregator import text

_FILE = Path(__file__).parent.parent / "data" / "aliases.txt"
_SECTION = re.compile(r"\[(\w+)\]")
_KINDS = ("people", "places", "companies", "terms")
_LATIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


@dataclass(frozen=True, eq=False)
class Aliases:
    """A table of names: by folded name the one that stands for its group; by that one the first of Latin letters, and
    the kind (`people`, `places`, `companies`); by first two characters the names that begin so, the longest first."""

    one: Mapping[str, str]
    latin: Mapping[str, str]
    kinds: Mapping[str, str]
    beginning: Mapping[str, tuple[str, ...]]

    def applied(self, folded: str) -> tuple[str, Mapping[str, str]]:
        """The folded text with every name replaced by the one that stands for its group; and the people, places and
        companies among them, each with its kind. Of several names at one place the longest counts. In a text of Latin
        letters a name of Latin letters stands for the group, so that it stays one.
        """
        latin = self.latin if folded.isascii() else {}
        parts: list[str] = []
        names: dict[str, str] = {}
        done = 0
        for place in self._beginnings(folded):
            found = self._found(folded, place) if place >= done else ""
            if found:
                name = self.one[found]
                parts += (folded[done:place], latin.get(name, name))
                done = place + len(found)
                if name in self.kinds:
                    names[name] = self.kinds[name]
        return _joined([*parts, folded[done:]]) if parts else folded, names

    def _beginnings(self, folded: str) -> list[int]:
        """The places where a name may begin."""
        twos = map(operator.add, folded, folded[1:] + " ")
        beginning = self.beginning
        return [place for place, two in enumerate(twos) if two in beginning or two[0] in beginning]

    def _found(self, folded: str, place: int) -> str:
        """The name that begins at `place`; names of Latin letters only as whole words."""
        for begun in (folded[place : place + 2], folded[place]):
            for name in self.beginning.get(begun, ()):
                if folded.startswith(name, place):
                    before, after = folded[place - 1 : place], folded[place + len(name) : place + len(name) + 1]
                    if not (_LATIN.issuperset((before, name[0])) or _LATIN.issuperset((name[-1], after))):
                        return name
        return ""


def _joined(parts: Iterable[str]) -> str:
    """The parts as one text, in which no words of Latin letters grow together: 2GW人工智慧 says 2gw and ai."""
    joined: list[str] = []
    for part in filter(None, parts):
        if joined and part[0] in _LATIN and joined[-1][-1] in _LATIN:
            joined.append(" ")
        joined.append(part)
    return "".join(joined)


@cache
def default() -> Aliases:
    """Our own table."""
    return load()


def load(added: str = "") -> Aliases:
    """Our own table, and the lines of `added` (the file of the same name in the configuration folder), which win.

    Raises ValueError that says which line of `added` cannot be read.
    """
    one: dict[str, str] = {}
    latin: dict[str, str] = {}
    kinds: dict[str, str] = {}
    for kind, names in (*_groups(_FILE.read_text("utf-8")), *_groups(added)):
        first = one.get(names[0], names[0])
        one |= dict.fromkeys(names, first)
        latin.setdefault(first, next(filter(str.isascii, names), first))
        if kind != "terms":
            kinds[first] = kind
    beginning: dict[str, tuple[str, ...]] = {}
    for name in sorted(one, key=len, reverse=True):
        beginning[name[:2]] = (*beginning.get(name[:2], ()), name)
    return Aliases(one, latin, kinds, beginning)


def _groups(lines: str) -> Iterator[tuple[str, list[str]]]:
    """The kind and the folded names of each line."""
    kind = "terms"
    for number, line in enumerate(lines.splitlines(), 1):
        said = line.partition("#")[0].strip()
        if section := _SECTION.fullmatch(said):
            kind = section[1]
            if kind not in _KINDS:
                raise ValueError(f"line {number}: [{kind}] is none of {', '.join(_KINDS)}")
        elif said:
            names = [text.fold(name) for name in said.split(",")]
            if not all(names):
                raise ValueError(f"line {number}: a name is missing before or after a comma")
            yield kind, names
