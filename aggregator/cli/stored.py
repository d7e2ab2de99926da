"""The commands that show what is stored: status, export."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aggregator.cli.common import Row, as_json_option, counted, database, folders, load, print_json

if TYPE_CHECKING:
    from aggregator.models import Config
    from aggregator.store import Database

_REFRESH = 2.0  # seconds between two looks of `status --watch`
_WORST_FIRST = ("failing", "gone", "new", "unlisted", "disabled", "ok")

# ------------------------------------------------------------------------------------------------- status


@click.command()
@click.option("--watch", is_flag=True, help="Follow it live, until Ctrl-C.")
@as_json_option
@folders
def status(watch: bool, as_json: bool) -> None:
    """Show how the sources are, what needs attention first, and what is stored."""
    from aggregator import store

    config = load()
    db = store.read_only(config.settings.data)
    if as_json:
        print_json(_status(config, db, datetime.now(UTC)))
    elif watch and sys.stdout.isatty():
        _watch(config, db)
    else:
        click.echo("\n".join(_said(config, db)))


def _watch(config: Config, db: Database) -> None:
    from rich.live import Live
    from rich.text import Text

    with Live(screen=True, auto_refresh=False) as live:
        try:
            while True:
                live.update(Text("\n".join(_said(config, db)), no_wrap=True, overflow="ellipsis"), refresh=True)
                time.sleep(_REFRESH)
        except KeyboardInterrupt:
            return


def _status(config: Config, db: Database, now: datetime) -> Row:
    from aggregator import categorize, store, stories

    sources = list(store.reports.conditions(db, now))
    known = {source["name"] for source in sources}
    return {
        "sources": sorted(sources, key=lambda source: (_WORST_FIRST.index(source["status"]), source["name"])),
        "not_taken": [source.name for source in config.sources if source.name not in known],
        **store.reports.totals(db),
        "dirty": [mark.term for mark in store.publications.dirty(db, config.terms)],
        "day": sum(source["day"] for source in sources),
        "week": sum(source["week"] for source in sources),
        "outdated_prints": store.fingerprints.outdated(db, stories.VERSION),
        "filed_by_other_rules": store.filings.older(db, categorize.editions(config)),
        **_sizes(config.settings.data),
    }


def _sizes(data: Path) -> Row:
    """Bytes: the database with its log, everything in the data folder, and what is free on that disk."""
    from aggregator import store

    files = dict(_files(data))
    return {
        "database_bytes": sum(size for path, size in files.items() if path.name.startswith(store.FILE_NAME)),
        "data_bytes": sum(files.values()),
        "free_bytes": shutil.disk_usage(data).free,
    }


def _files(data: Path) -> Iterator[tuple[Path, int]]:
    for path in data.rglob("*"):
        with suppress(FileNotFoundError):  # the daemon replaces its files
            if path.is_file():
                yield path, path.stat().st_size


def _said(config: Config, db: Database) -> Iterator[str]:
    now = datetime.now(UTC)
    found = _status(config, db, now)
    states = Counter(source["status"] for source in found["sources"])
    yield f"{len(found['sources'])} sources: " + ", ".join(f"{states[s]} {s}" for s in _WORST_FIRST if states[s])
    yield from (f"{'new':8}  {name}: not polled yet, the next tick takes it" for name in found["not_taken"])
    for source in found["sources"]:
        yield f"{source['status']:8}  {source['name']}: {_condition(source, now)}"
    yield (
        f"{found['entries']} entries ({found['day']} in the last day, {found['week']} in the last week),"
        f" {found['stories']} stories; waiting: {found['unsettled']} entries, {len(found['dirty'])} feeds"
    )
    if outdated := found["outdated_prints"]:
        yield (
            f"{outdated} recent entries are compared as an earlier release did: stop the daemon and run `story rebuild`"
        )
    if older := found["filed_by_other_rules"]:
        yield f"{older} stored entries were filed by other rules: `plan` shows what would change, `apply` does it"
    yield (
        f"last tick {_away(found['last_tick'], now)}; database {_bytes(found['database_bytes'])},"
        f" data folder {_bytes(found['data_bytes'])}, free {_bytes(found['free_bytes'])}"
    )


def _condition(source: Row, now: datetime) -> str:
    words = [
        *_trouble(source),
        f"last poll {_away(source['last_poll'], now)}",
        *([f"next {_away(source['next_poll'], now, past='due')}"] if source["next_poll"] else []),
        f"{source['entries']} entries ({source['day']} in the last day, {source['week']} in the last week)",
    ]
    return "; ".join(words)


def _trouble(source: Row) -> Iterator[str]:
    """Why the source is not fine, in words; nothing where it is."""
    polls = f"{source['failures']} poll{'s' * (source['failures'] != 1)}"
    well = f"went well last on {source['last_ok']}" if source["last_ok"] else "never went well"
    match source["status"]:
        case "failing":
            yield f"{source['reason']} ({polls} in a row; {well})"
        case "gone":
            yield f"{source['reason']}: it is not polled any more; take it out of sources.yaml or change its url"
        case "new":
            yield "not polled yet"
        case "unlisted":
            yield "the configuration does not name it any more: it is not polled, its entries stay until store.keep"
        case "disabled":
            yield "`enabled: false`"


def _away(then: str | None, now: datetime, past: str = "") -> str:
    """How far a moment lies back (or `past`, where that is said instead) or ahead."""
    if then is None:
        return "never"
    seconds = int((datetime.fromisoformat(then) - now).total_seconds())
    size, unit = next((s, u) for s, u in ((86400, "d"), (3600, "h"), (60, "min"), (0, "s")) if abs(seconds) >= 2 * s)
    amount = f"{abs(seconds) // (size or 1)} {unit}"
    return f"in {amount}" if seconds > 0 else past or f"{amount} ago"


def _bytes(count: int) -> str:
    from rich.filesize import decimal

    return decimal(count)


# ------------------------------------------------------------------------------------------------- export


@click.command()
@click.argument("what", type=click.Choice(["sources", "entries", "stories"]), required=False)
@click.option("--all", "everything", is_flag=True, help="Everything, as `aggregator import` reads it.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines, which is the format anyhow.")
@folders
def export(what: str | None, everything: bool, as_json: bool) -> None:
    """Print what is stored as JSON lines. Times are ISO 8601 in UTC; with --all, seconds since 1970."""
    from aggregator import store

    if (what is None) != everything:
        raise click.UsageError("name one of sources, entries, stories, or give --all")
    reports: dict[str | None, Callable[[Database], Iterator[Row]]] = {
        None: store.exchange.document,
        "sources": store.reports.sources,
        "entries": store.reports.entries,
        "stories": store.reports.stories,
    }
    for row in counted("Exporting", reports[what](database())):
        sys.stdout.buffer.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
