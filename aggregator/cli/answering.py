"""What `try` prints: entries that no feed brought, filed as a poll would file them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from aggregator import categorize, dedupe, explain, html, prepare, text
from aggregator.models import Config, Filing, ParsedEntry, Source, Weight

Row = Mapping[str, Any]
Answer = dict[str, Any]

KEYS = ("title", "text", "url", "author", "source", "language")  # of a row; what is missing or None is empty
_DECIMALS = 3  # of a score


def answers(config: Config, learned: Iterable[Weight], rows: Iterable[Row]) -> Iterator[Answer]:
    """For each row its `categories` and `scores`, and what it is `kept_out` of, if anything."""
    guide = prepare.unpack(prepare.pack(config, learned)).guide
    parents = {category.term: category.parent for category in config.categories}
    sources = {source.name: source for source in config.sources}
    for row in rows:
        name = row.get("source") or ""
        source = sources.get(name) or Source(name, "")
        yield _answer(categorize.decide(guide, prepare.subject(_entry(row), source), source), guide, parents)


def _entry(row: Row) -> ParsedEntry:
    """The row as an entry that was read from a feed."""
    said = {key: text.clean(row.get(key) or "") for key in KEYS}
    return ParsedEntry(
        id=None,
        link=said["url"] or None,
        title=text.one_line(html.title(said["title"])),
        content=html.sanitize(said["text"], str, str),
        author=text.one_line(said["author"]),
        language=said["language"] or None,
    )


def _answer(verdict: categorize.Verdict, guide: categorize.Guide, parents: Mapping[str, str | None]) -> Answer:
    """What is printed of one entry. A category's score is the best of it and of all below it."""
    scores = {term: max(verdict.scores[each] for each in below) for term, below in guide.within.items()}
    best_first = sorted(scores, key=lambda term: -scores[term])
    filed = {filing.term for filing in verdict.filings}
    feeds = dedupe.with_ancestors(filed, parents)
    answer: Answer = {
        "categories": [
            {
                "term": term,
                "score": _number(scores[term]),
                "reasons": _reasons(verdict.filings, term) or _children(filed & guide.within[term]),
            }
            for term in best_first
            if term in feeds
        ],
        "scores": [
            {"term": term, "score": _number(scores[term]), "threshold": _number(verdict.thresholds[term])}
            for term in best_first
            if parents[term] is None
        ],
    }
    if verdict.against:
        answer["kept_out"] = [
            {"term": filing.term, "reasons": _reasons(verdict.against, filing.term)} for filing in verdict.against
        ]
    return answer


def _number(score: float) -> float | None:
    """As it is printed: a threshold that no score reaches is null."""
    return round(score, _DECIMALS) + 0.0 if math.isfinite(score) else None


def _reasons(filings: Iterable[Filing], term: str) -> list[str]:
    return [explain.voice(asdict(filing)) for filing in filings if filing.term == term]


def _children(filed: Iterable[str]) -> list[str]:
    """Why an entry is in a feed that nothing files it into: it is filed below."""
    return [f"the parent of {child}" for child in sorted(filed)]
