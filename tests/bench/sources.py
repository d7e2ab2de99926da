"""A day of ticks over 20,000 sources that hardly change, and what the daemon that polls them keeps in memory.

    .venv/bin/python -m tests.bench.sources [--sources 20000] [--hours 24]

A server of our own has three entries for each source and answers 304 to who has seen them. `poll --now` makes a tick
each hour of a day (each source has `every: 6h`); then the daemon runs over the same folder. PSS is of the process and
all its children.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from tests.bench.cycle import Daemon
from tests.instance import hold_port, item, rss

HOSTS = 200
START = datetime(2026, 11, 22, tzinfo=UTC)
SETTLED = 5.0  # seconds after which the daemon has come to rest


class Publisher(asyncio.Protocol):
    """HTTP/1.1, no more than a poll needs."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.received = transport, b""

    def data_received(self, data: bytes) -> None:
        *requests, self.received = (self.received + data).split(b"\r\n\r\n")
        for request in requests:
            self.transport.write(answer(request))


def answer(request: bytes) -> bytes:
    """A document for each path, or that it is the same."""
    if b"if-none-match" in request.lower():
        return b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n'
    number = request.split(b" ", 2)[1].decode().strip("/")
    dates = [format_datetime(START - timedelta(hours=k), usegmt=True) for k in range(3)]
    body = rss(*(item(f"{number}-{k}", date=date, text="正文" * 50) for k, date in enumerate(dates))).encode()
    return b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: %d\r\n\r\n%b' % (len(body), body)


async def publish(port: int) -> None:
    """Serve for ever."""
    server = await asyncio.get_running_loop().create_server(Publisher, "0.0.0.0", port, backlog=1024)
    print("ready", flush=True)
    await server.serve_forever()


def tick(daemon: Daemon, hour: int) -> tuple[float, float]:
    """CPU and wall seconds of one tick, the start of the command and its children included."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    now = (START + timedelta(hours=hour)).isoformat().replace("+00:00", "Z")
    subprocess.run(daemon.instance.arguments("poll", "--now", now), check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - started


def day(daemon: Daemon, hours: int) -> None:
    """Print each tick that polled."""
    for hour in range(hours):
        cpu, wall = tick(daemon, hour)
        print(f"hour {hour:2}: {cpu:7.2f} s CPU, {wall:7.2f} s", flush=True)


def main() -> None:
    """Print the cost of each tick, then the daemon's memory."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sources", type=int, default=20_000)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(publish(arguments.serve))
    held = hold_port()
    port = held.getsockname()[1]
    command = [sys.executable, "-m", "tests.bench.sources", "--serve", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert server.stdout is not None
    server.stdout.readline()
    try:
        with tempfile.TemporaryDirectory() as folder:
            daemon = Daemon(Path(folder), [])
            daemon.instance.stop()
            urls = [f"http://127.0.2.{1 + k % HOSTS}:{port}/{k}" for k in range(arguments.sources)]
            sources = [{"name": f"s{k}", "url": url, "category": "tech", "every": "6h"} for k, url in enumerate(urls)]
            daemon.instance.configure(sources)
            day(daemon, arguments.hours)
            daemon.instance.start()
            time.sleep(SETTLED)
            print(f"the daemon over {arguments.sources} sources: {daemon.memory():.0f} MB PSS")
            daemon.close()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
