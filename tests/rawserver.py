"""A loopback HTTP server whose every answer a test writes byte by byte.

    async with rawserver.serve({"/feed.xml": [rawserver.reply(body=b"<rss/>")]}) as server:
        ... server.url("/feed.xml") ...
    server.requests[0].header("If-None-Match")

A script is the list of steps with which a path is answered: bytes to send, or a `Pause`, `CLOSE`, `RESET`, `HANG`.
Instead of a list, a function from the `Received` request to such a list. After the last step the connection stays open
for the next request, as HTTP/1.1 has it.
"""

from __future__ import annotations

import asyncio
import enum
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


class Act(enum.Enum):
    CLOSE = "close the connection properly"
    RESET = "break the connection with a TCP reset"
    HANG = "say nothing more until the client or the test gives up"


CLOSE, RESET, HANG = Act.CLOSE, Act.RESET, Act.HANG


@dataclass(frozen=True)
class Pause:
    """Silence of so many seconds."""

    seconds: float


Step = bytes | Pause | Act
Fields = Mapping[str, str | bytes]


@dataclass(frozen=True)
class Received:
    """One request: its head exactly as it came, and when (monotonic seconds)."""

    head: bytes
    at: float

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n", 1)[0].decode("latin-1")

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]

    @property
    def fields(self) -> list[tuple[str, bytes]]:
        lines = self.head.rstrip(b"\r\n").split(b"\r\n")[1:]
        return [(name.decode().lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]

    def header(self, name: str) -> bytes | None:
        """The only field of that name, None without any."""
        found = [value for key, value in self.fields if key == name.lower()]
        assert len(found) < 2, f"{name} was sent {len(found)} times"
        return found[0] if found else None


Script = Sequence[Step] | Callable[[Received], Sequence[Step]]


def reply(status: str = "200 OK", fields: Fields | None = None, body: bytes = b"") -> bytes:
    """A whole answer. Content-Length is that of `body` unless `fields` has its own."""
    given = dict(fields or {})
    if not {"content-length", "transfer-encoding"} & {name.lower() for name in given}:
        given["Content-Length"] = str(len(body))
    lines = [f"HTTP/1.1 {status}".encode()]
    for name, value in given.items():
        lines.append(name.encode() + b": " + (value if isinstance(value, bytes) else value.encode()))
    return b"\r\n".join([*lines, b"", body])


@dataclass
class Server:
    """What the server was told, and what it saw."""

    scripts: Mapping[str, Script]
    host: str
    scheme: str
    port: int = 0
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)  # no connection is open
    at_once: int = 0
    most_at_once: int = 0
    _open: int = 0

    def url(self, path: str) -> str:
        return f"{self.scheme}://{self.host}:{self.port}{path}"

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open += 1
        self.idle.clear()
        try:
            while head := await _read_head(reader):
                request = Received(head, time.monotonic())
                self.requests.append(request)
                self.at_once += 1
                self.most_at_once = max(self.at_once, self.most_at_once)
                try:
                    await self._play(self._script(request), reader, writer)
                finally:
                    self.at_once -= 1
        except (ConnectionError, _OverError):
            pass
        finally:
            self._open -= 1
            if not self._open:
                self.idle.set()
            writer.close()

    def _script(self, request: Received) -> Sequence[Step]:
        script = self.scripts.get(request.target, [reply("404 Not Found")])
        return script(request) if callable(script) else script

    async def _play(self, steps: Sequence[Step], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for step in steps:
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
            elif isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
            elif step is HANG:
                await reader.read()
                raise _OverError
            else:
                if step is RESET:
                    _reset(writer)
                raise _OverError


class _OverError(Exception):
    """The connection has come to its end."""


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


def _reset(writer: asyncio.StreamWriter) -> None:
    """Make closing send a reset: SO_LINGER with a timeout of zero."""
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@asynccontextmanager
async def serve(
    scripts: Mapping[str, Script], host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    """Serve `scripts` by request target on a free port; what they do not name is 404."""
    server = Server(scripts, host, "https" if tls else "http")
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        task.add_done_callback(talks.discard)
        with suppress(asyncio.CancelledError):  # the test is over
            await server._talk(reader, writer)

    listening = await asyncio.start_server(talk, host, 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in set(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
