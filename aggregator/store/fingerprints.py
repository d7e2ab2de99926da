"""Prints of recent entries, and the postings by which the candidates for a new entry's story are found.

A posting's key has, from the top, 34 bits of one of the print's keys, and 13 bits of the entry's time in windows: what
was published within one window of an entry stands in its own or a neighbouring one. SQLite keeps it in six bytes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlite_utils import Database

from aggregator.models import SAME_EVENT_WINDOW, SAME_TEXT_WINDOW, Member, Print
from aggregator.store.connection import marks, moment, seconds

COMMON = 50  # entries with one key beyond which it says nothing any more
_KEY_BYTES = 5  # of a key of 34 bits
_WINDOW_BITS = 13
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)  # windows are counted from here: 67 years of those of 72 hours
_LAST = 1 << 62  # above every key and number

_SHARING_SQL = f"""
select fingerprint from (
    select fingerprint from posting where key between ? and ? order by key desc, fingerprint desc limit {COMMON}
)
"""
_MEMBERS_SQL = """
select f.id, e.id, e.published_id, e.entry_id, e.title, e.published, s.name, f.print, e.story
from fingerprint f join entry e on e.id = f.entry join source s on s.id = e.source
where f.id in ({}) and e.story is not null
"""


def put(db: Database, entry: int, made: Print) -> None:
    """Store the print of an entry, in place of the one that it had."""
    keys = bytes([len(made.title_keys)]) + b"".join(
        key.to_bytes(_KEY_BYTES) for key in (*made.title_keys, *made.text_keys)
    )
    db.conn.execute(
        "insert into fingerprint (entry, published, print, keys) select id, published, ?, ? from entry where id = ?"
        " on conflict (entry) do update set print = excluded.print, keys = excluded.keys",
        [made.packed, keys, entry],
    )


def waiting(db: Database, entry: int) -> Print | None:
    """The print of an entry whose keys are not posted yet; None where it has none."""
    row = db.conn.execute(
        "select print, keys from fingerprint where entry = ? and keys is not null", [entry]
    ).fetchone()
    if row is None:
        return None
    packed, keys = row
    numbers = [int.from_bytes(keys[start : start + _KEY_BYTES]) for start in range(1, len(keys), _KEY_BYTES)]
    return Print(packed, tuple(numbers[: keys[0]]), tuple(numbers[keys[0] :]))


def post(db: Database, entry: int, made: Print, published: datetime) -> None:
    """Post the keys of an entry, so that it is found from now on: as the last one."""
    db.conn.execute(
        "update fingerprint set keys = null, id = (select max(id) + 1 from fingerprint) where entry = ?", [entry]
    )
    _post(db, entry, made, published)


def post_again(db: Database, entry: int, made: Print, published: datetime) -> None:
    """Post the keys that an entry has since it changed."""
    db.conn.execute("update fingerprint set keys = null where entry = ?", [entry])
    _post(db, entry, made, published)


def _post(db: Database, entry: int, made: Print, published: datetime) -> None:
    row = db.conn.execute("select id from fingerprint where entry = ?", [entry]).fetchone()[0]
    db.conn.executemany(
        "insert or ignore into posting (key, fingerprint) values (?, ?)",
        [(key, row) for key, _ in _at(made, published)],
    )


def nearest(db: Database, made: Print, published: datetime, most: int) -> list[tuple[int, bytes, datetime]]:
    """The prints posted about that time that share most keys with one, at most so many, of equal ones the last first:
    the number of each, the print as it is packed, and when its entry was published.

    Of the prints that have one key about that time, the last `COMMON` count.
    """
    ranges = [bound for _, bounds in _at(made, published) for bound in bounds]
    if not ranges:
        return []
    found = " union all ".join([_SHARING_SQL] * (len(ranges) // 2))
    # To group them in SQL, or to take each as a row, costs more than all the rest.
    (joined,) = db.conn.execute(f"select group_concat(fingerprint) from ({found})", ranges).fetchone()
    numbers = _commonest(joined.split(","), most) if joined else []
    rows = db.conn.execute(f"select id, print, published from fingerprint where id in ({marks(numbers)})", numbers)
    prints = {number: (number, packed, moment(said)) for number, packed, said in rows}
    return [prints[number] for number in numbers if number in prints]  # of what was pruned, keys may be left


def _commonest(found: Iterable[str], most: int) -> list[int]:
    """The numbers that come most often, of equal ones the highest first."""
    often: dict[int, list[int]] = {}
    for number, times in Counter(found).items():
        often.setdefault(times, []).append(int(number))
    chosen: list[int] = []
    for times in sorted(often, reverse=True):
        if len(chosen) >= most:
            break
        chosen += sorted(often[times], reverse=True)
    return chosen[:most]


def _at(made: Print, published: datetime) -> Iterator[tuple[int, tuple[int, int]]]:
    """The keys as they are posted at that time, each with the keys of the windows around it, from first to last."""
    for keys, window in ((made.title_keys, SAME_EVENT_WINDOW), (made.text_keys, SAME_TEXT_WINDOW)):
        place = (published - _EPOCH) // window % (1 << _WINDOW_BITS)
        for key in keys:
            posted = key << _WINDOW_BITS | place
            yield posted, (posted - 1, posted + 1)


def members(db: Database, numbers: Sequence[int]) -> list[Member]:
    """The entries of these prints, in this order, as far as they are in a story."""
    if not numbers:
        return []
    rows = {number: row for number, *row in db.conn.execute(_MEMBERS_SQL.format(marks(numbers)), list(numbers))}
    return [_member(*rows[number]) for number in numbers if number in rows]


def _member(
    row: int, published_id: str, entry_id: str, title: str, published: int, source: str, packed: bytes, story: int
) -> Member:
    return Member(row, published_id, entry_id, title, moment(published), source, packed, story)


# ------------------------------------------------------------------------------------------------- keeping


def prune(db: Database, before: datetime, after: int, limit: int) -> int | None:
    """Drop the postings of entries first seen before a moment, among the next `limit` behind the key `after`.

    The key to go on after; None at the end, when the prints of those entries are dropped too.
    """
    oldest = _first_since(db, before)
    last = db.conn.execute(
        "select key from posting where key > ? order by key limit 1 offset ?", [after, limit]
    ).fetchone()
    until = _LAST if last is None else int(last[0])
    db.conn.execute("delete from posting where key > ? and key <= ? and fingerprint < ?", [after, until, oldest])
    if last is not None:
        return until
    db.conn.execute("delete from fingerprint where id < ? and keys is null", [oldest])
    return None


def _first_since(db: Database, moment: datetime) -> int:
    """The number of the first print whose entry came at or after a moment; one above all where none did."""
    row = db.conn.execute(
        "select f.id from fingerprint f join entry e on e.id = f.entry where e.first_seen >= ? order by f.id limit 1",
        [seconds(moment)],
    ).fetchone()
    return _LAST if row is None else int(row[0])


def clear(db: Database) -> None:
    """Drop all prints and postings, to make them anew."""
    db.conn.execute("delete from posting")
    db.conn.execute("delete from fingerprint")


def texts(db: Database, since: datetime) -> Iterator[dict[str, Any]]:
    """What prints are made of, of every entry first seen since a moment, in the order of settling."""
    rows = db.query(
        "select e.id, e.title, e.content, e.summary, e.published, e.story, s.name as source from entry e"
        " join source s on s.id = e.source where e.first_seen >= ? order by e.published, s.name, e.id",
        [seconds(since)],
    )
    for row in list(rows):
        yield row | {"published": moment(row["published"])}


def outdated(db: Database, version: int) -> int:
    """How many prints are of another version; theirs is the first byte."""
    row = db.conn.execute(
        "select count(*) from fingerprint where substr(print, 1, 1) <> ?", [bytes([version])]
    ).fetchone()
    return int(row[0])


# ------------------------------------------------------------------------------------------------- relations


def relate(db: Database, entry: int, others: Iterable[tuple[int, Mapping[str, object]]]) -> None:
    """Link an entry and others, each with its evidence, both ways."""
    db.conn.executemany(
        "insert or ignore into relation (entry, other, evidence) values (?, ?, ?)",
        [
            (*pair, json.dumps(evidence, ensure_ascii=False))
            for other, evidence in others
            for pair in ((entry, other), (other, entry))
        ],
    )
