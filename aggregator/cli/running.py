"""The commands that poll and publish: run, poll, publish."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import uvloop

from aggregator import logs
from aggregator.cli.common import ask_for_contact, folders, load, moment, nearest, progress

if TYPE_CHECKING:
    from aggregator.models import Config
    from aggregator.pipeline import Report


@click.command()
@folders
def run() -> None:
    """Poll and serve until stopped (Ctrl-C or SIGTERM)."""
    context = click.get_current_context()

    def load_again() -> Config:
        with context.scope(cleanup=False):
            return load()

    try:
        from aggregator import daemon, logs

        config = load()
        logs.start(config.settings.log_level, config.settings.log_format)
        ask_for_contact(config)
        uvloop.run(daemon.run(config, load_again, _say_where))
    except (KeyboardInterrupt, asyncio.CancelledError):
        click.echo("stopped while starting", err=True)


def _say_where(config: Config) -> None:
    from aggregator import pipeline

    setup = pipeline.Setup(config)
    click.echo(f"\nServing {setup.site}/   (Ctrl-C stops)\nSubscribe in your feed reader:")
    for term in [*list(setup.categories)[:1], "all"]:
        click.echo(f"  {setup.labels[term]:<8} {setup.site}/feeds/{term}.atom")
    click.echo(f"All feeds: {setup.site}/   OPML: {setup.site}/feeds.opml\n")


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--all", "everything", is_flag=True, help="Poll every source, due or not.")
@click.option("--now", metavar="TIME", help="The tick's time: ISO 8601 or seconds since 1970. Default: the clock.")
@folders
def poll(sources: tuple[str, ...], everything: bool, now: str | None) -> None:
    """Poll once what is due (or the named sources), and publish what changed.

    A name or --all overrides a source's rhythm, never what its server asked for, nor `enabled: false`.
    """
    from aggregator import folder

    config = load()
    known = {source.name for source in config.sources}
    if unknown := [name for name in sources if name not in known]:
        raise click.UsageError(
            f"no source is called {', '.join(unknown)}; see sources.yaml{nearest(unknown[0], known)}"
        )
    at = moment(now) if now else _clock()
    logs.start("warning", config.settings.log_format)
    with folder.hold(config.settings.data, "poll"), progress("Polling") as step:
        uvloop.run(_poll_once(config, at, sources, everything or bool(sources), step, None if now else _clock))


def _clock() -> datetime:
    return datetime.now(UTC)


async def _poll_once(
    config: Config,
    now: datetime,
    names: Sequence[str],
    forced: bool,
    step: Callable[[str], None],
    clock: Callable[[], datetime] | None,
) -> None:
    from aggregator import daemon

    def report(done: Report) -> None:
        step(
            f"{done.name}: {done.outcome}, {done.new} new, {done.changed} changed"
            + (f" ({done.reason})" if done.reason else "")
        )

    async with daemon.open_pipeline(config) as line:
        line.clock = clock
        await line.adopt(line.setup, now)
        polled = found = await line.tick(now, names, forced, report=report)
        while found and not forced:
            found = await line.tick(now, report=report)
            polled += found
        await line.prune(now)
    step(f"{polled} source{'s' * (polled != 1)} polled")


@click.command()
@click.argument("terms", nargs=-1, metavar="[TERM]...")
@folders
def publish(terms: tuple[str, ...]) -> None:
    """Render feeds anew from what is stored, all and the pages that list them where none is named.

    What stays the same is not written.
    """
    config = load()
    if unknown := [term for term in terms if term not in config.terms]:
        raise click.UsageError(f"no category has the term {', '.join(unknown)}{nearest(unknown[0], config.terms)}")
    with progress("Publishing") as step:
        written = uvloop.run(_publish(config, terms))
        for path in written:
            step(path)
    click.echo(f"{len(written)} file{'s' * (len(written) != 1)} written", err=True)


async def _publish(config: Config, terms: Sequence[str]) -> list[str]:
    from aggregator import daemon, store

    store.require(config.settings.data)
    async with daemon.open_pipeline(config) as line:
        marks = [await line.writer.run(store.publications.feed_mark, term) for term in terms or config.terms]
        pages = [] if terms else await asyncio.to_thread(line.put_pages, line.setup)
        return pages + await line.publish(line.setup, [mark for mark in marks if mark is not None])
