"""Entries that wait for their story, the stories themselves, and the published ids.

An entry without a story is stored and not settled: that mark survives any crash, and settling it is what starts or
joins a story, gives the published id, and writes the publication rows.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from aggregator.models import Back, Candidate, Standing, Unsettled
from aggregator.store.connection import marks, moment, seconds


def unsettled(db: Database, limit: int) -> list[Unsettled]:
    """Up to `limit` entries that wait, in the order in which they are to be announced: by `published`, then source,
    then their place in its document."""
    rows = db.query(
        "select e.id, e.source, s.name as source_name, e.entry_id, e.canonical, e.title, e.title_key,"
        " e.published, e.back,"
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
            title=row["title"],
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
        "select id, source, story, title_key, published, published_id,"
        " exists (select 1 from publication p where p.story = entry.story and p.live = 1) as announced"
        " from entry where canonical = ? and story is not null order by published desc, id desc limit ?",
        [canonical, limit],
    )
    return [
        Candidate(
            row=row["id"],
            source=row["source"],
            story=row["story"],
            title_key=row["title_key"],
            published=moment(row["published"]),
            published_id=row["published_id"],
            announced=bool(row["announced"]),
        )
        for row in rows
    ]


def standing(db: Database, stories: Collection[int]) -> dict[int, Standing]:
    """How these stories stand, each by its number."""
    if not stories:
        return {}
    rows = db.conn.execute(
        "select s.id, r.published, (select group_concat(m.source) from entry m where m.story = s.id),"
        " exists (select 1 from publication p where p.story = s.id and p.live = 1)"
        f" from story s join entry r on r.id = s.representative where s.id in ({marks(stories)})",
        list(stories),
    )
    return {
        number: Standing(moment(began), tuple(map(int, sources.split(","))), bool(live))
        for number, began, sources, live in rows
    }


def published_id_taken(db: Database, published_id: str) -> bool:
    """Whether an entry holds this published id."""
    return db.conn.execute("select 1 from entry where published_id = ?", [published_id]).fetchone() is not None


def start(db: Database, row: int, published_id: str, now: datetime) -> int:
    """Make the entry the representative of a story of its own; the story's row."""
    cursor = db.conn.execute("insert into story (representative, created) values (?, ?)", [row, seconds(now)])
    assert cursor.lastrowid is not None
    db.conn.execute("update entry set story = ?, published_id = ? where id = ?", [cursor.lastrowid, published_id, row])
    return cursor.lastrowid


def join(db: Database, row: int, published_id: str, story: int, evidence: Mapping[str, object]) -> None:
    """Make the entry a copy in an existing story."""
    db.conn.execute(
        "update entry set story = ?, published_id = ?, evidence = ?,"
        " copy_of = (select representative from story where id = ?) where id = ?",
        [story, published_id, json.dumps(evidence, ensure_ascii=False), story, row],
    )


def story_of(db: Database, row: int) -> int | None:
    """The story of an entry, or None (not settled)."""
    found = db.conn.execute("select story from entry where id = ?", [row]).fetchone()
    return None if found is None else found[0]


# ------------------------------------------------------------------------------------------------- by hand


def of(db: Database, published_id: str) -> int | None:
    """The story of the entry with this published id, or None."""
    found = db.conn.execute("select story from entry where published_id = ?", [published_id]).fetchone()
    return None if found is None else found[0]


def entry(db: Database, published_id: str) -> int | None:
    """The entry with this published id, or None."""
    found = db.conn.execute("select id from entry where published_id = ?", [published_id]).fetchone()
    return None if found is None else int(found[0])


def representative(db: Database, story: int) -> str:
    """The published id of a story's representative: the story's own."""
    row = db.conn.execute(
        "select e.published_id from story s join entry e on e.id = s.representative where s.id = ?", [story]
    ).fetchone()
    return str(row[0])


def represented_by(db: Database, published_id: str) -> int | None:
    """The first story whose representative is the entry with this published id, wherever that entry is now."""
    row = db.conn.execute(
        "select s.id from story s join entry e on e.id = s.representative where e.published_id = ? order by s.id",
        [published_id],
    ).fetchone()
    return None if row is None else int(row[0])


def membership(db: Database, story: int) -> list[dict[str, Any]]:
    """The members of a story in the order of their times: id, what each was a copy of and why, whether announced."""
    return list(
        db.query(
            "select e.published_id as id, o.published_id as copy_of, e.evidence, e.back from entry e"
            " join source s on s.id = e.source left join entry o on o.id = e.copy_of"
            " where e.story = ? order by e.published, s.name, e.entry_id",
            [story],
        )
    )


def begin(db: Database, published_id: str, now: datetime) -> int:
    """A new story, without members yet, of which this entry is the representative; the story's row."""
    cursor = db.conn.execute(
        "insert into story (representative, created) select id, ? from entry where published_id = ?",
        [seconds(now), published_id],
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def move(db: Database, published_id: str, story: int, copy_of: str | None, evidence: str) -> None:
    """Make the entry a member of that story: its representative (`copy_of` None), or a copy of it."""
    db.conn.execute(
        "update entry set story = ?, evidence = ?, copy_of = (select id from entry where published_id = ?)"
        " where published_id = ?",
        [story, evidence, copy_of, published_id],
    )


def terms(db: Database, story: int) -> list[str]:
    """The categories of a story's entries."""
    rows = db.conn.execute(
        "select distinct f.term from filing f join entry e on e.id = f.entry where e.story = ? order by 1", [story]
    )
    return [row[0] for row in rows]
