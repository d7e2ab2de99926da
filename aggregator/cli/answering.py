"""What `try` prints: entries that no feed brought, filed as a poll would file them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from aggregator import categorize, dedupe, explain, html, prepare, text
from aggregator.models import Config, Filing, ParsedEntry, Source

Row = Mapping[str, Any]
Answer = dict[str, Any]

KEYS = ("title", "text", "url", "author", "source", "language")  # of a row; what is missing or None is empty
_DECIMALS = 3  # of a score


def answers(config: Config, rows: Iterable[Row]) -> Iterator[Answer]:
    """For each row its `categories` and `scores`, and what it is `kept_out` of, if anything."""
    guide = prepare.unpack(prepare.pack(config.categories, config.tracking, config.lexicon)).guide
    sources = {source.name: source for source in config.sources}
    parents = {category.term: category.parent for category in config.categories}
    for row in rows:
        name = row.get("source") or ""
        source = sources.get(name) or Source(name, "")
        verdict = categorize.decide(guide, prepare.subject(_entry(row), source), source)
        yield _answer(verdict, guide.within, parents)


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


def _answer(
    verdict: categorize.Verdict, within: Mapping[str, frozenset[str]], parents: Mapping[str, str | None]
) -> Answer:
    """What is printed of one entry. A category's score is the best of it and of all below it."""
    scores = {term: round(max(verdict.scores[each] for each in below), _DECIMALS) for term, below in within.items()}
    best_first = sorted(scores, key=lambda term: -scores[term])
    filed = {filing.term for filing in verdict.filings}
    feeds = dedupe.with_ancestors(filed, parents)
    answer: Answer = {
        "categories": [
            {
                "term": term,
                "score": scores[term],
                "reasons": _reasons(verdict.filings, term) or _children(term, filed, within),
            }
            for term in best_first
            if term in feeds
        ],
        "scores": [{"term": term, "score": scores[term]} for term in best_first if parents[term] is None],
    }
    if verdict.against:
        answer["kept_out"] = [
            {"term": filing.term, "reasons": _reasons(verdict.against, filing.term)} for filing in verdict.against
        ]
    return answer


def _reasons(filings: Iterable[Filing], term: str) -> list[str]:
    return [explain.voice(asdict(filing)) for filing in filings if filing.term == term]


def _children(term: str, filed: set[str], within: Mapping[str, frozenset[str]]) -> list[str]:
    """Why an entry is in a feed that nothing files it into: it is filed below."""
    return [f"the parent of {child}" for child in sorted(within[term] & filed)]
