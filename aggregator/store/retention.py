"""Old entries lose their rows, in small steps; a few bytes of each stay for ever, so that none returns as new.

A story is pruned when all its entries were first seen longer ago than `store.keep`, and no live feed carries it. What
stays of an entry is two 8-byte keys in `forgotten`: of its id, and of its page, title and date.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from sqlite_utils import Database

from aggregator.store.connection import moment, seconds

_CANDIDATES = """
select distinct e.story from entry e indexed by entry_first_seen
where e.first_seen < :before and e.story > :after
    and not exists (select 1 from entry m where m.story = e.story and m.first_seen >= :before)
order by e.story limit :limit
"""

# The log's end of each term, as far as a live feed reaches.
_SHOWN = """
select 1 from publication p where p.story = ? and p.live = 1 and p.withdrawn_at is null and (
    select count(*) from (
        select 1 from publication q where q.term = p.term and q.live = 1 and q.withdrawn_at is null and q.seq > p.seq
        limit ?
    )
) < ? limit 1
"""


def id_key(entry_id: str) -> bytes:
    """The 8 bytes that stay of an id."""
    return hashlib.blake2b(entry_id.encode("utf-8", "replace"), digest_size=8).digest()


def page_key(canonical: str, title_key: bytes, published: datetime | None, text_key: bytes) -> bytes:
    """The 8 bytes that stay of a page's title and date, or of its text where the feed gave no date."""
    when = text_key if published is None else str(seconds(published)).encode()
    return hashlib.blake2b(b"\0".join((canonical.encode(), title_key.hex().encode(), when)), digest_size=8).digest()


def forgotten(db: Database, source: int, keys: Collection[bytes]) -> set[bytes]:
    """Those of the keys that pruned entries of the source have left."""
    found = set()
    for wanted in set(keys):
        row = db.conn.execute("select key from forgotten where source = ? and key = ?", [source, wanted]).fetchone()
        if row is not None:
            found.add(wanted)
    return found


def prune(db: Database, before: datetime, shown: int, after: int, limit: int) -> tuple[int, int | None]:
    """Prune up to `limit` stories first seen before a moment, from story number `after` on; feeds show `shown` stories.

    How many entries went, and the number to go on after; None at the end.
    """
    values = {"before": seconds(before), "after": after, "limit": limit}
    stories = [row[0] for row in db.conn.execute(_CANDIDATES, values)]
    old = [story for story in stories if db.conn.execute(_SHOWN, [story, shown, shown]).fetchone() is None]
    entries = list(_entries_of(db, old))
    db.conn.executemany(
        "insert or ignore into forgotten (source, key) values (?, ?)",
        [(source, left) for _, source, keys in entries for left in keys],
    )
    rows = [row for row, _, _ in entries]
    for table, column in (("filing", "entry"), ("fingerprint", "entry"), ("relation", "entry"), ("relation", "other")):
        _delete(db, table, column, rows)
    _delete(db, "publication", "story", old)
    db.conn.executemany("update entry set story = null where story = ?", [(story,) for story in old])
    _delete(db, "story", "id", old)
    _delete_joined(db, rows)
    _delete(db, "entry", "id", rows)
    return len(entries), stories[-1] if len(stories) == limit else None


def _delete_joined(db: Database, entries: Sequence[int]) -> None:
    """Delete the stories, without members since an editor joined them into others, that these entries represented."""
    left = [
        row[0] for entry in entries for row in db.conn.execute("select id from story where representative = ?", [entry])
    ]
    _delete(db, "publication", "story", left)
    _delete(db, "story", "id", left)


def prune_heads(db: Database) -> None:
    """Remove what feed documents said of themselves that no entry refers to any more."""
    db.conn.execute("delete from head where id not in (select head from entry)")


def _entries_of(db: Database, stories: Iterable[int]) -> Iterator[tuple[int, int, list[bytes]]]:
    for story in stories:
        rows = db.query(
            "select id, source, entry_id, canonical, title_key, text_key, published, dated from entry where story = ?",
            [story],
        )
        for row in list(rows):
            keys = [id_key(row["entry_id"])]
            if row["canonical"]:
                when = moment(row["published"]) if row["dated"] else None
                keys.append(page_key(row["canonical"], row["title_key"], when, row["text_key"]))
            yield row["id"], row["source"], keys


def _delete(db: Database, table: str, column: str, values: Sequence[int]) -> None:
    db.conn.executemany(f"delete from {table} where {column} = ?", [(value,) for value in values])
