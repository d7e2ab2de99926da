"""Rows for `export` and `status`: plain dictionaries with times as ISO 8601 in UTC, ready to be JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlite_utils import Database

from aggregator.store.connection import moment

Row = dict[str, Any]


def sources(db: Database) -> Iterator[Row]:
    """Every source that the configuration lists, by name."""
    rows = db.query(
        "select s.*, (select count(*) from entry e where e.source = s.id) as entries from source s where listed = 1"
        " order by name"
    )
    for row in rows:
        yield {
            "name": row["name"],
            "url": row["url"],
            "current_url": row["current_url"],
            "status": row["status"] if row["enabled"] else "disabled",
            "reason": row["reason"],
            "failures": row["failures"],
            "last_poll": _iso(row["last_poll"]),
            "next_poll": _iso(row["next_poll"]) if row["enabled"] and row["status"] != "gone" else None,
            "etag": row["etag"],
            "last_modified": row["last_modified"],
            "entries": row["entries"],
        }


def entries(db: Database) -> Iterator[Row]:
    """Every stored entry, in the order in which they came."""
    rows = db.query(
        "select e.*, s.name as source_name, r.published_id as story_id, o.published_id as original"
        " from entry e join source s on s.id = e.source left join story st on st.id = e.story"
        " left join entry r on r.id = st.representative left join entry o on o.id = e.copy_of order by e.id"
    )
    for row in rows:
        yield {
            "id": row["published_id"],
            "entry_id": row["entry_id"],
            "source": row["source_name"],
            "story": row["story_id"],
            "title": row["title"],
            "link": row["link"],
            "summary": row["summary"],
            "content": row["content"],
            "author": row["author"],
            "published": _iso(row["published"]),
            "updated": _iso(row["updated"]),
            "first_seen": _iso(row["first_seen"]),
            "language": row["language"],
            "duplicate_of": row["original"],
            "categories": _filings(db, row["id"]),
        }


def _filings(db: Database, row: int) -> list[Row]:
    return list(db.query("select term, origin, reason from filing where entry = ? order by term, origin", [row]))


def stories(db: Database) -> Iterator[Row]:
    """Every story, in the order in which they started, with its members and the feeds that it was put into."""
    rows = db.query(
        "select st.id, e.published_id, e.title, e.link, e.published from story st"
        " join entry e on e.id = st.representative order by st.id"
    )
    for row in rows:
        members = db.conn.execute("select published_id from entry where story = ? order by id", [row["id"]])
        terms = db.conn.execute(
            "select distinct f.term from filing f join entry e on e.id = f.entry where e.story = ? order by 1",
            [row["id"]],
        )
        yield {
            "id": row["published_id"],
            "title": row["title"],
            "link": row["link"],
            "entries": [member[0] for member in members],
            "categories": [term[0] for term in terms],
            "published": _iso(row["published"]),
        }


def totals(db: Database) -> Row:
    """How much is stored, and what still waits: entries, stories, unsettled entries, dirty feeds."""
    return {
        "entries": _count(db, "select count(*) from entry"),
        "stories": _count(db, "select count(*) from story"),
        "unsettled": _count(db, "select count(*) from entry where story is null"),
        "dirty": [row[0] for row in db.conn.execute("select term from feed where changed > rendered order by term")],
    }


def _count(db: Database, sql: str) -> int:
    return int(db.conn.execute(sql).fetchone()[0])


def _iso(stored: int | None) -> str | None:
    return None if stored is None else moment(stored).isoformat().replace("+00:00", "Z")
