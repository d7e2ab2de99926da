"""Entries that wait for their story, the stories themselves, and the published ids.

An entry without a story is stored and not settled: that mark survives any crash, and settling it is what starts or
joins a story, gives the published id, and writes the publication rows.
"""

from __future__ import annotations

from datetime import datetime

from sqlite_utils import Database

from aggregator.models import Back, Candidate, Unsettled
from aggregator.store.connection import moment, seconds


def unsettled(db: Database, limit: int) -> list[Unsettled]:
    """Up to `limit` entries that wait, in the order in which they are to be announced: by `published`, then source."""
    rows = db.query(
        "select e.id, e.source, s.name as source_name, e.entry_id, e.canonical, e.title_key, e.published, e.back,"
        " coalesce((select group_concat(distinct f.term) from filing f where f.entry = e.id), '') as terms"
        " from entry e indexed by entry_unsettled join source s on s.id = e.source where e.story is null"
        " order by e.published, s.name, e.id limit ?",
        [limit],
    )
    return [
        Unsettled(
            row=row["id"],
            source=row["source"],
            source_name=row["source_name"],
            entry_id=row["entry_id"],
            canonical=row["canonical"],
            title_key=row["title_key"],
            published=moment(row["published"]),
            back=Back(row["back"]),
            terms=tuple(sorted(filter(None, row["terms"].split(",")))),
        )
        for row in rows
    ]


def with_link(db: Database, canonical: str, limit: int = 50) -> list[Candidate]:
    """Settled entries with the same canonical link, the latest `limit` of them."""
    rows = db.query(
        "select id, source, story, title_key, published from entry where canonical = ? and story is not null"
        " order by published desc, id desc limit ?",
        [canonical, limit],
    )
    return [
        Candidate(row["id"], row["source"], row["story"], row["title_key"], moment(row["published"])) for row in rows
    ]


def published_id_taken(db: Database, published_id: str) -> bool:
    """Whether an entry holds this published id."""
    return db.conn.execute("select 1 from entry where published_id = ?", [published_id]).fetchone() is not None


def start(db: Database, row: int, published_id: str, now: datetime) -> int:
    """Make the entry the representative of a story of its own; the story's row."""
    cursor = db.conn.execute("insert into story (representative, created) values (?, ?)", [row, seconds(now)])
    assert cursor.lastrowid is not None
    db.conn.execute("update entry set story = ?, published_id = ? where id = ?", [cursor.lastrowid, published_id, row])
    return cursor.lastrowid


def join(db: Database, row: int, published_id: str, story: int, evidence: str) -> None:
    """Make the entry a copy in an existing story."""
    db.conn.execute(
        "update entry set story = ?, published_id = ?, evidence = ?,"
        " copy_of = (select representative from story where id = ?) where id = ?",
        [story, published_id, evidence, story, row],
    )


def story_of_representative(db: Database, row: int) -> int | None:
    """The story that this entry represents, or None (a copy, or not settled)."""
    found = db.conn.execute(
        "select s.id from story s join entry e on e.story = s.id where e.id = ? and s.representative = e.id", [row]
    ).fetchone()
    return None if found is None else int(found[0])
