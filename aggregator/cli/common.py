"""What commands share: the group, the folders' options, our errors as one sentence, times, progress, JSON."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from aggregator import errors

if TYPE_CHECKING:
    from rich.progress import Progress

    from aggregator.models import Config

Row = dict[str, Any]
T = TypeVar("T")

_YEARS = range(1970, 9000)  # of a tick: what is kept, and what servers ask for, reaches years beyond

FAILED, WRONG = 1, 2  # exit codes; 0 is fine


class Group(click.Group):
    """Commands in the order in which they are written, and our errors as one sentence instead of a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _speaking():
                return super().invoke(ctx)
        except errors.ConfigError as error:
            _complain(error.problems)
            sys.exit(WRONG)
        except errors.AggregatorError as error:
            click.echo(f"aggregator: {error}", err=True)
            sys.exit(FAILED)
        except BrokenPipeError:
            _say_no_more()
            sys.exit(FAILED)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """The command as a program: what the system refuses it, the help included, is one sentence too."""
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            if error.errno in _NO_ROOM:
                _say_no_more()
                what = "the output cannot be written"
            elif error.errno in _NOT_OURS and error.filename is not None:
                what = os.fsdecode(error.filename2 or error.filename)
            else:
                raise
            click.echo(f"aggregator: {what}: {os.strerror(error.errno)}", err=True)
            sys.exit(FAILED)


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR)  # of a file that a person named


def _say_no_more() -> None:
    sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - nothing that is left could be flushed


@contextmanager
def _speaking() -> Iterator[None]:
    """What SQLite says while a command reads or writes, as our error."""
    try:
        yield
    except sqlite3.Error:
        from aggregator import store

        with store.speaking():
            raise


def _complain(problems: Sequence[errors.Problem]) -> None:
    for problem in problems:
        click.echo(str(problem), err=True)
    click.echo(f"{len(problems)} problem{'s' * (len(problems) != 1)} in the configuration", err=True)


def folders(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command take --config and --data itself, as well as before its name."""

    @click.option(
        "--config",
        "config_folder",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="Configuration folder. Default: config.",
    )
    @click.option(
        "--data",
        "data_folder",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="Data folder. Default: `data` in aggregator.yaml.",
    )
    @click.pass_context
    @wraps(command)
    def taking(
        ctx: click.Context, /, *args: Any, config_folder: Path | None, data_folder: Path | None, **kwargs: Any
    ) -> Any:
        given = ctx.ensure_object(dict)
        if config_folder is not None:
            given["config"] = config_folder
        if data_folder is not None:
            given["data"] = data_folder
        return command(*args, **kwargs)

    return taking


def load() -> Config:
    from aggregator import config

    given = click.get_current_context().ensure_object(dict)
    loaded: Config = config.load(given.get("config", Path("config")), os.environ, given.get("data"))
    return loaded


def database() -> Any:
    from aggregator import store

    return store.read_only(load().settings.data)


class Days(click.ParamType[float]):
    """A number of days, at most a hundred years of them."""

    name = "days"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; a usage error for anything else, `nan` too."""
        try:
            days = float(value)
        except ValueError:
            days = -1.0
        if not 0 <= days <= _MOST_DAYS:
            self.fail(f"{value!r} is not a number of days from 0 to {_MOST_DAYS}", param, ctx)
        return days


_MOST_DAYS = 36_500

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def ask_for_contact(config: Config) -> None:
    if not config.settings.fetch.contact:
        click.echo(
            f"{config.folder / 'aggregator.yaml'}: fetch.contact is not set: publishers want to know whom to write to;"
            " give an address or a page",
            err=True,
        )


def moment(said: str) -> datetime:
    try:
        number = float(said)
    except ValueError:
        pass
    else:
        return _in_range(said, lambda: datetime.fromtimestamp(number, UTC))
    return _in_range(said, lambda: datetime.fromisoformat(said))


def _in_range(said: str, read: Callable[[], datetime]) -> datetime:
    try:
        moment = read()
        if moment.year not in _YEARS:
            raise ValueError(moment)
    except (ValueError, OverflowError, OSError) as error:
        raise click.BadParameter(
            f"{said!r} is no time: write 2026-11-22T14:05:00Z, or seconds since 1970", param_hint="--now"
        ) from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def nearest(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))


@contextmanager
def progress(what: str) -> Iterator[Callable[[str], None]]:
    """A function that prints a line of progress; on a terminal a bar moves below the lines."""
    if not sys.stderr.isatty():
        yield click.echo
        return
    with _bar() as bar:
        task = bar.add_task(what, total=None)

        def step(line: str) -> None:
            if sys.stdout.isatty():  # one terminal: the line goes above the bar
                bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
            else:
                click.echo(line)
            bar.advance(task)

        yield step


def counted(what: str, rows: Iterable[T], printed: bool = True) -> Iterator[T]:
    """`rows`, with a bar on the terminal that counts them; none where they are `printed` on a terminal themselves."""
    if (printed and sys.stdout.isatty()) or not sys.stderr.isatty():
        yield from rows
        return
    with _bar() as bar:
        yield from bar.track(rows, description=what)


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn

    return Progress(
        SpinnerColumn(),
        "{task.description} {task.completed:.0f}",
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
