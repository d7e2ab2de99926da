"""Cycles of the running daemon over ../shared/bench/feedfarm.py, beside `pipeline.py delta` and `reader`, in one run.

    .venv/bin/python -m tests.bench.cycle [--feeds 1000] [--runs 1] [--history 0] [--beside delta,reader]

Between the daemon's cycles it is stopped with SIGSTOP while the others take their turn, so that each has the machine
for itself; a cycle begins with all sources made due in its database. `--history 9` has the farm publish nine times as
many entries first, which only the daemon polls. CPU is of the process and all its children. `missing` is what the farm
has published and the contender has not stored.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from aggregator import store
from tests.instance import CATEGORIES, Instance, hold_port

SHARED = Path(__file__).resolve().parents[3] / "shared" / "bench"
TICK = os.sysconf("SC_CLK_TCK")
SHORTEST = 10  # entries of the farm's shortest documents
SCENARIOS = ("cold", "same", "changed", "always sent")

READER = """
import sys, json, time, resource
from reader import make_reader
db, urls, what = sys.argv[1:]
r = make_reader(db)
if what == "add":
    for u in open(urls).read().split():
        r.add_feed(u, exist_ok=True)
else:
    a, t = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    r.update_feeds(scheduled=False)
    b = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"cpu": b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime, "wall": time.perf_counter() - t}))
"""


class Farm:
    """The farm of feeds, as a process of its own."""

    def __init__(self, feeds: int) -> None:
        self._held = hold_port()
        self.port: int = self._held.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, SHARED / "feedfarm.py", "--feeds", str(feeds), "--port", str(self.port)],
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def ask(self, what: str) -> str:
        """One control call."""
        with urllib.request.urlopen(f"http://127.0.1.1:{self.port}/ctl/{what}", timeout=120) as answer:
            return str(answer.read().decode())

    def published(self) -> int:
        """How many entries the farm has ever published."""
        return int(json.loads(self.ask("stats"))["published"])

    def history(self, times: int) -> Iterator[None]:
        """Bring `times` as many new entries as the documents hold, step by step: a poll after each step finds them all,
        since even the shortest document holds what one step brings."""
        stats = json.loads(self.ask("stats"))
        for _ in range(round(times * stats["entries"] / stats["feeds"] / SHORTEST)):
            self.ask(f"tick?fraction=1&min={SHORTEST}&max={SHORTEST}")
            yield

    def prepare(self, scenario: str) -> None:
        """Bring the farm to what a scenario polls."""
        self.ask(f"mode?conditional={int(scenario != 'always sent')}")
        if scenario == "always sent":
            self.ask("churn")
        if scenario in ("changed", "always sent"):
            self.ask("tick?fraction=0.05&min=1&max=3")


class Daemon:
    """Our daemon, run for a cycle at a time."""

    def __init__(self, folder: Path, urls: list[str]) -> None:
        self.instance = Instance(folder)
        self.sources = [{"name": f"s{k}", "url": url, "category": "tech", "every": "1h"} for k, url in enumerate(urls)]
        self.instance.configure([], CATEGORIES[:1])
        self.instance.start()
        self.stopped = False

    def cycle(self) -> dict[str, float]:
        """One cycle over all sources."""
        before, started = self._cpu(), time.perf_counter()
        if self.stopped:
            with store.writing(self.instance.data) as db:
                db.execute("update source set next_poll = 0")
            self._signal(signal.SIGCONT)
        else:
            self.instance.configure(self.sources, CATEGORIES[:1])
        while not self._finished():
            time.sleep(0.02)
        figures = {"cpu": self._cpu() - before, "wall": time.perf_counter() - started, "pss": self.memory()}
        with store.turn(self.instance.data):  # so that it is stopped within no transaction of its own
            self._signal(signal.SIGSTOP)
        self.stopped = True
        return figures

    def _finished(self) -> bool:
        """Whether every source was polled since it was made due, and what came is published."""
        with sqlite3.connect(f"file:{self.instance.data}/aggregator.db?mode=ro", uri=True) as db:
            polled = "select count(*) from source where last_poll is not null and next_poll > 0"
            if db.execute(polled).fetchone()[0] < len(self.sources):
                return False
            waiting = db.execute("select count(*) from entry where story is null").fetchone()[0]
            dirty = db.execute("select count(*) from feed where changed > rendered").fetchone()[0]
        return not waiting and not dirty

    def stored(self) -> int:
        """How many entries are stored."""
        with sqlite3.connect(f"file:{self.instance.data}/aggregator.db?mode=ro", uri=True) as db:
            return int(db.execute("select count(*) from entry").fetchone()[0])

    def _processes(self) -> list[int]:
        assert self.instance.process is not None
        parent = self.instance.process.pid
        found = [parent]
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                    found.append(int(stat.parent.name))
            except OSError:
                continue
        return found

    def _signal(self, number: signal.Signals) -> None:
        for process in self._processes():
            os.kill(process, number)

    def _cpu(self) -> float:
        total = 0
        for process in self._processes():
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            total += sum(int(field) for field in fields[11:15])
        return total / TICK

    def memory(self) -> float:
        """PSS of the process and its children, in MB."""
        total = 0
        for process in self._processes():
            for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        return total / 1024

    def close(self) -> None:
        """End the daemon."""
        self._signal(signal.SIGCONT)
        self.instance.stop()


def last_json(command: list[str | Path]) -> dict[str, float]:
    """The last line of a command's output."""
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1])) if done.stdout.strip() else {}


def count(path: Path, sql: str) -> int:
    """A count in another's database."""
    with sqlite3.connect(path) as db:
        return int(db.execute(sql).fetchone()[0])


def turn(who: str, folder: Path) -> dict[str, float]:
    """One cycle of another contender."""
    if who == "delta":
        return last_json([sys.executable, SHARED / "pipeline.py", folder / "delta.db", folder / "urls", "delta"])
    return last_json([sys.executable, "-c", READER, folder / "reader.db", folder / "urls", "1"])


def stored(who: str, folder: Path) -> int:
    """How many entries another contender has stored."""
    return count(folder / f"{who}.db", "select count(*) from " + ("items" if who == "delta" else "entries"))


def once(feeds: int, history: int, beside: Sequence[str]) -> list[dict[str, object]]:
    """One round of all scenarios; a row for each scenario and contender."""
    rows: list[dict[str, object]] = []
    farm = Farm(feeds)
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            urls = folder / "urls"
            urls.write_text(farm.ask("urls"))
            if "reader" in beside:
                last_json([sys.executable, "-c", READER, folder / "reader.db", urls, "add"])
            daemon = Daemon(folder, urls.read_text().split())
            try:
                for scenario in SCENARIOS:
                    if scenario == "same":
                        for _ in farm.history(history):
                            daemon.cycle()
                    farm.prepare(scenario)
                    published = farm.published()
                    turns = {"aggregator": daemon.cycle()} | {who: turn(who, folder) for who in beside}
                    known = {"aggregator": daemon.stored()} | {who: stored(who, folder) for who in beside}
                    for who, figures in turns.items():
                        rows.append({"scenario": scenario, "who": who, "missing": published - known[who], **figures})
                        print(json.dumps(rows[-1]), flush=True)
            finally:
                daemon.close()
    finally:
        farm.process.terminate()
        farm.process.wait()
    return rows


def main() -> None:
    """Print each figure as it is taken, then the medians and ratios as a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--history", type=int, default=0)
    parser.add_argument("--beside", default="delta,reader")
    arguments = parser.parse_args()
    beside = arguments.beside.split(",")
    rows = [row for _ in range(arguments.runs) for row in once(arguments.feeds, arguments.history, beside)]

    def figure(scenario: str, who: str, what: str) -> float:
        return median(float(str(row[what])) for row in rows if (row["scenario"], row["who"]) == (scenario, who))

    print(f"\n{arguments.feeds} feeds, medians of {arguments.runs}; s CPU / s wall; our CPU ÷ theirs; entries missing")
    contenders = ("aggregator", *beside)
    ratios = " ".join(f"{f'÷ {who}':>10}" for who in beside)
    print(f"{'':12} {' '.join(f'{who:>16}' for who in contenders)} {ratios} {'missing':>8}")
    for scenario in SCENARIOS:
        cpu = {who: figure(scenario, who, "cpu") for who in contenders}
        cells = " ".join(f"{cpu[who]:8.2f}/{figure(scenario, who, 'wall'):7.2f}" for who in contenders)
        ratios = " ".join(f"{cpu['aggregator'] / cpu[who]:10.2f}" for who in beside)
        print(f"{scenario:12} {cells} {ratios} {figure(scenario, 'aggregator', 'missing'):8.0f}")


if __name__ == "__main__":
    main()
