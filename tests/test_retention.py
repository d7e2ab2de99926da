"""Texts go after store.keep; what went never returns as new."""

from __future__ import annotations

import io
import sqlite3

import feedparser

from aggregator import store
from tests.instance import item, rss


def entry(number, day):
    return item(number, date=f"2026-{day}T08:00:00Z")


def poll(instance, day, year=2026):
    return instance.poll("--all", "--now", f"{year}-{day}T12:00:00Z")


def titles(instance, name="tech.atom"):
    return [e.title for e in feedparser.parse(io.BytesIO(instance.feed(name))).entries]


def configure(instance, feeds, **settings):
    instance.configure(
        [{"name": "A", "url": feeds.url("/a.xml"), "category": "tech"}], store={"keep": "30d"}, **settings
    )


def test_old_entries_go_and_never_return_as_new(instance, feeds):
    configure(instance, feeds, publish={"limit": 2})
    feeds["/a.xml"] = rss(*(entry(k, "01-01") for k in range(5)))
    poll(instance, "01-01")
    feeds["/a.xml"] = rss(entry(8, "03-01"), entry(9, "03-01"))
    poll(instance, "03-01")
    assert sorted(row["title"] for row in instance.export("entries")) == ["Story 8", "Story 9"]
    feeds["/a.xml"] = rss(entry(10, "03-02"), *(entry(k, "01-01") for k in range(5)))
    assert "1 new" in poll(instance, "03-02")
    assert titles(instance)[0] == "Story 10"


def test_an_entry_with_a_new_id_does_not_return_either(instance, feeds):
    configure(instance, feeds, publish={"limit": 1})
    feeds["/a.xml"] = rss(entry(1, "01-01"), entry(2, "01-02"))
    poll(instance, "01-02")
    feeds["/a.xml"] = rss(entry(3, "03-01"))
    poll(instance, "03-01")
    feeds["/a.xml"] = rss(entry(1, "01-01").replace("guid-1", "guid-other"))
    assert "0 new" in poll(instance, "03-02")


def test_what_a_live_feed_shows_stays_however_old(instance, feeds):
    configure(instance, feeds)
    feeds["/a.xml"] = rss(entry(1, "01-01"))
    poll(instance, "01-01")
    poll(instance, "12-31")
    assert titles(instance) == ["Story 1"]
    assert len(instance.export("entries")) == 1


def test_two_years_leave_the_memory_of_each_entry_and_no_more(instance, feeds):
    configure(instance, feeds, publish={"limit": 3})
    for month in range(1, 25, 4):
        year, day = 2026 + (month - 1) // 12, f"{(month - 1) % 12 + 1:02}-01"
        date = f"{year}-{day}T08:00:00Z"
        feeds["/a.xml"] = rss(*(item(f"{month}-{k}", date=date, text="长" * 400) for k in range(20)))
        poll(instance, day, year)
    kept = len(instance.export("entries"))
    assert kept <= 20 + 3
    with sqlite3.connect(instance.data / store.FILE_NAME) as db:
        left = db.execute("select count(*) from forgotten").fetchone()[0]
        orphans = db.execute(
            "select (select count(*) from filing where entry not in (select id from entry))"
            " + (select count(*) from publication where story not in (select id from story))"
            " + (select count(*) from story where representative not in (select id from entry))"
        ).fetchone()[0]
        size = db.execute("select sum(pgsize) from dbstat where name = 'forgotten'").fetchone()[0]
    assert (left, orphans) == (2 * (120 - kept), 0)
    assert size <= max(4096, 64 * (120 - kept))
