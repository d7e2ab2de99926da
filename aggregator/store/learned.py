"""What filing learned, and from what it may learn: corrections by hand, and entries of sources that are certain."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from sqlite_utils import Database

from aggregator.models import Example, Weight


def rows(db: Database) -> list[Weight]:
    """Everything that was learned, in the order of term and word."""
    found = db.conn.execute("select word, term, weight, lessons from learned order by term, word")
    return [Weight(*row) for row in found]


def generation(db: Database) -> int:
    """How often something was learned, or forgotten."""
    return _number(db, "lessons")


def put(db: Database, changed: Iterable[Weight], surplus: Iterable[Weight]) -> None:
    """Store what a lesson changed, and drop what is too much."""
    sql = "insert or replace into learned (word, term, weight, lessons) values (?, ?, ?, ?)"
    db.conn.executemany(sql, [tuple(row) for row in changed])
    db.conn.executemany("delete from learned where word = ? and term = ?", [(row.word, row.term) for row in surplus])
    _put_number(db, "lessons", generation(db) + 1)


def clear(db: Database) -> None:
    """Forget everything, and what of it each correction taught."""
    db.conn.execute("delete from learned")
    db.conn.execute("update decision set effect = json_remove(effect, '$.lesson') where taught = 1 and effect <> ''")
    _put_number(db, "lessons", generation(db) + 1)


def correction(db: Database) -> tuple[int, Example] | None:
    """The first correction that stands and taught nothing yet, with its decision's row."""
    found = db.query(
        "select d.id, d.act, d.other, e.title, coalesce(nullif(e.content, ''), e.summary) as markup from decision d"
        " join entry e on e.published_id = d.target where d.act in ('file', 'unfile') and d.taught = 0"
        " and d.undone_at is null and d.applied = 1 order by d.id limit 1"
    )
    for row in found:
        terms = {"right" if row["act"] == "file" else "wrong": (row["other"],)}
        return row["id"], Example(row["title"], row["markup"], **terms)
    return None


def corrected(db: Database, decision: int, changed: Iterable[Weight], surplus: Iterable[Weight]) -> None:
    """Store what a correction taught, and with it by how much, for undoing it; nothing if it was undone meanwhile."""
    changed = list(changed)
    lesson = [[row.word, row.term, row.weight - _weight(db, row)] for row in changed]
    stands = db.conn.execute(
        "update decision set taught = 1, effect = json_set(coalesce(nullif(effect, ''), '{}'), '$.lesson', json(?))"
        " where id = ? and undone_at is null",
        [json.dumps(lesson, ensure_ascii=False), decision],
    )
    if stands.rowcount and changed:
        put(db, changed, surplus)


def _weight(db: Database, row: Weight) -> float:
    """What was learned of its word for its term up to now."""
    found = db.conn.execute("select weight from learned where (word, term) = (?, ?)", [row.word, row.term]).fetchone()
    return float(found[0]) if found else 0.0


def take_back(db: Database, lesson: Iterable[tuple[str, str, float]]) -> None:
    """Undo what a correction taught, as `corrected` stored it."""
    db.conn.executemany(
        "update learned set weight = round(weight - ?, 6), lessons = lessons - 1 where word = ? and term = ?",
        [(weight, word, term) for word, term, weight in lesson],
    )
    db.conn.execute("delete from learned where lessons <= 0")
    _put_number(db, "lessons", generation(db) + 1)


def certain(db: Database, categories: Mapping[str, tuple[str, ...]], limit: int) -> tuple[list[Example], int]:
    """The next entries of these sources, whose categories are certain; and the number of the last one."""
    found = db.query(
        "select e.id, e.title, coalesce(nullif(e.content, ''), e.summary) as markup, s.name as source from entry e"
        " join source s on s.id = e.source where e.id > ? and e.story is not null order by e.id limit ?",
        [_number(db, "taught"), limit],
    )
    listed = list(found)
    examples = [
        Example(row["title"], row["markup"], categories[row["source"]]) for row in listed if row["source"] in categories
    ]
    return examples, listed[-1]["id"] if listed else 0


def seen(db: Database, last: int) -> None:
    """Note up to which entry certain sources have taught."""
    _put_number(db, "taught", last)


def _number(db: Database, key: str) -> int:
    row = db.conn.execute("select value from state where key = ?", [key]).fetchone()
    return int(row[0]) if row else 0


def _put_number(db: Database, key: str, value: int) -> None:
    db.conn.execute("insert or replace into state (key, value) values (?, ?)", [key, str(value)])
