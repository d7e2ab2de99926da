"""Backup and restore of the whole database file."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database

from aggregator import errors
from aggregator.store.connection import FILE_NAME, read_only, speaking
from aggregator.store.schema import migrations

Progress = Callable[[int, int], None]  # pages copied, pages in all

_PAGES = 2000  # copied between two reports of progress


def save(folder: Path, target: Path, progress: Progress) -> None:
    """Copy the folder's database into the file `target`, as it is at one moment, while others go on writing.

    The copy is checked, and in place whole or not at all. Raises StoreError.
    """
    if not target.parent.is_dir():
        raise errors.StoreError(f"there is no folder {target.parent}: make it, or name a file in another")
    with _fresh_file(target) as temporary:
        db = read_only(folder)
        db.conn.execute("begin")  # one snapshot: without it, the copy would begin anew at each write
        db.conn.execute("select count(*) from sqlite_master").fetchone()
        _copy(db.conn, temporary, progress)
        db.close()
        check(temporary)


def restore(folder: Path, backup: Path, now: datetime, progress: Progress) -> Path | None:
    """Put the backup in the place of the folder's database; where that one is now, or None where there was none.

    The folder must be held. A backup that is damaged, not ours, or of a newer release changes nothing and raises
    StoreError. The feeds are to be published anew: their files may show what came after the backup.
    """
    current = folder / FILE_NAME
    aside = folder / f"{FILE_NAME}.replaced-{now:%Y%m%dT%H%M%S.%fZ}"
    check(backup)
    with _fresh_file(current) as temporary:
        with speaking(backup), closing(_open(backup)) as source:
            _copy(source, temporary, progress)
        with speaking(temporary), closing(sqlite3.connect(temporary)) as copy, copy:
            copy.execute("update feed set rendered = 0")
        check(temporary)
        return _set_aside(current, aside)


def check(path: Path) -> None:
    """Raise StoreError unless the file is a whole database of this or an earlier release."""
    if not path.is_file():
        raise errors.StoreError(f"there is no file {path}")
    try:
        with closing(Database(_open(path), execute_plugins=False)) as db:
            applied = {migration.name for migration in migrations.applied(db)}
            trouble = db.conn.execute("pragma integrity_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise errors.StoreError(f"{path} is no sound database ({error}): take another backup") from error
    if trouble != "ok":
        raise errors.StoreError(f"{path} is damaged ({trouble}): take another backup")
    if not applied:
        raise errors.StoreError(f"{path} is a database, but not one of aggregator's")
    if newer := applied - set(_known_migrations()):
        raise errors.StoreError(f"{path} is of a newer release ({', '.join(sorted(newer))}): upgrade first")


def _known_migrations() -> list[str]:
    with closing(Database(memory=True, execute_plugins=False)) as nothing:
        return [migration.name for migration in migrations.pending(nothing)]


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def _copy(source: sqlite3.Connection, target: Path, progress: Progress) -> None:
    with speaking(target), closing(sqlite3.connect(target)) as copy:
        source.backup(copy, pages=_PAGES, progress=lambda _, left, pages: progress(pages - left, pages))
        copy.execute("pragma journal_mode = delete")  # one file, with nothing beside it


@contextmanager
def _fresh_file(path: Path) -> Iterator[Path]:
    """A file to be written beside `path`, which takes its place when all went well. Raises StoreError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise errors.StoreError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _set_aside(current: Path, aside: Path) -> Path | None:
    """Keep the database under another name, byte for byte: it is not opened, as it may be damaged.

    It stays in its place too, so that there is no moment without a database; its log does not, as beside the restored
    one that would be damage.
    """
    if not current.exists():
        return None
    try:
        aside.hardlink_to(current)
    except OSError:  # a file system without links
        shutil.copy2(current, aside)
    log = current.with_name(f"{FILE_NAME}-wal")
    if log.exists():
        log.replace(aside.with_name(f"{aside.name}-wal"))
    current.with_name(f"{FILE_NAME}-shm").unlink(missing_ok=True)
    return aside


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
