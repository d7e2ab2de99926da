"""What `plan` and `apply` cost over many stored entries, and how long whoever else wants something waits meanwhile.

    .venv/bin/python -m tests.bench.refiling [--entries 100000]

The entries are invented (seeded): titles and texts of some 900 characters out of words that the shipped categories
know, each in a story of its own or with the one before. They are stored filed nowhere. The first `apply` files them all
by the shipped categories; then categories.yaml is edited in four places, and `plan` and `apply` do what that changes.
Beside `apply`, twenty times a second, a small document goes to a worker and an empty job to the store's writer, as the
two steps of a poll do, and a task wakes up on the event loop.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvloop
import yaml

from aggregator import config, daemon, prepare, store
from aggregator.models import Edition, Head, NewEntry, Source
from aggregator.pipeline import Pipeline
from tests.bench.cycle import count
from tests.builders import NOW, prepared
from tests.instance import item, rss

SHIPPED = Path(__file__).resolve().parents[2] / "config" / "categories.yaml"
SOURCES = 50
TOGETHER = 500  # entries in one transaction, while the store is filled
APART = timedelta(minutes=5)  # between two entries
PAUSE = 0.05  # seconds between two looks at how long others wait
KNOWN = """
    手机 芯片 发布 股票 上涨 基金 足球 比赛 教练 电影 导演 歌手 小麦 丰收 农民 天气 城市 地铁 学校 考试 学生
    医院 医生 汽车 电池 人工智能 大模型 经济 增长 会议 代表 国际 合作 我们 今天 记者 表示 一个 新的 问题 花园
    老人 邻居 早晨 下雨 散步 春天 茶馆 孩子 房价 楼盘 旅游 景区 游戏 玩家 部队 演习 法院 判决
"""


def text(chance: random.Random, length: int) -> str:
    """An invented text of at least so many characters."""
    words, said = KNOWN.split(), list[str]()
    while sum(map(len, said)) < length:
        said.append("".join(chance.choices(words, k=chance.randint(5, 14))))
    return "，".join(said)


def invented(chance: random.Random, number: int) -> NewEntry:
    """An entry that no feed brought."""
    paragraphs = "".join(f"<p>{text(chance, 150)}</p>" for _ in range(6))
    name, link = f"urn:x-bench:{number}", f"http://e.example/{number}"
    said = prepared(id=name, link=link, title=text(chance, 15), content=paragraphs, language="zh-Hans")
    moment = NOW - number * APART
    return NewEntry(name, said, moment, moment)


def fill(folder: Path, sources: Sequence[Source], entries: int) -> None:
    """Store entries that are filed nowhere, the oldest first."""
    db, chance = store.connect(folder), random.Random(7)
    first = NOW - entries * APART
    store.sources.sync(db, sources, first)
    heads = [store.entries.head(db, number + 1, Head(title=source.name)) for number, source in enumerate(sources)]
    story = 0
    for end in range(entries, 0, -TOGETHER):
        with db.atomic():
            for number in range(end, max(0, end - TOGETHER), -1):
                new, source = invented(chance, number), chance.randrange(len(sources))
                store.entries.add(db, source + 1, heads[source], [new], Edition("", ""), new.published)
                row = db.conn.execute("select max(id) from entry").fetchone()[0]
                if story and chance.random() < 0.1:
                    store.stories.join(db, row, new.id, story, {})
                else:
                    story = store.stories.start(db, row, new.id, new.published)
                    store.publications.add(db, story, ["all", "other"], new.published, live=True)
    store.sources.begin_tick(db, NOW)
    db.close()


def edit(folder: Path) -> None:
    """Change categories.yaml as an editor may: a rule more, a rule less, a threshold, a parent."""
    file = folder / "categories.yaml"
    said = yaml.safe_load(file.read_text("utf-8"))
    by_term = {category["term"]: category for category in said["categories"]}
    by_term["tech"].setdefault("rules", []).insert(0, {"any": ["电池", "玩家"], "in": "title"})
    by_term["sports"]["threshold"] = 3
    by_term["finance"]["rules"] = [{"any": ["股票"], "act": "remove"}]
    by_term["ai"].pop("parent")
    file.write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), "utf-8")


class Waiting:
    """How long others wait, in milliseconds, for a worker and for the writer, and how long the loop is held."""

    def __init__(self, line: Pipeline) -> None:
        self._line = line
        self._tools = line.setup.tools
        self._document = rss(*(item(number) for number in range(3))).encode()
        self.waits: dict[str, list[float]] = {"worker": [], "writer": [], "loop": []}

    async def warm(self) -> None:
        """Have the workers started, with what they need of the configuration."""
        await asyncio.gather(*(self._read() for _ in range(8)))

    async def _read(self) -> None:
        source = next(iter(self._line.setup.sources.values()))
        said = (self._document, None, source.url, source, self._tools, b"")
        await self._line.pool.run(timedelta(seconds=60), prepare.document, *said)

    async def look(self) -> None:
        """Look until cancelled."""
        while True:
            await self._timed("worker", self._read())
            await self._timed("writer", self._line.writer.run(store.sources.last_tick))
            began, busy = time.perf_counter(), time.thread_time()
            await asyncio.sleep(PAUSE)
            late, busy = time.perf_counter() - began - PAUSE, time.thread_time() - busy
            self.waits["loop"].append(min(late, busy) * 1000)  # not what other processes take

    async def _timed(self, what: str, work: Awaitable[Any]) -> None:
        began = time.perf_counter()
        await work
        self.waits[what].append((time.perf_counter() - began) * 1000)

    def said(self) -> str:
        """The median, the 99th percentile and the longest wait of each."""
        parts = []
        for what, waits in self.waits.items():
            waits.sort()
            at = [waits[int(share * (len(waits) - 1))] for share in (0.5, 0.99, 1)]
            parts.append(f"{what} {at[0]:.1f} / {at[1]:.1f} / {at[2]:.1f}")
        return "ms that others wait (median / 99 % / longest): " + ", ".join(parts)


async def apply(folder: Path) -> tuple[int, str]:
    """File everything anew; how many entries changed, and how long others waited."""
    async with daemon.open_pipeline(config.load(folder / "config", {}, folder / "data")) as line:
        await line.adopt(line.setup, NOW)
        await line.catch_up(line.setup, NOW)
        waiting = Waiting(line)
        await waiting.warm()
        looking = asyncio.create_task(waiting.look())
        done = await line.refile(NOW)
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        return done.changed, waiting.said()


def timed(what: str, work: Callable[[], Any]) -> Any:
    """What `work` returns; its time is printed, and the CPU of this process and its children."""
    began, before = time.perf_counter(), cpu()
    result = work()
    print(f"{what}: {time.perf_counter() - began:.1f} s, {cpu() - before:.1f} s CPU", flush=True)
    return result


def cpu() -> float:
    """Seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def plan(folder: Path) -> bytes:
    """What the command prints."""
    folders = ["--config", folder / "config", "--data", folder / "data"]
    return subprocess.run(
        [sys.executable, "-m", "aggregator", "plan", *folders], capture_output=True, check=True
    ).stdout


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=100_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config").mkdir()
        (folder / "data").mkdir()
        sources = [Source(f"S{number}", f"http://s{number}.example/feed") for number in range(SOURCES)]
        listed = {"sources": [{"name": source.name, "url": source.url} for source in sources]}
        (folder / "config" / "sources.yaml").write_text(yaml.safe_dump(listed), "utf-8")
        (folder / "config" / "categories.yaml").write_bytes(SHIPPED.read_bytes())
        timed("filling", lambda: fill(folder / "data", sources, arguments.entries))
        steps = (("all filed for the first time", lambda: None), ("four edits", lambda: edit(folder / "config")))
        for what, change in steps:
            change()
            lines = timed(f"{what}: plan", lambda: plan(folder)).decode().splitlines()
            print("  " + "  ".join(line for line in lines if line[:1].strip()))
            changed, waited = timed(f"{what}: apply", lambda: uvloop.run(apply(folder)))
            print(f"  {changed} entries filed otherwise; {waited}", flush=True)
        print("nothing is left:", plan(folder).decode().strip())
        print(count(folder / "data" / store.FILE_NAME, "select count(*) from publication"), "rows in the log")


if __name__ == "__main__":
    main()
