"""The stage on which cases are played: hosts, rounds, and what a case sees of a round."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cached_property
from typing import Any

from aggregator import store
from tests import rawserver
from tests.instance import Instance, item, rss
from tests.rawserver import Received, Script, Server, Step, reply

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

# A Sunday, at noon.
START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

# The rounds, from the start. The fourth is `poll --all`; between it and the fifth lies more than a week.
ROUNDS = (timedelta(), 2 * HOUR, 4 * HOUR, 4 * HOUR + 30 * MINUTE, 9 * DAY, 9 * DAY + 6 * HOUR)
FORCED = 4

GAP = timedelta(milliseconds=200)  # fetch.host_gap
PER_HOST = 2  # fetch.per_host
DEADLINE = timedelta(seconds=5)  # fetch.deadline
MAX_BODY = 1024 * 1024  # bytes, fetch.max_body
CONTACT = "https://example.org/about-our-reader"

Story = Generator[Script | Mapping[str, Script], "Seen", None]


@dataclass(frozen=True)
class Case:
    """A story, and the rows of sources.yaml that it is about: one for each of `paths`, all with these `settings`."""

    name: str
    tell: Callable[[Host], Story]
    paths: tuple[str, ...]
    address: str
    settings: Mapping[str, Any]

    def sources(self, host: Host) -> list[dict[str, Any]]:
        settings = {"category": "tech", "every": "1h", **self.settings}
        kept = {key: value for key, value in settings.items() if value is not None}
        server = host.server
        return [
            {
                "name": name,
                "url": self.address.format(base=server.url(""), host=server.host, port=server.port, path=path),
            }
            | kept
            for name, path in zip(self.names, self.paths, strict=True)
        ]

    @property
    def names(self) -> list[str]:
        """The names of its sources: its own, with the path behind it where it has several."""
        return [self.name] if len(self.paths) == 1 else [f"{self.name} {path}" for path in self.paths]


CASES: dict[str, Case] = {}


def case(
    paths: Sequence[str] = ("feed",), address: str = "{base}/{path}", **settings: Any
) -> Callable[[Callable[[Host], Story]], Case]:
    """Make a case of a story. `settings` are keys of its sources; without any they are polled each hour."""

    def make(tell: Callable[[Host], Story]) -> Case:
        made = CASES[tell.__name__] = Case(tell.__name__, tell, tuple(paths), address, settings)
        return made

    return make


# ------------------------------------------------------------------------------------------------ hosts


@dataclass(frozen=True)
class Host:
    """The machine that a case has for itself, and another one (`neighbour`) to which it may lead us."""

    server: Server
    neighbour: Server
    forbidden: Sequence[Server]

    def url(self, path: str) -> str:
        return self.server.url(path)

    def says(self, answer: Script | Mapping[str, Script]) -> None:
        """What it answers from now on: by path, or at /feed."""
        self.server.scripts = answer if isinstance(answer, Mapping) else {"/feed": answer}


@contextmanager
def hosts(count: int, forbidden: Sequence[str]) -> Generator[list[Host]]:
    """So many hosts in a thread of their own, and servers at addresses that `allow_networks` does not name."""
    loop = asyncio.new_event_loop()
    opened: Future[list[Host]] = Future()
    done = asyncio.Event()

    async def live() -> None:
        async with AsyncExitStack() as stack:

            async def server(address: str) -> Server:
                return await stack.enter_async_context(rawserver.serve({}, address))

            outside = [await server(address) for address in forbidden]
            numbers = range(1, count + 1)
            opened.set_result(
                [Host(await server(f"127.1.{n}.1"), await server(f"127.1.{n}.2"), outside) for n in numbers]
            )
            await done.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(live(),), name="hosts")
    thread.start()
    try:
        yield opened.result(timeout=10)
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()


# ------------------------------------------------------------------------------------------------ what a case sees


@dataclass(frozen=True)
class Round:
    """One process of `aggregator poll`: when it was (simulated), what it said, and what was exported after it."""

    number: int
    now: datetime
    output: str
    sources: Mapping[str, Mapping[str, Any]]
    entries: Sequence[Mapping[str, Any]]
    instance: Instance

    @cached_property
    def published(self) -> str:
        """The three documents of the feed of everything."""
        return "\n".join(self.instance.feed(f"all.{kind}").decode() for kind in ("atom", "rss", "json"))


@dataclass(frozen=True)
class Seen:
    """What a case sees of one round: the requests to its host, and its sources as exported."""

    case: Case
    round: Round
    requests: Sequence[Received]

    @property
    def request(self) -> Received:
        """The only request of the round."""
        assert len(self.requests) == 1, [request.line for request in self.requests]
        return self.requests[0]

    @property
    def targets(self) -> list[str]:
        return [request.target for request in self.requests]

    @property
    def conditions(self) -> tuple[bytes | None, bytes | None]:
        """If-None-Match and If-Modified-Since of the only request."""
        return self.request.header("If-None-Match"), self.request.header("If-Modified-Since")

    @property
    def row(self) -> Mapping[str, Any]:
        """Its only source, as exported."""
        (name,) = self.case.names
        return self.round.sources[name]

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        return [self.round.sources[name] for name in self.case.names]

    @property
    def status(self) -> str:
        return str(self.row["status"])

    @property
    def reason(self) -> str:
        return str(self.row["reason"])

    @property
    def wait(self) -> timedelta:
        """From this round to the source's next poll."""
        return datetime.fromisoformat(self.row["next_poll"]) - self.round.now

    @property
    def entries(self) -> list[Mapping[str, Any]]:
        return [entry for entry in self.round.entries if entry["source"] in self.case.names]

    @property
    def titles(self) -> list[str]:
        return [str(entry["title"]) for entry in self.entries]

    @property
    def published(self) -> str:
        return self.round.published


# ------------------------------------------------------------------------------------------------ the play


@dataclass
class Play:
    """All cases in all rounds. `failures`: the first thing that a case found wrong."""

    instance: Instance
    actors: Mapping[str, tuple[Case, Host]]
    rounds: list[Round] = field(default_factory=list)
    failures: dict[str, Exception] = field(default_factory=dict)
    log: list[tuple[int, str, Received]] = field(default_factory=list)  # round, case, request to its host

    def run(self) -> None:
        self._configure()
        stories = {name: case.tell(host) for name, (case, host) in self.actors.items()}
        for name, story in stories.items():
            self._go_on(name, story, None)
        for number, since in enumerate(ROUNDS, 1):
            before = {name: len(host.server.requests) for name, (_, host) in self.actors.items()}
            self.rounds.append(self._round(number, START + since))
            for name, story in stories.items():
                self._go_on(name, story, self._seen(name, before[name]))

    def _configure(self) -> None:
        self.instance.configure(
            [source for case, host in self.actors.values() for source in case.sources(host)],
            fetch={
                "allow_networks": ["127.1.0.0/16"],
                "host_gap": f"{GAP // timedelta(milliseconds=1)}ms",
                "per_host": PER_HOST,
                "deadline": f"{DEADLINE.seconds}s",
                "max_body": "1MiB",
                "concurrency": 500,
                "contact": CONTACT,
            },
            publish={"limit": 1000},
        )

    def _round(self, number: int, now: datetime) -> Round:
        forced = ["--all"] if number == FORCED else []
        done = self.instance.command("poll", *forced, "--now", now.isoformat(), timeout=120)
        sources = {row["name"]: row for row in self.instance.export("sources")}
        with closing(store.read_only(self.instance.data)) as db:
            entries = list(store.reports.entries(db))
        return Round(number, now, done.stdout + done.stderr, sources, entries, self.instance)

    def _seen(self, name: str, before: int) -> Seen:
        case, host = self.actors[name]
        requests = host.server.requests[before:]
        self.log += [(len(self.rounds), name, request) for request in requests]
        return Seen(case, self.rounds[-1], requests)

    def _go_on(self, name: str, story: Story, seen: Seen | None) -> None:
        """Tell the next part of a story. A host whose story has come to its end answers as it did."""
        try:
            self.actors[name][1].says(next(story) if seen is None else story.send(seen))
        except StopIteration:
            pass
        except Exception as error:  # noqa: BLE001 - shown by the test of that case
            error.add_note(f"in the case {name}, after round {len(self.rounds)}")
            self.failures[name] = error


def play(instance: Instance, cases: Mapping[str, Case] = CASES, forbidden: Sequence[str] = ("127.2.0.1",)) -> Play:
    """Play the cases to their end."""
    with hosts(len(cases), forbidden) as stages:
        played = Play(instance, dict(zip(cases, zip(cases.values(), stages, strict=True), strict=True)))
        played.run()
    return played


# ------------------------------------------------------------------------------------------------ answers


def feed(*numbers: int | str, **fields: str | bytes) -> list[Step]:
    """A feed of these entries (of one, without any), with header fields like `ETag` or `Last_Modified`."""
    return document(rss(*(item(number) for number in numbers or (1,))), **fields)


def document(text: str | bytes, **fields: str | bytes) -> list[Step]:
    """Any document with 200."""
    body = text.encode() if isinstance(text, str) else text
    return [reply(fields={"Content-Type": "application/xml", **_named(fields)}, body=body)]


def status(line: str, **fields: str | bytes) -> list[Step]:
    """An answer without a body."""
    return [reply(line, _named(fields))]


def to(line: str, location: str | bytes, **fields: str | bytes) -> list[Step]:
    """A redirect."""
    return [reply(line, {"Location": location, **_named(fields)})]


def _named(fields: Mapping[str, str | bytes]) -> dict[str, str | bytes]:
    return {name.replace("_", "-"): value for name, value in fields.items()}


def http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)
