"""The recognition of stories over the labelled pairs of ../shared/corpus; tests/bench/stories.py prints all figures."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.bench import pairs
from tests.bench import stories as bench


def rates(rows: list[dict[str, Any]], what: str) -> tuple[float, float]:
    """Precision and recall of `joins` or `links` over the sure rows."""
    sure = [row for row in rows if row.get("sure", True)]
    hits = [row for row, verdict in zip(sure, bench.verdicts(sure), strict=True) if getattr(verdict, what)]
    true = sum(map(pairs.is_positive, hits))
    return true / len(hits), true / sum(map(pairs.is_positive, sure))


@pytest.mark.parametrize(
    ("name", "what", "precision", "recall"),
    [
        ("labelled/pairs", "joins", 0.985, 0.68),
        ("labelled/pairs", "links", 0.94, 0.87),
        ("labelled/handmade", "joins", 0.95, 0.60),
        ("labelled/handmade", "links", 0.90, 0.78),
    ],
)
@pytest.mark.usefixtures("corpus")
def test_labelled_pairs_are_recognised(name: str, what: str, precision: float, recall: float) -> None:
    found = rates(pairs.rows(name), what)
    assert found[0] >= precision
    assert found[1] >= recall


def joined(name: str, *, feed: bool = True) -> float:
    verdicts = bench.verdicts(pairs.rows(name), feed=feed)
    return sum(verdict.joins for verdict in verdicts) / len(verdicts)


@pytest.mark.usefixtures("corpus")
def test_issues_of_a_column_are_never_one() -> None:
    assert joined("serial_column") == 0
    assert joined("serial_column", feed=False) <= 0.003


@pytest.mark.usefixtures("corpus")
def test_one_title_in_two_sources_is_one_text_and_in_one_source_a_column() -> None:
    assert joined("syndicated_exact") >= 0.995
    assert joined("same_title_diff_item") == 0


@pytest.mark.usefixtures("corpus")
def test_an_edited_title_and_another_spelling_of_a_link_are_one_entry() -> None:
    assert joined("title_edit") == 1
    rows = pairs.rows("url_variant")
    for row, verdict in zip(rows, bench.verdicts(rows), strict=True):
        assert verdict.joins == pairs.is_positive(row)


@pytest.mark.parametrize("name", bench.VARIANTS)
def test_an_article_is_one_text_with_its_variant(corpus: Path, name: str) -> None:
    chance = random.Random(5)
    rows = chance.sample(bench.articles_of(corpus), 100)
    same = 0
    for row in rows:
        other = bench.VARIANTS[name](row, chance)
        verdict = bench.COMPARER.verdict({**bench.both(row, "a", "甲"), **bench.both(other, "b", "乙")})
        same += verdict.level == "same_text"
    assert same >= 97
