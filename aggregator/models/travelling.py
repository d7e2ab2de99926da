"""How values travel between processes."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import Any, TypeVar

_T = TypeVar("_T")


def travelling(kind: type[_T]) -> type[_T]:
    """A frozen dataclass that is pickled as a call of itself: half the time of going through its slots one by one."""
    changed: Any = kind  # which no type says: a dataclass that gets a method later
    values = attrgetter(*(each.name for each in fields(changed)))
    changed.__reduce__ = lambda self: (kind, values(self))
    return kind
