"""The command that compares two entries as the recognition of stories does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from aggregator.cli.common import as_json_option, folders, load, print_json

if TYPE_CHECKING:
    from aggregator import stories, urls

Row = Mapping[str, Any]


@click.command()
@click.argument("titles", nargs=-1, metavar="[TITLE TITLE]")
@click.option("--jsonl", "rows", type=click.File("r", "utf-8"), help="Compare the two entries of each line of a file.")
@as_json_option
@folders
def compare(titles: tuple[str, ...], rows: IO[str] | None, as_json: bool) -> None:
    """Say whether two entries tell one story, and what speaks for and against it.

    With --jsonl each line of FILE is an object: title_a and title_b; feed_a, published_a, text_a or summary_a, link_a,
    guid_a, and the same of b; `feed`, `published` and `id` mean both. One line is printed for each.
    """
    if (len(titles) == 2) == (rows is not None) or len(titles) not in (0, 2):
        raise click.UsageError("give two titles, or --jsonl FILE")
    comparer = _comparer()
    if rows is not None:
        for row in _rows(rows):
            print_json(_plain(comparer.verdict(row)))
        return
    verdict = comparer.verdict({"title_a": titles[0], "title_b": titles[1]})
    if as_json:
        print_json(_plain(verdict))
    else:
        click.echo("\n".join(_said(verdict)))


class Comparer:
    """Compares the two entries of a row, with the editor's names and tracking parameters."""

    def __init__(self, table: stories.Aliases, tracking: urls.Tracking) -> None:
        self._table = table
        self._tracking = tracking

    def verdict(self, row: Row) -> stories.Verdict:
        """What the two entries of a row are to each other."""
        from aggregator import stories

        return stories.compare(self.entry(row, "a"), self.entry(row, "b"), self._table)

    def entry(self, row: Row, side: str) -> stories.Said:
        """The entry on one `side` (a, b) of a row, with its print, as a worker makes it."""
        from aggregator import html, prepare, stories, text, urls

        title, source, link = row.get(f"title_{side}") or "", _both(row, "feed", side), row.get(f"link_{side}") or ""
        body = html.beginning(row.get(f"text_{side}") or row.get(f"summary_{side}") or "", prepare.COMPARED)
        return stories.Said(
            title=title,
            source=source,
            published=_moment(_both(row, "published", side)),
            canonical=urls.single_page(link, self._tracking),
            entry_id=row.get(f"guid_{side}") or row.get("id"),
            fingerprint=stories.fingerprint(title, text.fold(title), text.fold(body), source or "", self._table),
        )


def _comparer() -> Comparer:
    """With what the configuration adds, where there is one."""
    from aggregator import stories, urls

    folder = click.get_current_context().ensure_object(dict).get("config", Path("config"))
    config = load() if folder.is_dir() else None
    return Comparer(
        stories.load_aliases(config.aliases if config else ""), urls.load_tracking(config.tracking if config else "")
    )


def _rows(file: IO[str]) -> Iterator[Row]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise click.UsageError(f"{file.name}:{number}: this is no JSON: {error}") from error
        if not isinstance(row, dict) or not all(isinstance(row.get(f"title_{side}"), str) for side in "ab"):
            raise click.UsageError(f"{file.name}:{number}: an object with title_a and title_b is wanted")
        yield row


def _both(row: Row, name: str, side: str) -> str | None:
    """What a row says of one side, or of both; None where it says nothing."""
    return row.get(f"{name}_{side}") or row.get(name) or None


def _moment(said: str | float | None) -> datetime | None:
    """A date as feeds write it, or seconds since 1970."""
    from aggregator.parse import dates

    if isinstance(said, str):
        return dates.read(said, None)
    try:
        return datetime.fromtimestamp(said, UTC) if said else None
    except (OverflowError, OSError, ValueError):
        return None


def _plain(verdict: stories.Verdict) -> dict[str, Any]:
    return {
        "level": verdict.level.value,
        "same": verdict.joins,
        "link": verdict.links,
        "score": round(verdict.score, 4),
        "reasons": [str(reason) for reason in verdict.reasons],
    }


def _said(verdict: stories.Verdict) -> Iterator[str]:
    from aggregator import stories

    yield f"{verdict.level.value.replace('_', ' ')}  {verdict.score:.2f}"
    yield from (f"  {stories.sentence(reason)}" for reason in verdict.reasons)
