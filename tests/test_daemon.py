"""The running daemon: start, slow sources, signals, reload, one instance, decisions, trouble with the disk."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import sqlite3
import threading
import time
from urllib.parse import quote

import feedparser
import pytest

from tests.feedserver import Answer
from tests.instance import item, rss


def titles(instance, name="tech.atom"):
    return [entry.title for entry in feedparser.parse(io.BytesIO(instance.feed(name))).entries]


def fill_up(ballast):
    """Write a file until the disk is full."""
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            with contextlib.suppress(OSError):
                while file.write(b"\0" * size):
                    pass


def source(feeds, name, **said):
    return {"name": name, "url": feeds.url(f"/{name}.xml"), "category": "tech"} | said


def test_it_polls_publishes_and_says_where_to_subscribe(instance, feeds):
    feeds["/a.xml"] = rss(item(1))
    instance.configure([source(feeds, "a")])
    instance.start()
    instance.wait_for(lambda: titles(instance) == ["Story 1"])
    instance.wait_for(lambda: f"http://127.0.0.1:{instance.port}/feeds/tech.atom" in "".join(instance.lines))


def test_a_hanging_source_delays_no_other(instance, feeds):
    feeds["/slow.xml"] = Answer(b"", hold=threading.Event())
    feeds["/quick.xml"] = rss(item(1))
    instance.configure([source(feeds, "slow"), source(feeds, "quick")])
    instance.start()
    instance.wait_for(lambda: titles(instance) == ["Story 1"], timeout=12)
    states = {row["name"]: row["status"] for row in instance.export("sources")}
    assert states == {"slow": "new", "quick": "ok"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_five_seconds_and_cleanly(instance, feeds, number):
    feeds["/slow.xml"] = Answer(b"", hold=threading.Event())
    instance.configure([source(feeds, "slow")])
    instance.start()
    instance.wait_for(lambda: feeds.count("/slow.xml") == 1)
    started = time.monotonic()
    assert instance.stop(number) == 0
    assert time.monotonic() - started < 5
    assert "Traceback" not in "".join(instance.lines)


def test_a_second_instance_is_refused_and_says_who_holds_the_folder(instance, feeds):
    instance.configure([source(feeds, "a")])
    running = instance.start()
    for command in ("run", "poll"):
        done = instance.command(command, code=1)
        assert f"process {running.pid}" in done.stderr
    instance.command("status")


def test_a_taken_port_is_named(instance, feeds):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        instance.configure([source(feeds, "a")], listen=f"127.0.0.1:{taken.getsockname()[1]}")
        done = instance.command("run", code=1)
    assert "cannot listen on 127.0.0.1" in done.stderr
    assert "(Address already in use)" in done.stderr
    assert "`listen`" in done.stderr


def test_a_saved_configuration_counts_from_the_next_tick(instance, feeds):
    feeds["/a.xml"], feeds["/b.xml"] = rss(item(1)), rss(item(2))
    instance.configure([source(feeds, "a")])
    instance.start()
    instance.wait_for(lambda: titles(instance) == ["Story 1"])
    instance.configure([source(feeds, "a"), source(feeds, "b")])
    instance.wait_for(lambda: "Story 2" in titles(instance))


def test_a_bad_edit_keeps_the_old_configuration_and_says_where(instance, feeds):
    feeds["/a.xml"] = rss(item(1))
    instance.configure([source(feeds, "a")])
    instance.start()
    instance.wait_for(lambda: titles(instance) == ["Story 1"])
    (instance.config / "sources.yaml").write_text("sources:\n  - nmae: x\n    url: http://e.org/\n")
    instance.wait_for(lambda: "sources.yaml:2:" in "".join(instance.lines))
    assert "the old one stays in use" in "".join(instance.lines)
    assert instance.get("/healthz")[0] == 200
    feeds["/b.xml"] = rss(item(2))
    instance.configure([source(feeds, "a"), source(feeds, "b")])
    instance.wait_for(lambda: "Story 2" in titles(instance))


def test_an_error_taken_back_is_said_to_be_gone(instance, feeds):
    feeds["/a.xml"] = rss(item(1))
    instance.configure([source(feeds, "a")])
    good = (instance.config / "sources.yaml").read_text()
    instance.start()
    (instance.config / "sources.yaml").write_text("sources: [\n")
    instance.wait_for(lambda: "the old one stays in use" in "".join(instance.lines))
    assert "no errors any more" not in "".join(instance.lines)
    (instance.config / "sources.yaml").write_text(good)
    instance.wait_for(lambda: "the configuration has no errors any more" in "".join(instance.lines))


@pytest.mark.parametrize("what", ["the folder", "a link to the folder", "a link to a file"])
def test_what_is_put_in_the_configurations_place_is_taken(instance, feeds, what):
    feeds["/a.xml"] = rss(item(1))
    feeds["/b.xml"] = rss(item(2))
    instance.configure([source(feeds, "a")])
    new = instance.folder / "new"
    new.mkdir()
    for file in instance.config.iterdir():
        (new / file.name).write_text(file.read_text().replace("/a.xml", "/b.xml"))
    place = instance.config / "sources.yaml" if what == "a link to a file" else instance.config
    if what != "the folder":
        place.symlink_to(place.rename(instance.folder / "old"))
    instance.start()
    instance.wait_for(lambda: titles(instance) == ["Story 1"])
    link = instance.folder / "link"
    link.symlink_to(new / "sources.yaml" if what == "a link to a file" else new)
    if what == "the folder":
        place.rename(instance.folder / "old")
    link.replace(place)
    instance.wait_for(lambda: titles(instance) == ["Story 2", "Story 1"], timeout=10)
    (new / "sources.yaml").write_text("sources: []\n")
    instance.wait_for(lambda: "configuration: 0 sources" in "".join(instance.lines), timeout=10)


def test_the_address_of_a_removed_category_is_gone_until_it_comes_back(instance, feeds):
    feeds["/a.xml"] = rss(item(1))
    tech, finance = {"term": "tech", "label": "科技"}, {"term": "finance", "label": "财经"}
    instance.configure([source(feeds, "a")], [tech, finance])
    instance.start()
    assert instance.get("/feeds/finance.atom")[0] == 200
    instance.configure([source(feeds, "a")], [tech])
    instance.wait_for(lambda: instance.get("/feeds/finance.atom")[0] == 410)
    said = instance.get("/feeds/finance.rss")[2].decode()
    assert "The category finance was removed here; /feeds/all.rss has every story." in said
    assert "分类“finance”已经取消；全部报道在 /feeds/all.rss" in said
    assert "分類「finance」已經取消；全部報導在 /feeds/all.rss" in said
    assert [instance.get(f"/feeds/{name}")[0] for name in ("finance.zip", "never.atom", "tech.atom")] == [404, 404, 200]
    instance.stop()
    instance.start()
    assert instance.get("/feeds/finance.atom")[0] == 410
    instance.configure([source(feeds, "a")], [tech, finance])
    instance.wait_for(lambda: instance.get("/feeds/finance.atom")[0] == 200)


def test_an_address_by_a_label_outlives_the_label(instance, feeds):
    def leads_to(label):
        status, headers, _ = instance.get(f"/feeds/{quote(label)}.rss")
        return status, headers.get("Location")

    feeds["/a.xml"] = rss(item(1))
    tech = {"term": "tech", "label": "科技", "labels": {"en": "Technology"}}
    instance.configure([source(feeds, "a")], [tech, {"term": "finance", "label": "财经"}])
    instance.start()
    assert leads_to("科技") == (308, "/feeds/tech.rss")
    instance.configure([source(feeds, "a")], [{"term": "tech", "label": "科学技术", "labels": {"en": "财经"}}])
    instance.wait_for(lambda: leads_to("科学技术") == (308, "/feeds/tech.rss"))
    instance.stop()
    instance.start()
    found = [leads_to(label) for label in ("科技", "Technology", "财经", "别的")]
    assert found == [*[(308, "/feeds/tech.rss")] * 3, (404, None)]
    instance.configure([{**source(feeds, "a"), "category": "finance"}], [{"term": "finance", "label": "经济"}])
    instance.wait_for(lambda: instance.get("/feeds/tech.rss")[0] == 410)
    assert (leads_to("科技"), leads_to("财经")) == ((410, None), (308, "/feeds/finance.rss"))


def test_settings_of_fetching_and_of_the_log_count_without_a_restart(instance, feeds):
    feeds["/a.xml"], feeds["/b.xml"] = rss(item(1)), rss(item(2, text="x" * 3000))
    sources = [source(feeds, name) for name in "ab"]
    instance.configure(sources, fetch={"allow_networks": [], "max_body": "1KB"}, log={"level": "warning"})
    instance.start()
    instance.wait_for(lambda: {row["status"] for row in instance.export("sources")} == {"failing"})
    instance.configure(sources, fetch={"max_body": "1KB", "contact": "https://e.org/"}, log={"format": "json"})
    instance.wait_for(lambda: titles(instance) == ["Story 1"])
    assert "https://e.org/" in feeds.asked[-1][1]["User-Agent"]
    instance.wait_for(lambda: "fetch.max_body" in instance.export("sources")[1]["reason"])
    instance.configure(sources, log={"format": "json"})
    instance.wait_for(lambda: len(titles(instance)) == 2)
    said = "".join(instance.lines)
    assert "counts from the next start" not in said
    assert '"message": "a: works again' in said


def test_what_failed_for_a_setting_is_polled_at_the_start_with_another(instance, feeds):
    feeds["/a.xml"], feeds["/b.xml"] = rss(item(1)), Answer(b"", status=500)
    sources = [source(feeds, name) for name in "ab"]
    instance.configure(sources, fetch={"allow_networks": []})
    instance.poll()
    instance.configure(sources, fetch={"allow_networks": ["127.0.0.0/8"], "deadline": "10s"})
    assert "a: ok, 1 new" in instance.poll()
    asked = feeds.count("/b.xml")
    instance.configure(sources, fetch={"deadline": "11s"})
    instance.poll()
    assert (feeds.count("/a.xml"), feeds.count("/b.xml")) == (1, asked)


def test_another_setting_does_not_override_what_the_server_asked_for(instance, feeds):
    feeds["/a.xml"] = Answer(rss(item(1, text="x" * 3000)).encode(), headers={"Retry-After": "7200"})
    instance.configure([source(feeds, "a")], fetch={"max_body": "1KB"})
    instance.poll()
    assert "fetch.max_body" in instance.export("sources")[0]["reason"]
    instance.configure([source(feeds, "a")])
    instance.poll()
    assert feeds.count("/a.xml") == 1


def test_sighup_reads_the_configuration_again(instance, feeds):
    instance.configure([source(feeds, "a")])
    process = instance.start()
    (instance.config / "categories.yaml").write_text("categories: {}\n")
    instance.wait_for(lambda: "the old one stays in use" in "".join(instance.lines))
    instance.lines.clear()
    process.send_signal(signal.SIGHUP)
    instance.wait_for(lambda: "the old one stays in use" in "".join(instance.lines))


def test_an_editors_decision_reaches_the_running_daemon(instance, feeds):
    feeds["/a.xml"] = rss(item(1), item(2))
    instance.configure([source(feeds, "a")])
    instance.start()
    instance.wait_for(lambda: len(titles(instance)) == 2)
    target = next(row["id"] for row in instance.export("entries") if row["title"] == "Story 1")
    instance.command("hide", target)
    instance.wait_for(lambda: titles(instance) == ["Story 2"], timeout=5)


def test_a_lock_of_another_process_is_said_and_heals(instance, feeds):
    feeds["/a.xml"] = rss(item(1))
    instance.configure([source(feeds, "a", every="1m")])
    instance.poll()
    other = sqlite3.connect(instance.data / "aggregator.db", isolation_level=None)
    instance.start()
    feeds["/b.xml"] = rss(item(2))
    other.execute("begin immediate")
    instance.configure([source(feeds, "a"), source(feeds, "b")])
    instance.wait_for(lambda: "locked by another process" in "".join(instance.lines))
    assert instance.get("/feeds/tech.atom")[0] == 200
    assert instance.get("/healthz")[0] == 503
    assert feeds.count("/b.xml") == 0, "nothing is fetched that could not be stored"
    other.execute("rollback")
    other.close()
    instance.wait_for(lambda: "Story 2" in titles(instance), timeout=40)
    assert instance.get("/healthz")[0] == 200


def test_a_public_folder_that_cannot_be_written_is_said_once_and_heals(instance, feeds):
    feeds["/a.xml"], feeds["/b.xml"] = rss(item(1)), rss(item(2))
    instance.configure([source(feeds, "a")])
    instance.start()
    instance.wait_for(lambda: titles(instance) == ["Story 1"])
    public = instance.data / "public"
    public.rename(instance.data / "aside")
    public.write_text("a file, no folder")
    instance.configure([source(feeds, "a"), source(feeds, "b")])
    instance.wait_for(lambda: instance.get("/healthz")[0] == 503)
    assert b"cannot write below" in instance.get("/healthz")[2]
    public.unlink()
    instance.wait_for(lambda: instance.get("/healthz")[0] == 200)
    instance.wait_for(lambda: public.is_dir() and len(titles(instance)) == 2)
    said = "".join(instance.lines)
    assert said.count("polling pauses") == 1
    assert "Traceback" not in said


def test_many_failures_are_said_in_few_lines_and_only_once(instance, feeds):
    for name in range(15):
        feeds[f"/{name}.xml"] = Answer(b"", status=500)
    instance.configure([source(feeds, str(name), every="1s") for name in range(15)], log={"level": "info"})
    instance.start()
    instance.wait_for(lambda: all(feeds.count(f"/{name}.xml") > 2 for name in range(15)))
    instance.stop()
    said = "".join(instance.lines)
    assert said.count("failing: 127.0.0.1 answered 500") == 10
    assert "5 more sources fail: `aggregator status`" in said
    assert "every source failed" in said


def test_systemd_is_told(instance, feeds, tmp_path, monkeypatch):
    instance.configure([source(feeds, "a")])
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        instance.start()
        said = {manager.recv(100), manager.recv(100)}
        assert said == {b"READY=1", b"WATCHDOG=1"}
        instance.stop()
        manager.settimeout(1)
        while (last := manager.recv(100)) == b"WATCHDOG=1":
            pass
        assert last == b"STOPPING=1"


def test_a_json_log_is_one_object_a_line_whatever_a_feed_says(instance, feeds):
    feeds["/a.xml"] = Answer(b"", status=500)
    instance.configure([source(feeds, "a")], log={"format": "json"})
    instance.start()
    instance.wait_for(lambda: any('"message"' in line and "500" in line for line in instance.lines))
    said = [json.loads(line) for line in instance.lines if line.startswith("{")]
    assert any("a: failing" in record["message"] for record in said)


def test_a_data_folder_without_rights_is_named(instance, feeds):
    instance.configure([source(feeds, "a")])
    instance.data.write_text("a file, no folder")
    done = instance.command("run", code=1)
    assert str(instance.data) in done.stderr
    assert "--data" in done.stderr


def test_published_files_that_were_lost_are_made_again_at_the_start(instance, feeds):
    feeds["/a.xml"] = rss(item(1))
    instance.configure([source(feeds, "a")])
    instance.poll()
    for path in (instance.data / "public" / "feeds").iterdir():
        path.unlink()
    instance.start()
    assert titles(instance) == ["Story 1"]


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system of its own needs root")
def test_a_full_disk_is_said_keeps_the_old_feeds_and_heals(instance, feeds, tmp_path):
    import subprocess

    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=5m", "tmpfs", str(small)], check=False)
    if mounted.returncode:
        pytest.skip("this machine lets no one mount a file system")
    try:
        instance.data = small / "data"
        feeds["/a.xml"] = rss(item(1))
        instance.configure([source(feeds, "a")])
        instance.start()
        instance.wait_for(lambda: titles(instance) == ["Story 1"])
        ballast = small / "ballast"
        fill_up(ballast)
        feeds["/b.xml"] = rss(*(item(f"b{k}", text="x" * 20_000) for k in range(20)))
        instance.configure([source(feeds, "a"), source(feeds, "b")])
        instance.wait_for(lambda: "disk is full" in "".join(instance.lines))
        assert instance.get("/feeds/tech.atom")[0] == 200
        assert titles(instance) == ["Story 1"]
        ballast.unlink()
        instance.wait_for(lambda: len(titles(instance)) == 21, timeout=60)
        instance.stop()
    finally:
        instance.stop()
        subprocess.run(["umount", "-l", str(small)], check=False)


def test_a_first_tick_that_reaches_nothing_points_to_the_demo(instance, feeds):
    instance.configure([{"name": "a", "url": "http://127.0.0.1:9/feed.xml", "every": "1s"}])
    instance.start()
    instance.wait_for(lambda: "aggregator demo" in "".join(instance.lines))


def test_a_clock_that_was_set_back_is_said_also_while_nothing_is_due(instance, feeds):
    feeds["/a.xml"] = rss(item(1))
    instance.configure([source(feeds, "a") | {"every": "1h"}])
    instance.poll("--now", "2099-01-01T00:00:00Z")
    instance.start()
    instance.wait_for(lambda: "the clock went backwards" in "".join(instance.lines))
    status, _, said = instance.get("/healthz")
    assert (status, b"clock" in said) == (503, True)
    assert titles(instance) == ["Story 1"]
