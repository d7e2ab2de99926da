"""The way of an entry, from a real HTTP server to published files, through the command."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import shutil
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import feedparser
import pytest

from aggregator import config, daemon
from aggregator.parse import MOST_AT_ONCE
from tests.feedserver import Answer
from tests.instance import item, rss

T0 = "2026-11-22T12:00:00Z"


def titles(instance, name="tech.atom"):
    return [entry.title for entry in feedparser.parse(io.BytesIO(instance.feed(name))).entries]


def one_source(instance, feeds, *items, **settings):
    feeds["/a.xml"] = rss(*items)
    instance.configure([{"name": "A", "url": feeds.url("/a.xml"), "category": "tech"}], **settings)


def files(instance):
    public = instance.data / "public"
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in public.rglob("*") if path.is_file()}


def test_a_poll_stores_files_and_publishes(instance, feeds):
    one_source(instance, feeds, item(1, "人工智能的故事"), item(2))
    said = instance.poll("--now", T0)
    assert "A: ok, 2 new, 0 changed" in said
    (source,) = instance.export("sources")
    assert (source["status"], source["entries"], source["last_poll"]) == ("ok", 2, T0)
    first, second = sorted(instance.export("entries"), key=lambda row: row["title"])
    assert first["title"] == "Story 2"
    assert second["categories"] == [
        {"term": "ai", "origin": "rule", "reason": "1: 人工智能"},
        {"term": "tech", "origin": "source", "reason": ""},
    ]
    assert len(instance.export("stories")) == 2
    assert titles(instance, "ai.atom") == ["人工智能的故事"]
    assert sorted(titles(instance)) == sorted(titles(instance, "all.atom")) == ["Story 2", "人工智能的故事"]
    assert titles(instance, "other.atom") == []


def test_rules_of_a_source_and_rules_that_remove_count_in_a_poll(instance, feeds):
    feeds["/a.xml"] = rss(item(1, "数码新品"), item(2, "数码招聘"), item(3, "股市"))
    tech = {"term": "tech", "label": "科技", "threshold": "none", "rules": [{"any": "招聘", "act": "remove"}]}
    rules = [
        {"any": "數碼", "category": "tech"},
        {"all": [{"language": "zh"}, "股市"], "category": "money", "act": "only"},
    ]
    source = {"name": "A", "url": feeds.url("/a.xml"), "category": "tech", "language": "zh-Hans", "rules": rules}
    instance.configure([source], [tech, {"term": "money", "label": "财经", "threshold": "none"}])
    instance.poll("--now", T0)
    filed = {row["title"]: row["categories"] for row in instance.export("entries")}
    assert [(each["term"], each["origin"]) for each in filed["数码新品"]] == [("tech", "rule"), ("tech", "source")]
    assert filed["数码招聘"] == []
    assert [(each["term"], each["reason"]) for each in filed["股市"]] == [("money", "source 2: language zh + 股市")]


def test_a_second_poll_of_the_same_asks_politely_and_writes_nothing(instance, feeds):
    one_source(instance, feeds, item(1))
    instance.poll("--now", T0)
    before = files(instance)
    assert "unchanged" in instance.poll("--all", "--now", "2026-11-22T13:30:00Z")
    assert "If-None-Match" in feeds.asked[-1][1]
    assert files(instance) == before


def test_the_same_entries_in_other_bytes_change_nothing(instance, feeds):
    one_source(instance, feeds, item(1), item(2))
    instance.poll("--now", T0)
    before = files(instance)
    feeds["/a.xml"] = rss(item(2), item(1), title="A feed").replace("<description>d<", "<description>e<")
    assert "0 new, 0 changed" in instance.poll("--all", "--now", "2026-11-22T13:30:00Z")
    assert files(instance) == before


def test_a_document_that_only_dates_itself_anew_has_not_changed_and_its_validators_count(instance, feeds):
    made = [rss(item(1)).replace("<item>", f"<lastBuildDate>{hour}:00</lastBuildDate><item>", 1) for hour in (12, 13)]
    feeds["/a.xml"] = Answer(made[0].encode(), headers={"ETag": '"one"'})
    instance.configure([{"name": "A", "url": feeds.url("/a.xml"), "category": "tech"}])
    instance.poll("--now", T0)
    before = files(instance)
    feeds["/a.xml"] = Answer(made[1].encode(), headers={"ETag": '"two"'})
    assert "A: unchanged, 0 new, 0 changed" in instance.poll("--all", "--now", "2026-11-22T13:30:00Z")
    assert files(instance) == before
    instance.poll("--all", "--now", "2026-11-22T14:30:00Z")
    assert feeds.asked[-1][1]["If-None-Match"] == '"two"'


def test_the_bytes_that_came_last_time_are_not_read_again_however_many_they_decode_to(instance, feeds):
    def sent(*items):
        long = rss(*items, link=f"http://example.org/{'x' * 2**20}")  # too long for anything to stand for it decoded
        return Answer(gzip.compress(long.encode(), mtime=0), headers={"Content-Encoding": "gzip"})

    feeds["/a.xml"] = sent(item(1))
    instance.configure([{"name": "A", "url": feeds.url("/a.xml"), "category": "tech"}])
    assert "A: ok, 1 new, 0 changed" in instance.poll("--now", T0)
    assert "A: unchanged, 0 new, 0 changed" in instance.poll("--all", "--now", "2026-11-22T13:30:00Z")
    feeds["/a.xml"] = sent(item(2), item(1))
    assert "A: ok, 1 new, 0 changed" in instance.poll("--all", "--now", "2026-11-22T14:30:00Z")
    assert titles(instance) == ["Story 2", "Story 1"]


def test_what_is_new_in_a_document_after_one_that_only_dated_itself_anew_is_read(instance, feeds):
    dated = "<lastBuildDate>{}</lastBuildDate><item>"
    for hour, items in ((12, [item(1)]), (13, [item(1)]), (14, [item(2), item(1)])):
        feeds["/a.xml"] = rss(*items).replace("<item>", dated.format(hour), 1)
        if hour == 12:
            instance.configure([{"name": "A", "url": feeds.url("/a.xml"), "category": "tech"}])
        said = instance.poll("--all", "--now", f"2026-11-22T{hour}:30:00Z")
    assert "A: ok, 1 new, 0 changed" in said
    assert titles(instance) == ["Story 2", "Story 1"]


def test_validators_of_a_document_that_was_not_read_to_its_end_are_not_taken(instance, feeds):
    long = rss(*(f"<item><title>{number}</title></item>" for number in range(MOST_AT_ONCE + 5)))
    feeds["/a.xml"] = Answer(long.encode(), headers={"ETag": '"long"'})
    instance.configure([{"name": "A", "url": feeds.url("/a.xml"), "category": "tech"}])
    for hour in (12, 14, 16):
        instance.poll("--now", f"2026-11-22T{hour}:00:00Z")
    assert [headers.get("If-None-Match") for _, headers in feeds.asked] == [None, None, '"long"']
    assert instance.export("sources")[0]["entries"] == MOST_AT_ONCE + 5


def test_rows_of_one_tick_are_in_the_order_of_their_dates_across_sources(instance, feeds):
    hours = ["08", "09", "10", "11"]
    dated = [item(h, date=f"Sun, 22 Nov 2026 {h}:00:00 GMT") for h in hours]
    feeds["/a.xml"], feeds["/b.xml"] = rss(dated[2], dated[0]), rss(dated[3], dated[1])
    instance.configure([{"name": n, "url": feeds.url(f"/{n}.xml"), "category": "tech"} for n in ("a", "b")])
    instance.poll("--now", T0)
    assert titles(instance) == ["Story 11", "Story 10", "Story 09", "Story 08"]


def test_a_copy_by_link_is_one_story_in_both_categories(instance, feeds):
    feeds["/a.xml"] = rss(item(1, "同一条新闻", "http://example.org/x?utm_source=a&id=7"))
    feeds["/b.xml"] = rss(item(2, "同一條新聞", "https://www.example.org/x?id=7&utm_medium=rss"))
    instance.configure(
        [
            {"name": "A", "url": feeds.url("/a.xml"), "category": "tech"},
            {"name": "B", "url": feeds.url("/b.xml"), "category": "finance"},
        ]
    )
    instance.poll("--now", T0)
    (story,) = instance.export("stories")
    assert len(story["entries"]) == 2
    assert story["categories"] == ["finance", "tech"]
    copy = next(row for row in instance.export("entries") if row["duplicate_of"])
    assert copy["duplicate_of"] == story["id"]
    assert len(titles(instance)) == len(titles(instance, "finance.atom")) == len(titles(instance, "all.atom")) == 1


def test_an_edited_entry_changes_in_place(instance, feeds):
    one_source(instance, feeds, item(1, "Before"), item(2))
    instance.poll("--now", T0)
    order = [e.id for e in feedparser.parse(io.BytesIO(instance.feed("tech.atom"))).entries]
    feeds["/a.xml"] = rss(item(1, "After"), item(2))
    assert "0 new, 1 changed" in instance.poll("--all", "--now", "2026-11-22T13:30:00Z")
    entries = feedparser.parse(io.BytesIO(instance.feed("tech.atom"))).entries
    assert [e.id for e in entries] == order
    assert "After" in titles(instance)
    assert "Before" not in titles(instance)


def test_a_source_added_later_brings_its_back_issues_silently(instance, feeds):
    one_source(instance, feeds, item(1))
    instance.poll("--now", T0)
    feeds["/b.xml"] = rss(item("old", date="Sun, 01 Nov 2026 08:00:00 GMT"), item("young", "Rain in spring"))
    sources = [{"name": n, "url": feeds.url(f"/{n.lower()}.xml"), "category": "tech"} for n in ("A", "B")]
    instance.configure(sources)
    instance.poll("--now", "2026-11-22T13:30:00Z")
    assert sorted(titles(instance)) == ["Rain in spring", "Story 1"]
    assert len(instance.export("entries")) == 3


def test_everything_of_a_new_database_is_live(instance, feeds):
    one_source(instance, feeds, item("old", date="Sun, 01 Nov 2020 08:00:00 GMT"))
    instance.poll("--now", T0)
    assert titles(instance) == ["Story old"]


def test_full_false_publishes_an_excerpt_with_the_link(instance, feeds):
    feeds["/a.xml"] = rss(item(1, text="长" * 500))
    instance.configure([{"name": "A", "url": feeds.url("/a.xml"), "category": "tech", "full": False}])
    instance.poll("--now", T0)
    (entry,) = feedparser.parse(io.BytesIO(instance.feed("tech.atom"))).entries
    assert "content" not in entry
    assert 200 < entry.summary.count("长") <= 300
    assert entry.link == "http://example.org/1"


def test_one_bad_source_never_hurts_another(instance, feeds):
    hold = threading.Event()
    feeds["/good.xml"] = rss(item(1))
    feeds["/page.xml"] = Answer(b"<html><head><title>no feed</title></head><body>hello</body></html>", "text/html")
    feeds["/hangs.xml"] = Answer(b"", hold=hold)
    feeds["/error.xml"] = Answer(b"", status=500)
    feeds["/gone.xml"] = Answer(b"", status=410)
    names = ["good", "page", "hangs", "error", "gone", "missing"]
    instance.configure(
        [{"name": n, "url": feeds.url(f"/{n}.xml"), "category": "tech"} for n in names], fetch={"deadline": "2s"}
    )
    instance.poll("--now", T0)
    hold.set()
    status = {row["name"]: row["status"] for row in instance.export("sources")}
    assert status.pop("gone") == "gone"
    assert status.pop("good") == "ok"
    assert set(status.values()) == {"failing"}
    assert titles(instance) == ["Story 1"]


def test_a_failure_is_remembered_and_forgotten_with_its_reason(instance, feeds):
    one_source(instance, feeds, item(1))
    feeds["/a.xml"] = Answer(b"", status=503, headers={"Retry-After": "7200"})
    instance.poll("--now", T0)
    (row,) = instance.export("sources")
    assert (row["status"], row["failures"]) == ("failing", 1)
    assert "503" in row["reason"]
    assert row["next_poll"] >= "2026-11-22T14:00:00Z"
    asked = feeds.count("/a.xml")
    instance.poll("A", "--now", "2026-11-22T13:00:00Z")
    assert feeds.count("/a.xml") == asked, "a name does not override Retry-After"
    feeds["/a.xml"] = rss(item(1))
    instance.poll("--now", "2026-11-22T16:00:00Z")
    (row,) = instance.export("sources")
    assert (row["status"], row["failures"], row["reason"]) == ("ok", 0, "")


def test_what_a_server_asks_for_counts_from_its_answer(instance, feeds):
    one_source(instance, feeds, item(1))
    hold = threading.Event()
    feeds["/a.xml"] = Answer(b"", status=503, headers={"Retry-After": "7200"}, hold=hold)
    polling = threading.Thread(target=instance.poll)
    polling.start()
    instance.wait_for(lambda: feeds.count("/a.xml") == 1)
    time.sleep(1.5)
    answered = datetime.now(UTC).replace(microsecond=0)
    hold.set()
    polling.join()
    (row,) = instance.export("sources")
    assert datetime.fromisoformat(row["next_poll"]) >= answered + timedelta(hours=2)


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()


@pytest.mark.parametrize("times", [5, pytest.param(100, marks=pytest.mark.full)])
def test_many_rebuilds_give_one_hash(instance, feeds, times):
    one_source(instance, feeds, *(item(k) for k in range(30)))
    instance.poll("--now", T0)
    public = instance.data / "public"
    once = digest(public)

    async def rebuilt(times: int) -> set[str]:
        hashes = set()
        async with daemon.open_pipeline(config.load(instance.config, {}, instance.data)) as line:
            for _ in range(times):
                shutil.rmtree(public)
                await line.adopt(line.setup, datetime.fromisoformat(T0))
                assert await line.catch_up(line.setup, datetime.fromisoformat(T0))
                hashes.add(digest(public))
        return hashes

    assert asyncio.run(rebuilt(times)) == {once}
    assert instance.command("publish").stdout == ""


def test_the_publish_command_puts_what_is_missing(instance, feeds):
    one_source(instance, feeds, *(item(k) for k in range(30)))
    instance.poll("--now", T0)
    once = digest(instance.data / "public")
    for path in (instance.data / "public" / "feeds").iterdir():
        path.unlink()
    assert "tech.atom" in instance.command("publish").stdout
    assert digest(instance.data / "public") == once


def test_hiding_takes_a_story_out_until_it_is_undone(instance, feeds):
    one_source(instance, feeds, item(1), item(2))
    instance.poll("--now", T0)
    target = next(row["id"] for row in instance.export("entries") if row["title"] == "Story 1")
    instance.command("hide", target)
    instance.poll("--now", "2026-11-22T12:10:00Z")
    assert titles(instance) == titles(instance, "all.atom") == ["Story 2"]
    instance.command("hide", target, "--undo")
    instance.poll("--now", "2026-11-22T12:20:00Z")
    assert sorted(titles(instance)) == ["Story 1", "Story 2"]


@pytest.mark.parametrize("time", ["tomorrow", "nan", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_a_tick_is_at_a_time_that_can_be_counted_on_from(instance, feeds, time):
    one_source(instance, feeds, item(1))
    assert "is no time" in instance.command("poll", "--now", time, code=2).stderr
    assert feeds.count("/a.xml") == 0


def test_a_tick_before_the_last_one_is_refused(instance, feeds):
    one_source(instance, feeds, item(1))
    instance.poll("--now", T0)
    done = instance.command("poll", "--now", "2026-11-22T11:00:00Z", code=1)
    assert "before the last tick" in done.stderr


def test_due_times_follow_the_given_clock(instance, feeds):
    feeds["/a.xml"] = rss(item(1))
    instance.configure([{"name": "A", "url": feeds.url("/a.xml"), "category": "tech", "every": "2h"}])
    instance.poll("--now", T0)
    instance.poll("--now", "2026-11-22T13:59:59Z")
    assert feeds.count("/a.xml") == 1
    instance.poll("--now", "2026-11-22T14:00:00Z")
    assert feeds.count("/a.xml") == 2


def test_a_renamed_category_label_keeps_the_address_and_ids(instance, feeds):
    one_source(instance, feeds, item(1))
    instance.poll("--now", T0)
    before = feedparser.parse(io.BytesIO(instance.feed("tech.atom")))
    categories = [{"term": "tech", "label": "技术"}]
    instance.configure([{"name": "A", "url": feeds.url("/a.xml"), "category": "tech"}], categories)
    instance.poll("--now", "2026-11-22T12:10:00Z")
    after = feedparser.parse(io.BytesIO(instance.feed("tech.atom")))
    assert after.feed.title.startswith("技术")
    assert (after.feed.id, after.entries[0].id) == (before.feed.id, before.entries[0].id)
    assert not (instance.data / "public" / "feeds" / "ai.atom").exists()


def test_an_entry_names_its_categories_and_their_parents_in_the_feeds_language(instance, feeds):
    feeds["/a.xml"] = rss(item(1, "人工智能的故事"))
    instance.configure([{"name": "A", "url": feeds.url("/a.xml")}], site={"language": "en"})
    instance.poll("--now", T0)
    (entry,) = feedparser.parse(io.BytesIO(instance.feed("all.atom"))).entries
    scheme = f"http://127.0.0.1:{instance.port}/"
    assert [tuple(tag.values()) for tag in entry.tags] == [("ai", scheme, "人工智能"), ("tech", scheme, "Technology")]


def test_a_removed_category_is_named_in_no_entry_any_more(instance, feeds):
    one_source(instance, feeds, item(1, "人工智能的故事"))
    instance.poll("--now", T0)
    instance.configure([{"name": "A", "url": feeds.url("/a.xml")}], [{"term": "ai", "label": "人工智能"}])
    instance.poll("--now", "2026-11-22T12:10:00Z")
    (entry,) = feedparser.parse(io.BytesIO(instance.feed("all.atom"))).entries
    assert [tag["term"] for tag in entry.tags] == ["ai"]


def test_an_element_that_says_nothing_is_no_entry(instance, feeds):
    one_source(instance, feeds, item(1), "<item></item>", "<item><guid>only-an-id</guid></item>")
    instance.poll("--now", T0)
    assert [row["title"] for row in instance.export("entries")] == ["Story 1"]


def test_feeds_that_cannot_be_written_fail_the_command_and_keep_their_mark(instance, feeds):
    one_source(instance, feeds, item(1))
    in_the_way = instance.data / "public" / "feeds" / "tech.atom"
    in_the_way.mkdir(parents=True)
    assert "cannot write" in instance.command("poll", "--now", T0, code=1).stderr
    in_the_way.rmdir()
    instance.poll("--now", "2026-11-22T12:10:00Z")
    assert titles(instance) == ["Story 1"]


def test_a_former_name_that_comes_too_late_is_said(instance, feeds):
    feeds["/A.xml"] = rss(item(1))

    def said(name, **more):
        instance.configure([{"name": name, "url": feeds.url("/A.xml"), "category": "tech", **more}])
        done = instance.command("poll", "--all")
        return done.stdout + done.stderr

    said("Old")
    assert "too late" not in said("New", formerly="Old")
    said("Newer")
    assert "source Newer: its former name New comes too late" in said("Newer", formerly="New")
