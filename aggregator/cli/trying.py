"""The command that files what is not stored: try."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any

import click

from aggregator import errors
from aggregator.cli.common import folders, load, nearest

if TYPE_CHECKING:
    from aggregator.categorize import Verdict
    from aggregator.models import Config, Filing, ParsedEntry

Row = dict[str, Any]

_KEYS = ("title", "text", "url", "author", "source", "language")
_DECIMALS = 3  # of a score as it is printed


@click.command("try")
@click.argument("title", required=False)
@click.option("--text", metavar="TEXT", help="Its text, plain or HTML.")
@click.option("--url", metavar="URL", help="Its link.")
@click.option("--author", metavar="NAME", help="Its author.")
@click.option("--source", metavar="NAME", help="The source it would come from, as in sources.yaml.")
@click.option("--language", metavar="TAG", help="Its language.")
@click.option(
    "--jsonl", "rows", type=click.File("rb"), metavar="FILE", help="Take entries from JSON lines; - is standard input."
)
@folders
def try_(rows: IO[bytes] | None, **said: str | None) -> None:
    """Say where an entry would be filed, and why, by the configuration as it is. Nothing is stored.

    One JSON line each: `categories` are those it would be in, parents too; `scores` are of every category without a
    parent, best first. A row of FILE has title, text, url, author, source, language, as far as they are there.
    """
    if (rows is None) == (said["title"] is None):
        raise click.UsageError("give a title, or --jsonl FILE")
    config = load()
    if rows is None:
        _check_source(config, said["source"])
    entries = iter([said]) if rows is None else _rows(rows)
    for answer in _answers(config, entries):
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")


def _check_source(config: Config, name: str | None) -> None:
    names = [source.name for source in config.sources]
    if name is not None and name not in names:
        raise click.BadParameter(f"no source is called {name}{nearest(name, names)}", param_hint="--source")


def _rows(lines: IO[bytes]) -> Iterator[Row]:
    """The rows of a file, but for blank lines. Raises AggregatorError at the first that is none."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise _bad(lines, number, f"is not JSON ({error})") from error
            if not isinstance(row, dict):
                raise _bad(lines, number, "is no JSON object")
            for key in _KEYS:
                if not isinstance(row.get(key, ""), str | None):
                    raise _bad(lines, number, f"has a {key} that is no text")
            yield row


def _bad(lines: IO[bytes], number: int, what: str) -> errors.AggregatorError:
    return errors.AggregatorError(f"{getattr(lines, 'name', 'rows')}:{number}: the row {what}")


def _answers(config: Config, rows: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    from aggregator import categorize, prepare
    from aggregator.models import Source

    guide = prepare.unpack(prepare.pack(config.categories, config.tracking)).guide
    sources = {source.name: source for source in config.sources}
    parents = {category.term: category.parent for category in config.categories}
    for row in rows:
        name = row.get("source") or ""
        source = sources.get(name) or Source(name, "")
        verdict = categorize.decide(guide, prepare.subject(_entry(row), source), source)
        yield _answer(verdict, guide.within, parents)


def _entry(row: Mapping[str, Any]) -> ParsedEntry:
    """The row as an entry that was read from a feed."""
    from aggregator import html, text
    from aggregator.models import ParsedEntry

    said = {key: text.clean(row.get(key) or "") for key in _KEYS}
    return ParsedEntry(
        id=None,
        link=said["url"] or None,
        title=text.one_line(html.title(said["title"])),
        content=html.sanitize(said["text"], str, str),
        author=text.one_line(said["author"]),
        language=said["language"] or None,
    )


def _answer(verdict: Verdict, within: Mapping[str, frozenset[str]], parents: Mapping[str, str | None]) -> Row:
    """What is printed of one entry. A category's score is the best of it and of all below it."""
    from aggregator import dedupe

    scores = {term: round(max(verdict.scores[each] for each in below), _DECIMALS) for term, below in within.items()}
    best_first = sorted(scores, key=lambda term: -scores[term])
    filed = {filing.term for filing in verdict.filings}
    feeds = dedupe.with_ancestors(filed, parents)
    answer: Row = {
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
        kept_out = dict.fromkeys(filing.term for filing in verdict.against)
        answer["kept_out"] = [{"term": term, "reasons": _reasons(verdict.against, term)} for term in kept_out]
    return answer


def _reasons(filings: Iterable[Filing], term: str) -> list[str]:
    from aggregator import explain

    return [explain.voice(asdict(filing)) for filing in filings if filing.term == term]


def _children(term: str, filed: set[str], within: Mapping[str, frozenset[str]]) -> list[str]:
    """Why an entry is in a feed that nothing files it into: it is filed below."""
    return [f"the parent of {child}" for child in sorted(within[term] & filed)]
