"""Commands, exit codes, and what is printed: 0 fine, 1 failed, 2 usage or configuration.

Imports of what a command needs stand in the command, so that a light one starts in a fifth of a second.
"""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aggregator import __version__, errors

if TYPE_CHECKING:
    from rich.progress import Progress

    from aggregator.models import Config
    from aggregator.pipeline import Report

FAILED, WRONG = 1, 2


# ------------------------------------------------------------------------------------------------- options and errors


class _Group(click.Group):
    """Commands in the order in which they are written, and our errors as one sentence instead of a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except errors.ConfigError as error:
            _complain(error.problems)
            sys.exit(WRONG)
        except errors.AggregatorError as error:
            click.echo(f"aggregator: {error}", err=True)
            sys.exit(FAILED)
        except BrokenPipeError:
            sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - nobody reads on: nothing more to flush
            sys.exit(FAILED)


def _complain(problems: Sequence[errors.Problem]) -> None:
    for problem in problems:
        click.echo(str(problem), err=True)
    click.echo(f"{len(problems)} problem{'s' * (len(problems) != 1)} in the configuration", err=True)


def _folders(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command take --config and --data itself, as well as before its name."""

    @click.option(
        "--config", "config_folder", metavar="DIR", type=click.Path(path_type=Path), help="Configuration folder."
    )
    @click.option("--data", "data_folder", metavar="DIR", type=click.Path(path_type=Path), help="Data folder.")
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


def _load() -> Config:
    from aggregator import config

    given = click.get_current_context().ensure_object(dict)
    loaded: Config = config.load(given.get("config", Path("config")), os.environ, given.get("data"))
    return loaded


def _database() -> Any:
    from aggregator import store

    return store.read_only(_load().settings.data)


_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aggregator", message="%(prog)s %(version)s")
@_folders
def main() -> None:
    """Polls many feeds, files each story into categories, and republishes curated category feeds."""


# ------------------------------------------------------------------------------------------------- the daemon


@main.command()
@_folders
def run() -> None:
    """Poll and serve until stopped (Ctrl-C or SIGTERM)."""
    context = click.get_current_context()

    def load_again() -> Config:
        with context.scope(cleanup=False):
            return _load()

    try:
        from aggregator import daemon, logs

        config = _load()
        logs.start(config.settings.log_level, config.settings.log_format)
        _ask_for_contact(config)
        asyncio.run(daemon.run(config, load_again, _say_where))
    except (KeyboardInterrupt, asyncio.CancelledError):
        click.echo("stopped while starting", err=True)


def _say_where(config: Config) -> None:
    from aggregator import pipeline

    setup = pipeline.Setup(config)
    click.echo(f"\nServing {setup.site}/   (Ctrl-C stops)\nSubscribe in your feed reader:")
    for term in [*list(setup.categories)[:1], "all"]:
        click.echo(f"  {setup.labels[term]:<8} {setup.site}/feeds/{term}.atom")
    click.echo(f"All feeds: {setup.site}/   OPML: {setup.site}/feeds.opml\n")


def _ask_for_contact(config: Config) -> None:
    if not config.settings.fetch.contact:
        click.echo(
            f"{config.folder / 'aggregator.yaml'}: fetch.contact is not set: publishers want to know whom to write to;"
            " give an address or a page",
            err=True,
        )


@main.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--all", "everything", is_flag=True, help="Poll every source, due or not.")
@click.option("--now", metavar="TIME", help="The tick's time: ISO 8601 or seconds since 1970. Default: the clock.")
@_folders
def poll(sources: tuple[str, ...], everything: bool, now: str | None) -> None:
    """Poll once what is due (or the named sources), and publish what changed.

    A name or --all overrides a source's rhythm, never what its server asked for, nor `enabled: false`.
    """
    from aggregator import folder, logs

    config = _load()
    known = {source.name for source in config.sources}
    if unknown := [name for name in sources if name not in known]:
        raise click.UsageError(
            f"no source is called {', '.join(unknown)}; see sources.yaml{_nearest(unknown[0], known)}"
        )
    moment = _moment(now) if now else datetime.now(UTC)
    logs.start("warning", config.settings.log_format)
    with folder.hold(config.settings.data, "poll"), _progress("Polling") as step:
        asyncio.run(_poll_once(config, moment, sources, everything or bool(sources), step))


async def _poll_once(
    config: Config, now: datetime, names: Sequence[str], forced: bool, step: Callable[[str], None]
) -> None:
    from aggregator import daemon

    def report(done: Report) -> None:
        step(
            f"{done.name}: {done.outcome}, {done.new} new, {done.changed} changed"
            + (f" ({done.reason})" if done.reason else "")
        )

    async with daemon.open_pipeline(config) as line:
        await line.adopt(line.setup, now)
        polled = await line.tick(now, names, forced, report=report)
    step(f"{polled} source{'s' * (polled != 1)} polled")


def _moment(said: str) -> datetime:
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
    except (ValueError, OverflowError, OSError) as error:
        raise click.BadParameter(
            f"{said!r} is no time: write 2026-11-22T14:05:00Z, or seconds since 1970", param_hint="--now"
        ) from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _nearest(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


@main.command()
@click.argument("terms", nargs=-1, metavar="[TERM]...")
@_folders
def publish(terms: tuple[str, ...]) -> None:
    """Render feeds anew from what is stored (all where none is named). What stays the same is not written."""
    config = _load()
    known = [*(category.term for category in config.categories), "all", "other"]
    if unknown := [term for term in terms if term not in known]:
        raise click.UsageError(f"no category has the term {', '.join(unknown)}{_nearest(unknown[0], known)}")
    written = asyncio.run(_publish(config, terms or tuple(known)))
    for path in written:
        click.echo(path)
    click.echo(f"{len(written)} file{'s' * (len(written) != 1)} written", err=True)


async def _publish(config: Config, terms: Sequence[str]) -> list[str]:
    from aggregator import daemon, store

    async with daemon.open_pipeline(config) as line:
        marks = [await line.writer.run(store.publications.feed_mark, term) for term in terms]
        return await line.publish(line.setup, [mark for mark in marks if mark is not None])


# ------------------------------------------------------------------------------------------------- the configuration


@main.command()
@_as_json
@_folders
def check(as_json: bool) -> None:
    """Check the configuration; every problem with its file, line and column."""
    try:
        config = _load()
    except errors.ConfigError as error:
        if not as_json:
            raise
        for problem in error.problems:
            _print_json({key: getattr(problem, key) for key in ("file", "line", "column", "message", "hint")})
        sys.exit(WRONG)
    if not as_json:
        _ask_for_contact(config)
        click.echo(f"{config.folder}: {len(config.sources)} sources, {len(config.categories)} categories, no problem")


@main.command()
@_folders
def schema() -> None:
    """Write the JSON Schema of each configuration file into schema/ beside it, where its first line names it."""
    from aggregator import config

    given = click.get_current_context().ensure_object(dict)
    target = Path(given.get("config", "config")) / "schema"
    target.mkdir(parents=True, exist_ok=True)
    for name, content in config.schemas().items():
        path = target / f"{name}.schema.json"
        path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf-8")
        click.echo(path)


@main.command()
@_folders
def version() -> None:
    """Print the version."""
    click.echo(f"aggregator {__version__}")


# ------------------------------------------------------------------------------------------------- what is stored


@main.command()
@_as_json
@_folders
def status(as_json: bool) -> None:
    """Show how the sources are, and what is stored."""
    from aggregator import store

    db = _database()
    sources = list(store.reports.sources(db))
    totals = store.reports.totals(db)
    if as_json:
        _print_json({"sources": sources, **totals})
        return
    worst_first = {"failing": 0, "gone": 1, "new": 2, "disabled": 3, "ok": 4}
    for row in sorted(sources, key=lambda row: (worst_first[row["status"]], row["name"])):
        reason = f"  {row['reason']}" if row["reason"] else ""
        click.echo(
            f"{row['status']:8}  {row['name']}  ({row['entries']} entries, next {row['next_poll'] or 'never'}){reason}"
        )
    click.echo(
        f"{totals['entries']} entries, {totals['stories']} stories; waiting: {totals['unsettled']} entries, "
        f"{len(totals['dirty'])} feeds"
    )


@main.command()
@click.argument("what", type=click.Choice(["sources", "entries", "stories"]))
@click.option("--json", "as_json", is_flag=True, help="JSON lines, which is the format anyhow.")
@_folders
def export(what: str, as_json: bool) -> None:
    """Print what is stored as JSON lines. Times are ISO 8601 in UTC."""
    from aggregator import store

    rows: dict[str, Callable[[Any], Iterator[dict[str, Any]]]] = {
        "sources": store.reports.sources,
        "entries": store.reports.entries,
        "stories": store.reports.stories,
    }
    for row in rows[what](_database()):
        _print_json(row)


# ------------------------------------------------------------------------------------------------- the editor's hand


@main.command()
@click.argument("entry", metavar="ID")
@click.option("--undo", is_flag=True, help="Show it again.")
@_folders
def hide(entry: str, undo: bool) -> None:
    """Take a story out of every feed, by the id under which it is published. Holds until undone."""
    from aggregator import store
    from aggregator.models import Decision

    config = _load()
    store.read_only(config.settings.data).close()
    now = datetime.now(UTC)
    db = store.connect(config.settings.data)
    if not store.stories.published_id_taken(db, entry):
        raise errors.AggregatorError(
            f"no entry is published as {entry}: take the id from the feed or from `export entries`"
        )
    if undo:
        if not store.publications.undo(db, "hide", entry, now):
            raise errors.AggregatorError(f"{entry} is not hidden")
    else:
        store.publications.decide(db, Decision(getpass.getuser(), now, "hide", entry))
    click.echo("decided; it counts at the next tick (a running daemon takes it at once)")


# ------------------------------------------------------------------------------------------------- printing


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))


@contextmanager
def _progress(what: str) -> Iterator[Callable[[str], None]]:
    """A function that prints a line of progress; on a terminal a bar moves below the lines."""
    if not sys.stderr.isatty():
        yield click.echo
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn

    console = Console(stderr=True)
    bar: Progress = Progress(
        SpinnerColumn(), "{task.description} {task.completed:.0f}", TimeElapsedColumn(), console=console
    )
    with bar:
        task = bar.add_task(what, total=None)

        def step(line: str) -> None:
            click.echo(line)
            bar.advance(task)

        yield step
