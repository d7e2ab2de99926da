"""How many documents that say nothing new are known by their gist, before they are read.

    .venv/bin/python -m tests.bench.gist

Over the recorded histories of ../shared/corpus/snapshots: of the steps in which bytes changed, those in which no entry
did (every entry's hash is one of the last document's), and those of them in which the gist stayed. Exit code 1 when a
gist stayed though an entry is new.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from aggregator import errors, parse
from tests.bench.replay import names, recorded


@dataclass(slots=True)
class Steps:
    """Counts of one history."""

    changed: int = 0
    still: int = 0
    known: int = 0
    wrong: int = 0


def steps(name: str) -> Steps:
    """The steps of one history."""
    counts, seen, before, gist = Steps(), b"", b"", b""
    for body in (version.body for version in recorded(name)):
        try:
            feed = parse.read(body, None, "http://e.org/", None, seen)
        except errors.ParseError:
            continue
        if before and body != before:
            same = feed.gist == gist != b""
            counts.changed += 1
            counts.still += not feed.entries
            counts.known += same and not feed.entries
            counts.wrong += same and bool(feed.entries)
        seen, before, gist = feed.hashes, body, feed.gist
    return counts


def main() -> None:
    """Print a line for each history, and their sum."""
    total = Steps()
    print(f"{'history':28} {'changed':>8} {'still':>8} {'known':>8}")
    for name in names():
        found = steps(name)
        print(f"{name:28} {found.changed:8} {found.still:8} {found.known:8}")
        total = Steps(*(getattr(total, each) + getattr(found, each) for each in Steps.__slots__))
    print(f"{'all':28} {total.changed:8} {total.still:8} {total.known:8}; {total.wrong} wrong")
    sys.exit(bool(total.wrong))


if __name__ == "__main__":
    main()
