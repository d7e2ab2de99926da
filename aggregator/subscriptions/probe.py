"""One reading of a source beside the store: what is there, what is wrong with it, and how it would be filed."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ParamSpec, TypeVar

from aggregator import errors, fetch, html, pipeline, prepare, schedule, text, urls, variables, workers
from aggregator.models import Config, Filing, ParsedFeed, PreparedEntry, Source
from aggregator.parse import decoding
from aggregator.subscriptions import intake

SAMPLES = 3  # entries that are shown with the reasons for their categories

P = ParamSpec("P")
T = TypeVar("T")

_FORMAT = re.compile(r"(rss|atom)(\d)(\d+)")


@dataclass(frozen=True, slots=True)
class Reading:
    """A source's document, read. `moved_to` is where its permanent redirects lead."""

    source: Source
    moved_to: str | None
    feed: ParsedFeed
    entries: tuple[PreparedEntry, ...]

    @property
    def address(self) -> str:
        """The address that the source should have."""
        return self.moved_to or self.source.url

    def language(self) -> str | None:
        """The language that its entries' titles show, else the one that the feed names, if that is one."""
        shown = text.script(" ".join(each.entry.title for each in self.entries))
        return intake.language(self.feed.head.language) if shown in (None, "en") else shown


@dataclass(frozen=True, slots=True)
class Page:
    """An HTML page that names feeds: (address, title), each once."""

    feeds: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What a reading shows. `rhythm` is the median time between entries; `filed` counts entries by term; `samples` are
    titles with the reasons for their categories."""

    format: str
    encoding: str
    entries: int
    with_date: int
    with_link: int
    with_title: int
    with_text: int
    newest: datetime | None
    oldest: datetime | None
    rhythm: timedelta | None
    problems: tuple[str, ...]
    filed: dict[str, int]
    samples: tuple[tuple[str, tuple[Filing, ...]], ...]


@asynccontextmanager
async def opened(config: Config) -> AsyncIterator[Prober]:
    """A prober with the configuration's manners, limits, categories and rules."""
    async with AsyncExitStack() as stack:
        pool = workers.Pool(min(4, os.cpu_count() or 1))
        stack.push_async_callback(pool.close)
        agent = fetch.user_agent(config.settings.fetch.contact)
        fetcher = await stack.enter_async_context(fetch.Fetcher(config.settings.fetch, agent))
        yield Prober(fetcher, pool, prepare.pack(config))


@dataclass(frozen=True, slots=True)
class Prober:
    """Reads sources as a poll does, without validators and without a trace."""

    fetcher: fetch.Fetcher
    pool: workers.Pool
    tools: bytes

    async def read(self, source: Source, now: datetime) -> Reading:
        """The source's document; raises SourceError."""
        return await self._read(source, await self._fetch(source, now))

    async def look(self, source: Source, now: datetime) -> Reading | Page:
        """As `read`; the feeds that a page names where the address is a page's."""
        fetched = await self._fetch(source, now)
        try:
            return await self._read(source, fetched)
        except errors.ParseError as error:
            named = await self._run(_feeds, fetched.body, fetched.content_type, fetched.url)
            if not named:
                raise errors.ParseError(f"{error}; no other address was tried") from error
            return Page(named)

    async def _fetch(self, source: Source, now: datetime) -> fetch.Fetched:
        request = fetch.Request(source.url, headers=source.headers, username=source.username, password=source.password)
        fetched = await self.fetcher.get(request, now)
        assert isinstance(fetched, fetch.Fetched)  # without validators there is no 304
        return fetched

    async def _read(self, source: Source, fetched: fetch.Fetched) -> Reading:
        feed, entries = await self._run(
            prepare.document, fetched.body, fetched.content_type, fetched.url, source, self.tools, b""
        )
        return Reading(source, fetched.permanent_url, feed, entries)

    async def _run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self.pool.run(pipeline.PARSE_DEADLINE, call, *args, **kwargs)
        except workers.WorkerLostError as error:
            raise errors.ParseError(f"reading the document {error}") from error


def _feeds(body: bytes, content_type: str | None, url: str) -> tuple[tuple[str, str], ...]:
    """What a worker does to find the feeds of a page; an address that is no other than the page's is none."""
    named = html.feeds(decoding.decode(body, content_type).text, url, urls.join)
    return tuple((address, title) for address, title in named if address != url)


# ---------------------------------------------------------------------------------------------- findings


def findings(reading: Reading, now: datetime) -> Findings:
    """What a reading shows at `now`. Pure."""
    said = [prepared.entry for prepared in reading.entries]
    dates = sorted(entry.published for entry in said if entry.published)
    filed = Counter(term for prepared in reading.entries for term in _terms(prepared))
    return Findings(
        format=format_name(reading.feed.format),
        encoding=reading.feed.encoding,
        entries=len(said),
        with_date=len(dates),
        with_link=sum(entry.link is not None for entry in said),
        with_title=sum(bool(entry.title) for entry in said),
        with_text=sum(bool(entry.content or entry.summary) for entry in said),
        newest=dates[-1] if dates else None,
        oldest=dates[0] if dates else None,
        rhythm=schedule.rhythm(dates),
        problems=tuple(_problems(reading, now)),
        filed=dict(filed.most_common()),
        samples=tuple((each.entry.title, each.filings) for each in reading.entries[:SAMPLES]),
    )


def format_name(version: str) -> str:
    """What people call a format: `rss20` is RSS 2.0."""
    if found := _FORMAT.match(version):
        return f"{found[1].upper() if found[1] == 'rss' else 'Atom'} {found[2]}.{found[3]}"
    return "JSON Feed" if version == "json" else version or "unknown"


def _terms(prepared: PreparedEntry) -> set[str]:
    return {filing.term for filing in prepared.filings} or {"other"}


def _problems(reading: Reading, now: datetime) -> Iterator[str]:
    said = [prepared.entry for prepared in reading.entries]
    codes = Counter(code for entry in said for code in set(entry.repairs))
    if reading.moved_to:
        known = variables.values(reading.source.written, reading.source.url)
        yield f"it has moved for good: change its url to {variables.hidden(reading.moved_to, known)}"
    if not said:
        yield "it has no entries just now"
    if codes["document:mended"]:
        yield "its XML is not well-formed; what could be read was read"
    if unreadable := codes["date:unreadable"]:
        yield f"{_have(unreadable)} a date that cannot be read"
    undated = sum(entry.published is None for entry in said)
    if undated:
        yield f"{_have(undated)} no usable date: the moment at which it is first seen is taken"
    if future := sum(entry.published is not None and entry.published > now for entry in said):
        yield f"{_have(future)} a date in the future: the moment at which it is first seen is taken"
    if untitled := sum(not entry.title for entry in said):
        yield f"{_have(untitled)} no title"
    for code in sorted(code for code in codes if code.startswith("link:")):
        yield _link_problem(code.removeprefix("link:"), codes[code])
    yield from _id_problems([entry.id for entry in said])


def _link_problem(kind: str, count: int) -> str:
    if kind == "none":
        return f"{_have(count)} no link"
    return f"{_have(count)} no link to a page: {'the guid' if kind == 'guid' else f'a link of rel={kind}'} is taken"


def _id_problems(ids: Sequence[str | None]) -> Iterator[str]:
    if missing := sum(each is None for each in ids):
        yield f"{_have(missing)} no id: the link, or title and date, stands for it"
    shared = sum(count for each, count in Counter(ids).items() if each is not None and count > 1)
    if shared:
        yield f"{_have(shared)} an id that another one has too"


def _have(count: int) -> str:
    return "1 entry has" if count == 1 else f"{count} entries have"
