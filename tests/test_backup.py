"""`backup` beside a running daemon, and `restore`: whole, checked, and nothing thrown away."""

from __future__ import annotations

import sqlite3

import pytest

from aggregator import errors, folder, store
from tests.builders import NOW
from tests.instance import item, rss

T0 = "2026-11-22T12:00:00Z"
LATER = "2026-11-22T14:00:00Z"


def no_progress(done, total):
    pass


@pytest.fixture
def stored(instance, feeds):
    """An instance with a source A of two entries, polled once."""
    feeds["/A.xml"] = rss(item(1), item(2))
    instance.configure([{"name": "A", "url": feeds.url("/A.xml"), "category": "tech"}])
    instance.poll("--now", T0)
    return instance


@pytest.fixture
def unpolled(instance):
    """An instance with a database and nothing in it."""
    instance.configure([])
    instance.data.mkdir()
    store.connect(instance.data).close()
    return instance


def published(instance):
    return {path.name: path.read_bytes() for path in (instance.data / "public" / "feeds").iterdir()}


def titles(path):
    with sqlite3.connect(path) as db:
        return {row[0] for row in db.execute("select title from entry")}


# ------------------------------------------------------------------------------------------------- there and back


def test_a_restored_backup_publishes_the_same_bytes(stored, feeds, tmp_path):
    backup = tmp_path / "backup.db"
    before = published(stored)
    stored.command("backup", str(backup))
    feeds["/A.xml"] = rss(item(3), item(1, "Changed"), item(2))
    stored.poll("--all", "--now", LATER)
    assert published(stored) != before
    said = stored.command("restore", str(backup)).stdout
    (replaced,) = stored.data.glob("*.replaced-*Z")
    assert f"what it replaced is {replaced}" in said
    assert titles(replaced) == {"Changed", "Story 2", "Story 3"}
    stored.command("publish")
    assert published(stored) == before


def test_a_daemon_that_starts_after_a_restore_publishes_what_was_restored(stored, feeds, tmp_path):
    before = stored.feed("tech.atom")
    stored.command("backup", str(tmp_path / "backup.db"))
    feeds["/A.xml"] = rss(item(3), item(1), item(2))
    stored.poll("--all", "--now", LATER)
    del feeds.answers["/A.xml"]
    stored.command("restore", str(tmp_path / "backup.db"))
    stored.start()
    stored.wait_for(lambda: stored.feed("tech.atom") == before)


def test_a_restore_into_an_empty_folder_replaces_nothing(stored, tmp_path):
    stored.command("backup", str(tmp_path / "backup.db"))
    stored.data = tmp_path / "elsewhere"
    assert "what it replaced" not in stored.command("restore", str(tmp_path / "backup.db")).stdout
    stored.command("publish")
    assert b"Story 1" in stored.feed("tech.atom")


# ------------------------------------------------------------------------------------------------- a running daemon


def test_a_backup_beside_a_running_daemon_is_whole_and_disturbs_no_poll(instance, feeds, tmp_path):
    feeds["/A.xml"] = rss(*map(item, range(50)))
    instance.configure([{"name": "A", "url": feeds.url("/A.xml"), "category": "tech", "every": "1s"}])
    instance.start()
    for number in range(3):
        feeds["/A.xml"] = rss(*map(item, range(50 * (number + 2))))
        instance.command("backup", str(tmp_path / f"{number}.db"))
        store.backups.check(tmp_path / f"{number}.db")
    instance.wait_for(lambda: len(titles(instance.data / store.FILE_NAME)) == 200)
    assert instance.stop() == 0
    assert [line for line in instance.lines if "ERROR" in line or "locked" in line] == []


def test_a_backup_is_of_one_moment_however_much_is_written_meanwhile(tmp_path):
    (tmp_path / "data").mkdir()
    db = store.connect(tmp_path / "data")
    db.execute("create table filler (content blob)")
    with db.atomic():
        db.conn.executemany("insert into filler values (zeroblob(4000))", [()] * 5000)
    db.execute("insert into state values ('moment', '0')")
    moments = []

    def write(done, total):
        db.execute("update state set value = value + 1 where key = 'moment'")
        moments.append(done)

    store.backups.save(tmp_path / "data", tmp_path / "backup.db", write)
    assert len(moments) > 1
    with sqlite3.connect(tmp_path / "backup.db") as backup:
        assert backup.execute("select value from state where key = 'moment'").fetchone() == ("0",)
    db.close()


def test_a_restore_under_a_running_instance_is_refused(unpolled, tmp_path):
    unpolled.command("backup", str(tmp_path / "backup.db"))
    with folder.hold(unpolled.data, "run"):
        assert "is held by process" in unpolled.command("restore", str(tmp_path / "backup.db"), code=1).stderr


# ------------------------------------------------------------------------------------------------- refusals


def test_a_backup_overwrites_only_when_told(unpolled, tmp_path):
    backup = tmp_path / "backup.db"
    backup.write_text("precious")
    assert "--force" in unpolled.command("backup", str(backup), code=1).stderr
    assert backup.read_text() == "precious"
    unpolled.command("backup", "--force", str(backup))
    assert titles(backup) == set()


def test_the_database_is_no_target_of_its_own_backup(unpolled):
    target = unpolled.data / store.FILE_NAME
    assert "the database itself" in unpolled.command("backup", "--force", str(target), code=1).stderr


def test_a_backup_into_a_folder_that_is_not_there_says_so(unpolled, tmp_path):
    said = unpolled.command("backup", str(tmp_path / "no" / "backup.db"), code=1).stderr
    assert said == f"aggregator: there is no folder {tmp_path / 'no'}: make it, or name a file in another\n"


def test_a_backup_that_cannot_be_written_leaves_nothing(unpolled, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "backup.db").mkdir()
    with pytest.raises(errors.StoreError, match="cannot be written"):
        store.backups.save(unpolled.data, tmp_path / "full" / "backup.db", no_progress)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["backup.db"]


def damaged(path):
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 6] = b"\xa5" * (4096 * 3)
    path.write_bytes(content)


def truncated(path):
    path.write_bytes(path.read_bytes()[:-8192])


def foreign(path):
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("create table theirs (a)")


def newer(path):
    with sqlite3.connect(path) as db:
        db.execute(
            "insert into _sqlite_migrations (migration_set, name, applied_at) values ('aggregator', 'm999_later', '')"
        )


def no_database(path):
    path.write_text("<rss/>" * 1000)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (damaged, "take another backup"),
        (truncated, "take another backup"),
        (foreign, "not one of aggregator's"),
        (newer, "newer release.*upgrade first"),
        (no_database, "take another backup"),
        (lambda path: path.unlink(), "there is no file"),
    ],
)
def test_an_unfit_backup_is_refused_and_changes_nothing(tmp_path, change, says):
    data = tmp_path / "data"
    data.mkdir()
    db = store.connect(data)
    db.execute("insert into state values ('here', 'x')")
    db.execute("create table filler as select zeroblob(200000) as content")
    store.backups.save(data, tmp_path / "backup.db", no_progress)
    db.close()
    change(tmp_path / "backup.db")
    before = sorted(path.name for path in data.iterdir())
    with pytest.raises(errors.StoreError, match=says):
        store.backups.restore(data, tmp_path / "backup.db", NOW, no_progress)
    assert sorted(path.name for path in data.iterdir()) == before
    assert store.connect(data).execute("select value from state where key = 'here'").fetchone() == ("x",)


def test_a_damaged_database_can_be_replaced_by_a_backup(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    store.connect(data).close()
    store.backups.save(data, tmp_path / "backup.db", no_progress)
    (data / store.FILE_NAME).write_bytes(b"nonsense" * 1000)
    (data / f"{store.FILE_NAME}-wal").write_bytes(b"half of a log")
    replaced = store.backups.restore(data, tmp_path / "backup.db", NOW, no_progress)
    assert replaced.read_bytes() == b"nonsense" * 1000
    assert replaced.with_name(f"{replaced.name}-wal").read_bytes() == b"half of a log"
    store.backups.check(data / store.FILE_NAME)
    store.connect(data).close()
