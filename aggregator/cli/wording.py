"""The commands about the lexicon's words: lexicon build."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aggregator import errors
from aggregator.cli.common import Group, as_json_option, database, folders, load, nearest, print_json
from aggregator.cli.editing import decide

if TYPE_CHECKING:
    from aggregator.categorize.building import Example

Meaning = tuple[frozenset[str], frozenset[str]]  # the terms that a label means, and those that it may mean

_readable = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("lexicon", cls=Group)
def words() -> None:
    """Make the lexicon: the words by which entries are filed."""


@words.command()
@click.argument("files", nargs=-1, required=True, type=_readable)
@click.option("--labels", required=True, type=_readable, help="Which label means which category (docs/lexicon.md).")
@click.option("--known", type=_readable, help="Words that are known. Default: those of the package.")
@click.option("--precise", multiple=True, metavar="TERM=SHARE", help="How much of a category must be right, like 0.9.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The lexicon to write.")
@folders
def build(files: tuple[Path, ...], labels: Path, known: Path | None, precise: tuple[str, ...], out: Path) -> None:
    """Make a lexicon from labelled titles: lines of JSON with `title`, `label`, and perhaps `text` and `keywords`.

    The same files make the same lexicon. Needs the extra: pip install aggregator[lexicon]
    """
    try:
        from aggregator.categorize import building
    except ImportError as error:
        raise errors.AggregatorError(
            f"building a lexicon needs scikit-learn ({error}): pip install 'aggregator[lexicon]'"
        ) from error
    from aggregator.categorize import lexicon

    parents = {category.term: category.parent or "" for category in load().categories}
    said = dict(meanings(labels, parents))
    labelled = [example for file in files for example in examples(file, said)]
    words = known.read_text("utf-8") if known else lexicon.known()
    shares = {term: float(share) for term, share in (each.split("=") for each in precise)}
    table = building.build(labelled, [row for row in lexicon.added(words) if row.term in parents], parents, shares)
    out.write_text(lexicon.written(table), "utf-8")
    click.echo(f"{out}: {len(table.rows)} rows, made of {len(labelled)} titles")


@words.command()
@click.option("--term", metavar="TERM", help="Only what was learned for one category.")
@as_json_option
@folders
def learned(term: str | None, as_json: bool) -> None:
    """Show what filing learned from corrections by hand and from sources that are certain, the weightiest first."""
    from aggregator import store

    rows = store.learned.rows(database())
    known = {category.term for category in load().categories} | {row.term for row in rows}
    if term is not None and term not in known:
        raise click.UsageError(f"no category has the term {term}{nearest(term, known)}")
    rows = [row for row in rows if term in (None, row.term)]
    for row in sorted(rows, key=lambda row: -abs(row.weight)):
        if as_json:
            print_json(row._asdict())
        else:
            click.echo(f"{row.weight:+.3f}  {row.term}  {row.word or '(the category itself)'}  ({row.lessons} lessons)")


@words.command()
@folders
def forget() -> None:
    """Forget what was learned. Nothing that is stored is filed anew by that; `apply` does it."""
    decide("forget", [""])


def meanings(file: Path, terms: Iterable[str]) -> Iterator[tuple[str, Meaning]]:
    """For each label the terms that it means, and those that it may mean."""
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        label, right, *unsure = line.split("\t")
        meaning = frozenset(right.split(",")), frozenset(unsure[0].split(",") if unsure else ())
        if unknown := sorted((meaning[0] | meaning[1]) - set(terms)):
            raise errors.AggregatorError(f"{file}:{number}: there is no category {unknown[0]}")
        yield label, meaning


def examples(file: Path, said: Mapping[str, Meaning]) -> Iterator[Example]:
    """The entries of `file` whose label means something."""
    from aggregator import text
    from aggregator.categorize import lexicon
    from aggregator.categorize.building import Example

    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                title, label = row["title"], row["label"]
            except (ValueError, KeyError, TypeError) as error:
                raise errors.AggregatorError(f"{file}:{number}: no object with title and label: {error}") from error
            if label in said:
                body = (row.get("text") or "")[: 2 * lexicon.OPENING]  # folding makes a text shorter
                keywords = " ".join(map(text.fold, (row.get("keywords") or "").split(",")))
                yield Example(text.fold(title), text.fold(body), *said[label], keywords)
