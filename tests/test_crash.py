"""Killed at random instants, again and again: nothing lost, nothing doubled, no half-written file, feeds caught up."""

from __future__ import annotations

import io
import json
import random
import signal
import sqlite3
import subprocess
from collections import Counter

import feedparser
import pytest

from tests.instance import item, rss

SOURCES = 12
KILLS = 50


def document(source, entries):
    return rss(*(item(f"{source}-{k}", f"Story {source}-{k}", text="text " * 50) for k in entries))


def fill(feeds, upto):
    for source in range(SOURCES):
        feeds[f"/{source}.xml"] = document(source, range(max(0, upto - 8), upto))


def check_whole(instance):
    """Every published file as it lies there is complete."""
    for path in (instance.data / "public" / "feeds").glob("*"):
        if path.suffix in (".atom", ".rss"):
            assert not feedparser.parse(io.BytesIO(path.read_bytes())).bozo, path
        elif path.suffix == ".json":
            json.loads(path.read_bytes())


def check_store(instance, expected):
    with sqlite3.connect(instance.data / "aggregator.db") as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
        assert db.execute("select count(*) from entry where story is null").fetchone() == (0,)
    titles = Counter(row["title"] for row in instance.export("entries"))
    assert set(titles) == expected
    assert set(titles.values()) == {1}, "an entry is stored twice"


@pytest.mark.parametrize("seed", [1])
def test_fifty_kills(instance, feeds, seed):
    chance = random.Random(seed)
    instance.configure(
        [{"name": f"s{k}", "url": feeds.url(f"/{k}.xml"), "category": "tech", "every": "1m"} for k in range(SOURCES)],
        publish={"limit": 100_000},
    )
    upto, now = 4, 1_795_000_000
    fill(feeds, upto)
    for _ in range(KILLS):
        now += 120
        process = subprocess.Popen(
            instance._arguments(["poll", "--now", str(now)]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(chance.uniform(0.3, 2.2))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        if (instance.data / "public" / "feeds").exists():
            check_whole(instance)
        upto += 1
        fill(feeds, upto)
    instance.poll("--now", str(now + 120))
    check_whole(instance)
    stored = {row["title"] for row in instance.export("entries")}
    # What a feed showed at a poll that was stored is there; what left the feed while every poll was killed cannot be.
    last_shown = {f"Story {s}-{k}" for s in range(SOURCES) for k in range(upto - 8, upto)}
    assert last_shown <= stored
    check_store(instance, stored)
    feed = feedparser.parse(io.BytesIO(instance.feed("tech.atom")))
    ids = Counter(entry.id for entry in feed.entries)
    assert set(ids.values()) == {1}
    assert {entry.title for entry in feed.entries} == stored
    assert instance.command("publish").stdout == "", "the files are what the store says"


def test_a_daemon_killed_while_publishing_catches_up(instance, feeds):
    chance = random.Random(2)
    fill(feeds, 8)
    instance.configure(
        [{"name": f"s{k}", "url": feeds.url(f"/{k}.xml"), "category": "tech", "every": "1m"} for k in range(SOURCES)],
        publish={"limit": 100_000},
    )
    for _ in range(5):
        instance.start(wait=False)
        assert instance.process is not None
        try:
            instance.process.wait(chance.uniform(0.8, 2.5))
        except subprocess.TimeoutExpired:
            instance.stop(signal.SIGKILL)
    instance.start()
    expected = {f"Story {s}-{k}" for s in range(SOURCES) for k in range(8)}
    instance.wait_for(
        lambda: {e.title for e in feedparser.parse(io.BytesIO(instance.feed("tech.atom"))).entries} == expected
    )
    instance.stop()
    check_whole(instance)
    check_store(instance, expected)
