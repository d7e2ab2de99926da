"""The one thread that owns the writing connection.

Jobs are functions of the database. Those that can wait are gathered for 250 ms and share one transaction (`BEGIN
IMMEDIATE`), each in a savepoint of its own, so that one that fails takes nothing of another with it. A job's result is
delivered after the commit.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlite_utils import Database

from aggregator import errors
from aggregator.store.connection import connect, read_only, speaking, turn

P = ParamSpec("P")
T = TypeVar("T")
V = TypeVar("V")

SHARE = 0.25  # seconds for which jobs may gather for one transaction


@dataclass(frozen=True, slots=True)
class _Part:
    """What a job gives to one call that does the work of all its kind."""

    work: Callable[[Database, Sequence[Any]], object]
    value: Any


@dataclass(slots=True)
class _Job:
    work: Callable[[Database], Any]
    future: asyncio.Future[Any]
    part: _Part | None = None
    result: Any = None
    error: BaseException | None = None

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
        # What can wait is handed over together: to wake a thread, and to pass the interpreter back and forth between
        # the two, costs more than most jobs.
        self._asked: list[_Job] = []
        self._timer: asyncio.TimerHandle | None = None
        self._handed: queue.SimpleQueue[list[_Job] | None] = queue.SimpleQueue()  # None is the end
        self._thread = threading.Thread(target=self._serve, name="store", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread still takes jobs."""
        return self._thread.is_alive()

    async def run(self, work: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(db, …)` in a transaction that is committed at once; its result, or StoreError."""
        future = self._ask(lambda db: work(db, *args, **kwargs))
        self._hand_over()
        return await future

    async def gather(self, work: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `run`, but the job may wait up to 250 ms for others to share its transaction."""
        return await self._ask(lambda db: work(db, *args, **kwargs))

    async def gather_one(self, work: Callable[[Database, Sequence[V]], object], value: V) -> None:
        """As `gather` of `work(db, [value])`, but the values of all that share the transaction go to one call, as long
        as that does not fail. Which comes first is left open."""
        await self._ask(lambda db: work(db, [value]), _Part(work, value))

    async def read(self, work: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(db, …)`, which only reads, beside the jobs, on a connection of its own; its result, or
        StoreError."""
        return await asyncio.to_thread(self._read, lambda db: work(db, *args, **kwargs))

    def _read(self, work: Callable[[Database], T]) -> T:
        with speaking(), closing(read_only(self._folder)) as db:
            return work(db)

    def _ask(self, work: Callable[[Database], T], part: _Part | None = None) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self._loop.create_future()
        self._asked.append(_Job(work, future, part))
        if self._timer is None:
            self._timer = self._loop.call_later(SHARE, self._hand_over)
        return future

    def _hand_over(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._asked:
            self._handed.put(self._asked)
            self._asked = []

    async def close(self) -> None:
        """Finish the jobs that were given, then close the file."""
        self._hand_over()
        self._handed.put(None)
        await asyncio.to_thread(self._thread.join)
        self._db.close()

    def _serve(self) -> None:
        while jobs := self._handed.get():
            self._transaction(jobs)
            self._loop.call_soon_threadsafe(_deliver, jobs)

    def _transaction(self, jobs: Sequence[_Job]) -> None:
        try:
            with turn(self._folder), speaking():
                self._db.conn.execute("BEGIN IMMEDIATE")
                for job in self._not_done_together(jobs):
                    job.result, job.error = self._attempt(job.work)
                self._db.conn.execute("COMMIT")
        except (errors.StoreError, sqlite3.Error) as error:
            self._roll_back()
            for job in jobs:
                job.error = job.error or error

    def _not_done_together(self, jobs: Sequence[_Job]) -> list[_Job]:
        """The jobs that are still to be done each by itself, after one call for those of a kind."""
        kinds: dict[Callable[[Database, Sequence[Any]], object], list[Any]] = {}
        for part in (job.part for job in jobs if job.part is not None):
            kinds.setdefault(part.work, []).append(part.value)
        done = {work for work, values in kinds.items() if self._attempt(work, values)[1] is None}
        return [job for job in jobs if job.part is None or job.part.work not in done]

    def _attempt(
        self, work: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> tuple[T | None, Exception | None]:
        """Work in a savepoint: its result, or its error, which stays its own unless SQLite gave up the transaction."""
        try:
            with speaking(), self._db.atomic():
                return work(self._db, *args, **kwargs), None
        except Exception as error:
            if not self._db.conn.in_transaction:
                raise errors.StoreError(str(error)) from error
            return None, error

    def _roll_back(self) -> None:
        if self._db.conn.in_transaction:
            try:
                self._db.conn.execute("ROLLBACK")
            except sqlite3.Error:
                self._db.conn.interrupt()


def _deliver(jobs: Sequence[_Job]) -> None:
    for job in jobs:
        job.deliver()
