"""The editor's hand: hide, and what the commands of stories and categories share."""

from __future__ import annotations

import getpass
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from aggregator import errors
from aggregator.cli.common import folders, load

if TYPE_CHECKING:
    from aggregator.store import Database


@click.command()
@click.argument("entry", metavar="ID")
@click.option("--undo", is_flag=True, help="Show it again.")
@folders
def hide(entry: str, undo: bool) -> None:
    """Take a story out of every feed, by the id under which it is published. Holds until undone."""
    decide("hide", [entry], undo=undo)


def decide(act: str, targets: Sequence[str], others: Sequence[str | None] = (None,), undo: bool = False) -> None:
    """Store a decision on each of the published ids, with each of the others, or undo those that stand."""
    from aggregator import store
    from aggregator.models import Decision

    config = load()
    store.read_only(config.settings.data).close()
    now = datetime.now(UTC)
    with store.writing(config.settings.data) as db:
        for entry in filter(None, targets):
            check(db, entry)
        for target, other in itertools.product(targets, others):
            if not undo:
                store.decisions.decide(db, Decision(getpass.getuser(), now, act, target, other))
            elif not store.decisions.undo(db, act, target, other, now):
                raise errors.AggregatorError(f"no {act} of {target} stands: there is nothing to undo")
    click.echo("decided; it counts at the next tick (a running daemon takes it at once)")


def check(db: Database, entry: str) -> None:
    """Raise AggregatorError where no entry is published under this id."""
    from aggregator import store

    if not store.stories.published_id_taken(db, entry):
        raise errors.AggregatorError(
            f"no entry is published as {entry}: take the id from the feed or from `export entries`"
        )
