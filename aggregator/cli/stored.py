"""The commands that show what is stored: status, export."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import click

from aggregator.cli.common import as_json_option, database, folders, print_json


@click.command()
@as_json_option
@folders
def status(as_json: bool) -> None:
    """Show how the sources are, and what is stored."""
    from aggregator import store

    db = database()
    sources = list(store.reports.sources(db))
    totals = store.reports.totals(db)
    if as_json:
        print_json({"sources": sources, **totals})
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


@click.command()
@click.argument("what", type=click.Choice(["sources", "entries", "stories"]))
@click.option("--json", "as_json", is_flag=True, help="JSON lines, which is the format anyhow.")
@folders
def export(what: str, as_json: bool) -> None:
    """Print what is stored as JSON lines. Times are ISO 8601 in UTC."""
    from aggregator import store

    rows: dict[str, Callable[[Any], Iterator[dict[str, Any]]]] = {
        "sources": store.reports.sources,
        "entries": store.reports.entries,
        "stories": store.reports.stories,
    }
    for row in rows[what](database()):
        print_json(row)
