"""Makes aggregator/data/rarity.txt: how common pairs of neighbouring characters and words are in titles.

    python -m tests.bench.rarity

It reads the titles of ../shared/corpus/datasets and writes counts only, in steps of half an octave.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from aggregator import text
from aggregator.stories import aliases, rarity

ROOT = Path(__file__).parents[2]
DATASETS = ROOT.parent / "shared" / "corpus" / "datasets"

LEAST = 4  # titles, below which a pair is as rare as one that never occurs

HEAD = """\
# How common pairs of neighbouring characters and words are in folded titles: a step of half an octave of the number of
# titles, then what occurs so often. What is missing is rarer. Derived from {titles} titles by tests/bench/rarity.py.
"""


def titles() -> Iterator[str]:
    """Every title once."""
    seen: set[str] = set()
    for path in sorted(DATASETS.glob("*/dev.jsonl")):
        if path.parent.name.startswith("derived"):
            continue
        for line in path.read_text("utf-8").splitlines():
            title = json.loads(line)["title"]
            if title not in seen:
                seen.add(title)
                yield title


def main() -> None:
    """Count, and write the table."""
    counts: Counter[str] = Counter()
    number = 0
    for title in titles():
        number += 1
        core, _ = aliases.default().applied(text.fold(title))
        counts.update(set(rarity.pairs(core)) | set(rarity.units(core)))
    steps: dict[int, list[str]] = {}
    for gram, count in counts.items():
        if count >= LEAST:
            steps.setdefault(round(2 * math.log2(count / LEAST)) + 1, []).append(gram)
    lines = (f"{step} {' '.join(sorted(grams))}" for step, grams in sorted(steps.items()))
    rarity.FILE.write_text(HEAD.format(titles=number) + "\n".join(lines) + "\n", "utf-8")
    print(f"{number} titles, {sum(map(len, steps.values()))} pairs and words, {rarity.FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
