"""Manners towards hosts: how many requests at once, and how close together they start."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Self


@dataclass(slots=True, eq=False)
class _Host:
    name: str
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)
    running: int = 0
    next_start: float = 0.0
    rest: asyncio.TimerHandle | None = None
    is_held_up: bool = False


class Gates:
    """Lets requests through, first come first served for each host.

    A host is a name, whatever the scheme and port: it is one machine, and one administrator who reads the log.
    `len()` is the number of hosts that are remembered: those in use, or in use less than the gap ago.
    """

    def __init__(self, concurrency: int, per_host: int, gap: timedelta) -> None:
        self._concurrency = self._free = concurrency
        self._per_host = per_host
        self._gap = gap.total_seconds()
        self._hosts: dict[str, _Host] = {}
        self._held_up: deque[_Host] = deque()  # those whose next request waits for nothing but a free slot

    def __len__(self) -> int:
        return len(self._hosts)

    def adopt(self, concurrency: int, per_host: int, gap: timedelta) -> None:
        """Other limits from now on. Those who have their turn keep it; a gap that has begun ends as it was to."""
        self._free += concurrency - self._concurrency
        self._concurrency = concurrency
        self._per_host = per_host
        self._gap = gap.total_seconds()
        self._admit_held_up()
        for host in tuple(self._hosts.values()):
            self._go_on(host)

    def turn(self, name: str) -> Turn:
        """A turn at the host `name`, to be waited for with `async with`.

        A slot of the global limit is taken together with the host's, so that waiting for a host never occupies one.
        """
        return Turn(self, name)

    async def enter(self, name: str) -> _Host:
        """Wait for a turn at this host; for `Turn` alone, as all below."""
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = _Host(name)
        admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        host.waiting.append(admitted)
        self._go_on(host)
        try:
            await admitted
        except asyncio.CancelledError:
            if admitted.cancelled():
                self._go_on(host)
            else:
                self.leave(host)
                self.release()
            raise
        return host

    def leave(self, host: _Host) -> None:
        """The host may have its next request."""
        host.running -= 1
        self._go_on(host)

    def release(self) -> None:
        """A slot of the global limit is free."""
        self._free += 1
        self._admit_held_up()

    def count_gap(self, host: _Host) -> None:
        """The host is left alone for the gap from now on."""
        host.next_start = asyncio.get_running_loop().time() + self._gap

    def _go_on(self, host: _Host) -> None:
        """Admit the host's next requests as far as they may start now; forget a host that is idle and has rested."""
        while host.waiting and host.running < self._per_host:
            if host.waiting[0].cancelled():
                host.waiting.popleft()
                continue
            if self._rests(host):
                return
            if self._free <= 0:
                self._hold_up(host)
                return
            self._free -= 1
            host.running += 1
            self.count_gap(host)
            host.waiting.popleft().set_result(None)
        if not host.waiting and not host.running and not self._rests(host) and self._hosts.get(host.name) is host:
            del self._hosts[host.name]

    def _rests(self, host: _Host) -> bool:
        """Whether the host's gap is not over yet; it goes on when it is."""
        if host.rest is None and host.next_start > asyncio.get_running_loop().time():
            host.rest = asyncio.get_running_loop().call_at(host.next_start, self._has_rested, host)
        return host.rest is not None

    def _has_rested(self, host: _Host) -> None:
        host.rest = None
        self._go_on(host)

    def _admit_held_up(self) -> None:
        while self._free > 0 and self._held_up:
            host = self._held_up.popleft()
            host.is_held_up = False
            self._go_on(host)

    def _hold_up(self, host: _Host) -> None:
        if not host.is_held_up:
            host.is_held_up = True
            self._held_up.append(host)


class Turn:
    """One request's turn at a host. Leaving it gives back what is still held: the host, and a slot of the limit."""

    __slots__ = ("_gates", "_host", "_name")

    def __init__(self, gates: Gates, name: str) -> None:
        self._gates = gates
        self._name = name
        self._host: _Host | None = None

    async def __aenter__(self) -> Self:
        self._host = await self._gates.enter(self._name)
        return self

    def sent(self) -> None:
        """The request is really sent now: looking up, connecting and a busy loop take their time, and the gap is one
        that the host should see."""
        if self._host is not None:
            self._gates.count_gap(self._host)

    def end(self) -> None:
        """The answer is there: the host may have its next request, while the slot is held on."""
        if self._host is not None:
            self._gates.leave(self._host)
            self._host = None

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        self._gates.release()
