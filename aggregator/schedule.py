"""When a source is next polled, and the clockwork that ticks (the only importer of apscheduler)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from aggregator.models import PollSettings, Source, Wishes

UNKNOWN_RHYTHM = timedelta(hours=1)  # the interval until a source's own rhythm is known
LONGEST = timedelta(days=31)  # no server's wish holds longer
SLOWEST = timedelta(days=1)  # a failing source is tried at least this often
JITTER = 60  # seconds at the most
_NO_WISHES = Wishes()


def interval(source: Source, settings: PollSettings, rhythm: timedelta | None) -> timedelta:
    """The interval between two polls: `every` exactly, else half the source's rhythm within floor and ceiling."""
    if source.every is not None:
        return source.every
    wanted = UNKNOWN_RHYTHM if rhythm is None else rhythm / 2
    return min(max(wanted, settings.floor), settings.ceiling) + _jitter(source.name)


def next_poll(
    now: datetime,
    interval: timedelta,
    asked: Iterable[timedelta | None] = (),
    failures: int = 0,
    wishes: Wishes = _NO_WISHES,
    waited: timedelta = timedelta(),
) -> datetime:
    """When to poll next. The interval counts from the request, which went out so long after `now` as the poll had
    `waited`. `asked` is what the server wants (max-age, Retry-After); like the document's own `wishes` it
    only ever lengthens.

    After the first failure one interval passes, then twice as long each time, never over a day unless `asked`.
    """
    wait = interval
    if failures > 1:
        wait = max(interval, min(interval * 2 ** min(failures - 1, 16), SLOWEST))
    wait += waited
    for wanted in (*asked, wishes.ttl):
        if wanted is not None:
            wait = max(wait, min(wanted, LONGEST))
    return _outside(now + wait, wishes)


def _outside(moment: datetime, wishes: Wishes) -> datetime:
    """The first moment from `moment` on that lies in no hour or day that the document wants skipped.

    Wishes that leave no time at all are no wishes.
    """
    if not wishes.skip_hours and not wishes.skip_days:
        return moment
    for step in range(8 * 24):
        later = moment if step == 0 else (moment + timedelta(hours=step)).replace(minute=0, second=0, microsecond=0)
        if later.hour not in wishes.skip_hours and later.weekday() not in wishes.skip_days:
            return later
    return moment


def rhythm(dates: Iterable[datetime]) -> timedelta | None:
    """The median time between the entries of a document; None for fewer than three dated entries."""
    ordered = sorted(set(dates))
    if len(ordered) < 3:
        return None
    return timedelta(seconds=median((later - earlier).total_seconds() for earlier, later in pairwise(ordered)))


def _jitter(name: str) -> timedelta:
    """Up to a minute, always the same for a name, so that sources added together drift apart."""
    digest = hashlib.blake2b(name.encode(), digest_size=2).digest()
    return timedelta(seconds=int.from_bytes(digest, "big") % (JITTER + 1))


class Clockwork:
    """Runs the daemon's periodic jobs on the running event loop. A job that is still running is not started again."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(timezone="UTC")

    def every(self, period: timedelta, job: Callable[[], Awaitable[None]]) -> None:
        """Run `job` each `period`, from the next whole second on. A run that comes late is not skipped but folded into
        one."""
        self._scheduler.add_job(
            job,
            "interval",
            seconds=period.total_seconds(),
            next_run_time=self._next_second(),
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )

    def start(self) -> None:
        """Start ticking."""
        self._scheduler.start()

    async def keep_going(self) -> None:
        """For ever: run a job soon that would wait for more than its period, as the clock was set back."""
        while True:
            await asyncio.sleep(1)
            for job in self._scheduler.get_jobs():
                if job.next_run_time - job.trigger.interval > self._next_second():
                    job.modify(next_run_time=self._next_second())

    def _next_second(self) -> datetime:
        return datetime.now(self._scheduler.timezone).replace(microsecond=0) + timedelta(seconds=1)

    def stop(self) -> None:
        """Start no job any more. Jobs that run are the caller's to wait for."""
        self._scheduler.shutdown(wait=False)
