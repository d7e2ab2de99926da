"""Rows for `export`, `explain` and `status`: plain dictionaries, times as ISO 8601 in UTC, ready to be JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from aggregator import variables
from aggregator.store import stories as store_stories
from aggregator.store.connection import moment, seconds

Row = dict[str, Any]


def sources(db: Database) -> Iterator[Row]:
    """Every source that the configuration lists, by name."""
    rows = db.query(
        "select s.*, (select count(*) from entry e where e.source = s.id) as entries from source s where listed = 1"
        " order by name"
    )
    for row in rows:
        yield _source(row) | {
            "etag": row["etag"],
            "last_modified": row["last_modified"],
            "entries": row["entries"],
        }


def _source(row: Row) -> Row:
    return {
        "name": row["name"],
        "url": row["written"] or row["url"],
        "current_url": variables.hidden(row["current_url"], variables.values(row["written"], row["url"])),
        "status": row["status"] if row["enabled"] else "disabled",
        "reason": row["reason"],
        "failures": row["failures"],
        "last_poll": _iso(row["last_poll"]),
        "next_poll": _iso(row["next_poll"]) if row["enabled"] and row["status"] != "gone" else None,
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
        yield {
            "id": row["published_id"],
            "title": row["title"],
            "link": row["link"],
            "entries": [member[0] for member in members],
            "categories": store_stories.terms(db, row["id"]),
            "published": _iso(row["published"]),
        }


def story(db: Database, number: int) -> Row:
    """One story: its own id and title, its entries with the evidence of each, and what is related to them."""
    rows = db.query(
        "select e.id as row, e.published_id as id, s.name as source, e.title, e.link, e.published, e.evidence"
        " from entry e join source s on s.id = e.source where e.story = ? order by e.published, s.name, e.entry_id",
        [number],
    )
    members = [row | {"published": _iso(row["published"]), "evidence": _evidence(row["evidence"])} for row in rows]
    related = [other for member in members for other in _related(db, member.pop("row"))]
    own = store_stories.representative(db, number)
    return {
        "id": own,
        "title": next(member["title"] for member in members if member["id"] == own),
        "categories": store_stories.terms(db, number),
        "entries": members,
        "related": related,
    }


def _evidence(stored: str) -> Row | None:
    """Why an entry is in its story; None where it represents it."""
    found: Row | None = json.loads(stored) if stored else None
    return found


def biggest(db: Database, since: datetime, limit: int) -> list[Row]:
    """The stories with several entries that got one since a moment, those of most sources first."""
    rows = db.query(
        "select e.published_id as id, e.title, count(*) as entries, count(distinct m.source) as sources,"
        " min(m.published) as began, max(m.first_seen) as last_seen from story st"
        " join entry e on e.id = st.representative join entry m on m.story = st.id"
        " where st.id in (select story from entry where first_seen >= ?)"
        " group by st.id having count(*) > 1 order by sources desc, entries desc, began limit ?",
        [seconds(since), limit],
    )
    return [row | {name: _iso(row[name]) for name in ("began", "last_seen")} for row in rows]


# ------------------------------------------------------------------------------------------------- explain


def find(db: Database, said: str, canonical: str | None) -> list[int]:
    """The entries that are meant: by published id, else by entry id, else by link (`canonical` is the link's key)."""
    questions: list[tuple[str, list[str | None]]] = [
        ("select id from entry where published_id = ?", [said]),
        ("select e.id from source s cross join entry e on e.source = s.id where e.entry_id = ? order by e.id", [said]),
        ("select id from entry where canonical = ? order by id", [canonical]),
        ("select id from entry where link = ? order by id", [said]),
    ]
    for sql, values in questions:
        if rows := [row[0] for row in db.conn.execute(sql, values)]:
            return rows
    return []


def trace(db: Database, entry: int) -> Row:
    """Everything that was decided about one entry, as codes and references. `explain` makes sentences of it."""
    row = next(
        db.query(
            "select e.*, s.name as source_name, o.published_id as original, os.name as original_source"
            " from entry e join source s on s.id = e.source left join entry o on o.id = e.copy_of"
            " left join source os on os.id = o.source where e.id = ?",
            [entry],
        )
    )
    return {
        "id": row["published_id"],
        "entry_id": row["entry_id"],
        "source": row["source_name"],
        "title": row["title"],
        "link": row["link"],
        "published": _iso(row["published"]),
        "updated": _iso(row["updated"]),
        "first_seen": _iso(row["first_seen"]),
        "announced": ("yes", "back issue", "re-issued")[row["back"]],
        "repairs": row["repairs"].split(),
        "duplicate_of": row["original"] and {"id": row["original"], "source": row["original_source"]},
        "evidence": _evidence(row["evidence"]),
        "copies": _copies(db, entry),
        "related": _related(db, entry),
        "categories": _filings(db, entry),
        "kept_out": _kept_out(db, row["published_id"]),
        "story": None if row["story"] is None else _story(db, row["story"]),
        "feeds": [_feed(db, found) for found in _publications(db, row["story"])],
    }


def _kept_out(db: Database, published_id: str | None) -> list[Row]:
    sql = (
        "select distinct other as term, who from decision where act = 'unfile' and target = ? and undone_at is null"
        " order by other, who"
    )
    return list(db.query(sql, [published_id]))


def _story(db: Database, story: int) -> Row:
    row = next(
        db.query(
            "select e.published_id, e.published from story st join entry e on e.id = st.representative where st.id = ?",
            [story],
        )
    )
    terms = store_stories.terms(db, story)
    return {"id": row["published_id"], "published": _iso(row["published"]), "categories": terms}


def _copies(db: Database, entry: int) -> list[Row]:
    rows = db.query(
        "select c.published_id as id, s.name as source, c.title, c.evidence from entry e"
        " join entry c on c.story = e.story and c.copy_of = e.id join source s on s.id = c.source"
        " where e.id = ? order by c.published, s.name, c.entry_id",
        [entry],
    )
    return list(map(_with_evidence, rows))


def _related(db: Database, entry: int) -> list[Row]:
    rows = db.query(
        "select o.published_id as id, s.name as source, o.title, x.evidence from relation x"
        " join entry o on o.id = x.other join source s on s.id = o.source where x.entry = ?"
        " order by o.published, s.name, o.entry_id",
        [entry],
    )
    return list(map(_with_evidence, rows))


def _with_evidence(row: Row) -> Row:
    return row | {"evidence": json.loads(row["evidence"])}


def _publications(db: Database, story: int | None) -> list[Row]:
    return list(
        db.query(
            "select p.*, f.as_of from publication p left join feed f on f.term = p.term where p.story = ?"
            " order by p.seq",
            [story],
        )
    )


def _feed(db: Database, row: Row) -> Row:
    """One row of the log. `position`: the story's place in the live feed as it would be without a limit, from 1."""
    shown = row["live"] and row["withdrawn_at"] is None
    later = "select count(*) from publication where term = ? and seq >= ? and live = 1 and withdrawn_at is null"
    return {
        "term": row["term"],
        "published_at": _iso(row["published_at"]),
        "live": bool(row["live"]),
        "withdrawn_at": _iso(row["withdrawn_at"]),
        "why": row["why"],
        "position": db.conn.execute(later, [row["term"], row["seq"]]).fetchone()[0] if shown else None,
        "as_of": _iso(row["as_of"]),
    }


# ------------------------------------------------------------------------------------------------- status


def conditions(db: Database, now: datetime) -> Iterator[Row]:
    """How each stored source is, by name: `sources`' row with the entries of the last day and week.

    `status` is also `disabled`, or `unlisted` where the configuration no longer names the source.
    """
    counts = {"day": _since(db, now - timedelta(days=1)), "week": _since(db, now - timedelta(days=7))}
    totals = dict(db.conn.execute("select source, count(*) from entry group by source").fetchall())
    for row in db.query("select * from source order by name"):
        listed = _source(row) if row["listed"] else _source(row) | {"status": "unlisted", "next_poll": None}
        yield listed | {
            "added": _iso(row["added"]),
            "last_ok": _iso(row["last_ok"]),
            "entries": totals.get(row["id"], 0),
            **{period: found.get(row["id"], 0) for period, found in counts.items()},
        }


def _since(db: Database, then: datetime) -> dict[int, int]:
    sql = "select source, count(*) from entry where first_seen > ? group by +source"  # by the index on first_seen
    return dict(db.conn.execute(sql, [seconds(then)]).fetchall())


def totals(db: Database) -> Row:
    """How much is stored, and what still waits: entries, stories, unsettled entries; the last tick."""
    tick = db.conn.execute("select value from state where key = 'tick'").fetchone()
    return {
        "entries": _count(db, "select count(*) from entry"),
        "stories": _count(db, "select count(distinct story) from entry"),  # without those that a join has emptied
        "unsettled": _count(db, "select count(*) from entry where story is null"),
        "last_tick": _iso(int(tick[0])) if tick else None,
    }


def _count(db: Database, sql: str) -> int:
    return int(db.conn.execute(sql).fetchone()[0])


def _iso(stored: int | None) -> str | None:
    return None if stored is None else moment(stored).isoformat().replace("+00:00", "Z")
