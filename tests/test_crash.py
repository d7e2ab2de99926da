"""Killed at random instants, again and again: nothing lost, nothing doubled, no half-written file, feeds caught up."""

from __future__ import annotations

import io
import itertools
import json
import os
import random
import sqlite3
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import feedparser
from lxml import etree

from tests import forks
from tests.feedserver import FeedServer
from tests.instance import Instance, item, rss

SOURCES = 8
KILLS = 25  # of each of the two instances that run beside each other

ATOM = "{http://www.w3.org/2005/Atom}"


def document(source, entries):
    return rss(*(item(f"{source}-{k}", f"Story {source}-{k}", text="text " * 50) for k in entries))


def fill(feeds, upto):
    for source in range(SOURCES):
        feeds[f"/{source}.xml"] = document(source, range(max(0, upto - 8), upto))


def configure(instance, feeds, every):
    instance.configure(
        [{"name": f"s{k}", "url": feeds.url(f"/{k}.xml"), "category": "tech", "every": every} for k in range(SOURCES)],
        publish={"limit": 100_000},
    )


def check_whole(instance):
    """Every published file as it lies there is complete; the ids of the 科技 feed, newest first."""
    folder = instance.data / "public" / "feeds"
    for path in folder.glob("*"):
        if path.suffix in (".atom", ".rss"):
            etree.fromstring(path.read_bytes())
        elif path.suffix == ".json":
            json.loads(path.read_bytes())
    if not (folder / "tech.atom").exists():
        return []
    return [element.text for element in etree.parse(folder / "tech.atom").iterfind(f"{ATOM}entry/{ATOM}id")]


def check_store(instance, expected):
    with sqlite3.connect(instance.data / "aggregator.db") as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
        assert db.execute("select count(*) from entry where story is null").fetchone() == (0,)
    titles = Counter(row["title"] for row in instance.export("entries"))
    assert set(titles) == expected
    assert set(titles.values()) == {1}, "an entry is stored twice"


TURN = itertools.count()


def start(instance, *arguments):
    """Start `aggregator …` as a process of its own, on the processors in turn."""
    processors = sorted(os.sched_getaffinity(0))
    return forks.start(
        [*arguments, *instance.folders], instance.folder, processor=processors[next(TURN) % len(processors)]
    )


def until_asked(process, feeds, asked):
    """Wait until a process has asked the server for something, or is at its end."""
    until = time.monotonic() + 60
    while len(feeds.asked) == asked and process.is_alive():
        assert time.monotonic() < until, "it polls nothing"
        time.sleep(0.002)


def killed(process, feeds, asked, seconds):
    """Kill a process this long after its first request; whether it was still there to be killed."""
    until_asked(process, feeds, asked)
    process.join(seconds)
    alive = process.is_alive()
    process.kill()
    process.join()
    process.close()
    return alive


def undisturbed(instance, feeds, now):
    """How long a tick takes on this machine, from its first request to its end, in seconds."""
    process = start(instance, "poll", "--now", str(now))
    until_asked(process, feeds, 0)
    asked = time.monotonic()
    process.join()
    assert process.exitcode == 0
    return time.monotonic() - asked


def torment(folder, seed):
    """Kill the ticks of one instance at random instants between their first request and their end."""
    chance = random.Random(seed)
    folder.mkdir()
    instance = Instance(folder)
    upto, now, kills = 4, 1_795_000_000, 0
    seen = []
    with FeedServer() as feeds:
        configure(instance, feeds, "1m")
        fill(feeds, upto)
        span = undisturbed(instance, feeds, now)
        while kills < KILLS:
            upto, now = upto + 1, now + 120
            fill(feeds, upto)
            asked = len(feeds.asked)
            process = start(instance, "poll", "--now", str(now))
            kills += killed(process, feeds, asked, chance.uniform(0, span))
            ids = check_whole(instance)
            assert ids[len(ids) - len(seen) :] == seen, "what was published stays where it was"
            seen = ids
        instance.poll("--now", str(now + 120))
    ids = check_whole(instance)
    assert ids[len(ids) - len(seen) :] == seen
    return instance, upto


def check_all(instance, upto):
    """Nothing that could be had is missing, nothing is there twice, and the files are what the store says."""
    stored = {row["title"] for row in instance.export("entries")}
    # What a feed shows at the last poll is there; what left it while every poll was killed cannot be.
    assert {f"Story {s}-{k}" for s in range(SOURCES) for k in range(upto - 8, upto)} <= stored
    check_store(instance, stored)
    feed = feedparser.parse(io.BytesIO(instance.feed("tech.atom")))
    assert not feed.bozo
    assert set(Counter(entry.id for entry in feed.entries).values()) == {1}
    assert {entry.title for entry in feed.entries} == stored
    assert instance.command("publish").stdout == "", "the files are what the store says"


def test_fifty_kills(tmp_path):
    with ThreadPoolExecutor(2) as both:
        for instance, upto in both.map(torment, (tmp_path / "one", tmp_path / "two"), (1, 2)):
            check_all(instance, upto)


def test_a_daemon_killed_while_publishing_catches_up(instance, feeds):
    chance = random.Random(3)
    configure(instance, feeds, "1s")
    for upto in range(3, 8):
        fill(feeds, upto)
        asked = len(feeds.asked)
        assert killed(start(instance, "run"), feeds, asked, chance.uniform(0, 0.7))
    fill(feeds, 8)
    instance.start()
    expected = {f"Story {s}-{k}" for s in range(SOURCES) for k in range(8)}
    instance.wait_for(
        lambda: {e.title for e in feedparser.parse(io.BytesIO(instance.feed("tech.atom"))).entries} == expected
    )
    instance.stop()
    check_whole(instance)
    check_store(instance, expected)
