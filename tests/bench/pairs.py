"""The labelled pairs of ../shared/corpus/pairs, as the benches of stories read them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import combinations
from pathlib import Path
from typing import Any

PAIRS = Path(__file__).parents[2].parent / "shared" / "corpus" / "pairs"
WINDOW_HOURS = 72


def rows(name: str) -> list[dict[str, Any]]:
    """The rows of `labelled/NAME`, or of the development half of `NAME`."""
    path = PAIRS / f"{name}.jsonl" if "/" in name else PAIRS / name / "dev.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def window() -> list[dict[str, Any]]:
    """The titles of the labelled window in pairs, as far as 72 hours at most lie between them."""
    found = []
    for a, b in combinations(rows("labelled/window"), 2):
        row = {f"{key}_{side}": one[key] for side, one in (("a", a), ("b", b)) for key in ("title", "published", "id")}
        row |= {"feed_a": a["publisher"], "feed_b": b["publisher"]}
        row["label"] = "same_event" if a["event"] == b["event"] else "different"
        if hours(row) <= WINDOW_HOURS:
            found.append(row)
    return found


def is_positive(row: dict[str, Any]) -> bool:
    """Whether a label says that both belong in one story."""
    return row["label"] in ("same_text", "same_event") or row["label"].startswith("same (") or row["label"] == "same"


def hours(row: dict[str, Any]) -> float:
    """The hours between both; none where a date is missing."""
    a, b = (moment(row.get(f"published_{side}") or row.get("published")) for side in "ab")
    return abs((a - b).total_seconds()) / 3600 if a and b else 0.0


def moment(said: str | None) -> datetime | None:
    """A date as feeds write it."""
    if not said:
        return None
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        found = parsedate_to_datetime(said)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
