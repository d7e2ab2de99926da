"""Life of the process: start, ready, signals, reload, ordered stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from aggregator import config, errors, fetch, folder, logs, pipeline, schedule, serve, store, workers
from aggregator.models import Config

log = logging.getLogger(__name__)

TICK = timedelta(seconds=1)
HOUSEKEEPING = timedelta(hours=1)
LOOK_AT_FILES = 0.25  # seconds between two looks at the configuration
LOOK = 0.1  # seconds between two looks at the loop
BLOCKED = 0.05  # seconds for which nothing may hold the loop
PATIENCE = 3.0  # seconds after which what has come is published while slow sources are still under way
STORE_PAUSE = 3.0  # seconds without a tick after the store failed
MOST_WORKERS = 4
SWITCH = (
    0.0005  # seconds after which a thread that computes lets others go on: a request waits for the store's that long
)
STEP = timedelta(minutes=1)  # a clock that is set back by more is trouble
DRAIN = 2.0  # seconds that polls under way get at the stop

Load = Callable[[], Config]

_UNWRITABLE = (errors.StoreError, errors.PublishError)


@asynccontextmanager
async def open_pipeline(config: Config) -> AsyncIterator[pipeline.Pipeline]:
    """The pipeline of one data folder with its thread, session and workers; closed in order."""
    _raise_file_limit()
    async with AsyncExitStack() as stack:
        writer = store.Writer(config.settings.data)
        stack.push_async_callback(writer.close)
        pool = workers.Pool(_processors_to_spare())
        stack.push_async_callback(pool.close)
        agent = fetch.user_agent(config.settings.fetch.contact)
        fetcher = await stack.enter_async_context(fetch.Fetcher(config.settings.fetch, agent))
        yield pipeline.Pipeline(pipeline.Setup(config), writer, fetcher, pool)


async def run(config: Config, load: Load, ready: Callable[[Config], None]) -> None:
    """Run until SIGTERM or SIGINT. `load` reads the configuration anew, `ready` is called once requests are served."""
    _cancelled_by_signals()
    with folder.hold(config.settings.data, "run"):
        async with open_pipeline(config) as line:
            line.clock = _now
            life = _Life(config, load, line)
            async with life.served():
                await line.adopt(line.setup, _now())
                life.tell_site()
                await line.catch_up(line.setup, _now())
                life.caught_up = True
                _spare_collector()
                sys.setswitchinterval(SWITCH)
                ready(config)
                await life.until_stopped()
    log.info("stopped")


def _processors_to_spare() -> int:
    """How many processors that we may use there are beside one for this process, which fetches, stores and serves."""
    return max(1, min(MOST_WORKERS, len(os.sched_getaffinity(0)) - 1))


def _raise_file_limit() -> None:
    """Sockets and files of a large cycle are more than the usual soft limit of 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _spare_collector() -> None:
    """What was made up to now stays: no collection need look through it again, nor for each few hundred new objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _cancelled_by_signals() -> None:
    """Until ticking begins a signal simply cancels the start: nothing is lost by it."""
    start = asyncio.current_task()
    assert start is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, start.cancel)


class _Life:
    """What goes on between ready and stopped."""

    def __init__(self, taken: Config, load: Load, line: pipeline.Pipeline) -> None:
        self._config = taken
        self._stamp = config.stamp(taken.folder)
        self._load = load
        self._line = line
        self._site = serve.Site(taken.settings.data / "public", self._trouble, lambda: self.caught_up)
        self._polls = logs.Polls()
        self._ticks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._reload = asyncio.Event()
        self._pending: Config | None = None
        self._paused_until = 0.0
        self._store_trouble = ""
        self._clock_is_back: timedelta | None = None
        self._refiling = False
        self._last_beat = time.monotonic()
        self.caught_up = False

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Serve the public folder; raises AggregatorError when the address cannot be had."""
        self.tell_site()
        runner = web.AppRunner(self._site.application(), access_log=None, handle_signals=False, shutdown_timeout=0.5)
        await runner.setup()
        settings = self._config.settings
        try:
            await _listen(runner, settings.listen_host, settings.listen_port)
            yield
        finally:
            await runner.cleanup()

    async def until_stopped(self) -> None:
        """Tick, and follow the configuration, until a signal; then let what is under way end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)
        clockwork = schedule.Clockwork()
        followers = [
            asyncio.create_task(work) for work in (self._watch(), self._follow(), _watch_loop(), clockwork.keep_going())
        ]
        clockwork.every(TICK, self._tick)
        clockwork.every(HOUSEKEEPING, self._keep_house)
        clockwork.start()
        notify("READY=1")
        await self._stopping.wait()
        notify("STOPPING=1")
        clockwork.stop()
        for follower in followers:
            follower.cancel()
        await self._drain()

    async def _drain(self) -> None:
        """Polls that are about to end may; the others leave nothing behind and are due again at the next start."""
        if self._ticks:
            await asyncio.wait(self._ticks, timeout=DRAIN)
        for task in self._ticks:
            task.cancel()
        await asyncio.gather(*self._ticks, return_exceptions=True)

    # ------------------------------------------------------------------------------------------------- ticking

    async def _tick(self) -> None:
        """Once a second: take a new configuration, an editor's decisions, and what is due. Never waits for a source."""
        self._last_beat = time.monotonic()
        notify("WATCHDOG=1")
        if time.monotonic() < self._paused_until:
            return
        try:
            await self._adopt()
            if self._store_trouble:
                await self._heal()
            if await self._line.writer.run(store.decisions.is_open):
                self._spawn(self._catch_up())
            if (asked := await self._line.writer.run(store.decisions.asked, "apply")) and not self._refiling:
                self._refiling = True
                self._spawn(self._refile(asked))
            is_due = await self._line.anything_due(_now())
            self._clock_is_back = None
            if is_due:
                self._spawn(self._poll())
        except _UNWRITABLE as error:
            self._pause(error)
        except pipeline.BackwardsError as error:
            self._wait_for_the_clock(error)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._ticks.add(task)
        task.add_done_callback(self._ticks.discard)

    async def _poll(self) -> None:
        said = self._polls.tick()
        try:
            # A whole second, as ticks begin on one: an interval of so many seconds ends when a tick begins.
            await self._line.tick(_now().replace(microsecond=0), patience=PATIENCE, report=said.report)
            said.end()
        except _UNWRITABLE as error:
            self._pause(error)
        except pipeline.BackwardsError as error:
            self._wait_for_the_clock(error)

    def _wait_for_the_clock(self, error: pipeline.BackwardsError) -> None:
        if self._clock_is_back is None:
            log.warning("the clock went backwards, polling waits until it is as late again: %s", error)
        self._clock_is_back = error.by
        self._paused_until = time.monotonic() + STORE_PAUSE

    async def _catch_up(self) -> None:
        try:
            await self._line.catch_up(self._line.setup, _now())
        except _UNWRITABLE as error:
            self._pause(error)

    async def _refile(self, asked: int) -> None:
        """File what is stored anew, as `aggregator apply` asked for; what dies on the way is begun again."""
        try:
            done = await self._line.refile(_now())
            log.info("%d stored entries were filed anew", done.changed)
            if not done.left:
                await self._line.writer.run(store.decisions.done, "apply", asked)
        except _UNWRITABLE as error:
            self._pause(error)
        finally:
            self._refiling = False

    async def _keep_house(self) -> None:
        """Once an hour: what has become too old leaves the feeds, and in time the store."""
        try:
            await self._line.expire(_now())
            await self._line.prune(_now())
            await self._line.study()
        except _UNWRITABLE as error:
            self._pause(error)

    def _pause(self, error: errors.StoreError | errors.PublishError) -> None:
        """Nothing can be written: fetching now would be for nothing. Feeds are served as they are."""
        if not self._store_trouble:
            log.error("polling pauses, feeds are served as they are: %s", error)
        self._store_trouble = str(error)
        self._paused_until = time.monotonic() + STORE_PAUSE

    async def _heal(self) -> None:
        """Write what waits, the database and the feeds, as a full disk can still be read; raises while that fails."""
        await self._line.writer.run(store.sources.begin_tick, _now())
        await self._line.catch_up(self._line.setup, _now())
        log.info("writing works again, polling goes on")
        self._store_trouble = ""

    def _trouble(self) -> str:
        """What /healthz says; empty when all is well."""
        if not self._line.writer.alive:
            return "the store thread is gone"
        if self.caught_up and time.monotonic() - self._last_beat > 60:
            return "no tick for a minute"
        if self._clock_is_back is not None and self._clock_is_back > STEP:
            return f"the clock went backwards, polling waits for {self._clock_is_back}"
        return self._store_trouble

    # ------------------------------------------------------------------------------------------------- configuration

    async def _watch(self) -> None:
        """Ask for a reload whenever a file of the configuration folder has changed, and is not being written just now.

        The files are looked at: the kernel tells nothing of a folder or of a linked file that is replaced by another.
        """
        seen = taken = self._stamp
        while True:
            await asyncio.sleep(LOOK_AT_FILES)
            before, seen = seen, await asyncio.to_thread(config.stamp, self._config.folder)
            if taken != seen == before:
                taken = seen
                self._reload.set()

    async def _follow(self) -> None:
        """Read the configuration when asked; a bad one is reported and the old one kept."""
        bad = False
        while True:
            await self._reload.wait()
            self._reload.clear()
            try:
                self._pending = await asyncio.to_thread(self._load)
            except errors.ConfigError as error:
                bad = True
                log.error("the configuration has errors, the old one stays in use")
                for problem in error.problems:
                    log.error("%s", problem)
            else:
                if bad:
                    log.info("the configuration has no errors any more")
                bad = False

    async def _adopt(self) -> None:
        config = self._pending
        if config is None:
            return
        if config == self._config:
            self._pending = None
            return
        for what in _needs_restart(self._config, config):
            log.warning("%s has changed: it counts from the next start", what)
        await self._line.adopt(pipeline.Setup(config), _now())  # pending until the store has taken it
        logs.start(config.settings.log_level, config.settings.log_format)
        self._config = config
        if self._pending is config:
            self._pending = None
        self.tell_site()
        self._spawn(self._catch_up())
        log.info("configuration: %d sources, %d categories", len(config.sources), len(config.categories))

    def tell_site(self) -> None:
        """Have the site follow the configuration that the pipeline has taken."""
        setup = self._line.setup
        self._site.labels = {label: term for label, term in self._line.names.items() if label not in setup.terms}
        self._site.removed = self._line.removed
        self._site.hosts = setup.settings.site.hosts


async def _watch_loop() -> None:
    """Say so when something holds the loop: serving and scheduling wait as long. Other processes' load does not
    count.
    """
    while True:
        before, busy = time.monotonic(), time.thread_time()
        await asyncio.sleep(LOOK)
        late, busy = time.monotonic() - before - LOOK, time.thread_time() - busy
        if min(late, busy) > BLOCKED:
            log.warning("the event loop was blocked for %.0f ms", late * 1000)


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except socket.gaierror as error:
        raise errors.AggregatorError(
            f"cannot listen on {host}: {error.strerror}; set `listen` in aggregator.yaml"
        ) from error
    except OSError as error:
        raise errors.AggregatorError(
            f"cannot listen on {host}:{port} ({os.strerror(error.errno or 0)}): is another program using the port? Set"
            " `listen` in aggregator.yaml"
        ) from error


def _needs_restart(old: Config, new: Config) -> list[str]:
    then, now = old.settings, new.settings
    changed = {
        "listen": (then.listen_host, then.listen_port) != (now.listen_host, now.listen_port),
        "data": then.data != now.data,
    }
    return [what for what, differs in changed.items() if differs]


def notify(state: str) -> None:
    """Tell systemd (sd_notify(3)); nothing where it does not listen."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as datagrams:
        datagrams.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        datagrams.sendall(state.encode())


def _now() -> datetime:
    return datetime.now(UTC)
