"""Published files: written only when their bytes change, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import deflate

from aggregator import errors

_TEMPORARY = ".writing-"
_LEVEL = 6  # of libdeflate: within two percent of zlib's level 6, at half its CPU (tests/bench/reading.py)


def put(folder: Path, documents: Mapping[str, bytes]) -> list[str]:
    """Put documents (by path below `folder`) in place, each with a `.gz` beside it; the paths that were written.

    A document whose bytes are there already is not touched. Raises PublishError; files not yet replaced are as before.
    """
    written = []
    try:
        for path, content in documents.items():
            if _changed(folder / path, content):
                _replace(folder / f"{path}.gz", deflate.gzip_compress(content, _LEVEL))
                _replace(folder / path, content)
                written.append(path)
    except OSError as error:
        raise errors.PublishError(f"cannot write below {folder}: {error.strerror or error}; old feeds stay") from error
    return written


def remove_others(folder: Path, keep: Iterable[str]) -> list[str]:
    """Remove what lies directly in `folder` and is neither a kept document, its `.gz`, nor hidden; the names removed.

    Files that a killed process left half-written go too.
    """
    kept = {name for path in keep for name in (path, f"{path}.gz")}
    removed = []
    for path in sorted(folder.glob("*")) + sorted(folder.glob(f"{_TEMPORARY}*")):
        if path.is_file() and path.name not in kept and (not path.name.startswith(".") or _TEMPORARY in path.name):
            with suppress(OSError):
                path.unlink()
                removed.append(path.name)
    return removed


def _changed(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() != content or not path.with_name(f"{path.name}.gz").exists()
    except FileNotFoundError:
        return True


def _replace(path: Path, content: bytes | bytearray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
