"""The command as a person starts it: every one of them, and how little a light one needs."""

from __future__ import annotations

import shutil
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


@pytest.mark.parametrize("command", [("story", "rebuild"), ("publish",)])
def test_a_command_about_what_is_stored_makes_no_database(instance, command):
    instance.configure([])
    assert "no database at" in instance.command(*command, code=1).stderr
    assert not instance.data.exists()


def test_a_file_that_cannot_be_written_is_one_sentence(instance):
    instance.configure([])
    folder = instance.config / "schema" / "sources.schema.json"
    folder.mkdir(parents=True)
    for command in (("schema",), ("sources", "export", str(folder))):
        said = instance.command(*command, code=1).stderr
        assert said.splitlines() == [f"aggregator: {folder}: Is a directory"]


@pytest.mark.parametrize("command", [(), ("poll",), ("story", "join")])
def test_help_that_finds_no_room_is_one_sentence(command):
    with Path("/dev/full").open("w") as full:
        words = [sys.executable, "-m", "aggregator", *command, "--help"]
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "aggregator: the output cannot be written: No space left on device\n"


def test_publish_writes_the_pages_too(instance, feeds):
    feeds["/A.xml"] = rss(item(1))
    instance.configure([{"name": "A", "url": feeds.url("/A.xml"), "category": "tech"}])
    instance.poll()
    public = instance.data / "public"
    written = {path: path.read_bytes() for path in public.rglob("*") if path.is_file()}
    shutil.rmtree(public)
    assert {"index.html", "feeds.opml"} <= set(instance.command("publish").stdout.split())
    assert {path: path.read_bytes() for path in public.rglob("*") if path.is_file()} == written
