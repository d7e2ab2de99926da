"""How long a request for a feed takes while a cold cycle runs, beside the same daemon at rest.

    .venv/bin/python -m tests.bench.serving [--feeds 300]

One connection, one request after the other, 200 a second: milliseconds at the median, the 99th percentile and the most.
"""

from __future__ import annotations

import argparse
import http.client
import sqlite3
import tempfile
import threading
import time
from pathlib import Path

from tests.bench.cycle import Daemon, Farm

PAUSE = 0.005  # seconds between two requests
AT_REST = 10.0  # seconds
SETTLED = 3.0  # seconds after a cycle
FIRST = 100  # feeds that fill what is served; the others are the cold cycle


def requests(port: int, over: threading.Event) -> list[float]:
    """Seconds of each request for a feed, until it is `over`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    taken = []
    while not over.is_set():
        started = time.perf_counter()
        connection.request("GET", "/feeds/all.atom")
        answer = connection.getresponse()
        answer.read()
        taken.append(time.perf_counter() - started)
        assert answer.status == 200
        time.sleep(PAUSE)
    connection.close()
    return taken


def during(port: int, work: threading.Thread) -> list[float]:
    """Seconds of the requests made while `work` runs."""
    over = threading.Event()

    def wait() -> None:
        work.join()
        over.set()

    work.start()
    threading.Thread(target=wait, daemon=True).start()
    return requests(port, over)


def poll(daemon: Daemon, first: int) -> None:
    """Have the first so many feeds configured, and wait until each has been read."""
    daemon.instance.configure(daemon.sources[:first])
    with sqlite3.connect(f"file:{daemon.instance.data}/aggregator.db?mode=ro", uri=True) as db:
        read = "select count(*) from source where last_ok is not null"
        daemon.instance.wait_for(lambda: db.execute(read).fetchone()[0] >= first, 600)


def percentile(taken: list[float], share: float) -> float:
    """In milliseconds."""
    return sorted(taken)[min(len(taken) - 1, int(len(taken) * share))] * 1000


def main() -> None:
    """Print both rows and the ratio of their 99th percentiles."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--feeds", type=int, default=300)
    farm = Farm(parser.parse_args().feeds)
    try:
        with tempfile.TemporaryDirectory() as folder:
            urls = farm.ask("urls").split()
            daemon = Daemon(Path(folder), urls)
            try:
                poll(daemon, FIRST)
                time.sleep(SETTLED)
                rest = during(daemon.instance.port, threading.Thread(target=time.sleep, args=(AT_REST,)))
                cold = during(daemon.instance.port, threading.Thread(target=poll, args=(daemon, len(urls))))
            finally:
                daemon.close()
    finally:
        farm.process.terminate()
        farm.process.wait()
    print(f"{'ms':8} {'requests':>8} {'median':>7} {'p99':>7} {'most':>7}")
    for name, taken in (("at rest", rest), ("cold", cold)):
        print(f"{name:8} {len(taken):8} " + " ".join(f"{percentile(taken, share):7.2f}" for share in (0.5, 0.99, 1)))
    print(f"p99 ÷ {percentile(cold, 0.99) / percentile(rest, 0.99):.1f}")


if __name__ == "__main__":
    main()
