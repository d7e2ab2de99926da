"""The database of each release opens, upgrades, and publishes what it published.

`tests/fixtures/VERSION.db.gz` is one that the release wrote from the document below; make one for a new release with

    .venv/bin/python -m tests.test_release_database
"""

from __future__ import annotations

import gzip
import json
import sqlite3
import tempfile
from pathlib import Path

import pytest

from aggregator import __version__, store
from tests.feedserver import FeedServer
from tests.instance import Instance, item, rss

FIXTURES = Path(__file__).parent / "fixtures"
NOW = "2026-11-22T12:00:00Z"
DOCUMENT = rss(*(item(k, f"第{k}条，人工智能") for k in range(5)), title="一个来源")


def poll_document(instance, now):
    with FeedServer() as feeds:
        feeds["/a.xml"] = DOCUMENT
        instance.configure([{"name": "A", "url": feeds.url("/a.xml"), "category": "tech"}])
        return instance.poll("--all", "--now", now)


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.db.gz")), ids=lambda path: path.name)
def test_a_release_database_opens_and_knows_its_entries(instance, path):
    instance.data.mkdir()
    (instance.data / store.FILE_NAME).write_bytes(gzip.decompress(path.read_bytes()))
    assert "0 new" in poll_document(instance, "2026-11-23T12:00:00Z")
    expected = json.loads((FIXTURES / path.name.replace(".db.gz", ".json")).read_text("utf-8"))
    published = json.loads(instance.feed("tech.json"))["items"]
    assert [[entry["id"], entry["title"]] for entry in published] == expected


def test_this_release_has_its_database():
    assert (FIXTURES / f"{__version__}.db.gz").exists()


def make() -> None:
    """Write this release's database and what it published."""
    with tempfile.TemporaryDirectory() as folder:
        instance = Instance(Path(folder))
        poll_document(instance, NOW)
        with sqlite3.connect(instance.data / store.FILE_NAME) as db:
            db.execute("pragma wal_checkpoint(truncate)")
        database = (instance.data / store.FILE_NAME).read_bytes()
        published = json.loads(instance.feed("tech.json"))["items"]
    FIXTURES.mkdir(exist_ok=True)
    (FIXTURES / f"{__version__}.db.gz").write_bytes(gzip.compress(database, 9, mtime=0))
    ids = [[entry["id"], entry["title"]] for entry in published]
    (FIXTURES / f"{__version__}.json").write_text(json.dumps(ids, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    make()
