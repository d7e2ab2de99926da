"""Fits the weights of aggregator/data/weights.txt to the labelled pairs, and prints what unseen pairs would get.

    python -m tests.bench.fitting [--write]

The scores that it prints are cross-validated: pairs that share a title (and so an affair) are never in both the part
that is fitted and the part that is scored. Needs numpy and scikit-learn (the dev extra) and ../shared/corpus.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from aggregator.stories import aliases, evidence, titles, vetoes
from tests.bench import pairs

FOLDS, ROUNDS = 8, 4
STRENGTH = 0.5  # inverse of the regularisation
UNSURE = 0.4  # weight of a pair whose label is not sure
WINDOW = 0.5  # of a pair of the window: most of them are far from any doubt
LEAST_OVERLAP = 0.4  # of the negatives of the window: the others are no candidates

HEAD = """\
# What each figure of two titles adds to the log odds that they tell one event. Fitted by tests/bench/fitting.py.
#
# letters          common characters and words, as a share of the shorter title
# dice             the same, as a share of both
# equal_numbers    common amounts (above 2) and scores
# unequal_numbers  one thing counted differently
# other_names      each names somebody, a place or a company that the other does not
# other_words      each has a word of Latin letters that the other does not
# other_speaker    in each somebody else speaks
# absent_speaker   in one somebody speaks whom the other does not name
# reaction         only one has a word of reaction
# background       only one has a word of background, question or analysis
# hours            the time between them, 1 for 72 hours (logarithmic)
"""


def main() -> None:
    """Fit, score, and write when asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write aggregator/data/weights.txt")
    write = parser.parse_args().write
    rows = training_rows()
    names, figures = _figures(rows)
    positive = np.array([pairs.is_positive(row) for row in rows])
    importance = np.array([_importance(row) for row in rows])
    vetoed = np.array([_vetoes(row) for row in rows])
    scores = _cross_validated(figures, positive, importance, vetoed[:, 0], _affairs(rows))
    show(rows, np.where(vetoed[:, 0], 0.0, scores), vetoed[:, 1])
    fitted = ~vetoed[:, 0]
    weights = _weights(names, _fit(figures[fitted], positive[fitted], importance[fitted]))
    lines = [f"{name:16} {value:+.3f}" for name, value in weights.items()]
    print("\n".join(lines))
    if write:
        evidence.FILE.write_text(HEAD + "\n" + "\n".join(lines) + "\n", "utf-8")


def training_rows() -> list[dict[str, Any]]:
    """The labelled pairs, the invented ones, and those of the window that are candidates, each with its `set`."""
    window = [row for row in pairs.window() if pairs.is_positive(row) or _overlap(row) >= LEAST_OVERLAP]
    sets = (("pairs", pairs.rows("labelled/pairs")), ("handmade", pairs.rows("labelled/handmade")), ("window", window))
    return [{**row, "set": name} for name, some in sets for row in some]


def _read(row: dict[str, Any]) -> tuple[titles.Reading, titles.Reading]:
    a, b = (titles.read(row[f"title_{side}"], row.get(f"feed_{side}", ""), aliases.default()) for side in "ab")
    return a, b


def _overlap(row: dict[str, Any]) -> float:
    a, b = _read(row)
    return len(a.units & b.units) / (min(len(a.units), len(b.units)) or 1)


def _figures(rows: Iterable[dict[str, Any]]) -> tuple[list[str], Any]:
    found = [evidence.collect(*_read(row), pairs.hours(row)) for row in rows]
    return list(found[0]), np.array([list(one.values()) for one in found])


def _importance(row: dict[str, Any]) -> float:
    return (1.0 if row.get("sure", True) else UNSURE) * (WINDOW if row["set"] == "window" else 1.0)


def _vetoes(row: dict[str, Any]) -> tuple[bool, bool]:
    """Whether there is a hard veto, and whether there is any."""
    found = list(vetoes.found(*_read(row)))
    return any(veto.hard for veto in found), bool(found)


def _affairs(rows: Sequence[dict[str, Any]]) -> list[str]:
    """For each pair one of the titles of its affair: of all pairs that hang together by common titles."""
    parents: dict[str, str] = {}

    def root(title: str) -> str:
        while parents.setdefault(title, title) != title:
            title = parents[title]
        return title

    for row in rows:
        parents[root(row["title_a"])] = root(row["title_b"])
    return [root(row["title_a"]) for row in rows]


def _fit(figures: Any, positive: Any, importance: Any) -> Any:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=2000))
    return model.fit(figures, positive, logisticregression__sample_weight=importance)


def _cross_validated(figures: Any, positive: Any, importance: Any, vetoed: Any, affairs: list[str]) -> Any:
    """The mean score of each pair by models that were fitted without its affair."""
    total = np.zeros(len(positive))
    for number in range(ROUNDS):
        fold = np.array([_hash(f"{number}{affair}") % FOLDS for affair in affairs])
        for part in range(FOLDS):
            fitted = (fold != part) & ~vetoed
            model = _fit(figures[fitted], positive[fitted], importance[fitted])
            total[fold == part] += model.predict_proba(figures[fold == part])[:, 1]
    return total / ROUNDS


def _hash(said: str) -> int:
    return int.from_bytes(hashlib.blake2b(said.encode(), digest_size=4).digest(), "big")


def _weights(names: list[str], model: Any) -> dict[str, float]:
    """The weights on the figures as they are, rather than on the standardised ones."""
    scaler, regression = model[0], model[1]
    slopes = regression.coef_[0] / scaler.scale_
    return {
        "intercept": float(regression.intercept_[0] - slopes @ scaler.mean_),
        **dict(zip(names, slopes.tolist(), strict=True)),
    }


def show(rows: Sequence[dict[str, Any]], scores: Any, against: Any) -> None:
    """Print precision and recall over the sure pairs of each set, by threshold."""
    sets = ("pairs", "handmade", "window")
    print(f"{'':10}" + "".join(f"{name:>26}" for name in sets))
    for what, least in [("join", t / 100) for t in range(80, 98, 1)] + [("link", t / 100) for t in range(50, 82, 2)]:
        line = f"{what} {least:.2f} "
        for name in sets:
            chosen = [k for k, row in enumerate(rows) if row["set"] == name and row.get("sure", True)]
            hit = [k for k in chosen if scores[k] >= least and not (what == "join" and against[k])]
            true = sum(pairs.is_positive(rows[k]) for k in hit)
            every = sum(pairs.is_positive(rows[k]) for k in chosen)
            line += f"   P {true / (len(hit) or 1):.3f} R {true / every:.3f} ({len(hit) - true:2})"
        print(line)


if __name__ == "__main__":
    main()
