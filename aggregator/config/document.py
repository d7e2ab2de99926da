"""One YAML file as plain data that remembers where everything stands.

Read from libyaml's events, not composed into nodes: that is six times faster, gives an alias its own place, and a
deeply nested file cannot crash it (composing recurses in C). Whether an unquoted scalar is text or something else is
decided from the scalar as typed (`scalars.plain`), never by YAML 1.1's rules, which take `no` for false and `12:30`
for 750.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Set
from pathlib import Path
from typing import TypeAlias

import yaml

from aggregator.config import scalars, syntax
from aggregator.config.syntax import BadYamlError
from aggregator.errors import Problem

Location: TypeAlias = tuple[int | str, ...]  # the keys and positions that lead to a value
Place: TypeAlias = tuple[int, int]  # line and column, from 1

_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_ALIASED = 100_000  # values that aliases may repeat, so that a few lines cannot stand for millions
_TEXT_TAGS = (None, "!", "tag:yaml.org,2002:str")
_PLAIN_TAGS = (None, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_NO_TAGS = "a YAML tag has no meaning here", "a text that begins with ! must stand in quotes"


class Mapping(dict[str, object]):
    """A YAML mapping, with the place of each key and of its value."""

    __slots__ = ("place", "places")

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.places: dict[str, tuple[Place, Place]] = {}


class Sequence(list[object]):
    """A YAML list, with the places of its items."""

    __slots__ = ("place", "places")

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.places: list[Place] = []


class Document:
    """A file that was read: `data` of Mapping, Sequence, str and Plain, and what was wrong with it as YAML.

    `data` is None where the file could not be read at all, and a blank `Plain` where it holds nothing.
    """

    def __init__(self, file: str, data: object = None, problems: tuple[Problem, ...] = ()) -> None:
        self.file = file
        self.data = data
        self.problems = problems

    def at(self, location: Location) -> object:
        """The data at `location`, or the nearest above it that exists."""
        return self._find(location)[0]

    def line(self, location: Location) -> int:
        """The line of the value at `location`, from 1."""
        return self._find(location)[2][0]

    def problem(
        self, location: Location, message: str, hint: str = "", *, at_key: bool = False, offset: int = 0
    ) -> Problem:
        """A problem with the value at `location`, or with its key; `offset` characters further on."""
        _, key, value = self._find(location)
        line, column = key if at_key else value
        return Problem(self.file, line, column + offset, message, hint)

    def _find(self, location: Location) -> tuple[object, Place, Place]:
        """The data, its key's place and its own, as far down `location` as the data goes."""
        data = self.data
        key = value = data.place if isinstance(data, Mapping | Sequence) else (1, 1)
        for step in location:
            if isinstance(data, Mapping) and isinstance(step, str) and step in data:
                key, value = data.places[step]
                data = data[step]
            elif isinstance(data, Sequence) and isinstance(step, int) and step < len(data):
                key = value = data.places[step]
                data = data[step]
            elif isinstance(data, Sequence) or isinstance(step, str):
                break  # else a single value stands where a list may: it is the item
        return data, key, value


def read(path: Path, keys: Set[str]) -> Document:
    """The file at `path`; `keys` are the words that are keys wherever they begin a line. Raises OSError."""
    file = str(path)
    problems: list[Problem] = []
    data: object = None
    must_end(path)
    try:
        text, faults = syntax.mend(syntax.decode(path.read_bytes()), keys)
        problems += (_problem(file, fault) for fault in faults)
        data = _Reader(file, text, problems).read()
    except BadYamlError as fault:
        problems.append(_problem(file, fault))
    return Document(file, data, tuple(problems))


def must_end(path: Path) -> None:
    """Raise OSError where reading the path could be waiting without end."""
    if path.is_fifo() or path.is_socket() or path.is_char_device():
        raise OSError(errno.EINVAL, "it is no file, but a pipe or a device")


def _problem(file: str, fault: BadYamlError) -> Problem:
    return Problem(file, fault.line, fault.column, fault.message, fault.hint)


class _Reader:
    """Builds the data of one document from its events, and refuses what YAML can and a configuration need not."""

    def __init__(self, file: str, text: str, problems: list[Problem]) -> None:
        self._file = file
        self._events = self._all_events(text)
        self._problems = problems
        self._anchors: dict[str, tuple[object, int]] = {}
        self._size = 0
        self._aliased = 0

    @staticmethod
    def _all_events(text: str) -> Iterator[yaml.Event]:
        try:
            yield from yaml.parse(text, _LOADER)
        except yaml.MarkedYAMLError as error:
            raise syntax.explain(error, text) from None

    def read(self) -> object:
        next(self._events)  # the stream's start
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return scalars.plain("")
        data = self._node(next(self._events), 0)
        next(self._events)  # the document's end
        following = next(self._events)
        if isinstance(following, yaml.DocumentStartEvent):
            raise _refused(following, "a second document begins here", "one file is one document: remove the '---'")
        return data

    def _node(self, event: yaml.Event, depth: int) -> object:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        size = self._size
        self._size += 1
        data = self._value(event, depth)
        if anchor := getattr(event, "anchor", None):
            self._anchors[anchor] = data, self._size - size
        return data

    def _value(self, event: yaml.Event, depth: int) -> object:
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        if getattr(event, "tag", None) not in _PLAIN_TAGS:
            raise _refused(event, *_NO_TAGS)
        if depth == syntax.MAX_DEPTH:
            raise syntax.too_deep(*_place(event))
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(_place(event), depth + 1)
        return self._sequence(_place(event), depth + 1)

    def _alias(self, event: yaml.AliasEvent) -> object:
        if event.anchor not in self._anchors:
            raise _refused(
                event, "this alias names no anchor above it", "a text that begins with * must stand in quotes"
            )
        data, size = self._anchors[event.anchor]
        self._size += size
        self._aliased += size
        if self._aliased > _MAX_ALIASED:
            raise _refused(event, f"aliases repeat more than {_MAX_ALIASED} values", "write fewer")
        return data

    def _sequence(self, place: Place, depth: int) -> Sequence:
        items = Sequence(place)
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.places.append(_place(event))
            items.append(self._node(event, depth))
        return items

    def _mapping(self, place: Place, depth: int) -> Mapping:
        mapping = Mapping(place)
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = _key(event)
            following = next(self._events)
            value = self._node(following, depth)
            if key in mapping:
                self._problems.append(_twice(self._file, key, _place(event), mapping.places[key][0]))
                continue
            mapping[key] = value
            mapping.places[key] = _place(event), _place(following)
        return mapping


def _scalar(event: yaml.ScalarEvent) -> str | scalars.Plain:
    if event.tag not in _TEXT_TAGS:
        raise _refused(event, *_NO_TAGS)
    return scalars.plain(event.value) if event.implicit[0] else str(event.value)


def _key(event: yaml.Event) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        raise _refused(event, "a key must be a single word", "")
    if event.value == "<<" and event.implicit[0]:
        raise _refused(event, "merge keys, <<, have no meaning here", "write the keys out")
    return str(event.value)


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    assert mark is not None  # as libyaml's events always have it
    return mark.line + 1, mark.column + 1


def _twice(file: str, key: str, place: Place, first: Place) -> Problem:
    return Problem(
        file, *place, f"the key '{key}' is here a second time, first in line {first[0]}", "keep one of the two"
    )


def _refused(event: yaml.Event, message: str, hint: str) -> BadYamlError:
    return BadYamlError(*_place(event), message, hint)
