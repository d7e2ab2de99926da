"""Connections to servers: opened where the guard lets them, used for one exchange at a time, kept for a moment."""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Callable
from functools import cached_property, partial
from typing import cast

import aiohappyeyeballs
import yarl

from aggregator.fetch import decoding, guard, wire

# Long enough for the next source of the same host, too short to gather a socket for each host of a large tick.
_KEEP_ALIVE = 2.0  # seconds

# Before the next address of a name is tried beside the last one, in seconds (RFC 8305, section 8).
_NEXT_ADDRESS = 0.25

_Key = tuple[str, str | None, int | None]


class StaleError(Exception):
    """The server had closed a connection that was kept, as it may at any time (RFC 9112, section 9.3.1): nothing has
    come of the request, which may be made again."""


class Connections:
    """Exchanges with servers, of one event loop. `look_up` finds the addresses of a name, the guard judges them."""

    def __init__(self, keeper: guard.Guard, look_up: guard.LookUp) -> None:
        self._guard = keeper
        self._look_up = look_up
        self._kept: defaultdict[_Key, list[_Connection]] = defaultdict(list)

    async def exchange(
        self, url: yarl.URL, request: bytes, limit: int, sent: Callable[[], None], begun: Callable[[wire.Fields], None]
    ) -> wire.Answer:
        """The answer to a request to the server of `url`, its document of at most `limit` bytes. `sent` is called when
        the request goes out, `begun` with the header fields of the answer, also where the rest of it never comes.

        Raises StaleError; guard.ForbiddenError; what wire.Reader raises; OSError (ssl.SSLError, socket.gaierror) where
        no connection can be made, UnicodeError for an impossible name.
        """
        key = url.scheme, url.raw_host, url.port
        kept = self._take(key)
        connection = kept or await self._connect(url)
        sent()
        try:
            answer = await connection.exchange(request, limit, begun)
        except wire.ClosedError as error:
            if kept and not error.has_begun:
                raise StaleError from error
            raise
        finally:
            if connection.is_free:
                self._keep(key, connection)
            else:
                connection.abort()
        return answer

    def adopt(self, keeper: guard.Guard) -> None:
        """Another guard from now on. What is kept was let through by the one before, and is closed."""
        self._guard = keeper
        self._abort_kept()

    async def close(self) -> None:
        """Close what is kept; nothing may be under way."""
        self._abort_kept()
        await asyncio.sleep(0)  # for the sockets to be closed

    def _abort_kept(self) -> None:
        for connections in self._kept.values():
            for connection in connections:
                connection.rest.cancel()
                connection.abort()
        self._kept.clear()

    def _take(self, key: _Key) -> _Connection | None:
        """The connection to this server that was used last, of those that are open."""
        while connections := self._kept.get(key):
            connection = connections.pop()
            connection.rest.cancel()
            if connection.is_free:
                return connection
        self._kept.pop(key, None)
        return None

    def _keep(self, key: _Key, connection: _Connection) -> None:
        self._kept[key].append(connection)
        connection.rest = asyncio.get_running_loop().call_later(_KEEP_ALIVE, self._let_go, key, connection)

    def _let_go(self, key: _Key, connection: _Connection) -> None:
        """Whoever is kept for so long is not needed; nor are those that were kept before."""
        connection.close()
        self._kept[key].remove(connection)
        if not self._kept[key]:
            del self._kept[key]

    async def _connect(self, url: yarl.URL) -> _Connection:
        assert url.raw_host is not None
        assert url.port is not None
        places = await guard.places(url.raw_host, url.port, self._look_up)
        socket = await aiohappyeyeballs.start_connection(
            self._guard.passing(places), happy_eyeballs_delay=_NEXT_ADDRESS, interleave=1
        )
        loop = asyncio.get_running_loop()
        try:
            tls, name = (self._tls, url.raw_host) if url.scheme == "https" else (None, None)
            _, connection = await loop.create_connection(_Connection, sock=socket, ssl=tls, server_hostname=name)
        except BaseException:
            socket.close()
            raise
        return connection

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        return context


class _Connection(asyncio.Protocol):
    """One connection. `rest` ends the time for which it is kept."""

    rest: asyncio.TimerHandle
    _transport: asyncio.Transport
    _reader: wire.Reader | None = None
    _answer: asyncio.Future[wire.Answer]
    _is_open = False

    @property
    def is_free(self) -> bool:
        """Whether it can be used for an exchange."""
        return self._is_open and self._reader is None

    async def exchange(self, request: bytes, limit: int, begun: Callable[[wire.Fields], None]) -> wire.Answer:
        """Send a request, wait for its answer."""
        self._reader = wire.Reader(limit, begun)
        if not self._is_open:
            raise self._reader.closed()
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Close it in order."""
        self._is_open = False
        self._transport.close()

    def abort(self) -> None:
        """Close it at once."""
        self._is_open = False
        if not self._transport.is_closing():
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is of no class of asyncio's
        self._is_open = True

    def data_received(self, data: bytes) -> None:
        if self._reader is None:
            self.abort()  # nobody asked
        else:
            self._settle(partial(self._reader.feed, data))

    def eof_received(self) -> None:
        self._is_open = False
        if self._reader is not None:
            self._settle(self._reader.end)

    def connection_lost(self, error: Exception | None) -> None:
        self._is_open = False
        if self._reader is not None:
            self._fail(self._reader.closed())

    def _settle(self, read: Callable[[], wire.Answer | None]) -> None:
        try:
            answer = read()
        except (wire.BrokenAnswerError, decoding.TooLargeError) as error:
            self._fail(error)
            return
        if answer is None:
            return
        self._reader = None
        if not answer.keeps_open:
            self._is_open = False
        if not self._answer.done():
            self._answer.set_result(answer)

    def _fail(self, error: Exception) -> None:
        self._reader = None
        self._is_open = False
        if not self._answer.done():
            self._answer.set_exception(error)
