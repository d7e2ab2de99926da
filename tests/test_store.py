"""The store on real files: transactions, dirty marks, the publication log, reports."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from aggregator import errors, store
from aggregator.models import Edition, Head, NewEntry, Place, Print, Source, Validators, Visit
from tests.builders import DAY, HOUR, NOW, prepared

EDITION = Edition("words", "rules")


@pytest.fixture
def db(tmp_path):
    database = store.connect(tmp_path)
    yield database
    database.close()


def sync(db, *sources, now=NOW):
    store.sources.sync(db, sources, now)


def source(name="A", **said):
    return Source(**({"name": name, "url": f"http://example.org/{name}"} | said))


def new_entry(entry_id="1", **said):
    return NewEntry(entry_id, prepared(id=entry_id, **said), NOW, NOW)


def add_entry(db, entry_id="1", **said):
    head = store.entries.head(db, 1, Head(title="Feed"))
    store.entries.add(db, 1, head, [new_entry(entry_id, **said)], EDITION, NOW)
    return db.execute("select max(id) from entry").fetchone()[0]


def names(states):
    return [state.name for state in states]


# ------------------------------------------------------------------------------------------------- sources


def test_new_sources_are_due_at_once(db):
    sync(db, source("A"), source("B"))
    assert names(store.sources.due(db, NOW, 10)) == ["A", "B"]


def test_disabled_sources_are_never_due(db):
    sync(db, source("A", enabled=False))
    assert store.sources.due(db, NOW, 10) == []
    assert store.sources.forced(db, NOW, ["A"]) == []


def test_the_sources_of_a_new_database_are_its_founding_ones(db):
    sync(db, source("A"))
    sync(db, source("A"), source("B"), now=NOW + DAY)
    assert {s.name: s.founding for s in store.sources.due(db, NOW + DAY, 10)} == {"A": True, "B": False}


def test_a_source_taken_out_is_not_polled_and_resumes_when_its_name_comes_back(db):
    sync(db, source("A"))
    sync(db)
    assert store.sources.due(db, NOW, 10) == []
    assert list(store.reports.sources(db)) == []
    sync(db, source("A"))
    assert names(store.sources.due(db, NOW, 10)) == ["A"]
    assert db.execute("select count(*) from source").fetchone()[0] == 1


def test_a_renamed_source_keeps_its_row(db):
    sync(db, source("Old"))
    sync(db, source("New", formerly=("Old",)))
    assert db.execute("select id, name from source").fetchall() == [(1, "New")]


def test_another_url_drops_validators_and_keeps_the_entries(db):
    sync(db, source("A"))
    add_entry(db)
    db.execute("update source set etag = 'x', hashes = x'01', next_poll = 9999999999")
    sync(db, source("A", url="http://elsewhere.example/"))
    (state,) = store.sources.due(db, NOW, 10)
    assert (state.place.current_url, state.validators.etag, state.hashes) == ("http://elsewhere.example/", None, b"")
    assert db.execute("select count(*) from entry").fetchone()[0] == 1


def test_a_url_that_is_changed_to_where_the_source_has_moved_changes_nothing_else(db):
    sync(db, source("A"))
    moved = Place("http://elsewhere.example/")
    visit = Visit(1, "ok", "", 0, NOW, NOW + DAY, place=moved, validators=Validators("x", None), fetched=NOW)
    store.sources.record(db, [visit])
    sync(db, source("A", url="http://elsewhere.example/"))
    assert store.sources.due(db, NOW, 10) == []
    (state,) = store.sources.due(db, NOW + DAY, 10)
    assert (state.url, state.place, state.validators.etag) == ("http://elsewhere.example/", moved, "x")


def test_a_url_that_is_changed_brings_back_what_was_gone(db):
    sync(db, source("A"))
    store.sources.record(db, [Visit(1, "gone", "410", 1, NOW, NOW, place=Place("http://elsewhere.example/"))])
    sync(db, source("A", url="http://elsewhere.example/"))
    assert names(store.sources.due(db, NOW, 10)) == ["A"]


def test_a_name_overrides_the_rhythm_but_not_what_the_server_asked_for(db):
    sync(db, source("A"), source("B"))
    store.sources.record(db, [Visit(1, "ok", "", 0, NOW, NOW + DAY)])
    store.sources.record(db, [Visit(2, "failing", "503", 1, NOW, NOW + DAY, not_before=NOW + DAY)])
    assert names(store.sources.forced(db, NOW, [])) == ["A"]
    assert names(store.sources.forced(db, NOW + DAY, [])) == ["A", "B"]


def test_no_poll_comes_a_part_of_a_second_early(db):
    sync(db, source("A"), source("B"))
    soon = NOW + timedelta(seconds=60.2)
    store.sources.record(db, [Visit(1, "ok", "", 0, NOW, soon), Visit(2, "ok", "", 0, NOW, NOW, not_before=soon)])
    assert names(store.sources.due(db, NOW + timedelta(seconds=60.1), 10)) == ["B"]
    assert names(store.sources.forced(db, NOW + timedelta(seconds=60.1), ["B"])) == []
    assert len(store.sources.due(db, NOW + timedelta(seconds=61), 10)) == 2
    assert names(store.sources.forced(db, NOW + timedelta(seconds=61), ["B"])) == ["B"]


def test_a_gone_source_is_polled_no_more(db):
    sync(db, source("A"))
    store.sources.record(db, [Visit(1, "gone", "410", 1, NOW, NOW)])
    assert store.sources.due(db, NOW + DAY, 10) == []
    assert store.sources.forced(db, NOW + DAY, ["A"]) == []


def test_a_tick_before_the_last_one_is_refused(db):
    assert store.sources.begin_tick(db, NOW) is None
    assert store.sources.begin_tick(db, NOW - HOUR) == NOW
    assert store.sources.begin_tick(db, NOW) is None


def test_what_is_under_way_is_not_due_again(db):
    sync(db, source("A"), source("B"))
    assert names(store.sources.due(db, NOW, 1, {1})) == ["B"]


# ------------------------------------------------------------------------------------------------- decisions


@pytest.mark.parametrize(
    "work",
    [
        lambda db: store.decisions.hides(db, 1),
        lambda db: store.decisions.undo(db, "file", "urn:x", "tech", NOW),
        lambda db: store.decisions.is_open(db),
        lambda db: store.decisions.asked(db, "apply"),
        lambda db: store.decisions.waiting(db),
        lambda db: store.filings.rulings(db, "urn:x"),
        lambda db: store.learned.correction(db),
    ],
    ids=["hides", "undo", "is_open", "asked", "waiting", "rulings", "corrections"],
)
def test_no_decision_is_looked_at_that_is_not_meant(db, work):
    statements = []
    db.conn.set_trace_callback(statements.append)
    work(db)
    db.conn.set_trace_callback(None)
    steps = [row[-1] for sql in statements for row in db.conn.execute(f"explain query plan {sql}")]
    assert any("decision_" in step for step in steps)
    assert not [step for step in steps if step.startswith("SCAN") and "INDEX" not in step]


# ------------------------------------------------------------------------------------------------- editions


def test_each_entry_knows_what_filed_it_and_learning_makes_no_more_editions(db):
    sync(db, source("A"))
    for generation in range(3):
        edition = replace(EDITION, learned=generation)
        store.entries.add(db, 1, store.entries.head(db, 1, Head()), [new_entry(str(generation))], edition, NOW)
    store.filings.stamp(db, {1: replace(EDITION, rules="new", learned=7)})
    filed_by = (
        "select e.id, d.lexicon, d.rules, e.learned from entry e join edition d on d.id = e.edition order by e.id"
    )
    assert db.execute(filed_by).fetchall() == [
        (1, "words", "new", 7),
        (2, "words", "rules", 1),
        (3, "words", "rules", 2),
    ]
    assert db.execute("select count(*) from edition").fetchone()[0] == 2
    assert store.filings.older(db, {"A": Edition("words", "new")}) == 2


# ------------------------------------------------------------------------------------------------- publications


def settle(db, row, terms=("tech", "all"), live=True):
    story = store.stories.start(db, row, f"urn:x:{row}", NOW)
    store.publications.add(db, story, terms, NOW, live)
    return story


@pytest.fixture
def stored(db):
    sync(db, source("A"))
    return add_entry(db)


def dirty(db):
    return [mark.term for mark in store.publications.dirty(db, {"tech", "all", "other"})]


def test_a_publication_marks_its_feeds_until_they_are_rendered(db, stored):
    settle(db, stored)
    marks = store.publications.dirty(db, {"tech", "all"})
    assert [mark.term for mark in marks] == ["all", "tech"]
    for mark in marks:
        store.publications.rendered(db, mark)
    assert dirty(db) == []


def test_a_change_during_rendering_keeps_the_mark(db, stored):
    settle(db, stored)
    mark = store.publications.dirty(db, {"tech"})[0]
    store.publications.mark(db, ["tech"], NOW)
    store.publications.rendered(db, mark)
    assert "tech" in dirty(db)


def test_a_story_is_put_into_a_feed_once(db, stored):
    story = settle(db, stored)
    assert store.publications.add(db, story, ["tech", "finance"], NOW, live=True) == ["finance"]


def test_back_issues_are_in_the_log_and_not_in_the_feed(db, stored):
    settle(db, stored, live=False)
    assert dirty(db) == []
    assert store.publications.live(db, "tech", 10) == []
    assert db.execute("select count(*) from publication").fetchone()[0] == 2


def test_the_feed_is_the_end_of_the_log_newest_first(db):
    sync(db, source("A"))
    for number in range(4):
        settle(db, add_entry(db, str(number), title=f"T{number}"))
    assert [s.entry.title for s in store.publications.live(db, "tech", 3)] == ["T3", "T2", "T1"]


def test_of_many_related_stories_an_entry_names_ten(db):
    sync(db, source("A"))
    rows = [add_entry(db, str(number), title=f"T{number:02}", published=NOW) for number in range(13)]
    for row in rows:
        settle(db, row)
    store.fingerprints.relate(db, rows[0], [(row, {}) for row in rows[1:]])
    first = store.publications.live(db, "tech", 13)[-1].entry
    assert [mention.title for mention in first.related] == [f"T{number:02}" for number in (1, 10, 11, 12, *range(2, 8))]


def test_a_changed_recipe_marks_the_feed_and_the_same_one_does_not(db):
    store.publications.require(db, {"tech": "a"}, NOW)
    mark = store.publications.dirty(db, {"tech"})[0]
    store.publications.rendered(db, mark)
    store.publications.require(db, {"tech": "a"}, NOW)
    assert dirty(db) == []
    store.publications.require(db, {"tech": "b"}, NOW)
    assert dirty(db) == ["tech"]


def steps(db, work):
    """How many hundreds of steps SQLite's machine took."""
    taken = []
    db.conn.set_progress_handler(lambda: taken.append(1), 100)
    work()
    db.conn.set_progress_handler(None, 0)
    return len(taken)


def test_settling_a_few_of_many_costs_no_more_than_of_few(db):
    sync(db, source("A"))
    costs = []
    for waiting in (50, 1000):
        head = store.entries.head(db, 1, Head(title="Feed"))
        ids = [f"{waiting}/{k}" for k in range(waiting)]
        new = [NewEntry(i, prepared(id=i), NOW + timedelta(seconds=k), NOW) for k, i in enumerate(ids)]
        store.entries.add(db, 1, head, new, EDITION, NOW)
        costs.append(steps(db, lambda: store.stories.unsettled(db, 20)))
    assert costs[1] < 1.5 * costs[0]


def test_only_feeds_in_which_a_story_has_aged_are_expired(db, stored):
    settle(db, stored)
    assert store.publications.expired(db, DAY, NOW + HOUR) == []
    assert sorted(store.publications.expired(db, DAY, NOW + 2 * DAY)) == ["all", "tech"]
    store.publications.mark(db, ["tech", "all"], NOW + 2 * DAY)
    assert store.publications.expired(db, DAY, NOW + 3 * DAY) == []


# ------------------------------------------------------------------------------------------------- the file


def test_a_second_opening_applies_no_migration_again(tmp_path):
    store.connect(tmp_path).close()
    db = store.connect(tmp_path)
    assert db.execute("select count(*) from _sqlite_migrations").fetchone()[0] == 8
    db.close()


def test_reading_where_nothing_is_says_what_to_do(tmp_path):
    with pytest.raises(errors.StoreError, match="aggregator run"):
        store.read_only(tmp_path)


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / store.FILE_NAME).write_bytes(b"this is no database, " * 100)
    with pytest.raises(errors.StoreError, match="damaged"):
        store.connect(tmp_path)


def test_nobody_writes_while_it_is_anothers_turn(tmp_path):
    order = []

    def command():
        with store.writing(tmp_path) as db:
            order.append("command")
            db.execute("insert into state values ('command', 'x')")

    async def main():
        writer = store.Writer(tmp_path)
        with store.turn(tmp_path):
            beside = threading.Thread(target=command)
            beside.start()
            job = asyncio.create_task(writer.run(lambda _: order.append("daemon")))
            await asyncio.wait([job], timeout=0.3)
            order.append("turn")
        await job
        await asyncio.to_thread(beside.join)
        await writer.close()

    asyncio.run(main())
    assert (order[0], sorted(order[1:])) == ("turn", ["command", "daemon"])


def test_a_turn_that_does_not_end_is_said(tmp_path):
    said = r"locked by another process .*write\.lock"
    with store.turn(tmp_path), pytest.raises(errors.StoreError, match=said), store.turn(tmp_path):
        pass


# ------------------------------------------------------------------------------------------------- candidates


def posted(db, entry_id, keys):
    """A stored entry that is found by these keys; the number of its print."""
    row, made = add_entry(db, entry_id), Print(entry_id.encode(), tuple(keys))
    store.fingerprints.put(db, row, made)
    store.fingerprints.post(db, row, made, NOW)
    return db.execute("select id from fingerprint where entry = ?", [row]).fetchone()[0]


def nearest(db, keys, most=9):
    return [number for number, _, _ in store.fingerprints.nearest(db, Print(b"new", tuple(keys)), NOW, most)]


def test_what_shares_most_keys_is_nearest_and_of_equal_ones_the_last(db):
    sync(db, source("A"))
    one, three, two, also_two = (posted(db, f"{n}", keys) for n, keys in enumerate(([1], [1, 2, 3], [2, 3], [1, 3])))
    posted(db, "stranger", [7])
    assert nearest(db, [1, 2, 3, 4]) == [three, also_two, two, one]
    assert nearest(db, [1, 2, 3, 4], most=3) == [three, also_two, two]
    assert nearest(db, [9]) == nearest(db, []) == []


def test_keys_that_are_left_of_a_print_that_is_gone_do_no_harm(db):
    sync(db, source("A"))
    gone, there = posted(db, "1", [1]), posted(db, "2", [1])
    db.execute("delete from fingerprint where id = ?", [gone])
    assert nearest(db, [1]) == [there]


# ------------------------------------------------------------------------------------------------- the writer


def write(tmp_path, use):
    async def main():
        writer = store.Writer(tmp_path)
        try:
            return await use(writer)
        finally:
            await writer.close()

    return asyncio.run(main())


def remember(db, key):
    db.execute("insert into state values (?, 'x')", [key])


def forget_how(db, key):
    remember(db, key)
    raise ValueError("no")


def stored_keys(tmp_path):
    with sqlite3.connect(tmp_path / store.FILE_NAME) as connection:
        return {row[0] for row in connection.execute("select key from state")}


def test_jobs_that_share_a_transaction_fail_alone(tmp_path):
    async def use(writer):
        return await asyncio.gather(
            writer.gather(remember, "a"),
            writer.gather(forget_how, "b"),
            writer.gather(remember, "c"),
            return_exceptions=True,
        )

    results = write(tmp_path, use)
    assert isinstance(results[1], ValueError)
    assert stored_keys(tmp_path) == {"a", "c"}


def test_values_of_one_kind_go_to_one_call(tmp_path):
    calls = []

    def remember_all(db, keys):
        calls.append(list(keys))
        for key in keys:
            remember(db, key)

    async def use(writer):
        await asyncio.gather(*(writer.gather_one(remember_all, key) for key in "abc"))

    write(tmp_path, use)
    assert calls == [["a", "b", "c"]]
    assert stored_keys(tmp_path) == {"a", "b", "c"}


def test_one_unfit_value_takes_nothing_of_the_others_with_it(tmp_path):
    def remember_all(db, keys):
        db.conn.executemany("insert into state values (?, 'x')", [[key] for key in keys])

    async def use(writer):
        return await asyncio.gather(
            *(writer.gather_one(remember_all, key) for key in ("a", None, "c")), return_exceptions=True
        )

    results = write(tmp_path, use)
    assert [type(result) for result in results] == [type(None), sqlite3.IntegrityError, type(None)]
    assert stored_keys(tmp_path) == {"a", "c"}


def test_unfit_values_are_that_jobs_bug_and_no_trouble_of_the_store(tmp_path):
    async def use(writer):
        with pytest.raises(sqlite3.IntegrityError):
            await writer.gather(lambda db: db.execute("insert into state values (null, 'x')"))
        await writer.run(remember, "later")

    write(tmp_path, use)
    assert stored_keys(tmp_path) == {"later"}


def test_gathered_jobs_are_committed_before_they_are_answered(tmp_path):
    async def use(writer):
        await writer.gather(remember, "a")
        return stored_keys(tmp_path)

    assert write(tmp_path, use) == {"a"}


def test_closing_finishes_the_jobs_that_were_given(tmp_path):
    async def use(writer):
        task = asyncio.create_task(writer.gather(remember, "a"))
        await asyncio.sleep(0)
        await writer.close()
        await task

    async def main():
        await use(store.Writer(tmp_path))

    asyncio.run(main())
    assert stored_keys(tmp_path) == {"a"}


def test_a_short_lock_of_another_process_is_waited_for(tmp_path):
    store.connect(tmp_path).close()
    other = sqlite3.connect(tmp_path / store.FILE_NAME, isolation_level=None, check_same_thread=False)
    other.execute("begin immediate")
    timer = threading.Timer(0.3, other.execute, ["rollback"])
    timer.start()
    write(tmp_path, lambda writer: writer.run(remember, "a"))
    timer.join()
    other.close()
    assert stored_keys(tmp_path) == {"a"}


def test_a_full_database_is_said_clearly_and_heals(tmp_path):
    async def use(writer):
        pages = writer._db.execute("pragma page_count").fetchone()[0]
        writer._db.execute(f"pragma max_page_count = {pages}").fetchall()
        with pytest.raises(errors.StoreError, match=r"^the disk is full: free some space$"):
            await writer.run(lambda db: remember(db, "x" * 100_000))
        writer._db.execute("pragma max_page_count = 1000000").fetchall()
        await writer.run(remember, "later")

    write(tmp_path, use)
    assert stored_keys(tmp_path) == {"later"}


def test_a_job_waits_for_company_no_longer_than_a_quarter_second(tmp_path):
    async def use(writer):
        started = time.monotonic()
        await writer.gather(remember, "a")
        return time.monotonic() - started

    assert write(tmp_path, use) < timedelta(seconds=5).total_seconds()
