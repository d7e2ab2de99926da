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
import pickle
import resource
import signal
import socket
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, BinaryIO, NamedTuple, ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")

_Job = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]

MEMORY_LIMIT = 2 * 1024**3  # bytes of address space: a document that asks for more fails alone

_PATIENCE = 4  # times its deadline that a job may take where a busy machine lets it compute but little
_SHORTEST_LOOK = 0.1  # seconds for which an answer is waited for at the least

_SIZE = struct.Struct("!Q")  # what comes before each job and each answer: how many bytes it has
_LARGE = 256 * 1024  # bytes of an answer that the loop need not wait for

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


def _framed(value: Any) -> bytes:
    """A job or an answer as it travels: how many bytes it has, and these."""
    packed = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return _SIZE.pack(len(packed)) + packed


class _Worker(asyncio.Protocol):
    """A process that does one job at a time. Its socket is the event loop's: to have a thread wait for each answer
    costs more than a small document itself.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._keeper: Keeper = deque(maxlen=_KEPT)
        self._transport: asyncio.Transport
        self._received = bytearray()
        self._answer: asyncio.Future[memoryview] | None = None
        self._watch: asyncio.TimerHandle

    @classmethod
    async def start(cls) -> _Worker:
        """A new process."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = _spawn(theirs)
        _, worker = await asyncio.get_running_loop().create_unix_connection(lambda: cls(process), sock=ours)
        return worker

    @property
    def is_alive(self) -> bool:
        """Whether it can take a job."""
        return not self._transport.is_closing()

    async def call(self, job: _Job, deadline: float) -> Any:
        """Run one job there; what it returned or raised. Raises WorkerLostError, after which this worker is of no
        use.
        """
        keeper = self._keeper.copy()
        framed = _framed(_each(job, _shortened, keeper))
        self._keeper = keeper  # only now: nothing was sent of a job that cannot be pickled
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(framed)
        self._look_again(deadline, deadline, time.monotonic(), self._computed())
        try:
            packed = await self._answer
        finally:
            self._watch.cancel()
            self._answer = None
        if len(packed) > _LARGE:
            good, value = await asyncio.to_thread(pickle.loads, packed)
        else:
            good, value = pickle.loads(packed)  # noqa: S301 - our own process made it
        if good:
            return value
        raise value

    def _look_again(self, wait: float, deadline: float, began: float, computed: float) -> None:
        self._watch = asyncio.get_running_loop().call_later(wait, self._look, deadline, began, computed)

    def _look(self, deadline: float, began: float, computed: float) -> None:
        """Give the answer up if the worker has computed for so many seconds since."""
        left = deadline - (self._computed() - computed)
        if left <= 0 or time.monotonic() - began >= _PATIENCE * deadline:
            self._give_up(f"took longer than {deadline:.0f} s")
        else:
            self._look_again(max(left, _SHORTEST_LOOK), deadline, began, computed)

    def _computed(self) -> float:
        """The process's CPU time in seconds, by the clock that clock_getcpuclockid(3) names."""
        return time.clock_gettime(~self.process.pid << 3 | 2)

    def _give_up(self, why: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(WorkerLostError(why))

    def kill(self) -> None:
        """End the process now; a waiting `call` raises WorkerLostError."""
        self.process.kill()
        self._transport.abort()
        self._give_up("the worker process died")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The loop watches the socket."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """A part of an answer, or all of it."""
        self._received += data
        if len(self._received) < _SIZE.size:
            return
        end = _SIZE.size + _SIZE.unpack_from(self._received)[0]
        if len(self._received) >= end:
            answer, self._received = memoryview(self._received)[_SIZE.size : end], bytearray()
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(answer)

    def connection_lost(self, error: Exception | None) -> None:
        """The process closed its end, as it does when it dies."""
        self._give_up("the worker process died")


def _spawn(theirs: socket.socket) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "aggregator.workers", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
    )


class Pool:
    """At most `size` workers, and one more while a job takes long, so that the others need not wait for its end.

    They are started when first needed. `run` may be called from one event loop only.
    """

    def __init__(self, size: int) -> None:
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._ending: list[subprocess.Popen[bytes]] = []
        self._places = asyncio.Semaphore(size)
        self._processes = asyncio.Semaphore(size + _SPARE)

    async def run(self, deadline: timedelta, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `call` (a module's function, picklable arguments) in a worker; its result, its exception, or
        WorkerLostError.

        The deadline counts from the moment at which a worker takes the job, in seconds for which it computes; in all a
        job may take four times as long. A job that is cancelled ends with its worker.
        """
        async with self._processes, self._place():
            worker = await self._take()
            try:
                return cast(T, await worker.call((call, args, kwargs), deadline.total_seconds()))
            except (WorkerLostError, asyncio.CancelledError):
                self._kill(worker)
                raise
            finally:
                self._busy.discard(worker)
                if worker.is_alive:
                    self._idle.append(worker)

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

    async def _take(self) -> _Worker:
        while self._idle and not self._idle[-1].is_alive:  # the system may end a process that does nothing
            self._kill(self._idle.pop())
        worker = self._idle.pop() if self._idle else await _Worker.start()
        self._busy.add(worker)
        return worker

    def _kill(self, worker: _Worker) -> None:
        worker.kill()
        self._ending = [process for process in (*self._ending, worker.process) if process.poll() is None]

    async def close(self) -> None:
        """End every worker at once. A job that still runs ends in WorkerLostError; it holds nothing that could be
        lost.
        """
        for worker in (*self._busy, *self._idle):
            self._kill(worker)
        self._idle.clear()
        for process in self._ending:
            await asyncio.to_thread(process.wait)


def _serve(connection: socket.socket) -> None:
    keeper: Keeper = deque(maxlen=_KEPT)
    jobs = connection.makefile("rb")
    while packed := _next(jobs):
        call, args, kwargs = _each(pickle.loads(packed), _restored, keeper)  # noqa: S301 - our parent made it
        try:
            answer = (True, call(*args, **kwargs))
        except MemoryError:
            answer = _TOO_LARGE
        except Exception as error:  # noqa: BLE001 - raised again in the parent
            answer = (False, error)
        try:
            framed = _framed(answer)
        except MemoryError:
            framed = _framed(_TOO_LARGE)
        except Exception as error:  # noqa: BLE001 - a result that cannot be pickled is a bug: show it there
            framed = _framed((False, RuntimeError(f"{type(error).__name__}: {error}")))
        del answer
        connection.sendall(framed)


def _next(jobs: BinaryIO) -> bytes:
    """The next job; nothing when there will be none, or not the whole of it."""
    size = jobs.read(_SIZE.size)
    if len(size) < _SIZE.size:
        return b""
    (length,) = _SIZE.unpack(size)
    packed = jobs.read(length)
    return packed if len(packed) == length else b""


def main() -> None:
    """Be a worker, on the socket that the command line names."""
    gc.set_threshold(10_000, 20, 20)  # a document makes thousands of objects that need no collector
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; it ends us by closing the socket
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    with contextlib.suppress(OSError):
        os.nice(10)  # serving comes first
    with socket.socket(fileno=int(sys.argv[1])) as connection, contextlib.suppress(ConnectionError):
        _serve(connection)


if __name__ == "__main__":
    from aggregator import workers  # what travels is of that module, not of __main__

    workers.main()
