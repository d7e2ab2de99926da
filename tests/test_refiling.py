"""Whatever is edited: `apply` does exactly what `plan` said, and feeds change once. In process, on real files."""

from __future__ import annotations

import asyncio
import math
import shutil
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator import categorize, fetch, prepare, store, workers
from aggregator.cli import filing
from aggregator.models import Category, Config, Decision, Rule, Settings, Source, Visit
from aggregator.pipeline import Pipeline, Setup, refiling, transactions, visits
from tests.builders import DAY, HOUR, NOW
from tests.instance import item, rss

WORDS = ("手机", "茶馆", "邮差", "比赛", "股票")
TITLES = [f"{number}号院的{WORDS[number % 5]}和{WORDS[number % 3 + 2]}" for number in range(20)]
TERMS = ("tech", "ai", "tea", "war")
SOURCES = ("A", "B", "C")
BASE = (
    Category("tech", "科技", threshold=math.inf, rules=(Rule(any=("手机",)),)),
    Category("ai", "人工智能", parent="tech", threshold=math.inf, rules=(Rule(any=("股票",)),)),
)


# ------------------------------------------------------------------------------------------------- what is edited


@dataclass(frozen=True)
class Step:
    """What an editor does before `plan`: decisions (act, entry, term or other entry, undone), then another YAML; and
    after how many turns a first `apply` is `interrupted`, if there is one."""

    decisions: Sequence[tuple[str, int, str | int, bool]]
    categories: tuple[Category, ...]
    sources: tuple[Source, ...]
    interrupted: int | None = None


words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=2).map(tuple)
acts = st.sampled_from(("add", "add", "remove", "only"))
rules = st.builds(Rule, any=words, act=acts, weight=st.sampled_from((None, None, 2.0, -3.0)))
entries = st.integers(1, len(TITLES))
by_hand = st.tuples(st.sampled_from(("file", "unfile")), entries, st.sampled_from(TERMS), st.booleans())
of_stories = st.tuples(st.sampled_from(("hide", "join", "split")), entries, entries, st.booleans())


@st.composite
def categories(draw: st.DrawFn) -> tuple[Category, ...]:
    chosen: list[Category] = []
    for term in draw(st.lists(st.sampled_from(TERMS), min_size=1, unique=True)):
        parent = draw(st.sampled_from((None, *(category.term for category in chosen))))
        threshold = draw(st.sampled_from((None, math.inf, -3.0, 1.0)))
        own = tuple(draw(st.lists(rules, max_size=2)))
        chosen.append(Category(term, term, parent=parent, threshold=threshold, rules=own))
    return tuple(chosen)


@st.composite
def sources(draw: st.DrawFn) -> tuple[Source, ...]:
    def source(name: str) -> Source:
        certain = tuple(draw(st.lists(st.sampled_from(TERMS), max_size=1)))
        prior = draw(st.dictionaries(st.sampled_from(TERMS), st.sampled_from((0.01, 0.9)), max_size=1))
        own = [replace(rule, category=draw(st.sampled_from(TERMS))) for rule in draw(st.lists(rules, max_size=1))]
        return Source(name, f"http://{name}.example/", certain, prior, tuple(own))

    return tuple(map(source, SOURCES))


interruptions = st.none() | st.integers(0, 25)
steps = st.builds(Step, st.lists(by_hand | of_stories, max_size=3), categories(), sources(), interruptions)


# ------------------------------------------------------------------------------------------------- the ground


class Ground:
    """A data folder with entries of three sources, to be copied; and a loop and a worker for all copies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runner = asyncio.Runner()
        self.pool = workers.Pool(1)
        with self.pipeline(folder) as line:
            self.runner.run(self._fill(line))

    @contextmanager
    def pipeline(self, folder: Path) -> Iterator[Pipeline]:
        async def opened() -> store.Writer:
            return store.Writer(folder)

        writer = self.runner.run(opened())
        try:
            plain = tuple(Source(name, f"http://{name}.example/") for name in SOURCES)
            setup = Setup(config(folder, Step((), BASE, plain)))
            yield Pipeline(setup, writer, fetch.Fetcher(setup.settings.fetch, "a test"), self.pool)
        finally:
            self.runner.run(writer.close())

    async def _fill(self, line: Pipeline) -> None:
        """Old entries, young ones, copies, and back issues of a source that came later."""
        setup = line.setup
        for now, names, titles in ((NOW - 30 * DAY, "AB", TITLES[:8]), (NOW - 3 * DAY, "ABC", TITLES[8:])):
            await line.writer.run(store.sources.sync, [setup.sources[name] for name in names], now)
            for place, name in enumerate(names):
                await self._poll(line, name, titles[place :: len(names)] + titles[:1], now)
            await line.catch_up(setup, now)

    async def _poll(self, line: Pipeline, name: str, titles: Sequence[str], now: datetime) -> None:
        dates = [format_datetime(now - HOUR), format_datetime(now - 20 * DAY)]
        items = [
            item(title, title, f"http://e.example/{TITLES.index(title)}", dates[number % 2])
            for number, title in enumerate(titles)
        ]
        (state,) = await line.writer.run(store.sources.forced, now, [name])
        source = line.setup.sources[name]
        feed, read = prepare.document(rss(*items).encode(), None, source.url, source, line.setup.tools, b"")
        visit, horizon = Visit(state.id, "ok", "", 0, now, now), visits.horizon(state, line.setup.settings.publish, now)
        await line.writer.run(transactions.keep, state, visit, feed, read, horizon, line.setup.edition(name, 0))

    def close(self) -> None:
        self.runner.run(self.pool.close())
        self.runner.close()


def config(folder: Path, step: Step) -> Config:
    return Config(folder, Settings(data=folder), step.sources, step.categories)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    made = Ground(tmp_path_factory.mktemp("ground"))
    yield made
    made.close()


# ------------------------------------------------------------------------------------------------- what holds

Moves = dict[str, tuple[set[int], set[int]]]  # by term: the stories that enter, and those that leave
Log = dict[str, dict[int, tuple[int, bool]]]  # by term and story: its place, and whether it is no back issue


def log(db: store.Database) -> Log:
    """Which stories stand in which feeds; those that an editor hides stand there too."""
    found: Log = defaultdict(dict)
    sql = "select term, story, seq, live from publication where why <> ?"
    for term, story, seq, live in db.conn.execute(sql, [store.publications.REFILED]):
        found[term][story] = (seq, bool(live))
    return found


def said(plan: refiling.Plan) -> Moves:
    def stories(moves: Sequence[refiling.Move]) -> set[int]:
        return {move.story for move in moves}

    return {term: (stories(plan.enters.get(term, ())), stories(plan.leaves.get(term, ()))) for term in plan.terms()}


def done(before: Log, after: Log) -> Moves:
    pairs = {term: (after[term].keys() - before[term], before[term].keys() - after[term]) for term in {*before, *after}}
    return {term: pair for term, pair in pairs.items() if any(pair)}


def in_order(standing: dict[int, tuple[int, bool]], some: Collection[int]) -> list[int]:
    return sorted(standing.keys() & some, key=lambda story: standing[story])


def announced(db: store.Database) -> dict[int, datetime]:
    """When each story was first put into a live feed."""
    rows = db.conn.execute("select distinct story from publication").fetchall()
    return store.publications.announced(db, [row[0] for row in rows])


def last_place(db: store.Database) -> int:
    return int(db.conn.execute("select max(seq) from publication").fetchone()[0])


def documents(line: Pipeline) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (line.setup.public / "feeds").glob("*.atom")}


def changes(seen: Sequence[dict[str, bytes]]) -> dict[str, int]:
    return {name: sum(one[name] != other[name] for one, other in pairwise(seen)) for name in seen[0]}


async def edit(line: Pipeline, step: Step, now: datetime) -> None:
    """Take the decisions and the configuration, as a daemon does before anybody asks for a plan."""
    rows = await line.writer.read(lambda db: db.conn.execute("select id, published_id from entry").fetchall())
    ids = dict(rows)
    for act, number, other, undone in step.decisions:
        of = None if act in ("hide", "split") else ids.get(other, other)
        await line.writer.run(store.decisions.decide, Decision("an editor", now, act, ids[number], of))
        if undone:
            await line.catch_up(line.setup, now)
            await line.writer.run(store.decisions.undo, act, ids[number], of, now)
    await line.adopt(Setup(config(line.setup.settings.data, step)), now)
    await line.catch_up(line.setup, now)


async def refile(line: Pipeline, now: datetime) -> list[dict[str, bytes]]:
    """Have everything filed anew while feeds are published all the time; what those were, one after the other."""
    seen = [documents(line)]
    under_way = asyncio.create_task(line.refile(now))
    while not under_way.done():
        await line.catch_up(line.setup, now)
        seen.append(documents(line))
        await asyncio.sleep(0.01)
    assert under_way.result().left == 0
    return [*seen, documents(line)]


async def interrupt(line: Pipeline, now: datetime, turns: int) -> None:
    """Begin to file everything anew, and die when the writer has done so many other jobs."""
    under_way = asyncio.create_task(line.refile(now))
    for _ in range(turns):
        await line.writer.run(store.sources.last_tick)
    under_way.cancel()
    await asyncio.gather(under_way, return_exceptions=True)


async def check(line: Pipeline, step: Step, now: datetime) -> None:
    await edit(line, step, now)
    edited = config(line.setup.settings.data, step)
    plan = await line.writer.read(lambda db: filing.planned(edited, db))
    before, first = await line.writer.read(log), await line.writer.read(announced)
    last = await line.writer.read(last_place)
    if step.interrupted is not None:
        await interrupt(line, now, step.interrupted)
    seen = await refile(line, now)
    after = await line.writer.read(log)

    assert done(before, after) == said(plan)
    for term in after:
        assert in_order(after[term], before[term]) == in_order(before[term], after[term]), "what stays keeps its place"
    backfill = now - line.setup.settings.publish.backfill
    new = {story for standing in after.values() for story, (place, live) in standing.items() if live and place > last}
    assert all(first[story] >= backfill for story in new), "nothing old is announced"

    assert step.interrupted is not None or max(changes(seen).values()) <= 1, "feeds change once"
    await line.writer.run(store.publications.mark, line.setup.terms, NOW)
    assert await line.catch_up(line.setup, now) == [], "every feed shows what is stored"

    assert said(await line.writer.read(lambda db: filing.planned(edited, db))) == {}, "nothing is left"
    stored = await line.writer.read(store.filings.stored, 0, 1000)
    filed = prepare.refile(stored, line.setup.sources, line.setup.tools)
    assert not any(each.changes for each in refiling.refiled(stored, filed))
    assert await line.writer.read(store.filings.older, categorize.editions(edited)) == 0


@pytest.mark.parametrize("examples", [10, pytest.param(1000, marks=pytest.mark.full)])
def test_apply_does_what_plan_said_and_feeds_change_once(ground, tmp_path, examples):
    @settings(max_examples=examples, deadline=None)
    @given(st.lists(steps, min_size=1, max_size=3))
    def holds(history: list[Step]) -> None:
        folder = tmp_path / "data"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(ground.folder, folder)
        with ground.pipeline(folder) as line:
            for number, step in enumerate(history, 1):
                ground.runner.run(check(line, step, NOW + number * DAY))

    holds()


def test_what_an_editor_files_while_all_is_filed_anew_is_left_as_it_is(ground, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(ground.folder, folder)

    async def use(line: Pipeline) -> None:
        setup = line.setup
        entry, *_ = await line.writer.read(store.filings.stored, 0, 1)
        (anew,) = refiling.refiled([entry], [()])
        await line.writer.run(store.decisions.decide, Decision("an editor", NOW, "file", entry.published_id, "ai"))
        await line.catch_up(setup, NOW)
        count = await line.writer.run(refiling.file, [anew], lambda name: setup.edition(name, 0), NOW)
        assert count == refiling.Count(changed=0, left=1)
        (now,) = await line.writer.read(store.filings.stored, 0, 1)
        assert {filing.origin for filing in now.filings if filing.term == "ai"} >= {"editor"}

    with ground.pipeline(folder) as line:
        ground.runner.run(use(line))
