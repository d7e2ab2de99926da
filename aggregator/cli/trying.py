"""The command that files what is not stored: try."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

import click

from aggregator import errors
from aggregator.cli.common import folders, load, nearest

if TYPE_CHECKING:
    from aggregator.cli.answering import Row
    from aggregator.models import Config, Weight


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

    What filing learned counts too, if there is a database in the data folder.

    One JSON line each: `categories` are those it would be in, parents too; `scores` are of every category without a
    parent, best first. A row of FILE has title, text, url, author, source, language, as far as they are there.
    """
    if (rows is None) == (said["title"] is None):
        raise click.UsageError("give a title, or --jsonl FILE")
    config = load()
    if rows is None:
        _check_source(config, said["source"])
    from aggregator.cli import answering

    for answer in answering.answers(config, _learned(config), [said] if rows is None else _rows(rows)):
        sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")


def _learned(config: Config) -> list[Weight]:
    """What the database holds of it; nothing where there is none."""
    from aggregator import store

    folder = config.settings.data
    return store.learned.rows(store.read_only(folder)) if (folder / store.FILE_NAME).exists() else []


def _check_source(config: Config, name: str | None) -> None:
    names = [source.name for source in config.sources]
    if name is not None and name not in names:
        raise click.BadParameter(f"no source is called {name}{nearest(name, names)}", param_hint="--source")


def _rows(lines: IO[bytes]) -> Iterator[Row]:
    """The rows of a file, but for blank lines. Raises AggregatorError at the first that is none."""
    for number, line in enumerate(lines, 1):
        try:
            if line.strip():
                yield _row(line)
        except (ValueError, RecursionError) as error:
            raise errors.AggregatorError(f"{lines.name}:{number}: the row {error}") from error


def _row(line: bytes) -> Row:
    """The row that stands in a line; raises ValueError with what is wrong with it."""
    from aggregator.cli.answering import KEYS

    try:
        row = json.loads(line)
    except ValueError as error:
        raise ValueError(f"is not JSON ({error})") from error
    if not isinstance(row, dict):
        raise ValueError("is no JSON object")
    for key in KEYS:
        if not isinstance(row.get(key, ""), str | None):
            raise ValueError(f"has a {key} that is no text")
    return row
