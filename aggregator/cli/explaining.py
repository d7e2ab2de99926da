"""The command that says why: explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aggregator import errors
from aggregator.cli.common import as_json_option, folders, load, print_json

if TYPE_CHECKING:
    from aggregator.models import Config
    from aggregator.store import Database


@click.command()
@click.argument("entry")
@as_json_option
@folders
def explain(entry: str, as_json: bool) -> None:
    """Say why an entry is where it is: where it came from, what was repaired, copies, categories, feeds.

    ENTRY is the id under which it is published, the id that its feed gives it, or its link.
    """
    from aggregator import explain, store

    config = load()
    db = store.read_only(config.settings.data)
    trace = store.reports.trace(db, _the_one(db, config, entry))
    sentences = explain.sentences(
        trace, config.settings.publish, {category.term: category for category in config.categories}
    )
    if as_json:
        print_json({**trace, "sentences": sentences})
        return
    click.echo(trace["title"] or "(no title)")
    click.echo(f"  published as {trace['id']}" if trace["id"] else "  not published yet")
    click.echo(f"  {trace['link']}\n" if trace["link"] else "")
    for sentence in sentences:
        click.echo(sentence)


def _the_one(db: Database, config: Config, said: str) -> int:
    from aggregator import store, urls

    rows = store.reports.find(db, said, urls.canonical(said, urls.load_tracking(config.tracking)))
    if not rows:
        raise errors.AggregatorError(
            f"no entry is known as {said}: give a published id, an id of its feed, or its link (entries older than"
            " store.keep are forgotten)"
        )
    if len(rows) > 1:
        traces = (store.reports.trace(db, row) for row in rows)
        listed = [f"  {trace['id'] or trace['entry_id']}  {trace['source']}: {trace['title']}" for trace in traces]
        raise errors.AggregatorError("\n".join([f"{len(rows)} entries are known as {said}; name one of:", *listed]))
    return rows[0]
