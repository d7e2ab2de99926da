"""Entries as they are stored: what is known of an id, new entries, changed entries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from aggregator.models import Edition, Head, Known, NewEntry, ParsedEntry, PreparedEntry
from aggregator.store import filings, fingerprints
from aggregator.store.connection import marks, maybe_seconds, moment, seconds

_BATCH = 500  # below SQLite's limit on bound values
_KNOWN_SQL = "select id, entry_id, canonical, digest, title_key, text_key, published, updated, dated from entry"


def known(
    db: Database, source: int, ids: Collection[str], pages: Collection[str], titles: Collection[bytes] = ()
) -> list[Known]:
    """What is stored of one source under any of these ids, with any of these canonical links, or under any of these
    titles (`title_key`), for which all of the source is looked through."""
    found: dict[int, Known] = {}
    wanted: dict[str, list[str] | list[bytes]] = {
        "entry_id": sorted(set(ids)),
        "canonical": sorted(set(pages)),
        "title_key": sorted(set(titles)),
    }
    for column, values in wanted.items():
        for start in range(0, len(values), _BATCH):
            batch = values[start : start + _BATCH]
            rows = db.query(f"{_KNOWN_SQL} where source = ? and {column} in ({marks(batch)})", [source, *batch])
            found |= {row["id"]: _known(row) for row in rows}
    return list(found.values())


def _known(row: dict[str, Any]) -> Known:
    return Known(
        row=row["id"],
        entry_id=row["entry_id"],
        canonical=row["canonical"],
        digest=row["digest"],
        title_key=row["title_key"],
        text_key=row["text_key"],
        published=moment(row["published"]),
        updated=moment(row["updated"]),
        dated=bool(row["dated"]),
    )


def said(db: Database, row: int) -> tuple[str, str]:
    """The title and the text (HTML) of a stored entry, to compare an edit with."""
    found = db.conn.execute("select title, content, summary from entry where id = ?", [row]).fetchone()
    return found[0], found[1] or found[2]


def head(db: Database, source: int, said: Head) -> int:
    """The row of what this feed document said of itself; equal heads share one."""
    values = [
        said.id,
        said.title,
        said.link,
        maybe_seconds(said.updated),
        said.author,
        said.rights,
        said.language,
    ]
    digest = hashlib.blake2b(json.dumps(values).encode(), digest_size=8).digest()
    db.conn.execute(
        "insert or ignore into head (source, digest, feed_id, title, link, updated, author, rights, language)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [source, digest, *values],
    )
    row = db.conn.execute("select id from head where source = ? and digest = ?", [source, digest]).fetchone()
    return int(row[0])


def add(db: Database, source: int, head_id: int, entries: Sequence[NewEntry], edition: Edition, now: datetime) -> None:
    """Store entries that are new, in the given order, with their filings and the edition that made them.

    They wait for their story.
    """
    filed_by = filings.edition(db, edition)
    for new in entries:
        columns = _columns(new.prepared) | {
            "source": source,
            "entry_id": new.id,
            "head": head_id,
            "edition": filed_by,
            "learned": edition.learned,
            "back": int(new.back),
            "published": seconds(new.published),
            "updated": seconds(new.updated),
            "first_seen": seconds(now),
            "dated": int(new.prepared.entry.published is not None),
            "repairs": " ".join((*new.prepared.entry.repairs, *new.repairs)),
        }
        names = ", ".join(columns)
        cursor = db.conn.execute(f"insert into entry ({names}) values ({marks(columns)})", list(columns.values()))
        assert cursor.lastrowid is not None
        filings.put(db, cursor.lastrowid, new.prepared.filings)
        if new.prepared.print is not None:
            fingerprints.put(db, cursor.lastrowid, new.prepared.print)


def change(db: Database, row: int, prepared: PreparedEntry, updated: datetime, head_id: int) -> None:
    """Replace what a stored entry says. Its ids, `published`, `first_seen`, story and filings stay."""
    columns = _columns(prepared) | {"updated": seconds(updated), "head": head_id}
    assignments = ", ".join(f"{name} = ?" for name in columns)
    db.conn.execute(f"update entry set {assignments} where id = ?", [*columns.values(), row])
    if prepared.print is not None:
        fingerprints.put(db, row, prepared.print)


def _columns(prepared: PreparedEntry) -> dict[str, Any]:
    entry: ParsedEntry = prepared.entry
    return {
        "canonical": prepared.canonical,
        "title_key": prepared.title_key,
        "text_key": prepared.text_key,
        "digest": prepared.digest,
        "title": entry.title,
        "link": entry.link,
        "summary": entry.summary,
        "content": entry.content,
        "author": entry.author,
        "rights": entry.rights,
        "language": entry.language,
        "image": entry.image,
        "duration": entry.duration,
        "episode": entry.episode,
        "enclosures": json.dumps([[e.url, e.type, e.length] for e in entry.enclosures], ensure_ascii=False),
    }
