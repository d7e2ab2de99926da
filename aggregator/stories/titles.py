"""What a title says, taken apart once: its core, its numbers, who speaks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from aggregator import text
from aggregator.stories import aliases


@dataclass(frozen=True)
class Reading:
    """A title taken apart. `core` is folded, without what the source puts around it, aliases brought to one."""

    core: str


@lru_cache(maxsize=65_536)
def read(title: str, source: str, table: aliases.Aliases) -> Reading:
    """What `title` says, in an entry of the source of that name."""
    return Reading(table.applied(text.fold(title)))
