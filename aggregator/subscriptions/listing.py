"""New blocks in sources.yaml. What an editor wrote there stays as it is, byte for byte."""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import yaml

from aggregator import errors
from aggregator.config import scalars
from aggregator.models import Source

FILE_NAME = "sources.yaml"

_BOM = b"\xef\xbb\xbf"
_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# A file of blanks and comments, and one whose key `sources` has nothing behind it.
_REMARKS = rb"(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n?|\n))*(?:[ \t]*(?:#[^\r\n]*)?)"
_NOTHING = re.compile(rb"(?:\xef\xbb\xbf)?" + _REMARKS)
_NO_LIST = re.compile(
    rb"((?:\xef\xbb\xbf)?" + _REMARKS + rb"sources:)[ \t]*(?:~|null)?((?=[ \t\r\n]|\Z)" + _REMARKS + rb")"
)
# What needs no quotes after a key: it begins with no sign of YAML's, and has no ": " and no " #".
_PLAIN = re.compile(r"[^\W_](?:[^\s:]|:(?=[\w/])| (?=[^\s#]))*")


def begin(folder: Path) -> None:
    """Give the folder an empty list of sources where there is no file, or a file that lists nothing."""
    path = folder / FILE_NAME
    if not folder.is_dir():
        return
    with _alone(folder):
        before = path.read_bytes() if path.exists() else b""
        if _NOTHING.fullmatch(before):
            newline = b"" if not before or before.endswith((b"\n", b"\r")) else b"\n"
            _put(path, before + newline + b"sources: []\n")
        elif found := _NO_LIST.fullmatch(before):
            _put(path, found[1] + b" []" + found[2])


def append(folder: Path, sources: Sequence[Source], check: Callable[[], object]) -> None:
    """Add a block for each source at the end of the list.

    `check` reads the configuration with them in it: if it raises ConfigError, the file is as before, and the error goes
    on. Raises AggregatorError where the file cannot be written.
    """
    path = folder / FILE_NAME
    with _alone(folder):
        before = path.read_bytes()
        _put(path, _encoded(with_sources(_text(before), sources), before))
        try:
            check()
        except errors.ConfigError:
            _put(path, before)
            raise


def _text(content: bytes) -> str:
    return content.decode("utf-8-sig")


def _encoded(content: str, before: bytes) -> bytes:
    return (_BOM if before.startswith(_BOM) else b"") + content.encode()


# ---------------------------------------------------------------------------------------------- the text


def with_sources(document: str, sources: Sequence[Source]) -> str:
    """`document`, a valid sources.yaml, with a block for each of `sources` at the end of its list."""
    events = list(yaml.parse(document, _LOADER))
    root, opening = events[2], events[4]
    closing = next(place for place in range(len(events) - 1, 0, -1) if isinstance(events[place], yaml.SequenceEndEvent))
    assert isinstance(root, yaml.MappingStartEvent)
    assert isinstance(opening, yaml.SequenceStartEvent)
    first, newline = closing == 5, _newline(document)
    start, end = _span(opening)[0], _span(events[closing])[1]
    if first and not root.flow_style and not document[start + 1 : end - 1].strip(" "):
        return _in_place(document, start, end, sources, newline)
    if root.flow_style or opening.flow_style:
        return _in_flow(document, end - 1 if first else _span(events[closing - 1])[1], sources, first)
    blocks = _blocks(sources, *_columns(document, events[5], opening), newline)
    end = _span(events[-2])[0] if document[_span(events[-2])[0] :].startswith("...") else len(document)
    before, after = document[:end], document[end:]
    ended = not before or before.endswith(("\n", "\r"))
    return _ended(before, newline) + (blocks if ended or after else blocks.removesuffix(newline)) + after


def _in_flow(document: str, place: int, sources: Sequence[Source], first: bool) -> str:
    """Mappings in braces, after what ends at `place` in a list in brackets."""
    items = ", ".join(f"{{{', '.join(f'{key}: {value}' for key, value in _pairs(each, _quoted))}}}" for each in sources)
    return document[:place] + ("" if first else ", ") + items + document[place:]


def _in_place(document: str, start: int, end: int, sources: Sequence[Source], newline: str) -> str:
    """Blocks in place of an empty list; a comment behind it stays behind the key."""
    rest_of_line = re.compile(r"[^\r\n]*").match(document, end)
    assert rest_of_line is not None
    line = document[:start].rstrip(" ") + rest_of_line.group().rstrip(" ")
    after = document[rest_of_line.end() :]
    blocks = newline + _blocks(sources, 2, 4, newline)
    return line + (blocks.removesuffix(newline) + after)


def _columns(document: str, item: yaml.Event, opening: yaml.Event) -> tuple[int, int]:
    """The columns of the list's dashes and of what stands behind them, from 0."""
    start = _span(item)[0]
    dash = len(document[:start].rstrip()) - 1
    if document[dash] != "-":  # a comment lies between them
        dash = _span(opening)[0]
    return _column(document, dash), _column(document, start)


def _column(document: str, index: int) -> int:
    return index - max(document.rfind("\n", 0, index), document.rfind("\r", 0, index)) - 1


def _blocks(sources: Sequence[Source], dash: int, key: int, newline: str) -> str:
    lines = []
    for source in sources:
        beginning = f"{' ' * dash}-{' ' * (key - dash - 1)}"
        for name, value in _pairs(source, written):
            lines.append(f"{beginning}{name}: {value}{newline}")
            beginning = " " * key
    return "".join(lines)


def _pairs(source: Source, write: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    yield "name", write(source.name)
    yield "url", write(source.url)
    if len(source.categories) == 1:
        yield "category", write(source.categories[0])
    elif source.categories:
        yield "category", f"[{', '.join(map(_quoted, source.categories))}]"
    if source.language:
        yield "language", write(source.language)


def written(value: str) -> str:
    """A text as a value in a block of YAML, in quotes where it needs them; `${` stays what it is."""
    plain = value.isprintable() and "${" not in value and _PLAIN.fullmatch(value)
    return value if plain and not isinstance(scalars.plain(value), scalars.Plain) else _quoted(value)


def _quoted(value: str) -> str:
    return "'" + value.replace("${", "$${").replace("'", "''") + "'"


def _span(event: yaml.Event) -> tuple[int, int]:
    assert event.start_mark is not None  # as libyaml's events always have them
    assert event.end_mark is not None
    return event.start_mark.index, event.end_mark.index


def _newline(document: str) -> str:
    first = re.search(r"\r\n|\n|\r", document)
    return first.group() if first else "\n"


def _ended(document: str, newline: str) -> str:
    return document if not document or document.endswith(("\n", "\r")) else document + newline


# ---------------------------------------------------------------------------------------------- the file


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one command at a time change the list."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    except OSError as error:
        raise errors.AggregatorError(
            f"{folder / FILE_NAME} cannot be changed ({error.strerror}): check its owner and rights"
        ) from error
    finally:
        os.close(handle)


def _put(path: Path, content: bytes) -> None:
    """Replace the file as a whole, with the rights that it had; a link to it stays a link."""
    path = path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _like(Path(name), path)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _like(new: Path, old: Path) -> None:
    """Give `new` the rights of `old`, and its owner as far as we may."""
    if not old.exists():
        new.chmod(0o644)
        return
    status = old.stat()
    with suppress(PermissionError):
        os.chown(new, status.st_uid, status.st_gid)
    new.chmod(status.st_mode & 0o7777)
