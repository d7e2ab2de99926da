"""The product on invented publishers: they are served over loopback, and polled by the daemon that everybody runs.

publishers   who they are                    newsroom   what they write
documents    the feeds as bytes              serving    the publishers over HTTP
staging      the demo's folder               guide      what is printed
"""

from __future__ import annotations

import asyncio
import ctypes
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aggregator import errors
from aggregator.demo import guide, serving, staging
from aggregator.demo.newsroom import Newsroom
from aggregator.demo.staging import Stage

__all__ = ["run"]

SEED = 6  # one with which every publisher has articles at the start
PAUSE = 4.0  # seconds between two articles

_EARLIER = 60  # articles that are there at the start
_APART = timedelta(minutes=3)  # and how far apart
_STOPPING = 4.0  # seconds that the daemon gets to end
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1  # prctl(2)

_libc = ctypes.CDLL(None)


async def run(port: int, data: Path | None, keep: bool, seconds: float | None, say: Callable[[str], None]) -> None:
    """Show the demo until a signal comes, or for `seconds`; everything is cleared away at the end, unless `keep`.

    The site is served on `port`, or another one where that is taken; the files are in `data`/demo, or a temporary
    folder. `say` gets what there is to print. Raises AggregatorError when the daemon does not work.
    """
    stop = _stopped_by_signals()
    if seconds is not None:
        asyncio.get_running_loop().call_later(seconds, stop)
    with staging.stage(data, keep) as stage:
        with suppress(asyncio.CancelledError):
            await _show(stage, port, say)
        say(f"Ended. {stage.folder} is {'kept' if keep else 'removed'}.")


def _stopped_by_signals() -> Callable[[], None]:
    """Have the current task cancelled by the first signal; later ones do not disturb the clearing away."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def stop() -> None:
        for number in _SIGNALS:
            loop.add_signal_handler(number, lambda: None)
        task.cancel()

    for number in _SIGNALS:
        loop.add_signal_handler(number, stop)
    return stop


async def _show(stage: Stage, port: int, say: Callable[[str], None]) -> None:
    newsroom = Newsroom(SEED)
    start = datetime.now(UTC)
    for earlier in range(_EARLIER, 0, -1):
        newsroom.write(start - earlier * _APART)
    say("Starting twelve invented publishers and a daemon that polls them …")
    async with serving.served(newsroom) as address, _daemon(stage, address, port) as (daemon, site):
        if not site.endswith(f":{port}"):
            say(f"Port {port} is taken.")
        say(guide.guide(stage, newsroom, site, address))
        await _publish_on(newsroom, daemon, stage, say)


async def _publish_on(newsroom: Newsroom, daemon: Process, stage: Stage, say: Callable[[str], None]) -> None:
    """Write an article in every pause, as long as the daemon runs."""
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(daemon.wait(), PAUSE)
            raise _failure(stage)
        article = newsroom.write(datetime.now(UTC))
        say(f"{article.published.astimezone():%H:%M:%S}  {article.publisher.name}: {article.title}")


@asynccontextmanager
async def _daemon(stage: Stage, address: str, wanted: int) -> AsyncIterator[tuple[Process, str]]:
    """The daemon, ready, and where it serves. It is tried again when another program was quicker to take the port."""
    while True:
        port = staging.free_port(wanted)
        stage.configure(address, port)
        daemon = await _started(stage)
        try:
            assert daemon.stdout is not None
            if await daemon.stdout.readline():  # it prints nothing before it is ready
                yield daemon, f"http://127.0.0.1:{port}"
                return
        finally:
            await _end(daemon)
        if staging.free_port(port) == port:
            raise _failure(stage)


async def _started(stage: Stage) -> Process:
    """`aggregator run` on the demo's folder. Ctrl-C in the terminal is not for it but for us, who then end it."""
    with stage.log.open("ab") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "aggregator", "run", "--config", str(stage.config)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE,
            stderr=log,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )


def _end_with_parent() -> None:
    """Have the kernel end this process when the demo dies, even of SIGKILL."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


async def _end(daemon: Process) -> None:
    with suppress(ProcessLookupError):
        daemon.terminate()
    try:
        await asyncio.wait_for(daemon.wait(), _STOPPING)
    except TimeoutError:
        daemon.kill()
        await daemon.wait()


def _failure(stage: Stage) -> errors.AggregatorError:
    said = stage.log.read_text("utf-8", "replace").strip().splitlines()
    return errors.AggregatorError(f"the demo's daemon ended: {said[-1] if said else 'it did not say why'}")
