"""The editor's YAML as one frozen `models.Config`, or every problem of it with file, line and column.

document   YAML text → data that knows its places        syntax   what is wrong with a text as YAML
shapes     which keys there are (pydantic)                kinds    what each takes, for us and for editors
scalars    text, numbers, durations, sizes                values   addresses, terms, patterns, passwords
report     pydantic's errors → problems                   checks   what clashes between values
build      shapes → models                                schema   JSON Schema for editors
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from aggregator import models, urls
from aggregator.config import build, checks, document, report, scalars, shapes
from aggregator.config.document import Document
from aggregator.config.scalars import Context
from aggregator.config.schema import schemas
from aggregator.config.shapes import AggregatorShape, CategoriesShape, Shape, SourcesShape
from aggregator.errors import ConfigError, Problem

__all__ = ["load", "schemas", "stamp"]

_FILES = (*(f"{name}.yaml" for name in shapes.FILES), "tracking.txt", "aliases.txt", "lexicon.tsv")

AnyShape = TypeVar("AnyShape", bound=Shape)


def load(folder: Path, environ: Mapping[str, str], data: Path | None = None) -> models.Config:
    """The configuration in `folder`; `${NAME}` stands for `environ`'s variables.

    A relative `data` counts from the current folder and replaces the setting, which counts from the folder's parent.
    Raises `ConfigError` with every problem of the three files. The settings' file may be missing: then defaults hold.
    """
    if not folder.is_dir():
        raise ConfigError(
            [Problem(str(folder), 0, 0, "there is no such folder", "name the configuration's with --config")]
        )
    context = Context(folder, environ)
    documents = {name: _read(folder, name) for name in shapes.FILES}
    problems = [problem for each in documents.values() for problem in each.problems]
    sources = _validated(documents["sources"], SourcesShape, context, problems)
    categories = _validated(documents["categories"], CategoriesShape, context, problems)
    settings = _validated(documents["aggregator"], AggregatorShape, context, problems)
    problems += checks.problems(documents["sources"], documents["categories"], context)
    tracking = _lines(folder / "tracking.txt", urls.load_tracking, problems)
    aliases = _lines(folder / "aliases.txt", _check_aliases, problems)
    words = _lines(folder / "lexicon.tsv", _check_lexicon, problems)
    problems += _unknown_words(folder / "lexicon.tsv", words, categories)
    if problems or not (sources and categories and settings):
        raise ConfigError(sorted(dict.fromkeys(problems), key=_place))
    return models.Config(
        folder=folder.absolute(),
        settings=build.settings(settings, data.absolute() if data else folder.resolve().parent / settings.data),
        sources=tuple(
            build.source(shape, documents["sources"].at(("sources", number, "url")))
            for number, shape in enumerate(sources.sources)
        ),
        categories=tuple(map(build.category, categories.categories)),
        tracking=tracking,
        aliases=aliases,
        lexicon=words,
    )


def stamp(folder: Path) -> tuple[tuple[int, ...] | None, ...]:
    """What is different once a file of the folder is, whether it was written, or a link or the folder was replaced."""
    return tuple(_stamp(folder / name) for name in _FILES)


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _read(folder: Path, name: str) -> Document:
    path = folder / f"{name}.yaml"
    try:
        return document.read(path, shapes.ALL_KEYS)
    except FileNotFoundError:
        if name == "aggregator":
            return Document(str(path), {})
        hint = f"begin it with '{name}:' and a list below; docs/configuration.md has examples"
        if path.with_suffix(".yml").exists():
            hint = f"rename {name}.yml to {name}.yaml"
        return Document(str(path), problems=(Problem(str(path), 0, 0, "the file is missing", hint),))
    except OSError as error:
        hint = "put a file there" if error.errno == errno.EINVAL else "look at its permissions"
        problem = Problem(str(path), 0, 0, f"cannot be read: {error.strerror}", hint)
        return Document(str(path), problems=(problem,))


def _validated(read: Document, shape: type[AnyShape], context: Context, problems: list[Problem]) -> AnyShape | None:
    """`read` as `shape`; where it is none, None, and what is wrong goes to `problems`."""
    if read.data is None:
        return None
    try:
        return shape.model_validate(read.data, context=context)
    except ValidationError as error:
        problems += report.problems(read, shape, error)
        return None


def _lines(path: Path, check: Callable[[str], object], problems: list[Problem]) -> str:
    """The editor's own lines, which add to the package's file of that name; what `check` refuses goes to `problems`."""
    try:
        document.must_end(path)
        text = path.read_text("utf-8-sig")
        check(text)
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        hint = f"the package's data/{path.name} says how it is written"
        problems.append(Problem(str(path), 0, 0, f"cannot be read: {error}", hint))
        return ""
    return text


def _check_aliases(text: str) -> None:
    """Raises ValueError where a line of an editor's names is not of its form."""
    from aggregator import stories  # most folders have no such file, and need not wait for it

    stories.load_aliases(text)


def _check_lexicon(text: str) -> None:
    """Raises ValueError where a line of an editor's lexicon is not of its form."""
    from aggregator.categorize import lexicon  # most folders have no such file, and need not wait for it

    for _ in lexicon.added(text):
        pass


def _unknown_words(path: Path, text: str, categories: CategoriesShape | None) -> Iterator[Problem]:
    """Words of an editor's lexicon for categories that there are not."""
    if not text or categories is None:
        return
    from aggregator.categorize import lexicon

    terms = [category.term for category in categories.categories]
    for number, line in enumerate(text.splitlines(), 1):
        for row in lexicon.added(line):
            if row.term not in terms:
                meant = scalars.nearest(row.term, terms)
                hint = f"did you mean {meant}?" if meant else "write one of categories.yaml"
                yield Problem(str(path), number, line.index(row.term) + 1, f"there is no category '{row.term}'", hint)


def _place(problem: Problem) -> tuple[int, int, int]:
    """Where one meets the problem when reading the files one after the other."""
    return _FILES.index(Path(problem.file).name), problem.line, problem.column
