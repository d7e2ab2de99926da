"""The one place that orders the steps, and the one error boundary of a source.

    poll(source)   fetch → (worker) parse, prepare → dedupe → store            one transaction, the last step
    settle         decisions; entries that wait → story → publication rows     ordered by `published` within a tick
    publish(term)  store → curate → (worker) render → put                      only feeds that changed

A poll leaves its entries without a story, and settling gives them one: both are marks in the database, so that whatever
dies between two steps is taken up where it stopped. Validators are stored with the entries they came with, never
before.

`setup` is what a configuration means, `visits` what a poll leaves in its source's row, `transactions` what a poll
stores, `settling` what gives an entry its story.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from aggregator import curate, dedupe, errors, fetch, parse, prepare, publish, store, variables, workers
from aggregator.models import Edition, FeedMark, FeedMeta, PublishedEntry, SourceState, StoredEntry
from aggregator.pipeline import decisions, refiling, settling, transactions, visits
from aggregator.pipeline.settling import rebuild
from aggregator.pipeline.setup import Setup

__all__ = ["BackwardsError", "Pipeline", "Report", "Setup", "rebuild"]

log = logging.getLogger(__name__)

LESSONS_AT_ONCE = 200
REFILED_AHEAD = 1  # jobs for workers, of `refiling.AT_ONCE` entries, beside the one that is waited for
PARSE_DEADLINE = timedelta(seconds=15)
RENDER_DEADLINE = timedelta(seconds=60)
PRUNED_AT_ONCE = 50  # stories in one transaction
POSTINGS_AT_ONCE = 20_000  # postings that are looked through in one transaction
AT_ONCE = timedelta(seconds=0.25)  # within which a request goes out at the time of its tick
UNDER_WAY = 1000  # polls at the most that a tick has under way


class BackwardsError(errors.AggregatorError):
    """A tick was asked for at a time before the last one: `by` so much."""

    by = timedelta()


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one poll. `outcome`: ok, unchanged, failing, gone, or unsaved (the store could not take it)."""

    name: str
    outcome: str
    new: int = 0
    changed: int = 0
    reason: str = ""
    seconds: float = 0.0


class _Course:
    """How long a poll has `waited` for its turn since the tick began when its request went out, and what the server has
    `asked` to wait, from the tick on."""

    def __init__(self, since: Callable[[], timedelta]) -> None:
        self._since = since
        self.waited = timedelta()
        self.asked: timedelta | None = None

    def sent(self) -> None:
        """A request goes out. The first counts; what goes out at once has not waited."""
        if not self.waited and (waited := self._since()) >= AT_ONCE:
            self.waited = waited


@dataclass(slots=True)
class Pipeline:
    """Polls sources and publishes feeds of one data folder. Used from one event loop."""

    setup: Setup
    writer: store.Writer
    fetcher: fetch.Fetcher
    pool: workers.Pool
    removed: frozenset[str] = frozenset()  # terms that had a feed, and that the configuration does not name any more
    names: Mapping[str, str] = field(default_factory=dict)  # for each label that a feed has, or had, its term
    clock: Callable[[], datetime] | None = None  # which runs on after a tick has begun; None: time stands still
    _under_way: set[int] = field(default_factory=set)
    _taking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _catching_up: asyncio.Lock = field(default_factory=asyncio.Lock)

    # --------------------------------------------------------------------------------------------- configuration

    async def adopt(self, setup: Setup, now: datetime) -> None:
        """Take a configuration: what it lists is polled from now on, and what it shapes is rendered anew."""
        self.setup = setup
        fetching = setup.settings.fetch
        self.fetcher.adopt(fetching, fetch.user_agent(fetching.contact))
        await self._teach(setup)
        await self.writer.run(store.sources.sync, setup.sources.values(), now)
        for name, old in await self.writer.run(store.sources.parted, setup.sources.values()):
            log.warning(
                "source %s: its former name %s comes too late, both have entries already: those of %s stay apart, until"
                " store.keep; to bring them together, restore a backup from before; else take the name out of formerly",
                name,
                old,
                old,
            )
        settings = {f"fetch.{each.name}": str(getattr(fetching, each.name)) for each in fields(fetching)}
        await self.writer.run(store.sources.forgive, settings, now)
        await self.writer.run(store.publications.require, setup.recipes(), now)
        self.names = await self.writer.run(store.publications.called, setup.names())
        self.removed = frozenset(await self.writer.run(store.publications.terms)) - frozenset(setup.terms)
        missing = {Path(d).stem for d in setup.documents() if not (setup.public / d).exists()}
        await self.writer.run(store.publications.mark, sorted(missing), now)
        await asyncio.to_thread(self._put_pages, setup)

    @staticmethod
    def put_pages(setup: Setup) -> list[str]:
        """Write what names the feeds, the pages and the list for readers; the paths written."""
        return publish.put(setup.public, _pages(setup))

    @staticmethod
    def _put_pages(setup: Setup) -> None:
        documents = _pages(setup)
        publish.put(setup.public, documents)
        publish.remove_others(setup.public, documents)
        publish.remove_others(setup.public / "feeds", [Path(document).name for document in setup.documents()])

    # --------------------------------------------------------------------------------------------- a tick

    async def tick(
        self,
        now: datetime,
        names: Sequence[str] = (),
        forced: bool = False,
        patience: float | None = None,
        report: Callable[[Report], None] | None = None,
    ) -> int:
        """Poll what is due at `now`, as many sources as there is room for (or, `forced`, all the named ones, all where
        none is named), and publish what changed.

        How many sources were polled; what is left is for a later tick, so that each is polled at a time that is not
        long past. What has come is published after `patience` seconds even while slow sources are
        still under way. Raises BackwardsError, and StoreError when nothing can be stored.
        """
        setup = self.setup
        _refuse_before(await self.writer.run(store.sources.begin_tick, now), now)
        states = await self._take_due(setup, now, names, forced)
        await self._poll_all(setup, states, now, patience, report)
        await self.catch_up(setup, now)
        return len(states)

    async def anything_due(self, now: datetime) -> bool:
        """Whether a tick at `now` would find a source that is not under way already. Raises BackwardsError."""
        last, due = await self.writer.run(store.sources.last_tick_and_due, now, frozenset(self._under_way))
        _refuse_before(last, now)
        return due and len(self._under_way) < UNDER_WAY

    async def _take_due(self, setup: Setup, now: datetime, names: Sequence[str], forced: bool) -> list[SourceState]:
        """The sources to poll, marked as under way before another tick can take them too."""
        async with self._taking:
            if forced:
                found = await self.writer.run(store.sources.forced, now, names)
                states = [state for state in found if state.id not in self._under_way]
            else:
                room = max(0, UNDER_WAY - len(self._under_way))
                states = await self.writer.run(store.sources.due, now, room, frozenset(self._under_way))
            states = [state for state in states if state.name in setup.sources]
            self._under_way.update(state.id for state in states)
            return states

    async def _poll_all(
        self,
        setup: Setup,
        states: Sequence[SourceState],
        now: datetime,
        patience: float | None,
        report: Callable[[Report], None] | None,
    ) -> None:
        pending = {asyncio.create_task(self._poll_one(setup, state, now, report)) for state in states}
        try:
            while pending:
                done, pending = await asyncio.wait(pending, timeout=patience, return_when=asyncio.FIRST_EXCEPTION)
                for task in done:
                    task.result()
                if pending:
                    await self.catch_up(setup, now)
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
            self._under_way.difference_update(state.id for state in states)

    async def _poll_one(
        self, setup: Setup, state: SourceState, now: datetime, report: Callable[[Report], None] | None
    ) -> None:
        started = time.monotonic()
        result = await self.poll(setup, state, now)
        self._under_way.discard(state.id)
        if report is not None:
            report(
                Report(
                    state.name, result.outcome, result.new, result.changed, result.reason, time.monotonic() - started
                )
            )

    # --------------------------------------------------------------------------------------------- one poll

    async def poll(self, setup: Setup, state: SourceState, now: datetime) -> Report:
        """Poll one source. Whatever goes wrong with the source ends here, as a stored reason; StoreError is passed
        on.
        """
        course = _Course(partial(self._since, now))
        try:
            return await self._visit(setup, state, now, course)
        except errors.StatusError as error:
            course.asked = error.retry_after and error.retry_after + self._since(now)
            status = "gone" if error.is_gone else "failing"
            return await self._failed(setup, state, now, course, str(error), status, error.is_busy)
        except errors.FetchError as error:
            course.asked = error.retry_after and error.retry_after + self._since(now)
            return await self._failed(setup, state, now, course, str(error))
        except errors.SourceError as error:
            return await self._failed(setup, state, now, course, str(error))
        except workers.WorkerLostError as error:
            return await self._failed(setup, state, now, course, f"reading the document {error}")
        except errors.StoreError:
            raise
        except Exception as error:
            log.exception("bug: polling %s raised; the source counts as failing", state.name)
            return await self._failed(setup, state, now, course, f"internal error: {error!r}")

    async def _visit(self, setup: Setup, state: SourceState, now: datetime, course: _Course) -> Report:
        source, settings = setup.sources[state.name], setup.settings
        edition = setup.edition(state.name, setup.generation)
        news = None
        async with self.fetcher.holding(visits.request(source, state, now), now, course.sent) as answer:
            late = self._since(now)
            course.asked = answer.retry_after and answer.retry_after + late
            if isinstance(answer, fetch.Fetched) and not _is_known(answer, state):
                news = await self.pool.run(
                    PARSE_DEADLINE,
                    prepare.document,
                    answer.body,
                    answer.content_type,
                    answer.url,
                    source,
                    setup.tools,
                    state.hashes,
                )
        if news is None:
            visit = visits.success(source, state, settings.poll, answer, now, course.waited, late)
            await self.writer.gather_one(store.sources.record, visit)
            return Report(state.name, "unchanged")
        feed, entries = news
        state = replace(state, wishes=feed.wishes)
        visit = visits.success(source, state, settings.poll, answer, now, course.waited, late, feed.complete)
        horizon = visits.horizon(state, settings.publish, now)
        new, changed = await self.writer.gather(transactions.keep, state, visit, feed, entries, horizon, edition)
        return Report(state.name, "ok", new, changed)

    def _since(self, now: datetime) -> timedelta:
        """How long ago the tick at `now` began: what a server asks for counts from its answer, which may come late."""
        return max(self.clock() - now, timedelta()) if self.clock else timedelta()

    async def _failed(
        self,
        setup: Setup,
        state: SourceState,
        now: datetime,
        course: _Course,
        reason: str,
        status: str = "failing",
        is_busy: bool = False,
    ) -> Report:
        source, poll = setup.sources[state.name], setup.settings.poll
        reason = variables.hidden(reason, variables.values(source.written, source.url))
        visit = visits.failure(source, state, poll, now, course.waited, reason, status, course.asked, is_busy)
        await self.writer.gather_one(store.sources.record, visit)
        return Report(state.name, status, reason=reason)

    # --------------------------------------------------------------------------------------------- stories and feeds

    async def catch_up(self, setup: Setup, now: datetime) -> list[str]:
        """Settle every entry that waits, then publish every feed that is dirty; the paths written."""
        async with self._catching_up:
            while await self.writer.run(settling.settle, setup.parents, lambda: setup.aliases, now):
                pass
            await self._learn_corrections(setup)
            return await self.publish(setup, await self.writer.run(store.publications.dirty, setup.terms))

    async def expire(self, now: datetime) -> None:
        """Mark the feeds in which a story has passed `publish.max_age`, and publish them."""
        if (max_age := self.setup.settings.publish.max_age) is not None:
            terms = await self.writer.run(store.publications.expired, max_age, now)
            await self.writer.run(store.publications.mark, terms, now)
            await self.catch_up(self.setup, now)

    async def prune(self, now: datetime) -> int:
        """Prune what is older than `store.keep`, in small steps between which polls go on; how many entries went."""
        settings, pruned = self.setup.settings, 0
        after: int | None = 0
        while after is not None:
            gone, after = await self.writer.run(
                store.retention.prune, now - settings.keep, settings.publish.limit, after, PRUNED_AT_ONCE
            )
            pruned += gone
        key: int | None = 0
        while key is not None:
            key = await self.writer.run(store.fingerprints.prune, now - settling.REMEMBERED, key, POSTINGS_AT_ONCE)
        if pruned:
            await self.writer.run(store.retention.prune_heads)
            log.info("%d entries older than store.keep were pruned", pruned)
        return pruned

    async def _learn_corrections(self, setup: Setup) -> None:
        """Learn from what editors have filed by hand since, or forget what they had forgotten."""
        if await self.writer.run(store.learned.generation) != setup.generation:
            await self._teach(setup)
        while correction := await self.writer.run(store.learned.correction):
            decision, example = correction
            changed, gone = await self.pool.run(RENDER_DEADLINE, prepare.learn_correction, example, setup.tools)
            await self.writer.run(store.learned.corrected, decision, changed, gone)
            await self._teach(setup)

    async def study(self) -> None:
        """Learn from the next entries of sources whose categories are certain."""
        setup = self.setup
        certain = {name: source.categories for name, source in setup.sources.items() if source.categories}
        examples, last = await self.writer.run(store.learned.certain, certain, LESSONS_AT_ONCE)
        if last:
            changed, gone = await self.pool.run(RENDER_DEADLINE, prepare.learn_certain, examples, setup.tools)
            await self.writer.run(store.learned.seen, last)
            if changed or gone:
                await self.writer.run(store.learned.put, changed, gone)
                await self._teach(setup)

    async def _teach(self, setup: Setup) -> None:
        setup.teach(await self.writer.run(store.learned.rows), await self.writer.run(store.learned.generation))

    async def refile(self, now: datetime) -> refiling.Count:
        """File everything that is stored anew, by the configuration as it is, and publish what that changes once.

        Polls go on meanwhile. Entries get their stories, and feeds are published, until the plan is made, and again
        when it is carried out.
        """
        setup, edition = self.setup, partial(self.setup.edition, learned=self.setup.generation)
        await self.writer.run(decisions.apply, setup.parents, now)
        stayed, moving = await self._file_what_stays(setup, edition, now)
        async with self._catching_up:
            moved = await self._move(setup, moving, edition, now)
        await self.catch_up(setup, now)
        return stayed + moved

    async def _file_what_stays(
        self, setup: Setup, edition: Callable[[str], Edition], now: datetime
    ) -> tuple[refiling.Count, list[refiling.Refiled]]:
        """File the entries that change no feed; and those that do, to be filed with what they change."""
        done, moving = refiling.Count(), list[refiling.Refiled]()
        async with aclosing(self._filed_anew(setup)) as filed_anew:
            async for some in filed_anew:
                moves = await self.writer.read(refiling.moving, some, setup.parents)
                rows = {each.entry.row for each in moves}
                stays = [each for each in some if each.entry.row not in rows]
                done += await self.writer.run(refiling.file, stays, edition, now)
                moving += moves
        return done, moving

    async def _move(
        self, setup: Setup, moving: Sequence[refiling.Refiled], edition: Callable[[str], Edition], now: datetime
    ) -> refiling.Count:
        """Bring the log to what these entries change, then file them."""
        done, good = refiling.Count(), list[refiling.Refiled]()
        for some in refiling.batches(moving):
            good += await self.writer.read(refiling.as_read, some)
        change = await self.writer.read(refiling.plan, good, setup.parents)
        for part in change.parts():
            await self.writer.run(refiling.move, part, now - setup.settings.publish.backfill, now)
        for some in refiling.batches(moving):
            done += await self.writer.run(refiling.file, some, edition, now)
        return done

    async def _filed_anew(self, setup: Setup) -> AsyncGenerator[list[refiling.Refiled], None]:
        """All stored entries of listed sources, and how they would be filed now, some at once."""
        tools, last, under_way = setup.tools, 0, deque[asyncio.Task[list[refiling.Refiled]]]()
        try:
            while entries := await self.writer.read(store.filings.stored, last, refiling.AT_ONCE):
                last = entries[-1].row
                under_way.append(asyncio.create_task(self._file_anew(setup, tools, entries)))
                if len(under_way) > REFILED_AHEAD:
                    yield await under_way.popleft()
            while under_way:
                yield await under_way.popleft()
        finally:
            for task in under_way:
                task.cancel()

    async def _file_anew(
        self, setup: Setup, tools: workers.Kept, entries: Sequence[StoredEntry]
    ) -> list[refiling.Refiled]:
        known = [entry for entry in entries if entry.source_name in setup.sources]
        sources = {entry.source_name: setup.sources[entry.source_name] for entry in known}
        return refiling.refiled(known, await self.pool.run(RENDER_DEADLINE, prepare.refile, known, sources, tools))

    async def publish(self, setup: Setup, marks: Iterable[FeedMark]) -> list[str]:
        """Render and put these feeds; the paths written. A feed that fails stays dirty, and the old one in place.

        Raises PublishError when the public folder cannot be written.
        """
        # One after the other: what one feed has in common with the last one need not be rendered again.
        return [path for mark in marks for path in await self._publish_one(setup, mark)]

    async def _publish_one(self, setup: Setup, mark: FeedMark) -> list[str]:
        rows = await self.writer.run(store.publications.live, mark.term, setup.settings.publish.limit)
        stories = curate.select(rows, setup.settings.publish, mark.as_of)
        moments = [moment for story in stories for moment in (story.published_at, story.entry.updated)]
        meta = FeedMeta(
            term=mark.term,
            id=publish.feed_id(mark.term),
            title=f"{setup.labels[mark.term]} · {setup.settings.site.title}",
            site=setup.site,
            language=setup.settings.site.language,
            updated=max(moments, default=mark.as_of),
            labels=setup.labels,
        )
        entries = [_with_ancestors(story.entry, setup.parents) for story in stories]
        try:
            rendered = await self.pool.run(RENDER_DEADLINE, publish.render, meta, entries)
            written = await asyncio.to_thread(publish.put, setup.public, _paths(mark.term, rendered.documents))
        except workers.WorkerLostError as error:
            log.error("feed %s is not published now, the old one stays: %s", mark.term, error)
            return []
        for entry_id, reason in rendered.left_out:
            log.warning("feed %s: entry %s cannot be published and is left out: %s", mark.term, entry_id, reason)
        await self.writer.run(store.publications.rendered, mark)
        return written


def _refuse_before(last: datetime | None, now: datetime) -> None:
    if last is not None and now < last:
        error = BackwardsError(f"{now.isoformat()} lies before the last tick, {last.isoformat()}: choose a later time")
        error.by = last - now
        raise error


def _is_known(answer: fetch.Fetched, state: SourceState) -> bool:
    """Whether this is the document that was read last, or differs in nothing but the time at which it was made."""
    if answer.repeated:
        return True
    return state.gist != b"" and state.gist == parse.gist(answer.body, answer.content_type)


def _with_ancestors(entry: PublishedEntry, parents: Mapping[str, str | None]) -> PublishedEntry:
    terms = tuple(dedupe.with_ancestors(entry.terms, parents))
    return entry if terms == entry.terms else replace(entry, terms=terms)


def _paths(term: str, documents: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"feeds/{term}.{suffix}": content for suffix, content in documents.items()}


def _pages(setup: Setup) -> dict[str, bytes]:
    site = setup.settings.site
    feeds = [(setup.labels[term], f"{setup.site}/feeds/{term}.atom") for term in setup.terms]
    return publish.pages(site, list(setup.categories.values())) | {"feeds.opml": publish.opml(site.title, feeds)}
