"""Stories through the real store: the labelled window streamed, shuffled orders, what an entry costs in a full store.

python -m tests.bench.streaming [--window 20000] [--stored 1000000]
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from aggregator import dedupe, prepare, store, stories
from aggregator.models import Category, Config, Edition, Settings, Source, Visit
from aggregator.pipeline import settling, transactions
from tests.bench import pairs
from tests.instance import item, rss

Row = Mapping[str, Any]
HOUR = timedelta(hours=1)
MEASURED = 500  # entries at a time


class Stream:
    """A store of its own, into which entries come tick by tick, as polls bring them."""

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self.sources = {name: Source(name, f"http://{number}.example/feed") for number, name in enumerate(names)}
        config = Config(folder, Settings(), tuple(self.sources.values()), (Category("tech", "科技", threshold=1e9),))
        self.db = store.connect(folder)
        self.tools, self.edition = prepare.pack(config), Edition("", "")
        self.aliases = stories.load_aliases()
        self.seconds = 0.0

    def tick(self, rows: Sequence[Row], now: datetime) -> None:
        """Rows (id, title, publisher, published, perhaps text) come in this order, and are settled."""
        store.sources.sync(self.db, self.sources.values(), now)
        for name, group in itertools.groupby(rows, lambda row: str(row["publisher"])):
            self._poll(name, list(group), now)
        began = time.process_time()
        while self._settle(now):
            pass
        self.seconds += time.process_time() - began

    def _settle(self, now: datetime) -> bool:
        """One transaction, as the writer makes it; whether more may wait."""
        self.db.conn.execute("begin immediate")
        with self.db.conn:
            return settling.settle(self.db, {"tech": None}, lambda: self.aliases, now)

    def _poll(self, name: str, rows: Sequence[Row], now: datetime) -> None:
        (state,) = store.sources.forced(self.db, now, [name])
        document = rss(
            *(
                item(
                    row["id"],
                    escape(row["title"]),
                    f"http://e.example/{row['id']}",
                    row["published"],
                    escape(row.get("text", "")),
                )
                for row in rows
            )
        ).encode()
        feed, entries = prepare.document(document, None, "http://e.example/", self.sources[name], self.tools, b"")
        visit = Visit(state.id, "ok", "", 0, now, now + HOUR)
        with self.db.atomic():
            transactions.keep(self.db, replace(state, hashes=b""), visit, feed, entries, dedupe.Horizon(), self.edition)

    def stories(self) -> dict[str, str]:
        """By the id of an entry the published id of its story's representative."""
        rows = self.db.conn.execute(
            "select e.entry_id, r.published_id from entry e join story s on s.id = e.story"
            " join entry r on r.id = s.representative"
        )
        return dict(rows.fetchall())

    def links(self) -> set[frozenset[str]]:
        """The pairs of stories that show each other, by published id."""
        rows = self.db.conn.execute(
            "select a.published_id, b.published_id from relation x join entry e on e.id = x.entry"
            " join entry o on o.id = x.other join story s on s.id = e.story join story t on t.id = o.story"
            " join entry a on a.id = s.representative join entry b on b.id = t.representative"
        )
        return {frozenset(pair) for pair in rows}


def by_hours(rows: Sequence[Row]) -> Iterator[tuple[datetime, list[Row]]]:
    """The rows of each hour, with its end."""
    hours: dict[datetime, list[Row]] = defaultdict(list)
    for row in rows:
        said = datetime.fromisoformat(row["published"]).astimezone(UTC)
        hours[said.replace(minute=0, second=0, microsecond=0) + HOUR].append(row)
    yield from sorted(hours.items())


def guid(row: Row) -> str:
    """The id that `item` gives a row."""
    return f"guid-{row['id']}"


def window(rows: Sequence[Row]) -> None:
    """Precision and recall over all pairs of the window, streamed hour by hour."""
    with tempfile.TemporaryDirectory() as folder:
        stream = Stream(Path(folder), {row["publisher"] for row in rows})
        for now, group in by_hours(rows):
            stream.tick(group, now)
        told, links = stream.stories(), stream.links()
    counts = {"join": [0, 0], "link": [0, 0]}
    positive = 0
    for a, b in itertools.combinations([row for row in rows if row["event_sure"]], 2):
        same = a["event"] == b["event"]
        positive += same
        joined = told[guid(a)] == told[guid(b)]
        linked = joined or frozenset((told[guid(a)], told[guid(b)])) in links
        for name, hit in (("join", joined), ("link", linked)):
            counts[name][not same] += hit
    for name, (true, false) in counts.items():
        precision, recall = true / ((true + false) or 1), true / positive
        print(f"window, streamed: {name} P {precision:.3f} R {recall:.3f} ({true} right, {false} wrong of {positive})")


def orders(rows: Sequence[Row], times: int) -> None:
    """How many results the window has in shuffled orders within one tick; whether a second replay changes an id."""
    results = set()
    now = max(datetime.fromisoformat(row["published"]) for row in rows).astimezone(UTC) + HOUR
    for seed in range(times):
        shuffled = random.Random(seed).sample(list(rows), len(rows))
        with tempfile.TemporaryDirectory() as folder:
            stream = Stream(Path(folder), sorted({row["publisher"] for row in rows}))
            stream.tick(shuffled, now)
            once = stream.stories()
            stream.tick(shuffled, now + HOUR)
            results.add((tuple(sorted(once.items())), frozenset(stream.links())))
            assert stream.stories() == once, "a second replay changed a published id"
    print(f"window in {times} shuffled orders within a tick: {len(results)} result; a second replay changes no id")


# ------------------------------------------------------------------------------------------------- a full store


class Material:
    """What entries are made of: real titles, each once, and after them titles made of thirds of three; texts of ten
    pieces of real articles, so that two of them have little in common."""

    def __init__(self) -> None:
        sets = sorted((pairs.PAIRS.parent / "datasets").glob("*/dev.jsonl"))
        rows = [json.loads(line) for path in sets for line in path.read_text("utf-8").splitlines()]
        self._chance = random.Random(1)
        self._titles = sorted({str(row["title"]) for row in rows if len(row["title"]) >= 6})
        self._articles = [str(row["text"]) for row in rows if len(row.get("text", "")) >= 200]
        self._chance.shuffle(self._titles)
        self.new = [self.entry(title) for title in self._titles[:10_000]]
        self._taken = 10_000

    def entry(self, title: str) -> tuple[str, str]:
        """An entry with this title and a text of 1,000 characters."""
        starts = [(article, self._chance.randrange(len(article) - 100)) for article in self._some(10)]
        return title, "".join(article[start : start + 100] for article, start in starts)

    def _some(self, count: int) -> list[str]:
        return self._chance.choices(self._articles, k=count)

    def stored(self) -> Iterator[tuple[str, str]]:
        """Entries without end, none of which is one of `new`."""
        titles = self._titles[10_000:]
        for title in titles:
            yield self.entry(title)
        while True:
            a, b, c = self._chance.sample(titles, 3)
            yield self.entry(a[: len(a) // 3] + b[len(b) // 3 : 2 * len(b) // 3] + c[2 * len(c) // 3 :])


def full(in_window: int, stored: int, large: int, rounds: int) -> None:
    """What a new entry costs with so many in the window, with so many older ones beside them, and with many more in the
    window: three stores in turns, since machines are shared. Medians."""
    material = Material()
    now = datetime(2026, 11, 20, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as folder:
        alone = _filled(Path(folder, "alone"), material, in_window, now)
        print(f"index: {_bytes(alone.db) / in_window:.0f} bytes an entry")
        beside = _filled(Path(folder, "beside"), material, in_window, now)
        _age(beside, stored)
        more = _filled(Path(folder, "more"), material, large, now)
        costs: dict[str, list[float]] = defaultdict(list)
        for turn in range(rounds):
            at = now + (turn + 1) * HOUR
            some = material.new[turn * 2 * MEASURED :][: 2 * MEASURED]
            texts, bare = some[:MEASURED], [(title, "") for title, _ in some[MEASURED:]]
            costs["printed"].append(_printing(texts, alone.aliases))
            costs["bare printed"].append(_printing(bare, alone.aliases))
            costs["alone"].append(_cost(alone, texts, at))
            costs["beside"].append(_cost(beside, texts, at))
            costs["more"].append(_cost(more, texts, at))
            costs["bare"].append(_cost(alone, bare, at + HOUR / 2))
    cost = {name: statistics.median(some) for name, some in costs.items()}
    for name, said in (("", "1,000-character texts"), ("bare ", "titles alone")):
        printed, settled = cost[f"{name}printed"], cost[name.strip() or "alone"]
        print(
            f"{said}, {in_window} in the window: {1 / (printed + settled):.0f} entries/s"
            f" (fold and print {1e6 * printed:.0f} µs, settle {1e6 * settled:.0f} µs)"
        )
    for name, said in (("beside", f"{stored} older ones stored"), ("more", f"{large} in the window")):
        print(f"with {said}: {1e6 * cost[name]:.0f} µs to settle, {cost[name] / cost['alone']:.2f} times that")


def _filled(folder: Path, material: Material, count: int, now: datetime) -> Stream:
    """A store with so many entries of the last three days."""
    folder.mkdir()
    stream = Stream(folder, [f"S{number}" for number in range(50)])
    made = material.stored()
    for number in range(0, count, 1000):
        at = now - timedelta(days=3) * (1 - number / count)
        stream.tick(_rows(list(itertools.islice(made, 1000)), number, at), now - timedelta(hours=1))
    return stream


def _rows(made: Sequence[tuple[str, str]], first: int, at: datetime) -> list[Row]:
    return [
        {
            "id": f"{at:%d%H%M}-{first + number}",
            "title": title,
            "text": text,
            "publisher": f"S{number * 50 // len(made)}",
            "published": at.isoformat(),
        }
        for number, (title, text) in enumerate(made)
    ]


def _printing(some: Sequence[tuple[str, str]], aliases: stories.Aliases) -> float:
    """Seconds of processor time that folding an entry and making its print take."""
    began = time.process_time()
    for title, text in some:
        prepare.printed(title, text, "S1", aliases)
    return (time.process_time() - began) / len(some)


def _cost(stream: Stream, some: Sequence[tuple[str, str]], now: datetime) -> float:
    """Seconds of processor time that settling takes for an entry."""
    stream.seconds = 0.0
    stream.tick(_rows(some, now.minute, now - timedelta(minutes=5)), now)
    return stream.seconds / len(some)


def _age(stream: Stream, count: int) -> None:
    """Store so many entries of three years, each in a story of its own, as they are once their prints are dropped."""
    columns = [row[1] for row in stream.db.conn.execute("pragma table_info(entry)")]
    copied = [name for name in columns if name not in ("id", "entry_id", "published_id", "story", "canonical")]
    names = ", ".join(copied)
    taken = ", ".join(
        "e.published - 1300000 - abs(random()) % 94000000" if name in ("published", "first_seen") else f"e.{name}"
        for name in copied
    )
    db = stream.db
    db.conn.execute("begin")
    have = db.conn.execute("select count(*) from entry").fetchone()[0]
    for turn in range(-(-count // have)):
        db.conn.execute(
            f"insert into entry (entry_id, published_id, story, canonical, {names})"
            f" select e.entry_id || '-{turn}', e.published_id || '-{turn}', e.story, e.canonical || '-{turn}', {taken}"
            " from entry e where e.id <= ? limit ?",
            [have, count - turn * have],
        )
    last = db.conn.execute("select max(id) from story").fetchone()[0]
    db.conn.execute(
        "insert into story (id, representative, created) select e.id + ?, e.id, 0 from entry e where e.id > ?",
        [last, have],
    )
    db.conn.execute("update entry set story = id + ? where id > ?", [last, have])
    db.conn.execute("commit")
    db.conn.execute("analyze")


def _bytes(db: store.Database) -> int:
    """How many bytes the prints and postings take in the file."""
    found: int = db.conn.execute(
        "select sum(pgsize) from dbstat where name in ('posting', 'fingerprint', 'sqlite_autoindex_fingerprint_1')"
    ).fetchone()[0]
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--window", type=int, default=20_000, help="entries of the last three days")
    parser.add_argument("--stored", type=int, default=1_000_000, help="older entries")
    parser.add_argument(
        "--large", type=int, default=200_000, help="entries of the last three days, where they are many"
    )
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    rows = pairs.rows("labelled/window")
    window(rows)
    orders(rows, 20)
    full(arguments.window, arguments.stored, arguments.large, arguments.rounds)


if __name__ == "__main__":
    main()
