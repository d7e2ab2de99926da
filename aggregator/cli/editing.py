"""The editor's hand: hide."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime

import click

from aggregator import errors
from aggregator.cli.common import folders, load


@click.command()
@click.argument("entry", metavar="ID")
@click.option("--undo", is_flag=True, help="Show it again.")
@folders
def hide(entry: str, undo: bool) -> None:
    """Take a story out of every feed, by the id under which it is published. Holds until undone."""
    from aggregator import store
    from aggregator.models import Decision

    config = load()
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
