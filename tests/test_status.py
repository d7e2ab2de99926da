"""`status`: what needs attention first, with the reason in words; quick, and live on a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from datetime import UTC, datetime, timedelta

import pytest

from aggregator import store
from aggregator.cli import stored
from aggregator.models import Source
from tests.builders import DAY, HOUR, NOW
from tests.feedserver import Answer
from tests.instance import item, rss


def source(feeds, name, **said):
    return {"name": name, "url": feeds.url(f"/{name}.xml"), **said}


def line_of(text, name):
    return next(line for line in text.splitlines() if f" {name}: " in line)


@pytest.fixture
def polled(instance, feeds):
    """Sources in every state, polled by the clock."""
    feeds["/fine.xml"] = rss(item(1), item(2))
    feeds["/old.xml"] = rss(item("o"))
    feeds["/moved.xml"] = Answer(b"", status=410)
    instance.configure([source(feeds, name) for name in ("fine", "old", "moved", "broken")])
    instance.poll()
    feeds["/broken.xml"] = Answer(b"", status=503)
    instance.configure(
        [source(feeds, name) for name in ("fine", "moved", "broken", "later")] + [source(feeds, "off", enabled=False)]
    )
    return instance


def test_status_says_what_needs_attention_first_and_why(polled):
    polled.poll("fine")
    said = polled.command("status").stdout
    states = [line.split()[0] for line in said.splitlines()[1:-2]]
    assert states == ["failing", "gone", "new", "unlisted", "disabled", "ok"]
    assert said.startswith("6 sources: 1 failing, 1 gone, 1 new, 1 unlisted, 1 disabled, 1 ok")
    assert "404 Not Found (1 poll in a row; never went well)" in line_of(said, "broken")
    assert "410" in line_of(said, "moved")
    assert "take it out of sources.yaml" in line_of(said, "moved")
    assert "not polled yet; last poll never; next due" in line_of(said, "later")
    assert "the configuration does not name it" in line_of(said, "old")
    assert "`enabled: false`" in line_of(said, "off")
    assert "2 entries (2 in the last day, 2 in the last week)" in line_of(said, "fine")
    assert "3 entries (3 in the last day, 3 in the last week), 3 stories; waiting: 0 entries, 0 feeds" in said
    assert "database " in said.splitlines()[-1]


def test_a_source_that_the_daemon_has_not_taken_yet_is_shown(polled):
    said = polled.command("status").stdout
    assert "later: not polled yet, the next tick takes it" in said
    assert json.loads(polled.command("status", "--json").stdout)["not_taken"] == ["later", "off"]


def test_status_as_json_has_numbers_and_times(polled):
    said = json.loads(polled.command("status", "--json").stdout)
    fine = next(row for row in said["sources"] if row["name"] == "fine")
    assert (fine["status"], fine["entries"], fine["day"], fine["week"]) == ("ok", 2, 2, 2)
    last = datetime.fromisoformat(fine["last_poll"])
    assert datetime.now(UTC) - last < timedelta(minutes=5)
    assert datetime.fromisoformat(fine["next_poll"]) > last
    assert (said["entries"], said["day"], said["week"], said["unsettled"], said["dirty"]) == (3, 3, 3, 0, [])
    assert 0 < said["database_bytes"] < said["data_bytes"]
    assert said["free_bytes"] > 0


def test_watch_prints_once_where_there_is_no_terminal(polled):
    assert "1 failing" in polled.command("status", "--watch", timeout=20).stdout


def test_watch_follows_on_a_terminal_until_it_is_interrupted(polled):
    theirs, ours = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
    environ = os.environ | {"TERM": "xterm"}
    watching = subprocess.Popen(
        polled.arguments("status", "--watch"), stdout=ours, stderr=ours, stdin=ours, env=environ
    )
    os.close(ours)
    seen = b""
    while b"1 failing" not in seen:
        seen += os.read(theirs, 10_000)
    assert b"`enabled: false`" not in seen
    polled.poll("fine")  # takes the configuration, in which a source is disabled
    while b"`enabled: false`" not in seen:
        seen += os.read(theirs, 10_000)
    watching.send_signal(signal.SIGINT)
    while True:
        try:
            if not os.read(theirs, 10_000):
                break
        except OSError:  # the other end is closed
            break
    os.close(theirs)
    assert watching.wait(10) == 0


# ------------------------------------------------------------------------------------------------- the rows


def add_entries(db, count, sources, seen):
    """So many entries of some kilobytes, as plain rows: it is the reading that is looked at here."""
    db.execute("insert into head (id, source, digest) values (1, 1, x'00')")
    rows = ((1 + n % sources, f"http://example.org/{n}", seen(n), "x" * 3000) for n in range(count))
    with db.atomic():
        db.conn.executemany(
            "insert into entry (source, entry_id, first_seen, content, back, dated, title_key, text_key, digest, head,"
            " title, summary, author, rights, enclosures, published, updated, repairs)"
            " values (?, ?, ?, ?, 0, 1, x'00', x'00', x'00', 1, '', '', '', '', '[]', 0, 0, '')",
            rows,
        )


def test_the_last_day_and_week_are_counted_from_first_seen(tmp_path):
    db = store.connect(tmp_path)
    store.sources.sync(db, [Source("A", "http://a/"), Source("B", "http://b/")], NOW)
    ages = [HOUR, 2 * DAY, 3 * DAY, 8 * DAY]
    add_entries(db, 4, 1, lambda n: int((NOW - ages[n]).timestamp()))
    a, b = store.reports.conditions(db, NOW)
    assert (a["day"], a["week"], a["entries"]) == (1, 3, 4)
    assert (b["day"], b["week"], b["entries"]) == (0, 0, 0)
    db.close()


def test_a_failing_source_says_when_it_went_well_last(tmp_path):
    db = store.connect(tmp_path)
    store.sources.sync(db, [Source("A", "http://a/")], NOW)
    db.execute("update source set last_ok = ?", [int(NOW.timestamp())])
    (row,) = store.reports.conditions(db, NOW + DAY)
    assert row["last_ok"] == "2026-11-22T12:00:00Z"
    db.close()


def test_status_reads_no_texts(tmp_path):
    """What it asks of entries is answered by indexes, so that a hundred thousand of them are no matter."""
    db = store.connect(tmp_path)
    store.sources.sync(db, [Source(f"S{n}", f"http://example.org/{n}") for n in range(50)], NOW)
    add_entries(db, 3000, 50, lambda n: int((NOW - n * HOUR).timestamp()))
    asked = []
    db.conn.set_trace_callback(asked.append)
    list(store.reports.conditions(db, NOW))
    store.reports.totals(db)
    db.conn.set_trace_callback(None)
    of_entries = [sql for sql in asked if "from entry" in sql]
    assert len(of_entries) <= 6
    for sql in of_entries:
        plan = " ".join(row[3] for row in db.execute(f"explain query plan {sql}"))
        assert "COVERING INDEX" in plan or "USING INDEX entry_unsettled" in plan, sql
    db.close()


def test_the_feed_of_a_removed_category_is_not_waited_for(instance, feeds):
    feeds["/fine.xml"] = rss(item(1))
    tech, finance = {"term": "tech", "label": "科技"}, {"term": "finance", "label": "财经"}
    instance.configure([source(feeds, "fine", category="finance")], [tech, finance])
    instance.poll()
    instance.configure([source(feeds, "fine")], [tech])
    instance.command("hide", instance.export("entries")[0]["id"])
    instance.poll("--all")
    assert "waiting: 0 entries, 0 feeds" in instance.command("status").stdout


def test_files_that_come_and_go_meanwhile_do_no_harm(tmp_path):
    """As the daemon's do, which are written beside their place and then moved there."""
    replacing = "import os, sys\nwhile True:\n    open(sys.argv[1], 'w').close()\n    os.unlink(sys.argv[1])\n"
    (tmp_path / "stays").write_bytes(b"12345")
    with subprocess.Popen([sys.executable, "-c", replacing, str(tmp_path / "goes")]) as other:
        try:
            assert {stored._sizes(tmp_path)["data_bytes"] for _ in range(5000)} == {5}
        finally:
            other.kill()
