"""The one thread that owns the writing connection.

Jobs are functions of the database. Jobs that come within 250 ms may share one transaction (`BEGIN IMMEDIATE`), each in
a savepoint of its own, so that one that fails takes nothing of another with it. A job's result is delivered after the
commit.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlite_utils import Database

from aggregator import errors
from aggregator.store.connection import connect, read_only, speaking, turn

P = ParamSpec("P")
T = TypeVar("T")

SHARE = 0.25  # seconds for which jobs may gather in one transaction


@dataclass(slots=True)
class _Job:
    work: Callable[[Database], Any]
    urgent: bool
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = field(default=None)

    def deliver(self) -> None:
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Writer:
    """Owns the writing connection of one data folder. Open it inside a running event loop; close it at the end."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.get_running_loop()
        self._folder = folder
        with turn(folder):
            self._db = connect(folder)
        # What is asked in one turn of the loop is handed over together: to wake a thread costs more than most jobs.
        self._asked: list[_Job | None] = []
        self._handed: queue.SimpleQueue[list[_Job | None]] = queue.SimpleQueue()
        self._jobs: deque[_Job | None] = deque()  # of the thread; None is the end
        self._thread = threading.Thread(target=self._serve, name="store", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread still takes jobs."""
        return self._thread.is_alive()

    async def run(self, work: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(db, …)` in a transaction that is committed at once; its result, or StoreError."""
        return await self._submit(lambda db: work(db, *args, **kwargs), urgent=True)

    async def gather(self, work: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `run`, but the commit may wait up to 250 ms for other jobs to share it."""
        return await self._submit(lambda db: work(db, *args, **kwargs), urgent=False)

    async def read(self, work: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(db, …)`, which only reads, beside the jobs, on a connection of its own; its result, or
        StoreError."""
        return await asyncio.to_thread(self._read, lambda db: work(db, *args, **kwargs))

    def _read(self, work: Callable[[Database], T]) -> T:
        with speaking(), closing(read_only(self._folder)) as db:
            return work(db)

    async def _submit(self, work: Callable[[Database], T], urgent: bool) -> T:
        future: asyncio.Future[T] = self._loop.create_future()
        if not self._asked:
            self._loop.call_soon(self._hand_over)
        self._asked.append(_Job(work, urgent, future))
        return await future

    def _hand_over(self) -> None:
        self._handed.put(self._asked)
        self._asked = []

    async def close(self) -> None:
        """Finish the jobs that were given, then close the file."""
        self._asked.append(None)
        self._hand_over()
        await asyncio.to_thread(self._thread.join)
        self._db.close()

    def _serve(self) -> None:
        while (job := self._next()) is not None:
            done, ended = self._transaction(job)
            self._loop.call_soon_threadsafe(_deliver, done)
            if ended:
                return

    def _next(self, patience: float | None = None) -> _Job | None:
        """The next job; raises queue.Empty where none comes within so many seconds."""
        while not self._jobs:
            self._jobs.extend(self._handed.get(timeout=patience))
        return self._jobs.popleft()

    def _transaction(self, first: _Job) -> tuple[list[_Job], bool]:
        """Run `first` and what gathers behind it in one transaction; the jobs, and whether the end was asked for."""
        done = [first]
        ended = False
        try:
            with turn(self._folder), speaking():
                self._db.conn.execute("BEGIN IMMEDIATE")
                self._run(first)
                ended = self._gather(done)
                self._db.conn.execute("COMMIT")
        except (errors.StoreError, sqlite3.Error) as error:
            self._roll_back()
            for job in done:
                job.error = job.error or error
        return done, ended

    def _gather(self, done: list[_Job]) -> bool:
        until = time.monotonic() + SHARE
        while not done[-1].urgent:
            try:
                job = self._next(max(0.0, until - time.monotonic()))
            except queue.Empty:
                return False
            if job is None:
                return True
            done.append(job)
            self._run(job)
        return False

    def _run(self, job: _Job) -> None:
        """Run one job in its savepoint. Its own failure stays its own, unless SQLite gave up the transaction."""
        try:
            with speaking(), self._db.atomic():
                job.result = job.work(self._db)
        except Exception as error:
            job.error = error
            if not self._db.conn.in_transaction:
                raise errors.StoreError(str(error)) from error

    def _roll_back(self) -> None:
        if self._db.conn.in_transaction:
            try:
                self._db.conn.execute("ROLLBACK")
            except sqlite3.Error:
                self._db.conn.interrupt()


def _deliver(jobs: list[_Job]) -> None:
    for job in jobs:
        job.deliver()
