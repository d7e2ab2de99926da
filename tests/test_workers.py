"""Worker processes: results, errors, deadlines, deaths."""

from __future__ import annotations

import asyncio
import os
import pickle
import resource
import signal
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator import errors, workers
from aggregator.models import Enclosure, Filing
from tests.builders import prepared, published

SOON = timedelta(seconds=30)


def add(a, b):
    return a + b


def _busy():
    error = errors.StatusError("not here", 404, is_elsewhere=True)
    error.retry_after = timedelta(seconds=5)
    return error


def raise_status():
    raise _busy()


def sleep(seconds):
    time.sleep(seconds)


def compute():
    while True:
        pass


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def eat_memory():
    return len(bytearray(workers.MEMORY_LIMIT))


def answer_at_length():
    """An answer for which there is room once, and not twice, as sending it needs."""
    used = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 80 * 1024**2, workers.MEMORY_LIMIT))
    return bytes(50 * 1024**2)


SEEN = []  # in a worker: nothing else gets the address of what stands here


def look(kept, also=b"", seconds=0):
    SEEN.append((kept, also))
    time.sleep(seconds)
    return bytes(kept), id(kept), id(also)


def in_pool(use, size=1):
    async def main():
        pool = workers.Pool(size)
        try:
            return await use(pool)
        finally:
            await pool.close()

    return asyncio.run(main())


def test_a_result_comes_back():
    assert in_pool(lambda pool: pool.run(SOON, add, 2, b=3)) == 5


def test_an_exception_comes_back_whole():
    with pytest.raises(errors.StatusError) as caught:
        in_pool(lambda pool: pool.run(SOON, raise_status))
    assert vars(caught.value) == vars(_busy())


def test_a_late_worker_is_replaced_and_the_next_job_runs():
    async def use(pool):
        with pytest.raises(workers.WorkerLostError, match="longer than"):
            await pool.run(timedelta(seconds=0.3), sleep, 60)
        return await pool.run(SOON, add, 1, 1)

    assert in_pool(use) == 2


def test_a_job_is_late_by_what_it_computes_and_not_by_what_a_busy_machine_keeps_it_waiting():
    async def use(pool):
        await pool.run(SOON, add, 1, 1)
        await pool.run(timedelta(seconds=1), sleep, 2)
        with pytest.raises(workers.WorkerLostError, match="longer than"):
            await pool.run(timedelta(seconds=1), compute)

    in_pool(use)


def test_a_job_that_kills_its_worker_fails_alone():
    async def use(pool):
        with pytest.raises(workers.WorkerLostError, match="died"):
            await pool.run(SOON, die)
        return await pool.run(SOON, add, 1, 1)

    assert in_pool(use) == 2


def test_a_worker_that_dies_while_it_has_nothing_to_do_costs_no_job():
    async def use(pool):
        first = await pool.run(SOON, os.getpid)
        os.kill(first, signal.SIGKILL)
        await asyncio.to_thread(os.waitid, os.P_PID, first, os.WEXITED | os.WNOWAIT)
        return first, await pool.run(SOON, os.getpid)

    first, second = in_pool(use)
    assert first != second


def test_a_cancelled_job_ends_with_its_worker():
    async def use(pool):
        first = await pool.run(SOON, os.getpid)
        task = asyncio.create_task(pool.run(SOON, sleep, 20))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return first, await pool.run(SOON, os.getpid)

    first, second = in_pool(use)
    assert first != second
    assert not Path(f"/proc/{first}").exists()


@pytest.mark.parametrize("length", [0, 1, 300_000, 20_000_000])
def test_jobs_and_answers_of_any_length_arrive_whole(length):
    sent = os.urandom(length)
    assert in_pool(lambda pool: pool.run(SOON, bytes.swapcase, sent)) == sent.swapcase()


@pytest.mark.parametrize("job", [eat_memory, answer_at_length])
def test_a_job_that_wants_too_much_memory_fails_alone(job, capfd):
    async def use(pool):
        with pytest.raises(workers.WorkerLostError, match="memory"):
            await pool.run(SOON, job)
        return await pool.run(SOON, add, 1, 1)

    assert in_pool(use) == 2
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("size", [1, 2])
def test_a_slow_job_does_not_hold_up_another(size):
    async def use(pool):
        slow = asyncio.create_task(pool.run(SOON, sleep, 20))
        assert await pool.run(SOON, add, 1, 1) == 2
        assert not slow.done()
        slow.cancel()

    in_pool(use, size)


def test_slow_jobs_are_one_more_at_a_time_than_there_are_places():
    async def use(pool):
        slow = [asyncio.create_task(pool.run(SOON, sleep, 3)) for _ in range(2)]
        await asyncio.sleep(0)  # both have begun
        assert await pool.run(SOON, add, 1, 1) == 2
        assert any(task.done() for task in slow)
        await asyncio.gather(*slow)

    in_pool(use, size=1)


def test_closing_does_not_wait_for_a_slow_job():
    async def use(pool):
        task = asyncio.create_task(pool.run(SOON, sleep, 20))
        await pool.run(SOON, add, 1, 1)  # by then the first job is under way
        task.cancel()

    started = time.monotonic()
    in_pool(use, size=2)
    assert time.monotonic() - started < 10


# ------------------------------------------------------------------------------------------------- what is kept


def test_what_is_kept_is_sent_to_a_worker_once():
    async def use(pool):
        return [await pool.run(SOON, look, workers.Kept(b"tools"), also=workers.Kept(b"more")) for _ in range(3)]

    first, *later = in_pool(use)
    assert first[0] == b"tools"
    assert later == [first, first], "the very objects that came with the first job"


def test_every_worker_gets_what_is_kept():
    tools = workers.Kept(b"tools")

    async def use(pool):
        await pool.run(SOON, look, tools)
        both = [pool.run(SOON, look, tools, seconds=0.5) for _ in range(2)]  # too long for one to do the other's job
        return [said for said, _, _ in await asyncio.gather(*both)]

    assert in_pool(use, size=2) == [b"tools", b"tools"]


def test_changed_values_arrive_and_the_former_ones_still_do():
    async def use(pool):
        return [(await pool.run(SOON, look, workers.Kept(said)))[0] for said in (b"1", b"2", b"1", b"3", b"1", b"2")]

    assert in_pool(use) == [b"1", b"2", b"1", b"3", b"1", b"2"]


def test_a_worker_that_replaces_another_is_sent_what_is_kept_anew():
    tools = workers.Kept(b"tools")

    async def use(pool):
        await pool.run(SOON, look, tools)
        with pytest.raises(workers.WorkerLostError):
            await pool.run(SOON, die)
        return (await pool.run(SOON, look, tools))[0]

    assert in_pool(use) == b"tools"


def test_a_job_that_could_not_be_sent_has_left_nothing_with_the_worker():
    tools = workers.Kept(b"tools")

    async def use(pool):
        with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
            await pool.run(SOON, look, tools, also=lambda: None)
        return (await pool.run(SOON, look, tools))[0]

    assert in_pool(use) == b"tools"


def test_what_travels_arrives_as_it_was():
    filings = (Filing("tech", "rule", "1: x"),)
    sent = replace(prepared(enclosures=(Enclosure("http://e.org/1.mp3", length=3),)), filings=filings)
    assert pickle.loads(pickle.dumps(sent)) == sent
    assert pickle.loads(pickle.dumps(published())) == published()
