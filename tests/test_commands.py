"""The command as a person starts it: every one of them, and how little a light one needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aggregator import __version__
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
