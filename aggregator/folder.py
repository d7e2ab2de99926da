"""The data folder: made, writable, and held by one instance at a time."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aggregator import errors


class HeldError(errors.AggregatorError):
    """Another instance holds the data folder; the text says which."""


@contextmanager
def hold(folder: Path, command: str) -> Iterator[None]:
    """Make the folder if need be and hold its lock; raises HeldError, or StoreError where it cannot be written.

    The lock is the kernel's: it goes with the process, however that ends.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise errors.StoreError(
            f"the data folder {folder} cannot be written ({error.strerror}): check its owner and rights, or name"
            " another with --data"
        ) from error
    try:
        _lock(handle, folder)
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"pid": os.getpid(), "command": command}).encode(), 0)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise HeldError(
            f"the data folder {folder} is held by {_holder(handle)}: stop that, or use another --data"
        ) from error


def _holder(handle: int) -> str:
    try:
        said = json.loads(os.pread(handle, 1000, 0))
        return f"process {said['pid']} (aggregator {said['command']})"
    except (ValueError, KeyError, TypeError):
        return "another process"
