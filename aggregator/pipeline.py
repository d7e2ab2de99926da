"""The one place that orders the steps, and the one error boundary of a source.

    poll(source)   fetch → (worker) parse, prepare → dedupe → store            one transaction, the last step
    settle         decisions; entries that wait → story → publication rows     ordered by `published` within a tick
    publish(term)  store → curate → (worker) render → put                      only feeds that changed

A poll leaves its entries without a story, and settling gives them one: both are marks in the database, so that whatever
dies between two steps is taken up where it stopped. Validators are stored with the entries they came with, never
before.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from aggregator import curate, dedupe, errors, fetch, prepare, publish, schedule, store, workers
from aggregator.models import (
    Config,
    FeedMark,
    FeedMeta,
    ParsedFeed,
    PreparedEntry,
    Source,
    SourceState,
    Visit,
)

log = logging.getLogger(__name__)

PARSE_DEADLINE = timedelta(seconds=15)
RENDER_DEADLINE = timedelta(seconds=60)
SETTLED_AT_ONCE = 200  # entries in one transaction
UNDER_WAY = 1000  # polls at the most that a tick has under way
RECIPE_VERSION = 1  # raised when rendering changes, so that every feed is rendered anew after an upgrade


class BackwardsError(errors.AggregatorError):
    """A tick was asked for at a time before the last one."""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one poll. `outcome`: ok, unchanged, failing, gone, or unsaved (the store could not take it)."""

    name: str
    outcome: str
    new: int = 0
    changed: int = 0
    reason: str = ""
    seconds: float = 0.0


class Setup:
    """What is derived from one configuration, once. A tick uses one setup from its beginning to its end."""

    def __init__(self, config: Config) -> None:
        self.settings = config.settings
        self.categories = {category.term: category for category in config.categories}
        self.sources = {source.name: source for source in config.sources}
        self.parents: Mapping[str, str | None] = {c.term: c.parent for c in config.categories}
        self.terms = (*self.categories, "all", "other")
        self.tools = prepare.pack(config.categories, config.tracking)
        self.public = config.settings.data / "public"
        self.site = config.settings.site.base_url or f"http://{_local(config)}"
        self.labels = {term: self.label(term) for term in self.terms}

    def label(self, term: str) -> str:
        """What the term is called in the site's language."""
        return publish.label(term, self.categories, self.settings.site.language)

    def recipes(self) -> dict[str, str]:
        """For each term a digest of the configuration that shapes its documents."""
        shaping = [
            RECIPE_VERSION,
            self.site,
            self.settings.site.title,
            self.settings.site.language,
            sorted(self.labels.items()),
            self.settings.publish.limit,
            str(self.settings.publish.max_age),
        ]
        return {
            term: hashlib.blake2b(json.dumps([term, shaping]).encode(), digest_size=8).hexdigest()
            for term in self.terms
        }

    def documents(self) -> list[str]:
        """The paths of all feed documents, below the public folder."""
        return [f"feeds/{term}.{suffix}" for term in self.terms for suffix in publish.SUFFIXES]


def _local(config: Config) -> str:
    host, port = config.settings.listen_host, config.settings.listen_port
    shown = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - not bound here
    return f"[{shown}]:{port}" if ":" in shown and not shown.startswith("[") else f"{shown}:{port}"


@dataclass(slots=True)
class Pipeline:
    """Polls sources and publishes feeds of one data folder. Used from one event loop."""

    setup: Setup
    writer: store.Writer
    fetcher: fetch.Fetcher
    pool: workers.Pool
    _under_way: set[int] = field(default_factory=set)
    _taking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _catching_up: asyncio.Lock = field(default_factory=asyncio.Lock)

    # --------------------------------------------------------------------------------------------- configuration

    async def adopt(self, setup: Setup, now: datetime) -> None:
        """Take a configuration: what it lists is polled from now on, and what it shapes is rendered anew."""
        self.setup = setup
        await self.writer.run(store.sources.sync, setup.sources.values(), now)
        await self.writer.run(store.publications.require, setup.recipes(), now)
        missing = {Path(d).stem for d in setup.documents() if not (setup.public / d).exists()}
        await self.writer.run(store.publications.mark, sorted(missing), now)
        await asyncio.to_thread(self._put_pages, setup)

    @staticmethod
    def _put_pages(setup: Setup) -> None:
        site = setup.settings.site
        feeds = [(setup.labels[term], f"{setup.site}/feeds/{term}.atom") for term in setup.terms]
        documents = publish.pages(site, list(setup.categories.values()))
        documents["feeds.opml"] = publish.opml(site.title, feeds)
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
        """Poll what is due at `now` (or, `forced`, the named sources, all where none is named), and publish what
        changed.

        How many sources were polled. What has come is published after `patience` seconds even while slow sources are
        still under way. Raises BackwardsError, and StoreError when nothing can be stored.
        """
        setup = self.setup
        last = await self.writer.run(store.sources.begin_tick, now)
        if last is not None:
            raise BackwardsError(
                f"{now.isoformat()} lies before the last tick, {last.isoformat()}: choose a later time"
            )
        polled = 0
        while states := await self._take_due(setup, now, names, forced):
            polled += len(states)
            await self._poll_all(setup, states, now, patience, report)
            if forced:
                break
        await self.catch_up(setup, now)
        return polled

    async def anything_due(self, now: datetime) -> bool:
        """Whether a tick at `now` would find a source that is not under way already."""
        room = UNDER_WAY - len(self._under_way)
        return room > 0 and bool(await self.writer.run(store.sources.due, now, 1, frozenset(self._under_way)))

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
        source = setup.sources[state.name]
        try:
            return await self._visit(setup, source, state, now)
        except errors.StatusError as error:
            status = "gone" if error.status == 410 else "failing"
            return await self._failed(setup, source, state, now, status, str(error), error.retry_after)
        except errors.SourceError as error:
            return await self._failed(setup, source, state, now, "failing", str(error))
        except workers.WorkerLostError as error:
            return await self._failed(setup, source, state, now, "failing", f"reading the document {error}")
        except errors.StoreError:
            raise
        except Exception as error:
            log.exception("bug: polling %s raised; the source counts as failing", state.name)
            return await self._failed(setup, source, state, now, "failing", f"internal error: {error!r}")

    async def _visit(self, setup: Setup, source: Source, state: SourceState, now: datetime) -> Report:
        request = fetch.Request(state.current_url, state.validators, source.headers, source.username, source.password)
        answer = await self.fetcher.get(request, now)
        visit = self._success(setup, source, state, now, answer)
        if isinstance(answer, fetch.NotModified):
            await self.writer.gather(store.sources.record, visit)
            return Report(state.name, "unchanged")
        feed, entries = await self.pool.run(
            PARSE_DEADLINE,
            prepare.document,
            answer.body,
            answer.content_type,
            answer.url,
            source,
            setup.tools,
            state.hashes,
        )
        backfill = None if state.established else now - setup.settings.publish.backfill
        new, changed = await self.writer.gather(_keep, visit, feed, entries, now, backfill)
        return Report(state.name, "ok", new, changed)

    def _success(
        self, setup: Setup, source: Source, state: SourceState, now: datetime, answer: fetch.Fetched | fetch.NotModified
    ) -> Visit:
        interval = schedule.interval(source, setup.settings.poll, state.rhythm)
        return Visit(
            source=state.id,
            status="ok",
            reason="",
            failures=0,
            polled=now,
            next_poll=schedule.next_poll(now, interval, answer.lifetime),
            validators=answer.validators,
        )

    async def _failed(
        self,
        setup: Setup,
        source: Source,
        state: SourceState,
        now: datetime,
        status: str,
        reason: str,
        asked: timedelta | None = None,
    ) -> Report:
        interval = schedule.interval(source, setup.settings.poll, state.rhythm)
        visit = Visit(
            source=state.id,
            status=status,
            reason=reason,
            failures=state.failures + 1,
            polled=now,
            next_poll=schedule.next_poll(now, interval, asked, state.failures + 1),
            not_before=now + min(asked, schedule.LONGEST) if asked else None,
        )
        await self.writer.gather(store.sources.record, visit)
        return Report(state.name, status, reason=reason)

    # --------------------------------------------------------------------------------------------- stories and feeds

    async def catch_up(self, setup: Setup, now: datetime) -> list[str]:
        """Settle every entry that waits, then publish every feed that is dirty; the paths written."""
        async with self._catching_up:
            while await self.writer.run(_settle, setup.parents, now):
                pass
            return await self.publish(setup, await self.writer.run(store.publications.dirty, setup.terms))

    async def expire(self, now: datetime) -> None:
        """Mark the feeds in which a story has passed `publish.max_age`, and publish them."""
        if (max_age := self.setup.settings.publish.max_age) is not None:
            terms = await self.writer.run(store.publications.expired, max_age, now)
            await self.writer.run(store.publications.mark, terms, now)
            await self.catch_up(self.setup, now)

    async def publish(self, setup: Setup, marks: Iterable[FeedMark]) -> list[str]:
        """Render and put these feeds; the paths written. A feed that fails stays dirty, and the old one in place."""
        written = await asyncio.gather(*(self._publish_one(setup, mark) for mark in marks))
        return [path for paths in written for path in paths]

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
        try:
            rendered = await self.pool.run(RENDER_DEADLINE, publish.render, meta, [story.entry for story in stories])
            written = await asyncio.to_thread(publish.put, setup.public, _paths(mark.term, rendered.documents))
        except (workers.WorkerLostError, errors.PublishError) as error:
            log.error("feed %s is not published now, the old one stays: %s", mark.term, error)
            return []
        for entry_id, reason in rendered.left_out:
            log.warning("feed %s: entry %s cannot be published and is left out: %s", mark.term, entry_id, reason)
        await self.writer.run(store.publications.rendered, mark)
        return written


def _paths(term: str, documents: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"feeds/{term}.{suffix}": content for suffix, content in documents.items()}


# ------------------------------------------------------------------------------------------------- transactions


def _keep(
    db: store.Database,
    visit: Visit,
    feed: ParsedFeed,
    entries: Sequence[PreparedEntry],
    now: datetime,
    announce_from: datetime | None,
) -> tuple[int, int]:
    """Store what a document brought, and the visit with it: all of a poll in one transaction. How many new, changed."""
    ids = dedupe.identify(entries)
    known = store.entries.known(db, visit.source, [entry_id for entry_id, _ in ids])
    found = dedupe.sort_out(entries, ids, known, now, announce_from)
    if found.new or found.changed:
        head = store.entries.head(db, visit.source, feed.head)
        store.entries.add(db, visit.source, head, found.new, now)
        for change in found.changed:
            store.entries.change(db, change.known.row, change.prepared, change.updated, head)
            story = store.stories.story_of_representative(db, change.known.row)
            if story is not None:
                store.publications.mark_story(db, story, now)
    rhythm = schedule.rhythm(e.entry.published for e in entries if e.entry.published)
    store.sources.record_parsed(db, visit, feed.hashes, rhythm)
    return len(found.new), len(found.changed)


def _settle(db: store.Database, parents: Mapping[str, str | None], now: datetime) -> bool:
    """Give waiting entries their story, their published id and their feeds; whether more may wait."""
    waiting = store.stories.unsettled(db, SETTLED_AT_ONCE)
    for entry in waiting:
        candidates = store.stories.with_link(db, entry.canonical) if entry.canonical else []
        taken = store.stories.published_id_taken(db, entry.entry_id)
        published_id = dedupe.published_id(entry.source_name, entry.entry_id, taken)
        copy = dedupe.copy_of(entry, candidates)
        if copy is None:
            story = store.stories.start(db, entry.row, published_id, now)
            terms = dedupe.terms_of(entry.terms, parents)
        else:
            story = copy[0].story
            store.stories.join(db, entry.row, published_id, story, copy[1])
            store.publications.mark_story(db, story, now)
            terms = [term for term in dedupe.terms_of(entry.terms, parents) if term != "other"]
        store.publications.add(db, story, terms, now, live=not entry.back)
        store.publications.reopen_decisions(db, story)
    store.publications.apply_decisions(db, now)
    return len(waiting) == SETTLED_AT_ONCE
