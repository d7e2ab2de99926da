"""The command as a person starts it: every one of them, and how little a light one needs."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from aggregator import __version__, store
from aggregator.cli import main
from tests.instance import item, rss

COMMAND = str(Path(sys.executable).parent / "aggregator")
HEAVY = {"aiohttp", "apscheduler", "feedparser", "jinja2", "lxml", "numpy", "opencc", "pydantic", "sqlite_utils"}


def started(*arguments, **options):
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False, **options)


@pytest.mark.parametrize("command", [[COMMAND], [sys.executable, "-m", "aggregator"]], ids=["script", "module"])
def test_the_command_and_the_module_are_one(command):
    done = started(*command, "version")
    assert (done.returncode, done.stderr) == (0, "")
    assert __version__ in done.stdout


def test_a_poll_needs_nothing_that_was_loaded_before(instance, feeds):
    feeds["/a.xml"] = rss(item(1, "Cabinet resigns"))
    instance.configure([{"name": "A", "url": feeds.url("/a.xml"), "category": "tech"}])
    done = started(COMMAND, "poll", *instance.folders)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "A: ok, 1 new, 0 changed"), done.stderr
    done = started(COMMAND, "export", "entries", *instance.folders)
    assert done.returncode == 0
    assert "Cabinet resigns" in done.stdout


@pytest.mark.parametrize("name", sorted(main.commands))
def test_each_command_has_help_that_loads_nothing_heavy(name):
    program = f"""
import sys
from aggregator.cli import main
try:
    main(["{name}", "--help"])
finally:
    loaded = {{module.partition(".")[0] for module in sys.modules}} & {HEAVY!r}
    print("loaded:", *sorted(loaded), file=sys.stderr)
"""
    done = started(sys.executable, "-c", program)
    assert done.returncode == 0
    assert "Usage:" in done.stdout
    assert done.stderr.split() == ["loaded:"]


def test_status_loads_nothing_that_reads_documents(instance):
    instance.configure([])
    instance.poll()
    program = f"""
import sys
from aggregator.cli import main
main(["status", *{instance.folders!r}], standalone_mode=False)
print("loaded:", *sorted({{"aggregator.parse", "aggregator.html", "feedparser", "lxml"}} & set(sys.modules)))
"""
    done = started(sys.executable, "-c", program)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "loaded:"


def test_a_wrong_option_is_exit_2():
    done = started(COMMAND, "poll", "--nonsense")
    assert done.returncode == 2
    assert "--nonsense" in done.stderr


def damage(instance, table):
    """Overwrite the page at which a table begins: the file opens as ever."""
    with closing(sqlite3.connect(instance.data / store.FILE_NAME)) as db:
        page = db.execute("select rootpage from sqlite_master where name = ?", [table]).fetchone()[0]
        size = db.execute("pragma page_size").fetchone()[0]
    with (instance.data / store.FILE_NAME).open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)


@pytest.mark.parametrize(
    ("table", "said"),
    [("entry", ["export", "entries"]), ("entry", ["status"]), ("entry", ["plan"]), ("decision", ["lexicon", "forget"])],
)
def test_what_goes_wrong_in_the_database_is_one_sentence(instance, feeds, table, said):
    feeds["/a.xml"] = rss(item(1))
    instance.configure([{"name": "A", "url": feeds.url("/a.xml")}])
    instance.poll()
    damage(instance, table)
    (complaint,) = instance.command(*said, code=1).stderr.splitlines()
    assert complaint.startswith("aggregator: the database file is damaged: restore a backup (")


def test_poll_goes_on_until_nothing_is_due(instance):
    nobody = [{"name": f"s{k}", "url": f"http://127.0.{k % 200}.1:9/{k}", "category": "tech"} for k in range(1005)]
    instance.configure(nobody)
    assert "1005 sources polled" in instance.poll("--now", "2026-11-22T12:00:00Z")
    assert "0 sources polled" in instance.poll("--now", "2026-11-22T12:00:01Z")
