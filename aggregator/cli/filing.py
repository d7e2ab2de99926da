"""The commands of an editor of categories: file, unfile, plan, apply."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import click
import uvloop

from aggregator.cli.common import Days, as_json_option, counted, database, folders, load, nearest, print_json
from aggregator.cli.editing import decide

if TYPE_CHECKING:
    from aggregator.models import Config, StoredEntry
    from aggregator.pipeline import refiling
    from aggregator.store import Database

_SHOWN = 10  # stories of a category that enter, and that leave, as far as a plan names them without --json

_undo = click.option("--undo", is_flag=True, help="Take it back.")


@click.command()
@click.argument("entry", metavar="ID")
@click.argument("terms", metavar="TERM...", nargs=-1, required=True)
@_undo
@folders
def file(entry: str, terms: tuple[str, ...], undo: bool) -> None:
    """File an entry under categories by hand, by the id under which it is published. Holds until undone."""
    _decide("file", entry, terms, undo)


@click.command()
@click.argument("entry", metavar="ID")
@click.argument("terms", metavar="TERM...", nargs=-1, required=True)
@_undo
@folders
def unfile(entry: str, terms: tuple[str, ...], undo: bool) -> None:
    """Keep an entry out of categories, and of those below them, by hand. Holds until undone."""
    _decide("unfile", entry, terms, undo)


def _decide(act: str, entry: str, terms: tuple[str, ...], undo: bool) -> None:
    known = [category.term for category in load().categories]
    if unknown := [term for term in terms if term not in known]:
        raise click.UsageError(f"no category has the term {', '.join(unknown)}{nearest(unknown[0], known)}")
    decide(act, [entry], terms, undo)


@click.command()
@click.option("--days", type=Days(), metavar="N", help="Only what came in the last N days.")
@as_json_option
@folders
def plan(days: float | None, as_json: bool) -> None:
    """Show what filing the stored entries anew would change, category by category; `apply` does it.

    What counts is the configuration as it is in the files now, what editors decided by hand, and what was learned.
    """
    from aggregator.pipeline import refiling

    config = load()
    since = None if days is None else datetime.now(UTC) - timedelta(days=days)
    change = planned(config, database(), since)
    rows = list(refiling.summary(change))
    if as_json:
        print_json(rows)
    else:
        click.echo("\n".join(_said(config, rows)) or "Nothing changes.")


def planned(config: Config, db: Database, since: datetime | None = None) -> refiling.Plan:
    """What filing anew would change, of what came since a moment."""
    from aggregator.pipeline import refiling

    parents = {category.term: category.parent for category in config.categories}
    entries = counted("Filing", _stored(config, db, since), printed=False)
    return refiling.plan(db, _moving(config, db, entries, parents), parents)


def _stored(config: Config, db: Database, since: datetime | None) -> Iterator[StoredEntry]:
    from aggregator import store
    from aggregator.pipeline import refiling

    sources, after = {source.name for source in config.sources}, 0
    while entries := store.filings.stored(db, after, refiling.AT_ONCE, since):
        after = entries[-1].row
        yield from (entry for entry in entries if entry.source_name in sources)


def _moving(
    config: Config, db: Database, entries: Iterator[StoredEntry], parents: refiling.Parents
) -> Iterator[refiling.Refiled]:
    from aggregator import prepare, store
    from aggregator.pipeline import refiling

    sources = {source.name: source for source in config.sources}
    tools = prepare.pack(config, store.learned.rows(db))
    while some := list(islice(entries, refiling.AT_ONCE)):
        yield from refiling.moving(db, refiling.refiled(some, prepare.refile(some, sources, tools)), parents)


def _said(config: Config, rows: list[Any]) -> Iterator[str]:
    labels = {category.term: category.label for category in config.categories}
    for row in rows:
        label = labels.get(row["term"])
        yield f"{row['term']}{f' ({label})' if label else ''}: +{len(row['enters'])} -{len(row['leaves'])}"
        for sign, moves in (("+", row["enters"]), ("-", row["leaves"])):
            for move in moves[:_SHOWN]:
                yield f"  {sign} {move['title']}  ({move['source']}; {_why(row['term'], sign, move['reasons'])})"
            if len(moves) > _SHOWN:
                yield f"  {sign} {len(moves) - _SHOWN} more; --json has them all"


def _why(term: str, sign: str, reasons: list[dict[str, str]]) -> str:
    if term == "other":
        return "no category is left" if sign == "+" else "it has a category now"
    said = [" ".join((reason["term"], reason["origin"], *reason["reason"].splitlines()[:1])) for reason in reasons]
    return ", ".join(said) or "nothing files it there any more"


@click.command()
@folders
def apply() -> None:
    """File the stored entries anew, as `plan` shows. A running daemon does it in the background."""
    from aggregator import folder, store
    from aggregator.models import Decision

    config = load()
    store.read_only(config.settings.data).close()
    try:
        with folder.hold(config.settings.data, "apply"):
            refiled = uvloop.run(_apply(config))
        click.echo(f"{refiled} entries were filed anew")
    except folder.HeldError:
        decision = Decision(getpass.getuser(), datetime.now(UTC), "apply", "")
        with store.writing(config.settings.data) as db:
            store.decisions.decide(db, decision)
        click.echo("the daemon files the stored entries anew, in the background; `status` says when it is done")


async def _apply(config: Config) -> int:
    from aggregator import daemon, store

    async with daemon.open_pipeline(config) as line:
        last = await line.writer.run(store.sources.last_tick)
        await line.adopt(line.setup, last or datetime.now(UTC))
        return (await line.refile(last or datetime.now(UTC))).changed
