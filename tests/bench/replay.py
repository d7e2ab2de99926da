"""Recorded feed histories, polled one version after the other as `aggregator poll --all --now` does, in one process.

    .venv/bin/python -m tests.bench.replay [NAME …]

Each history of ../shared/corpus/snapshots is one source, added to a data folder of its own that already runs; each of
its versions is served by a real HTTP server and polled at the time at which it was recorded. What the documents say is
read from them directly, not by our parser. Exit code 1 when anything is wrong: an id that returned and was taken for
new, a file or row written though no entry had changed, a changed order, a page without an entry.

| column | is |
| --- | --- |
| ids, pages | distinct ids of all documents, and distinct pages that their entries link to |
| stored, back issues, re-issued | entries at the end; those of them that were not announced |
| rows | of the publication log, two for each entry: its category and `all` |
| changed, material | entries edited, and edits that moved `updated` |
| returned, as new | ids that an earlier document had and the last one had not; those taken for new |
| still, still, written | polls in which bytes had changed and no entry had; those of them that wrote a file |
| not written | polls that wrote no file |
| ms, CPU ms | median time of a poll, of which 250 ms are the store's wait for company; mean CPU with children |
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import sqlite3
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean, median
from typing import Any

import uvloop
from lxml import etree

from aggregator import config, daemon, pipeline, urls
from aggregator import folder as data_folder
from aggregator.models import Back
from tests.feedserver import Answer, FeedServer
from tests.instance import Instance

SNAPSHOTS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "snapshots"
CATEGORIES = [{"term": "tech", "label": "科技"}]
TICK = os.sysconf("SC_CLK_TCK")

_ATOM_ENTRY = "{http://www.w3.org/2005/Atom}entry"
_DATES = ("pubDate", "updated", "published", "date", "date_published", "date_modified")


# ---------------------------------------------------------------------------------------------- what was recorded


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a document, and when it was there."""

    when: datetime
    body: bytes

    @property
    def answer(self) -> Answer:
        """What a server says that has this version."""
        return Answer(self.body, "application/feed+json" if _is_json(self.body) else "application/xml")


def names() -> list[str]:
    """The recorded histories, by name."""
    return sorted(path.name.removesuffix(".tar.xz") for path in SNAPSHOTS.glob("*.tar.xz"))


def recorded(name: str) -> list[Version]:
    """The versions of one recorded history, in their order."""
    with tarfile.open(SNAPSHOTS / f"{name}.tar.xz") as archive:
        files = {member.name: archive.extractfile(member) for member in archive.getmembers() if member.isfile()}
        bodies = {path: file.read() for path, file in files.items() if file is not None}
    rows = csv.DictReader(io.StringIO(bodies[f"{name}/times.tsv"].decode()), delimiter="\t")
    return [Version(datetime.fromtimestamp(int(row["unix"]), UTC), bodies[f"{name}/{row['file']}"]) for row in rows]


@dataclass(frozen=True, slots=True)
class Said:
    """An entry as a document gives it: its id (its link where it has none), its link, and all of it but its dates."""

    id: str
    link: str
    content: bytes


def said(body: bytes) -> Iterator[Said]:
    """The entries of a document, read without our parser; none where it is no feed."""
    if _is_json(body):
        for item in json.loads(body)["items"]:
            content = {key: value for key, value in item.items() if key not in _DATES}
            yield Said(item["id"], item.get("url", ""), json.dumps(content, sort_keys=True).encode())
        return
    root = etree.fromstring(body, etree.XMLParser(huge_tree=True, recover=True))
    for node in root.iter("item", _ATOM_ENTRY) if root is not None else ():
        yield _said_by(node)


def _said_by(node: Any) -> Said:
    id_name = "guid" if node.tag == "item" else "id"
    found = {id_name: "", "link": ""}
    for child in list(node):
        name = etree.QName(child).localname if isinstance(child.tag, str) else ""
        if name in _DATES:
            node.remove(child)
        elif name in found and not found[name]:
            found[name] = (child.text or child.get("href", "")).strip()
    return Said(found[id_name] or found["link"], found["link"], etree.tostring(node, method="c14n", with_tail=False))


def _is_json(body: bytes) -> bool:
    return body.lstrip()[:1] == b"{"


# ---------------------------------------------------------------------------------------------- what must come of it


@dataclass(frozen=True, slots=True)
class Expected:
    """What a document means to somebody who has read the earlier ones: the ids that they had, which of those return
    after an absence, and whether its bytes are others though no entry says anything new."""

    known: frozenset[str]
    returned: frozenset[str]
    still: bool


class Truth:
    """What the documents so far have said. `links` are the latest ones by id."""

    def __init__(self) -> None:
        self.links: dict[str, str] = {}
        self._contents: dict[str, set[bytes]] = {}
        self._last: frozenset[str] = frozenset()
        self._body = b""

    def take(self, body: bytes) -> Expected:
        """Read the next document."""
        known = frozenset(self.links)
        document: dict[str, set[bytes]] = {}
        for entry in said(body):
            document.setdefault(entry.id, set()).add(entry.content)
            self.links[entry.id] = entry.link
        same = all(self._contents.get(entry_id, set()) >= contents for entry_id, contents in document.items())
        expected = Expected(known, known & document.keys() - self._last, same and body != self._body)
        self._contents |= document
        self._last, self._body = frozenset(document), body
        return expected

    def pages(self) -> set[str]:
        """The pages that the entries link to; the id of one that links to none."""
        return {urls.canonical(link) or entry_id for entry_id, link in self.links.items()}


# ---------------------------------------------------------------------------------------------- what came of it


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored entry. `back` is the number of a models.Back."""

    entry_id: str
    title: str
    link: str | None
    updated: int
    back: int


@dataclass(frozen=True, slots=True)
class State:
    """What is stored and published at one moment: entries by row, the log's rows in their order, the inodes of the
    files (a file that changes is replaced), the published titles by id, newest first."""

    entries: dict[int, Stored]
    log: list[tuple[Any, ...]]
    files: dict[str, int]
    published: dict[str, str]

    @classmethod
    def of(cls, data: Path) -> State:
        """The state of a data folder."""
        with sqlite3.connect(f"file:{data}/aggregator.db?mode=ro", uri=True) as db:
            entries = db.execute("select id, entry_id, title, link, updated, back from entry").fetchall()
            log = db.execute(
                "select seq, term, story, published_at, live, withdrawn_at from publication order by seq"
            ).fetchall()
        feeds = data / "public" / "feeds"
        shown = json.loads((feeds / "all.json").read_bytes())["items"]
        return cls(
            entries={row: Stored(*said) for row, *said in entries},
            log=log,
            files={path.name: path.stat().st_ino for path in feeds.iterdir()},
            published={item["id"]: item["title"] for item in shown},
        )


@dataclass(frozen=True, slots=True)
class Step:
    """What one poll did. `rows` were added to the log; `back` has a models.Back for each new entry."""

    expected: Expected
    returned_as_new: int
    changed: int
    material: int
    rows: int
    back: tuple[int, ...]
    written: tuple[str, ...]
    seconds: float
    cpu: float


@dataclass
class Outcome:
    """What came of one history: its polls, the state at the end, and what must not have been."""

    name: str
    truth: Truth = field(default_factory=Truth)
    steps: list[Step] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def entries(self) -> list[Stored]:
        """What is stored at the end."""
        return list(self.states[-1].entries.values())

    def titles(self) -> list[str]:
        """What is published at the end, newest first."""
        return list(self.states[-1].published.values())


def replay(folder: Path, name: str, versions: Sequence[Version]) -> Outcome:
    """Poll the versions one after the other, each at its time, in one pipeline on an empty folder."""
    instance = Instance(folder)
    outcome = Outcome(name)
    with FeedServer() as server, data_folder.hold(instance.data, "poll"):
        uvloop.run(_replay(outcome, instance, server, versions))
    outcome.wrong += _lost(outcome)
    return outcome


async def _replay(outcome: Outcome, instance: Instance, server: FeedServer, versions: Sequence[Version]) -> None:
    instance.configure([], CATEGORIES)
    async with daemon.open_pipeline(config.load(instance.config, {}, instance.data)) as line:
        await _poll(line, versions[0].when - timedelta(days=1))
        instance.configure([{"name": outcome.name, "url": server.url("/feed"), "category": "tech"}], CATEGORIES)
        line.setup = pipeline.Setup(config.load(instance.config, {}, instance.data))
        outcome.states.append(State.of(instance.data))
        for version in versions:
            server["/feed"] = version.answer
            expected = outcome.truth.take(version.body)
            cpu, started = _cpu(), time.perf_counter()
            (report,) = await _poll(line, version.when)
            spent = time.perf_counter() - started, _cpu() - cpu
            outcome.states.append(State.of(instance.data))
            before, after = outcome.states[-2:]
            outcome.steps.append(_step(before, after, expected, report, *spent))
            outcome.wrong += [f"poll {len(outcome.steps)}: {what}" for what in _wrong(outcome, report)]


async def _poll(line: pipeline.Pipeline, now: datetime) -> list[pipeline.Report]:
    """What `aggregator poll --all --now` does once the pipeline is open."""
    reports: list[pipeline.Report] = []
    await line.adopt(line.setup, now)
    await line.tick(now, forced=True, report=reports.append)
    return reports


def _cpu() -> float:
    """Seconds of CPU that this process and its children have used."""
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    children = [int(child) for task in tasks for child in task.read_text().split()]
    total = 0
    for process in (os.getpid(), *children):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(field) for field in fields[11:15])
    return total / TICK


def _step(before: State, after: State, expected: Expected, report: pipeline.Report, seconds: float, cpu: float) -> Step:
    new = [entry for row, entry in after.entries.items() if row not in before.entries]
    return Step(
        expected=expected,
        returned_as_new=sum(entry.entry_id in expected.known for entry in new),
        changed=report.changed,
        material=sum(after.entries[row].updated != entry.updated for row, entry in before.entries.items()),
        rows=len(after.log) - len(before.log),
        back=tuple(entry.back for entry in new),
        written=tuple(sorted(name for name, inode in after.files.items() if before.files.get(name) != inode)),
        seconds=seconds,
        cpu=cpu,
    )


def _wrong(outcome: Outcome, report: pipeline.Report) -> Iterator[str]:
    """What the last poll must not have done."""
    before, after = outcome.states[-2:]
    step = outcome.steps[-1]
    if report.outcome not in ("ok", "unchanged"):
        yield f"it came to {report.outcome}: {report.reason}"
    if step.returned_as_new:
        yield f"{step.returned_as_new} entries were taken for new, whose ids had been seen before"
    if step.expected.still and (step.written or step.rows or step.back):
        yield f"no entry had changed, but {len(step.back)} were stored, {step.rows} rows added, {step.written} written"
    if after.log[: len(before.log)] != before.log:
        yield "rows of the log were changed"
    if [i for i in before.published if i in after.published] != [i for i in after.published if i in before.published]:
        yield "the published order was changed"


def _lost(outcome: Outcome) -> Iterator[str]:
    pages = outcome.truth.pages()
    stored = {urls.canonical(entry.link or "") or entry.entry_id for entry in outcome.entries}
    if pages - stored:
        yield f"{len(pages - stored)} pages have no entry, like {min(pages - stored)}"


# ---------------------------------------------------------------------------------------------- the table


COLUMNS: dict[str, Callable[[Outcome], float]] = {
    "polls": lambda outcome: len(outcome.steps),
    "ids": lambda outcome: len(outcome.truth.links),
    "pages": lambda outcome: len(outcome.truth.pages()),
    "stored": lambda outcome: len(outcome.entries),
    "back issues": lambda outcome: sum(step.back.count(Back.BACK_ISSUE) for step in outcome.steps),
    "re-issued": lambda outcome: sum(step.back.count(Back.REISSUED) for step in outcome.steps),
    "rows": lambda outcome: sum(step.rows for step in outcome.steps),
    "changed": lambda outcome: sum(step.changed for step in outcome.steps),
    "material": lambda outcome: sum(step.material for step in outcome.steps),
    "returned": lambda outcome: sum(len(step.expected.returned) for step in outcome.steps),
    "as new": lambda outcome: sum(step.returned_as_new for step in outcome.steps),
    "still": lambda outcome: sum(step.expected.still for step in outcome.steps),
    "still, written": lambda outcome: sum(step.expected.still and bool(step.written) for step in outcome.steps),
    "not written": lambda outcome: sum(not step.written for step in outcome.steps),
    "ms": lambda outcome: 1000 * median(step.seconds for step in outcome.steps),
    "CPU ms": lambda outcome: 1000 * mean(step.cpu for step in outcome.steps),
}


def show(outcome: Outcome) -> None:
    """Print a history's line, and what is wrong below it."""
    figures = [f"{figure(outcome):>{len(title) + 2}.0f}" for title, figure in COLUMNS.items()]
    print(f"{outcome.name:20}" + "".join(figures), flush=True)
    for what in outcome.wrong:
        print(f"    wrong: {what}")


def main() -> int:
    """Replay the named histories, print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", help="histories; default: all")
    parser.add_argument("--keep", type=Path, help="a folder for configuration and data; default: a temporary one")
    arguments = parser.parse_args()
    print(" " * 20 + "".join(f"  {title}" for title in COLUMNS))
    wrong = 0
    for name in arguments.names or names():
        with tempfile.TemporaryDirectory() as temporary:
            folder = (arguments.keep or Path(temporary)) / name
            folder.mkdir(parents=True)
            outcome = replay(folder, name, recorded(name))
        show(outcome)
        wrong += len(outcome.wrong)
    print(f"\nwrong: {wrong}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
