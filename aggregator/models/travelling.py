"""How values travel between processes."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import TypeVar

_T = TypeVar("_T")


def travelling(kind: type[_T]) -> type[_T]:
    """A frozen dataclass that is pickled as a call of itself: half the time of going through its slots one by one."""
    # mypy does not know that `kind` is a dataclass, nor that a class may get a method later.
    values = attrgetter(*(each.name for each in fields(kind)))  # type: ignore[arg-type]
    kind.__reduce__ = lambda self: (kind, values(self))  # type: ignore[method-assign]
    return kind
