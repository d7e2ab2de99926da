"""The commands about sources: list, test, add, import, export."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click
import uvloop

from aggregator import errors
from aggregator.cli.common import FAILED, WRONG, as_json_option, folders, load, nearest, print_json, progress

if TYPE_CHECKING:
    from aggregator.models import Config, Filing, Source
    from aggregator.subscriptions import intake, probe


@click.group()
def sources() -> None:
    """List, test, add, import and export what is polled."""


# ---------------------------------------------------------------------------------------------- list


@sources.command("list")
@as_json_option
@folders
def list_(as_json: bool) -> None:
    """Show each source: name, address, categories, and how it was at its last poll."""
    config = load()
    stored = _stored(config)
    for source in config.sources:
        row = stored.get(source.name, {"status": "new", "reason": ""})
        status = row["status"] if source.enabled else "disabled"
        if as_json:
            said = {"name": source.name, "url": source.shown, "categories": list(source.categories)}
            print_json(said | {"status": status, "reason": row["reason"]})
        else:
            terms = f"  [{', '.join(source.categories)}]" if source.categories else ""
            reason = f"  {row['reason']}" if row["reason"] else ""
            click.echo(f"{status:8}  {source.name}  {source.shown}{terms}{reason}")


def _stored(config: Config) -> dict[str, dict[str, Any]]:
    """What the database says of each source; nothing where there is none yet."""
    from aggregator import store

    if not (config.settings.data / store.FILE_NAME).exists():
        return {}
    return {row["name"]: row for row in store.reports.sources(store.read_only(config.settings.data))}


# ---------------------------------------------------------------------------------------------- test


@sources.command()
@click.argument("wanted", nargs=-1, metavar="[URL|NAME]...")
@click.option("--all", "everything", is_flag=True, help="Test every source that is enabled.")
@as_json_option
@folders
def test(wanted: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Fetch and read sources, and say what is there and how it would be filed. Nothing is stored.

    An address need not be that of a source. Ends with 1 if any could not be read.
    """
    if everything == bool(wanted):
        raise click.UsageError("name sources or addresses, or give --all")
    config = load()
    chosen = [each for each in config.sources if each.enabled] if everything else _chosen(config, wanted)
    with progress("Testing") as step:
        failed = uvloop.run(_test(config, chosen, step, as_json))
    if failed:
        click.echo(f"{failed} of {len(chosen)} could not be read", err=True)
        sys.exit(FAILED)


def _chosen(config: Config, wanted: Iterable[str]) -> list[Source]:
    return [_named(config, said) for said in dict.fromkeys(wanted)]


def _named(config: Config, said: str) -> Source:
    """The source of that name or address, or one made for an address that no source has."""
    from aggregator import urls
    from aggregator.models import Source
    from aggregator.subscriptions import intake

    known = {source.name: source for source in config.sources}
    if said in known:
        return known[said]
    if "://" not in said:
        raise click.UsageError(
            f"no source is called {urls.without_login(said)}{nearest(said, known)}; an address begins with https://"
        )
    url = _address(said)
    return intake.holder(config.sources, url) or Source(url, url)


def _address(said: str) -> str:
    from aggregator import urls
    from aggregator.subscriptions import intake

    try:
        return intake.address(said if "://" in said else f"https://{said}")
    except intake.BadAddressError as error:
        raise click.UsageError(f"{urls.without_login(said)} cannot be a source: {error}") from error


async def _test(config: Config, chosen: Sequence[Source], say: Callable[[str], None], as_json: bool) -> int:
    """Test these sources, as many at once as manners allow; how many could not be read."""
    from aggregator import pipeline
    from aggregator.subscriptions import probe

    places = asyncio.Semaphore(pipeline.UNDER_WAY)
    async with probe.opened(config) as prober:

        async def one(source: Source) -> bool:
            async with places:
                try:
                    found = probe.findings(await prober.read(source, _now()), _now())
                except errors.SourceError as error:
                    say(_as_json(source, {"error": str(error)}) if as_json else f"{_title(source)}\n  failed: {error}")
                    return False
                say(_as_json(source, _plain(found)) if as_json else f"{_title(source)}\n{_report(found)}")
                return True

        return (await asyncio.gather(*map(one, chosen))).count(False)


def _title(source: Source) -> str:
    return source.url if source.name == source.url else f"{source.name}  {source.shown}"


def _as_json(source: Source, found: Mapping[str, Any]) -> str:
    import json

    return json.dumps({"name": source.name, "url": source.shown, **found}, ensure_ascii=False)


def _plain(found: probe.Findings) -> dict[str, Any]:
    from dataclasses import asdict

    plain = asdict(found) | {"rhythm": found.rhythm and found.rhythm.total_seconds()}
    plain |= {key: moment and _iso(moment) for key, moment in (("newest", found.newest), ("oldest", found.oldest))}
    plain["samples"] = [{"title": title, "categories": [asdict(each) for each in why]} for title, why in found.samples]
    return plain


def _report(found: probe.Findings) -> str:
    lines = [
        f"{found.format}, {found.encoding}; entries: {found.entries} ({found.with_date} with date, {found.with_link}"
        f" with link, {found.with_title} with title, {found.with_text} with text)"
    ]
    if found.newest and found.oldest:
        rhythm = f", one every {_about(found.rhythm)}" if found.rhythm else ""
        lines.append(f"newest {_iso(found.newest)}, oldest {_iso(found.oldest)}{rhythm}")
    lines += [f"problem: {problem}" for problem in found.problems]
    if found.filed:
        lines.append(f"would be filed as: {_counts(found.filed)}")
    lines += [f"  {title or '(no title)'}  ← {_why(why)}" for title, why in found.samples]
    return "\n".join(f"  {line}" for line in lines)


def _counts(filed: Mapping[str, int]) -> str:
    return ", ".join(f"{term} {count}" for term, count in filed.items())


def _why(filings: Sequence[Filing]) -> str:
    said = (f"{each.term} ({' '.join((each.origin, *each.reason.splitlines()[:1]))})" for each in filings)
    return ", ".join(said) or "other (no source, rule or score files it)"


def _about(rhythm: timedelta) -> str:
    seconds = rhythm.total_seconds()
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _now() -> datetime:
    return datetime.now(UTC)


# ---------------------------------------------------------------------------------------------- add


@sources.command()
@click.argument("url")
@click.option("--name", metavar="NAME", help="Its name. Default: the feed's title.")
@click.option("--category", "categories", multiple=True, metavar="TERM", help="For all its entries; may be repeated.")
@folders
def add(url: str, name: str | None, categories: tuple[str, ...]) -> None:
    """Add a feed to sources.yaml, at the end; what is there stays as it is.

    Of a page the feeds that it names are found. The feed is read once, for its title and language.
    """
    from dataclasses import replace

    from aggregator.models import Source
    from aggregator.subscriptions import listing, probe

    listing.begin(_folder())
    config = load()
    terms = tuple(dict.fromkeys(_term(config, said) for said in categories))
    wanted = Source("", _address(url), terms)
    _refuse_held(config, wanted.url)
    reading = uvloop.run(_find(config, wanted))
    _refuse_held(config, reading.address)
    new = Source(_new_name(config, name, reading), reading.address, terms, language=reading.language())
    listing.append(config.folder, [new], load)
    click.echo(f"added to {config.folder / listing.FILE_NAME}: {_title(new)}")
    click.echo(_report(probe.findings(replace(reading, moved_to=None), _now())))


def _folder() -> Path:
    folder: Path = click.get_current_context().ensure_object(dict).get("config", Path("config"))
    return folder


def _term(config: Config, said: str) -> str:
    """The term of the category that goes by this name; labels count too."""
    from aggregator import text
    from aggregator.subscriptions import intake

    term = intake.folders(config.categories).get(text.fold(said))
    if term is None:
        known = [category.term for category in config.categories]
        raise click.UsageError(f"there is no category {said}{nearest(said, known)}")
    return term


def _refuse_held(config: Config, url: str) -> None:
    from aggregator.subscriptions import intake

    if holder := intake.holder(config.sources, url):
        raise errors.AggregatorError(f"{url} is a source already: {holder.name} ({holder.shown})")


def _new_name(config: Config, given: str | None, reading: probe.Reading) -> str:
    """The name that was given, or the feed's title; refused where another source has it or had it."""
    from aggregator import text, urls
    from aggregator.subscriptions import intake

    name = text.one_line(given or reading.feed.head.title or "") or urls.host(reading.address)
    if name in intake.names(config.sources):
        holder = next(each for each in config.sources if name in (each.name, *each.formerly))
        raise errors.AggregatorError(
            f"the name {name} is taken by the source at {holder.shown}: give another one with --name"
        )
    return name


async def _find(config: Config, wanted: Source) -> probe.Reading:
    """The reading of the feed at the address, or of the one that is chosen among those that its page names."""
    from dataclasses import replace

    from aggregator.subscriptions import probe

    async with probe.opened(config) as prober:
        try:
            found = await prober.look(wanted, _now())
            if isinstance(found, probe.Reading):
                return found
            wanted = replace(wanted, url=_choose(config, wanted.url, found.feeds))
            _refuse_held(config, wanted.url)
            return await prober.read(wanted, _now())
        except errors.ParseError as error:
            raise errors.ParseError(f"{wanted.url} cannot be added: {error}") from error


def _choose(config: Config, page: str, feeds: Sequence[tuple[str, str]]) -> str:
    """The only feed of a page, or the one that the person at the terminal wants."""
    from aggregator.subscriptions import intake

    if len(feeds) == 1:
        return feeds[0][0]
    click.echo(f"{page} is a page that names {len(feeds)} feeds:", err=True)
    for number, (address, title) in enumerate(feeds, 1):
        holder = intake.holder(config.sources, address)
        said = f"  {title}" * bool(title) + (f"  (a source already: {holder.name})" if holder else "")
        click.echo(f"{number:3}  {address}{said}", err=True)
    if not sys.stdin.isatty():
        click.echo("Add one of them by its address.", err=True)
        raise click.exceptions.Exit(WRONG)
    number = click.prompt("Which", type=click.IntRange(1, len(feeds)), err=True)
    return feeds[number - 1][0]


# ---------------------------------------------------------------------------------------------- import, export


@sources.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--map", "mapping", multiple=True, metavar="FOLDER=TERM", help="A folder's category; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
@folders
def import_(file: IO[bytes], mapping: tuple[str, ...], dry_run: bool) -> None:
    """Add the feeds of an OPML list to sources.yaml, at the end. The network is not asked.

    A folder becomes the category that has its name as a label or term, or that --map gives it.
    """
    from rich.console import Console
    from rich.progress import track

    from aggregator.subscriptions import intake, listing, opml

    if not dry_run:
        listing.begin(_folder())
    config = load()
    terms = intake.folders(config.categories) | _mapped(config, mapping)
    outlines = list(opml.read(file.read()))
    if not outlines:
        raise errors.AggregatorError(f"{file.name} names no feed: is it an OPML list?")
    console = Console(stderr=True)
    watched = track(outlines, "Importing", console=console, disable=not console.is_terminal, transient=True)
    found = intake.sort_out(watched, config.sources, terms)
    if found.added and not dry_run:
        listing.append(config.folder, found.added, load)
    _say(found, dry_run)


def _mapped(config: Config, mapping: Iterable[str]) -> dict[str, str]:
    from aggregator import text

    pairs = [each.rpartition("=") for each in mapping]
    if not all(folder and term for folder, _, term in pairs):
        raise click.BadParameter("write FOLDER=TERM", param_hint="--map")
    return {text.fold(folder): _term(config, term) for folder, _, term in pairs}


def _say(found: intake.Intake, dry_run: bool) -> None:
    from aggregator import text, urls

    for outline, reason in found.invalid:
        address = urls.without_login(text.one_line(outline.url))
        click.echo(f"invalid: {outline.name or '(no name)'}  {address}: {reason}")
    for outline, holder in found.duplicates:
        click.echo(f"duplicate: {outline.name or outline.url}  {outline.url}: it is the source {holder}")
    for folder, count in found.unfiled.most_common():
        if folder:
            option = shlex.quote(f"{folder}=TERM")
            click.echo(f"without a category: {count} in the folder {folder}; to file what is in it: --map {option}")
    click.echo(
        f"{'would be ' * dry_run}added: {len(found.added)} ({found.unfiled.total()} without a category);"
        f" duplicates: {len(found.duplicates)}; invalid: {len(found.invalid)}"
    )


@sources.command()
@click.argument("file", type=click.File("wb", atomic=True), default="-")
@folders
def export(file: IO[bytes]) -> None:
    """Write the sources as an OPML list, their categories as folders.

    Where a part of an address comes from a variable, ${NAME} stands for it.
    """
    from aggregator.subscriptions import opml

    config = load()
    labels = {category.term: category.label for category in config.categories}
    file.write(opml.write(config.settings.site.title, config.sources, labels))
