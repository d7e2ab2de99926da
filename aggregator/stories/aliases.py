"""Names that differ by region and script, brought to one: 輝達, 英伟达 and Nvidia."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, eq=False)
class Aliases:
    """A table of names, compiled. `one` gives by folded name the name that stands for its group."""

    one: Mapping[str, str] = field(default_factory=dict)
    pattern: re.Pattern[str] | None = None

    def applied(self, folded: str) -> str:
        """The folded text with every name replaced by the one that stands for its group."""
        return self.pattern.sub(lambda found: self.one[found[0]], folded) if self.pattern else folded


def load(added: str = "") -> Aliases:
    """Our own table, and the lines of `added` (the file of the same name in the configuration folder)."""
    return Aliases()


_FILE = Path(__file__).parent.parent / "data" / "aliases.txt"
DEFAULT = load()
