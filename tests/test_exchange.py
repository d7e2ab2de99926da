"""`export --all` and `import`: the same ids and bytes in an empty folder, nothing lost or moved in a used one."""

from __future__ import annotations

import functools
import io
import json
import os
import pty
import sqlite3
import subprocess
from pathlib import Path

import feedparser
import pytest

from aggregator import errors, folder, pipeline, store, stories
from aggregator.models import Source
from tests.builders import NOW
from tests.feedserver import Answer, FeedServer
from tests.instance import Instance, item, rss

T0 = "2026-11-22T12:00:00Z"
LATER = "2026-11-22T14:00:00Z"
DAY_LATER = "2026-11-23T12:00:00Z"


class History:
    """An instance with a past, what it published, and its export."""

    def __init__(self, folder, feeds):
        self.feeds = feeds
        self.instance = Instance(folder)
        make_history(self.instance, feeds)
        self.document = export(self.instance, folder / "all.jsonl")
        self.published = published(self.instance)
        self.sources = sources(feeds, "A", "B", "gone", "C")

    def lines(self):
        return self.document.read_text("utf-8").splitlines(keepends=True)


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    with FeedServer() as server:
        yield History(tmp_path_factory.mktemp("history"), server)


@pytest.fixture
def other(tmp_path, history):
    """A second instance with the address and the configuration of the first."""
    (tmp_path / "other").mkdir()
    made = Instance(tmp_path / "other")
    made.port = history.instance.port
    made.configure(history.sources)
    yield made
    made.stop()


def sources(feeds, *names, **said):
    return [{"name": name, "url": feeds.url(f"/{name}.xml"), "category": "tech", **said} for name in names]


def export(instance, path):
    path.write_text(instance.command("export", "--all").stdout, "utf-8")
    return path


def published(instance):
    folder = instance.data / "public" / "feeds"
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def counts(instance):
    with sqlite3.connect(instance.data / store.FILE_NAME) as db:
        return {table: db.execute(f"select count(*) from {table}").fetchone()[0] for table in ("entry", "publication")}


def make_history(instance, feeds):
    """A store with everything in it: copies, back issues, repairs, a hidden story, a failing source, an edit."""
    feeds["/A.xml"] = rss(*(item(number) for number in range(5)), item(9, "人工智能", date=None))
    feeds["/B.xml"] = rss(item("b", "Another title", "http://example.org/3?utm_source=b"), title="B")
    instance.configure(sources(feeds, "A", "B", "gone"))
    instance.poll("--now", T0)
    feeds["/A.xml"] = rss(*(item(number) for number in range(4)), item(4, text="edited 100"), item(10))
    feeds["/C.xml"] = rss(*(item(f"c{number}", date="Sun, 01 Nov 2026 08:00:00 GMT") for number in range(3)))
    instance.configure(sources(feeds, "A", "B", "gone", "C"))
    instance.command("hide", entry_named(instance, "Story 2")["id"])
    instance.poll("--all", "--now", LATER)


def entry_named(instance, title):
    return next(entry for entry in instance.export("entries") if entry["title"] == title)


# ------------------------------------------------------------------------------------------------- an empty folder


def test_an_empty_folder_gets_everything_and_publishes_the_same_bytes(history, other):
    assert "11 entries, 10 stories" in other.command("import", str(history.document)).stdout
    assert other.command("export", "--all").stdout == history.document.read_text("utf-8")
    other.command("publish")
    assert published(other) == history.published
    assert len(history.published) == 30
    before = published(other)
    said = other.poll("--all", "--now", DAY_LATER)
    assert "A: unchanged, 0 new, 0 changed" in said
    assert "C: unchanged, 0 new, 0 changed" in said
    assert published(other) == before


def test_what_an_editor_joined_and_split_comes_as_it_was(instance, other, feeds):
    feeds["/A.xml"] = rss(item(1), item(2), item(3))
    feeds["/B.xml"] = rss(item("b", "Another title", "http://example.org/3?utm_source=b"), title="B")
    instance.configure(sources(feeds, "A", "B"))
    other.port = instance.port
    other.configure(sources(feeds, "A", "B"))
    instance.poll("--now", T0)
    first, second, copy = (entry_named(instance, title)["id"] for title in ("Story 1", "Story 2", "Another title"))
    for said in (["join", first, second], ["split", copy], ["split", copy, "--undo"]):
        instance.command("story", *said)
        instance.poll("--all", "--now", LATER)
    document = export(instance, instance.folder / "edited.jsonl")
    other.command("import", str(document))
    other.command("publish")
    assert published(other) == published(instance)
    assert other.command("export", "--all").stdout == document.read_text("utf-8")


def test_what_was_joined_and_split_again_has_its_old_place_and_travels(instance, other, feeds, tmp_path):
    feeds["/A.xml"] = rss(
        item(1, "老城区的茶馆重新开张"), item(2, "邮差骑车走遍全岛"), item(3, "春天的花园种满了郁金香")
    )
    instance.configure([{"name": "A", "url": feeds.url("/A.xml"), "category": "tech"}])
    instance.poll("--now", "2026-11-22T12:00:00Z")
    before = ids_of(instance)
    into, joined, last = before
    decisions = (
        ("join", into, joined),
        ("split", joined),
        ("split", "--undo", joined),
        ("join", "--undo", into, joined),
    )
    shown = []
    for decision in decisions:
        instance.command("story", *decision)
        instance.poll("--now", "2026-11-22T12:10:00Z")
        shown.append(ids_of(instance))
        (tmp_path / "all.jsonl").write_text(instance.command("export", "--all").stdout, "utf-8")
        copy = Instance(tmp_path / f"copy{len(shown)}")
        copy.folder.mkdir()
        copy.port = instance.port
        copy.configure([{"name": "A", "url": feeds.url("/A.xml"), "category": "tech"}])
        copy.command("import", str(tmp_path / "all.jsonl"))
        copy.command("publish")
        assert copy.feed("tech.atom") == instance.feed("tech.atom")
    assert shown == [[into, last], before, [into, last], before]


def ids_of(instance):
    return [entry.id for entry in feedparser.parse(instance.feed("tech.atom")).entries]


def test_decisions_of_one_moment_all_come_along(instance, other, feeds, tmp_path):
    feeds["/A.xml"] = rss(item(1))
    instance.configure([{"name": "A", "url": feeds.url("/A.xml"), "category": "tech"}])
    instance.poll("--now", "2026-11-22T12:00:00Z")
    (entry,) = instance.export("entries")
    instance.command("unfile", entry["id"], "tech", "finance")
    document = instance.command("export", "--all").stdout
    (tmp_path / "all.jsonl").write_text(document, "utf-8")
    other.command("import", str(tmp_path / "all.jsonl"))
    again = other.command("export", "--all").stdout
    assert again.count('"act": "unfile"') == document.count('"act": "unfile"') == 2


def test_entries_that_come_in_other_bytes_after_an_import_are_known(history, other, feeds):
    feeds["/A.xml"] = history.feeds.answers["/A.xml"].body + b"\n"
    other.configure([*sources(feeds, "A"), *history.sources[1:]])
    other.command("import", str(history.document))
    assert "A: ok, 0 new, 0 changed" in other.poll("A", "--now", DAY_LATER)


def test_a_daemon_that_starts_after_an_import_publishes_it(history, other):
    with history.document.open("rb") as document:
        said = subprocess.run(other.arguments("import", "-"), stdin=document, capture_output=True, check=True).stdout
    assert b"11 entries" in said
    other.start()
    other.wait_for(lambda: b"Story 4" in other.feed("tech.atom"))
    assert b"Story 2<" not in other.feed("tech.atom")
    other.command("hide", "--undo", entry_named(history.instance, "Story 2")["id"])
    other.wait_for(lambda: b"Story 2<" in other.feed("tech.atom"))


def test_passwords_and_headers_are_not_in_the_export(instance, feeds):
    feeds["/A.xml"] = rss(item(1))
    instance.configure(sources(feeds, "A", username="reader", password="hunter2", headers={"X-Key": "sesame"}))
    instance.poll("--now", T0)
    document = instance.command("export", "--all").stdout
    assert "hunter2" not in document
    assert "sesame" not in document


def test_what_an_address_takes_from_a_variable_is_shown_nowhere_and_an_import_loses_nothing(
    instance, other, feeds, monkeypatch
):
    monkeypatch.setenv("KEY", "hunter/2")
    feeds["/new.xml?key=hunter/2"] = rss(item(1), link="http://example.org/?key=hunter/2")
    moved = feeds.url("/new.xml?key=hunter%2F2")
    feeds["/A.xml?key=hunter/2"] = Answer(b"", status=301, headers={"Location": moved})
    listed = sources(feeds, "A", every="1h")
    listed[0]["url"] += "?key=${KEY}"
    instance.configure(listed)
    instance.poll("--now", T0)
    instance.poll("--all", "--now", LATER)
    document = export(instance, instance.folder / "all.jsonl")
    (row,) = instance.export("sources")
    assert (row["url"], row["current_url"]) == (listed[0]["url"], feeds.url("/new.xml?key=${KEY}"))
    feeds["/A.xml?key=hunter/2"] = Answer(b"", status=500)
    said = [instance.command("sources", *words).stdout for words in (["list"], ["list", "--json"], ["export"])]
    assert all("${KEY}" in text for text in said)
    tested = instance.command("sources", "test", "A", code=1).stdout
    # What the publisher himself says of his feed stands in the lines of entries as it came.
    lines = [line for line in document.read_text("utf-8").splitlines() if '"kind": "entry"' not in line]
    assert "hunter" not in "\n".join([*said, *lines, tested, json.dumps(row)])
    assert b"key=$%7BKEY%7D" in instance.feed("tech.rss")
    assert [name for name, content in published(instance).items() if b"hunter" in content] == []

    other.port = instance.port
    other.configure(listed)
    other.command("import", str(document))
    assert other.command("export", "--all").stdout == document.read_text("utf-8")
    assert "A: unchanged, 0 new" in other.poll("--all", "--now", DAY_LATER)
    assert feeds.asked[-1][0] == "/new.xml?key=hunter/2"
    assert "If-None-Match" in feeds.asked[-1][1]
    assert other.export("sources")[0]["current_url"] == row["current_url"]
    other.command("publish")
    assert other.feed("tech.rss") == instance.feed("tech.rss")


def test_every_table_has_its_line(db):
    tables = {row[0] for row in db.execute("select name from sqlite_master where type = 'table'")}
    in_lines_of_their_own = {"state", "source", "forgotten", "entry", "story", "relation", "publication", "feed"}
    in_lines_of_their_own |= {"decision", "learned"}
    in_the_line_of_an_entry = {"head", "filing", "edition"}
    of_sqlite = {"sqlite_sequence", "_sqlite_migrations"}
    made_anew = {"fingerprint", "posting"}
    assert tables == in_lines_of_their_own | in_the_line_of_an_entry | made_anew | of_sqlite


def test_what_is_forgotten_stays_forgotten(db, tmp_path):
    store.sources.sync(db, [Source("A", "http://example.org/")], NOW)
    keys = [(1, number.to_bytes(8, "big")) for number in range(2500)]
    with db.atomic():
        db.conn.executemany("insert into forgotten (source, key) values (?, ?)", keys)
    (tmp_path / "copy").mkdir()
    copy = store.connect(tmp_path / "copy")
    take(copy, [json.dumps(row) for row in store.exchange.document(db)])
    assert copy.execute("select source, key from forgotten order by key").fetchall() == keys
    copy.close()


def real_documents(corpus, entries):
    """Served path → file, of native Chinese feeds, until they hold so many entries."""
    rows = [line.split("\t") for line in (corpus / "feeds" / "INDEX.tsv").read_text("utf-8").splitlines()]
    names = rows[0]
    found, total = {}, 0
    for row in rows[1:]:
        said = dict(zip(names, row, strict=True))
        if said["kind"] == "real" and said["items"].isdigit() and 0 < int(said["items"]) <= 200 and total < entries:
            found[f"/{len(found)}.xml"] = corpus / said["file"]
            total += int(said["items"])
    return found


def test_two_thousand_real_entries_are_published_in_the_same_bytes(instance, other, feeds, tmp_path, corpus):
    documents = real_documents(corpus, 2100)
    for path, file in documents.items():
        feeds[path] = Answer(file.read_bytes())
    listed = sources(feeds, *(Path(path).stem for path in documents))
    instance.port = other.port
    for each in (instance, other):
        each.configure(listed)
    instance.poll("--now", T0)
    assert counts(instance)["entry"] >= 2000
    document = export(instance, tmp_path / "all.jsonl")
    other.command("import", str(document))
    assert other.command("export", "--all").stdout == document.read_text("utf-8")
    other.command("publish")
    assert published(other) == published(instance)
    assert " 0 new, 0 changed" in other.poll("--all", "--now", DAY_LATER)
    assert counts(other) == counts(instance)
    assert published(other) == published(instance)


# ------------------------------------------------------------------------------------------------- damage


def number_of(lines, *words):
    return next(k for k, line in enumerate(lines) if all(word in line for word in words))


def test_a_damaged_line_is_named_and_the_rest_goes_in(history, other, tmp_path):
    lines = history.lines()
    damaged = number_of(lines, '"entry"', "人工智能")
    lines[damaged] = lines[damaged][:80] + "\n"
    (tmp_path / "damaged").write_text("".join(lines), "utf-8")
    done = other.command("import", str(tmp_path / "damaged"), code=1)
    assert f"line {damaged + 1}: it is no JSON" in done.stderr
    assert "10 entries" in done.stdout
    assert len(other.export("stories")) == 9


def test_the_entries_of_a_source_whose_line_is_damaged_go_in(history, other, tmp_path):
    lines = history.lines()
    lines[number_of(lines, '"source"', '"name": "A"')] = "{}\n"
    (tmp_path / "damaged").write_text("".join(lines), "utf-8")
    done = other.command("import", str(tmp_path / "damaged"), code=1)
    assert "None is no kind of line" in done.stderr
    assert "11 entries" in done.stdout
    assert "A: ok, 0 new, 0 changed" in other.poll("--all", "--now", DAY_LATER)
    assert b"Story 1<" in other.feed("tech.atom")


def take(db, lines):
    """Take lines in; what was added, and the complaints by line number."""
    complaints = {}
    added = store.exchange.take(db, [line.encode() for line in lines], complaints.__setitem__)
    return added, complaints


@pytest.fixture
def db(tmp_path):
    database = store.connect(tmp_path)
    yield database
    database.close()


def test_a_document_that_was_cut_off_is_noticed(history, db):
    lines = history.lines()
    added, complaints = take(db, lines[:-1])
    ((number, said),) = complaints.items()
    assert number == len(lines)
    assert said.startswith("the document stops here, before its end: import the whole one into an empty folder")
    assert added["entry"] == 11


def test_a_line_that_was_lost_is_noticed(history, db):
    lines = history.lines()
    del lines[number_of(lines, '"decision"')]
    _, complaints = take(db, lines)
    assert complaints == {len(lines): f"{len(lines) - 1} lines stand before this one, and {len(lines)} should"}


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000,
        b"\xff\xfe",
        b"null",
        b'{"kind": ["entry"]}',
        b'{"kind": "entry"}',
        b'{"kind": "state", "key": "x", "value": "\\ud800"}',
        b'{"kind": "state", "key": "x", "value": {}}',
        b'{"kind": "state", "key": "x", "other": "y"}',
        b'{"kind": "feed", "term": "x", "changed": 99999999999999999999, "as_of": 0}',
        b'{"kind": "feed", "term": "x", "changed": "often", "as_of": 0}',
        b'{"kind": "forgotten", "source": "A", "keys": ["xyz"]}',
        b'{"kind": "end", "lines": 5}',
    ],
)
def test_no_line_is_worse_than_damaged(db, line):
    complaints = []
    lines = [b'{"format": "aggregator-export", "version": 1}', line, b'{"kind": "end", "lines": 2}']
    added = store.exchange.take(db, lines, lambda number, reason: complaints.append(number))
    assert complaints == [2]
    assert not added


@pytest.mark.parametrize("kind", ["state", "source", "entry", "story", "publication", "feed", "decision"])
def test_a_damage_costs_only_what_hangs_on_it(history, db, kind):
    lines = history.lines()
    at = number_of(lines, f'"kind": "{kind}"')
    damages = {"state": "?", "source": lines[at][:-9], "entry": lines[at].replace('": "', '": 1, "', 2)}
    lines[at] = damages.get(kind, json.dumps(json.loads(lines[at]) | {"no": "column"}))
    added, complaints = take(db, lines)
    assert at + 1 in complaints
    assert added["entry"] == 11 - (kind == "entry")
    assert rows(db, "select id from entry where (story is null) <> (published_id is null)") == []
    assert rows(db, "select id from entry where story is null and back = 0") == []


def rows(db, sql):
    return db.execute(sql).fetchall()


@pytest.mark.parametrize("first", ["", "hello", "[]", '{"kind": "entry"}', '{"format": "rss", "version": 1}'])
def test_what_is_no_export_is_refused(db, first):
    with pytest.raises(errors.AggregatorError, match="this is no export"):
        take(db, [first])


def test_an_export_of_another_format_version_is_refused(db):
    with pytest.raises(errors.AggregatorError, match="format 2, and this release reads format 1"):
        take(db, ['{"format": "aggregator-export", "version": 2}'])


# ------------------------------------------------------------------------------------------------- a used folder


def test_a_used_folder_keeps_its_feeds_and_gains_the_entries(history, other, feeds):
    feeds["/D.xml"] = rss(item("d1"), item("d2"), title="D")
    other.configure(sources(feeds, "D"))
    other.poll("--now", T0)
    before = published(other)
    assert "11 entries, 10 stories" in other.command("import", str(history.document)).stdout
    other.command("publish")
    assert published(other) == before
    assert {entry["id"] for entry in other.export("entries")} > {e["id"] for e in history.instance.export("entries")}
    stored = other.command("export", "--all").stdout
    again = other.command("import", str(history.document)).stdout
    assert "added: 0 sources, 0 entries, 0 stories, 0 places in feeds, 0 decisions" in again
    assert other.command("export", "--all").stdout == stored
    feeds["/D.xml"] = rss(item("d3"), item("d1"), item("d2"), title="D")
    other.poll("--all", "--now", DAY_LATER)
    assert entries_in(other, "all.atom") == 3


def entries_in(instance, name):
    return len(feedparser.parse(io.BytesIO(instance.feed(name))).entries)


def test_what_is_here_stays_as_it_is(history, other, feeds):
    feeds["/A.xml"] = rss(item(1, "New title"), item(2))
    other.configure(sources(feeds, "A"))
    other.poll("--now", T0)
    other.command("import", str(history.document))
    other.poll("--now", LATER)
    assert {"New title", "Story 2", "Story 3"} < {entry["title"] for entry in other.export("entries")}
    titles = [entry.title for entry in feedparser.parse(io.BytesIO(other.feed("tech.atom"))).entries]
    assert sorted(titles) == ["New title", "Story 2"]  # which was hidden there, not here


def elsewhere(lines, **said):
    """The history as another folder tells it: its first sources have other names, and so much else differs."""
    changes = {'"A"': '"Z"', '"B"': '"Y"'} | said
    return [functools.reduce(lambda text, change: text.replace(*change), changes.items(), line) for line in lines]


def test_entries_of_pages_that_are_here_join_their_stories_at_the_next_tick(history, db):
    take(db, history.lines())
    feeds = rows(db, "select term, story from publication where live = 1 order by seq")
    added, complaints = take(db, elsewhere(history.lines(), **{"urn:uuid:": "urn:x:"}))
    assert (added["entry"], added["story"], complaints) == (8, 0, {})
    pipeline.settling.settle(db, {}, stories.load_aliases, NOW)
    joined = rows(db, "select o.title from entry e join entry o on o.id = e.copy_of where e.entry_id = 'guid-1'")
    assert joined == [("Story 1",)]
    assert rows(db, "select 1 from entry where story is null") == []
    assert rows(db, "select term, story from publication where live = 1 order by seq") == feeds


def test_entries_that_still_wait_here_are_no_damage(history, db):
    take(db, history.lines())
    told = elsewhere(history.lines(), **{"urn:uuid:": "urn:x:"})
    take(db, told)
    added, complaints = take(db, told)
    assert (added.total(), complaints) == (0, {})


def test_a_published_id_that_is_taken_here_is_not_given_twice(history, db):
    take(db, history.lines())
    before = rows(db, "select published_id from entry order by id")
    added, complaints = take(db, elsewhere(history.lines(), **{"http://example.org/": "http://z.example/"}))
    assert (added["entry"], complaints) == (8, {})
    assert rows(db, "select published_id from entry where id <= 11 order by id") == before
    assert rows(db, "select distinct published_id, back from entry where id > 11") == [(None, 1)]


# ------------------------------------------------------------------------------------------------- the command


def test_an_import_into_a_held_folder_is_refused(history, other):
    with folder.hold(other.data, "run"):
        assert "is held by process" in other.command("import", str(history.document), code=1).stderr


def test_a_bar_shows_how_far_an_import_is(history, other):
    theirs, ours = pty.openpty()
    command = other.arguments("import", str(history.document))
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=ours, check=True)
    os.close(ours)
    assert b"Importing" in os.read(theirs, 10_000)
    os.close(theirs)
    assert b"11 entries" in done.stdout


def test_a_bar_counts_what_is_exported_into_a_file(history):
    theirs, ours = pty.openpty()
    command = history.instance.arguments("export", "entries")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=ours, check=True)
    os.close(ours)
    shown = os.read(theirs, 10_000)
    os.close(theirs)
    lines = done.stdout.splitlines()
    assert lines
    assert f"Exporting {len(lines)}".encode() in shown
    assert all(json.loads(line) for line in lines), "the bar stays out of the data"


def test_export_needs_to_know_what(instance):
    instance.configure([])
    assert "give --all" in instance.command("export", code=2).stderr
    assert "give --all" in instance.command("export", "--all", "entries", code=2).stderr
