"""Manners towards hosts: how many requests at once, and how close together they start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial


@dataclass(slots=True)
class _Host:
    running: asyncio.Semaphore
    order: asyncio.Lock = field(default_factory=asyncio.Lock)
    next_start: float = 0.0
    users: int = 0


class Gates:
    """Lets requests through, first come first served for each host.

    A host is a name, whatever the scheme and port: it is one machine, and one administrator who reads the log.
    `len()` is the number of hosts that are remembered: those in use, or in use less than the gap ago.
    """

    def __init__(self, concurrency: int, per_host: int, gap: timedelta) -> None:
        self._slots = asyncio.Semaphore(concurrency)
        self._per_host = per_host
        self._gap = gap.total_seconds()
        self._hosts: dict[str, _Host] = {}

    def __len__(self) -> int:
        return len(self._hosts)

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[Callable[[], None]]:
        """Wait for a turn at the host `name`, and hold it. What it gives is to be called when the request is really
        sent: looking up, connecting and a busy loop take their time, and the gap is one that the host should see.

        The slot of the global limit is taken last, so that waiting for a host never occupies one; the host's order
        is held until then, so that requests that queued for a slot do not start together.
        """
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = _Host(asyncio.Semaphore(self._per_host))
        host.users += 1
        try:
            async with host.running:
                await self._start(host)
                try:
                    yield partial(self._count_gap, host)
                finally:
                    self._slots.release()
        finally:
            host.users -= 1
            self._forget(name)

    async def _start(self, host: _Host) -> None:
        loop = asyncio.get_running_loop()
        async with host.order:
            while host.next_start > loop.time():
                delay = host.next_start - loop.time()
                await asyncio.sleep(delay)
            await self._slots.acquire()
            self._count_gap(host)

    def _count_gap(self, host: _Host) -> None:
        """The host is left alone for the gap from now on."""
        host.next_start = asyncio.get_running_loop().time() + self._gap

    def _forget(self, name: str) -> None:
        """Drop what is known of an idle host, once its gap is over."""
        host = self._hosts.get(name)
        if host is None or host.users:
            return
        loop = asyncio.get_running_loop()
        if host.next_start <= loop.time():
            del self._hosts[name]
        else:
            loop.call_at(host.next_start, self._forget, name)
