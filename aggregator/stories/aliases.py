"""Names that differ by region and script, brought to one: 輝達, 英伟达 and Nvidia.

The table is data (`data/aliases.txt`, whose head says how it is written). It is applied to folded text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aggregator import text

_FILE = Path(__file__).parent.parent / "data" / "aliases.txt"
_SECTION = re.compile(r"\[(\w+)\]")
KINDS = ("people", "places", "companies", "terms")

_Trie = dict[str, "_Trie"]


@dataclass(frozen=True, eq=False)
class Aliases:
    """A table of names, compiled: by folded name the one that stands for its group, by that one its kind, and by first
    character what finds the longest name that begins there."""

    one: Mapping[str, str]
    kinds: Mapping[str, str]
    finders: Mapping[str, re.Pattern[str]]

    def applied(self, folded: str) -> tuple[str, Mapping[str, str]]:
        """The folded text with every name replaced by the one that stands for its group; and the people, places and
        companies among them, each with its kind."""
        parts: list[str] = []
        names: dict[str, str] = {}
        place = 0
        while place < len(folded):
            finder = self.finders.get(folded[place])
            found = finder.match(folded, place) if finder else None
            if found is None:
                parts.append(folded[place])
                place += 1
                continue
            name = self.one[found[0]]
            parts.append(name)
            place = found.end()
            if name in self.kinds:
                names[name] = self.kinds[name]
        return "".join(parts), names


def load(added: str = "") -> Aliases:
    """Our own table, and the lines of `added` (the file of the same name in the configuration folder), which win.

    Raises ValueError that says which line of `added` cannot be read.
    """
    one: dict[str, str] = {}
    kinds: dict[str, str] = {}
    for kind, names in (*_groups(_FILE.read_text("utf-8")), *_groups(added)):
        first = one.get(names[0], names[0])
        one |= dict.fromkeys(names, first)
        if kind != "terms":
            kinds[first] = kind
    return Aliases(one, kinds, _finders(one))


def _groups(lines: str) -> Iterator[tuple[str, list[str]]]:
    """The kind and the folded names of each line."""
    kind = "terms"
    for number, line in enumerate(lines.splitlines(), 1):
        said = line.partition("#")[0].strip()
        if section := _SECTION.fullmatch(said):
            kind = section[1]
            if kind not in KINDS:
                raise ValueError(f"line {number}: [{kind}] is none of {', '.join(KINDS)}")
        elif said:
            names = [text.fold(name) for name in said.split(",")]
            if not all(names):
                raise ValueError(f"line {number}: a name is missing between two commas")
            yield kind, names


def _finders(names: Iterable[str]) -> dict[str, re.Pattern[str]]:
    """By first character what matches the longest name there; names of Latin letters only as whole words."""
    trie: _Trie = {}
    for name in names:
        node = trie
        for character in name:
            node = node.setdefault(character, {})
        node[""] = {}
    whole = r"(?<![a-z0-9])"
    return {
        first: re.compile((whole if first.isascii() else "") + re.escape(first) + _alternatives(node, first))
        for first, node in trie.items()
    }


def _alternatives(trie: _Trie, last: str) -> str:
    """The pattern of what may follow `last`."""
    branches = [re.escape(each) + _alternatives(node, each) for each, node in sorted(trie.items()) if each]
    if "" in trie:  # a name ends here; as the last branch, so that longer ones go first
        branches.append(r"(?![a-z0-9])" if last.isascii() else "")
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


DEFAULT = load()
