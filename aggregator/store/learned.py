"""What filing learned, and from what it may learn: corrections by hand, and entries of sources that are certain."""

from __future__ import annotations

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
    """Forget everything."""
    db.conn.execute("delete from learned")
    _put_number(db, "lessons", generation(db) + 1)


def corrections(db: Database, limit: int) -> list[tuple[int, Example]]:
    """Corrections that stand and taught nothing yet, each with its decision's row."""
    found = db.query(
        "select d.id, d.act, d.other, e.title, coalesce(nullif(e.content, ''), e.summary) as markup from decision d"
        " join entry e on e.published_id = d.target where d.act in ('file', 'unfile') and d.taught = 0"
        " and d.undone_at is null and d.applied = 1 order by d.id limit ?",
        [limit],
    )
    return [
        (
            row["id"],
            Example(row["title"], row["markup"], (row["other"],))
            if row["act"] == "file"
            else Example(row["title"], row["markup"], wrong=(row["other"],)),
        )
        for row in found
    ]


def corrected(db: Database, decisions: Iterable[int]) -> None:
    """Note that these corrections taught what they can."""
    db.conn.executemany("update decision set taught = 1 where id = ?", [(row,) for row in decisions])


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
