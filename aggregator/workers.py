"""A pool of worker processes for work that may take long: a job has a deadline, and a late worker is killed and
replaced.

A worker is `python -m aggregator.workers FD`, started with a socket over which pickled calls and results go. It ends
when its parent does, however that dies, because the socket closes. What many calls need (`Kept`) goes to each worker
once.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_Job = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]

MEMORY_LIMIT = 2 * 1024**3  # bytes of address space: a document that asks for more fails alone

_PATIENCE = 4  # times its deadline that a job may take where a busy machine lets it compute but little
_SHORTEST_LOOK = 0.1  # seconds for which an answer is waited for at the least

_LONG = 1.0  # seconds after which a job leaves its place to another
_SPARE = 1  # workers beside those that have a place

_KEPT = 2  # values that a worker keeps: what a configuration that is in use needs, and that of the next


class Kept(bytes):
    """Bytes that many calls take as an argument: a worker is sent them once, and keeps the last few."""


class _Held(NamedTuple):
    """Stands in a job for the argument that the worker keeps at this place."""

    place: int


Keeper = deque[Kept]  # what a worker keeps; both ends follow it in the same steps


def _shortened(value: Any, keeper: Keeper) -> Any:
    """An argument as it travels."""
    if not isinstance(value, Kept):
        return value
    if value in keeper:
        return _Held(keeper.index(value))
    keeper.append(value)
    return value


def _restored(value: Any, keeper: Keeper) -> Any:
    """An argument as it was."""
    if isinstance(value, _Held):
        return keeper[value.place]
    if isinstance(value, Kept):
        keeper.append(value)
    return value


def _each(job: _Job, change: Callable[[Any, Keeper], Any], keeper: Keeper) -> _Job:
    """The job with each of its arguments changed, in order."""
    call, args, kwargs = job
    return call, tuple(change(value, keeper) for value in args), {k: change(v, keeper) for k, v in kwargs.items()}


class WorkerLostError(Exception):
    """The worker was late, died, or had too little memory; the text says which. The pool has replaced it."""


_TOO_LARGE: tuple[bool, Any] = (False, WorkerLostError("needs more memory than a worker may have"))


class _Worker:
    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "aggregator.workers", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self._connection = Connection(ours.detach())
        self._keeper: Keeper = deque(maxlen=_KEPT)

    def call(self, job: _Job, deadline: float) -> Any:
        """Run one job there; what it returned or raised. Raises WorkerLostError, after which this worker is of no
        use.
        """
        try:
            self._send(job)
            if not self._answers(deadline):
                raise WorkerLostError(f"took longer than {deadline:.0f} s")
            good, value = self._connection.recv()
        except (EOFError, OSError) as error:
            raise WorkerLostError("the worker process died") from error
        if good:
            return value
        raise value

    def _answers(self, deadline: float) -> bool:
        """Whether an answer comes before the worker has computed for so many seconds."""
        began, computed, left = time.monotonic(), self._computed(), deadline
        while not self._connection.poll(left):
            late = time.monotonic() - began >= _PATIENCE * deadline
            left = deadline - (self._computed() - computed)
            if late or left <= 0:
                return False
            left = max(left, _SHORTEST_LOOK)
        return True

    def _computed(self) -> float:
        """The process's CPU time in seconds, by the clock that clock_getcpuclockid(3) names."""
        return time.clock_gettime(~self._process.pid << 3 | 2)

    def _send(self, job: _Job) -> None:
        keeper = self._keeper.copy()
        self._connection.send(_each(job, _shortened, keeper))
        self._keeper = keeper  # only now: nothing was sent of a job that cannot be pickled

    def kill(self) -> None:
        """End the process now. The other end of the socket closes with it, so a waiting `call` raises
        WorkerLostError.
        """
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End an idle worker."""
        self._connection.close()
        self.kill()


class Pool:
    """At most `size` workers, and one more while a job takes long, so that the others need not wait for its end.

    They are started when first needed. `run` may be called from one event loop only.
    """

    def __init__(self, size: int) -> None:
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._places = asyncio.Semaphore(size)
        self._processes = asyncio.Semaphore(size + _SPARE)
        self._threads = ThreadPoolExecutor(size + _SPARE, thread_name_prefix="worker")

    async def run(self, deadline: timedelta, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `call` (a module's function, picklable arguments) in a worker; its result, its exception, or
        WorkerLostError.

        The deadline counts from the moment at which a worker takes the job, in seconds for which it computes; in all a
        job may take four times as long.
        """
        async with self._processes, self._place():
            running = asyncio.get_running_loop().run_in_executor(
                self._threads, self._call, (call, args, kwargs), deadline.total_seconds()
            )
            return await asyncio.shield(running)

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """A place among `size`, which a job that takes long leaves to another one."""
        await self._places.acquire()
        left = False

        def leave() -> None:
            nonlocal left
            left = True
            self._places.release()

        long = asyncio.get_running_loop().call_later(_LONG, leave)
        try:
            yield
        finally:
            long.cancel()
            if not left:
                leave()

    def _call(self, job: _Job, deadline: float) -> Any:
        worker = self._take()
        try:
            result = worker.call(job, deadline)
        except WorkerLostError:
            self._busy.discard(worker)
            worker.kill()
            raise
        except BaseException:
            self._give_back(worker)
            raise
        self._give_back(worker)
        return result

    def _take(self) -> _Worker:
        try:
            worker = self._idle.pop()
        except IndexError:
            worker = _Worker()
        self._busy.add(worker)
        return worker

    def _give_back(self, worker: _Worker) -> None:
        self._busy.discard(worker)
        self._idle.append(worker)

    async def close(self) -> None:
        """End every worker at once. A job that still runs ends in WorkerLostError; it holds nothing that could be
        lost.
        """
        for worker in tuple(self._busy):
            worker.kill()
        await asyncio.to_thread(self._threads.shutdown)
        for worker in self._idle:
            worker.close()
        self._idle.clear()


def _serve(connection: Connection) -> None:
    keeper: Keeper = deque(maxlen=_KEPT)
    while True:
        try:
            call, args, kwargs = _each(connection.recv(), _restored, keeper)
        except (EOFError, ConnectionError):
            return
        try:
            answer = (True, call(*args, **kwargs))
        except MemoryError:
            answer = _TOO_LARGE
        except Exception as error:  # noqa: BLE001 - raised again in the parent
            answer = (False, error)
        try:
            connection.send(answer)
        except (ConnectionError, BrokenPipeError):
            return
        except MemoryError:
            answer = _TOO_LARGE
            connection.send(answer)
        except Exception as error:  # noqa: BLE001 - a result that cannot be pickled is a bug: show it there
            connection.send((False, RuntimeError(f"{type(error).__name__}: {error}")))


def main() -> None:
    """Be a worker, on the socket that the command line names."""
    gc.set_threshold(10_000, 20, 20)  # a document makes thousands of objects that need no collector
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; it ends us by closing the socket
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    with contextlib.suppress(OSError):
        os.nice(10)  # serving comes first
    with Connection(int(sys.argv[1])) as connection:
        _serve(connection)


if __name__ == "__main__":
    from aggregator import workers  # what travels is of that module, not of __main__

    workers.main()
