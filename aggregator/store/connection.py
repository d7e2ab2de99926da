"""How the database file is opened, and which sentence an SQLite error becomes."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator, Sized
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database

from aggregator import errors
from aggregator.store.schema import migrations

FILE_NAME = "aggregator.db"
CACHE = 32 * 1024  # KiB of pages that the writer keeps, as far as it needs them
BUSY_TIMEOUT = 10.0  # seconds a write waits for another process's lock
_TURN = "write.lock"
_TURN_LOOK = 0.01  # seconds between two looks whether it is our turn


def connect(folder: Path) -> Database:
    """Open (or make) the folder's database for writing, with every migration applied; raises StoreError."""
    path = folder / FILE_NAME
    with speaking(path):
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
        db = Database(connection, execute_plugins=False)
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = full")
        db.execute("pragma foreign_keys = on")
        db.execute("pragma temp_store = memory")
        db.execute(f"pragma cache_size = -{CACHE}")
        if migrations.pending(db):
            migrations.apply(db)
    return db


@contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Hold the turn to write, for which every process waits before a transaction; raises StoreError.

    SQLite has a lock for writing, but gives it back before what was committed is moved from the log into the file. If
    another process commits just then, releases before 3.51.3 can lose transactions (sqlite.org/wal.html, "The WAL-Reset
    Bug"). Debian 12 and 13 have older ones.
    """
    where, until = f" ({folder / _TURN})", time.monotonic() + BUSY_TIMEOUT
    try:
        handle = os.open(folder / _TURN, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise errors.StoreError(_full(where) if error.errno == errno.ENOSPC else _unwritable(where)) from error
    try:
        while not _locked(handle):
            if time.monotonic() > until:
                raise errors.StoreError(_busy(where))
            time.sleep(_TURN_LOOK)
        yield
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def writing(folder: Path) -> Iterator[Database]:
    """The folder's database for a command that writes beside the daemon, or without it; closed afterwards."""
    with turn(folder):
        db = connect(folder)
        try:
            yield db
        finally:
            db.close()


def require(folder: Path) -> Path:
    """The folder's database, for what only makes sense where there is one; raises StoreError."""
    path = folder / FILE_NAME
    if not path.exists():
        raise errors.StoreError(f"no database at {path}: run `aggregator run` or `aggregator poll` first")
    return path


def read_only(folder: Path) -> Database:
    """Open the folder's database for reading beside a running daemon; raises StoreError."""
    path = require(folder)
    with speaking(path):
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", timeout=BUSY_TIMEOUT, uri=True)
        db = Database(connection, recursive_triggers=False, execute_plugins=False)
        if migrations.pending(db):
            raise errors.StoreError(f"{path} is of an older release: start the daemon once, it upgrades the file")
    return db


def marks(values: Sized) -> str:
    """As many question marks as there are values, for a list of them in a query."""
    return ",".join("?" * len(values))


@contextmanager
def speaking(path: Path | None = None) -> Iterator[None]:
    """Turn SQLite's errors into StoreError with a sentence that says what to do.

    What says that values are unfit is no trouble of the store but a bug of whoever wrote them: it is passed on.
    """
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError):
        raise
    except sqlite3.Error as error:
        raise errors.StoreError(_sentence(error, path)) from error


def _sentence(error: sqlite3.Error, path: Path | None) -> str:
    name = getattr(error, "sqlite_errorname", "") or ""
    where = f" ({path})" if path else ""
    if name.startswith("SQLITE_FULL"):
        return _full(where)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return _busy(where)
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        return _unwritable(where)
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return f"the database file is damaged{where}: restore a backup ({error})"
    return f"the database failed{where}: {error}"


def _full(where: str) -> str:
    return f"the disk is full{where}: free some space"


def _busy(where: str) -> str:
    return f"the database is locked by another process{where}: it was waited for {BUSY_TIMEOUT:.0f} s"


def _unwritable(where: str) -> str:
    return f"the database cannot be written{where}: check the folder's owner and rights"


def seconds(moment: datetime) -> int:
    """Whole seconds since 1970 of an aware datetime, as stored."""
    return int(moment.timestamp())


def moment(stored: int) -> datetime:
    """The aware UTC datetime of stored seconds."""
    return datetime.fromtimestamp(stored, UTC)


def maybe_seconds(value: datetime | None) -> int | None:
    """`seconds`, or None for None."""
    return None if value is None else seconds(value)


def maybe_moment(stored: int | None) -> datetime | None:
    """`moment`, or None for None."""
    return None if stored is None else moment(stored)
