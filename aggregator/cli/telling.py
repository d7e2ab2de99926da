"""The commands of stories: stories, and story show, join, split, rebuild."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import click

from aggregator import errors
from aggregator.cli.common import Days, Row, as_json_option, counted, database, folders, load, print_json
from aggregator.cli.editing import check, decide

_undo = click.option("--undo", is_flag=True, help="Take it back.")


@click.command()
@click.option("--days", type=Days(), default=1, show_default=True, help="How far back.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many at the most.")
@as_json_option
@folders
def stories(days: float, limit: int, as_json: bool) -> None:
    """List the stories that most sources told of late."""
    from aggregator import store

    for row in store.reports.biggest(database(), datetime.now(UTC) - timedelta(days=days), limit):
        if as_json:
            print_json(row)
        else:
            click.echo(f"{row['sources']:>3} sources, {row['entries']} entries  {row['title']}\n    {row['id']}")


@click.group()
def story() -> None:
    """Show a story, and overrule by hand what belongs together."""


@story.command()
@click.argument("entry", metavar="ID")
@as_json_option
@folders
def show(entry: str, as_json: bool) -> None:
    """Show the story of an entry: who tells it, why each is in it, what is related. ID is a published id."""
    from aggregator import store

    db = database()
    number = store.stories.of(db, entry)
    if number is None:
        raise errors.AggregatorError(
            f"no story has an entry published as {entry}: take the id from the feed or from `export entries`"
        )
    told = store.reports.story(db, number)
    if as_json:
        print_json(told)
    else:
        click.echo("\n".join(_said(told)))


def _said(told: Row) -> Iterator[str]:
    from aggregator import explain

    yield told["title"]
    for member in told["entries"]:
        yield f"  {member['published']}  {member['source']}: {member['title']}"
        yield f"    {member['id']}" + (f"  ({explain.because(member['evidence'])})" if member["evidence"] else "")
    if told["related"]:
        yield "related:"
    for other in told["related"]:
        yield f"  {other['source']}: {other['title']}"
        yield f"    {other['id']}  ({explain.because(other['evidence'])})"


@story.command()
@click.argument("entries", metavar="ID ID...", nargs=-1)
@_undo
@folders
def join(entries: tuple[str, ...], undo: bool) -> None:
    """Make one story of several: the first one's, which keeps its id and its place. Holds until undone."""
    if len(entries) < 2:
        raise click.UsageError("name the story that stays, then those that become part of it")
    check(database(), entries[0])
    decide("join", entries[1:], entries[:1], undo)


@story.command()
@click.argument("entries", metavar="ID...", nargs=-1, required=True)
@_undo
@folders
def split(entries: tuple[str, ...], undo: bool) -> None:
    """Give each of these entries a story of its own. Holds until undone."""
    decide("split", entries, undo=undo)


@story.command()
@folders
def rebuild() -> None:
    """Make anew what recent entries are compared by. Needed after a release that compares otherwise; stories stay."""
    from aggregator import folder, pipeline, store

    config = load()
    store.require(config.settings.data)
    with folder.hold(config.settings.data, "story rebuild"), store.writing(config.settings.data) as db, db.atomic():
        count = sum(counted("Comparing", pipeline.rebuild(db, config.aliases), printed=False))
    click.echo(f"{count} entries can be compared anew")
