"""The commands that keep what is known: import, backup, restore."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import click

from aggregator import errors
from aggregator.cli.common import FAILED, folders, load

_COUNTED = {  # what an import reports, in this order
    "source": "sources",
    "entry": "entries",
    "story": "stories",
    "publication": "places in feeds",
    "decision": "decisions",
}

_file_argument = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.command("import")
@click.argument("file", type=click.File("rb"))
@folders
def import_(file: IO[bytes]) -> None:
    """Read what `export --all` wrote (`-`: from standard input), and add what the data folder lacks.

    Into an empty folder everything comes as it was, so that the feeds are the same to the byte. Into a used one
    entries are added as back issues: what is there stays, and nothing is announced as new.
    """
    from aggregator import folder, pipeline, store

    config = load()
    data = config.settings.data
    damaged: list[int] = []

    def complain(number: int, reason: str) -> None:
        damaged.append(number)
        click.echo(f"line {number}: {reason}", err=True)

    with folder.hold(data, "import"), store.writing(data) as db, _bar("Importing") as advance:
        added = store.exchange.take(db, _counted(file, advance), complain)
        with db.atomic():
            sum(pipeline.rebuild(db, config.aliases))  # what entries are compared by is in no export
    click.echo("added: " + ", ".join(f"{added[kind]} {words}" for kind, words in _COUNTED.items()))
    click.echo("`aggregator publish` writes the feeds; a start of the daemon does it too")
    if damaged:
        lines = f"{len(damaged)} line{'s' * (len(damaged) != 1)}"
        click.echo(f"{lines} could not be taken, the rest is stored", err=True)
        sys.exit(FAILED)


def _counted(file: IO[bytes], advance: Callable[[int, int], None]) -> Iterator[bytes]:
    """The lines, while a bar shows how far it is; the size of what is piped in is not known."""
    status = os.fstat(file.fileno())
    size = status.st_size if stat.S_ISREG(status.st_mode) else 0
    done = 0
    for line in file:
        done += len(line)
        advance(done, size)
        yield line


@click.command()
@_file_argument
@click.option("--force", is_flag=True, help="Overwrite the file.")
@folders
def backup(file: Path, force: bool) -> None:
    """Write a copy of the database, whole and as of one moment, while the daemon runs on.

    The configuration is not in it.
    """
    from aggregator import store

    if file.exists() and not force:
        raise errors.AggregatorError(f"{file} exists already: name another file, or overwrite it with --force")
    data = load().settings.data
    if file.resolve() == (data / store.FILE_NAME).resolve():
        raise errors.AggregatorError(f"{file} is the database itself: name another file")
    with _bar("Copying") as advance:
        store.backups.save(data, file, advance)
    click.echo(f"{file}: {file.stat().st_size} bytes, checked")


@click.command()
@_file_argument
@folders
def restore(file: Path) -> None:
    """Put a backup in the place of the database, which is kept beside it. The daemon must be stopped."""
    from aggregator import folder, store

    data = load().settings.data
    with folder.hold(data, "restore"), _bar("Copying") as advance:
        replaced = store.backups.restore(data, file, datetime.now(UTC), advance)
    click.echo(f"{data / store.FILE_NAME} is restored from {file}")
    if replaced is not None:
        click.echo(f"what it replaced is {replaced}")
    click.echo("`aggregator publish` writes the feeds; a start of the daemon does it too")


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A function that takes how much is done of how much; on a terminal a bar shows it."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total or None)
