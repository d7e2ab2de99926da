"""Sources: what the configuration lists, what is due, and what a poll left."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlite_utils import Database

from aggregator import variables
from aggregator.models import ParsedFeed, Place, Source, SourceState, Validators, Visit, Wishes
from aggregator.store.connection import maybe_moment, moment, seconds

# The columns that hold an address of a source.
ADDRESSES = ("url", "current_url", "moved_to", "validated")

_STATE_COLUMNS = (
    "id, name, url, current_url, moved_to, moved_polls, etag, last_modified, hashes, gist, digest, failures, rhythm,"
    " validated, ttl, skip_hours, skip_days, founding, fetched, parsed, id_by"
)


def sync(db: Database, sources: Iterable[Source], now: datetime) -> None:
    """Make the table list what the configuration lists. New names are due at once; nothing is ever deleted.

    The sources of a new database are established: everything they bring is announced. A later one's back issues are
    not.
    """
    founding = not _founded(db, now)
    sql = f"select id, name, {', '.join(ADDRESSES)}, status, enabled, listed, written from source"
    stored = {row["name"]: row for row in db.query(sql)}
    listed = set()
    for source in sources:
        _rename(db, source, stored)
        listed.add(source.name)
        row = stored.get(source.name)
        if row is None:
            _insert(db, source, now, founding)
            continue
        _fill(db, source, row)
        said = (source.url, int(source.enabled), 1, source.written)
        if (row["url"], row["enabled"], row["listed"], row["written"]) != said:
            _update(db, source, row, now)
    for name in stored.keys() - listed:
        if stored[name]["listed"]:
            db.execute("update source set listed = 0, enabled = 0 where name = ?", [name])


def parted(db: Database, sources: Iterable[Source]) -> list[tuple[str, str]]:
    """The sources that have a former name under which another source is stored, with entries, and that name: both were
    there when it was said, so that they stay two."""
    sql = "select 1 from source s where name = ? and exists (select 1 from entry where source = s.id)"
    return [
        (source.name, old)
        for source in sources
        for old in source.formerly
        if db.conn.execute(sql, [old]).fetchone() is not None
    ]


def forgive(db: Database, settings: Mapping[str, str], now: datetime) -> None:
    """Make due what failed for a setting that is another one now: a failure's reason names the setting that would have
    helped. What the server asked for holds on. `settings`: the values by their names.
    """
    row = db.conn.execute("select value from state where key = 'settings'").fetchone()
    former = json.loads(row[0]) if row else settings
    if former == settings and row:
        return
    for name, value in settings.items():
        if former.get(name) != value:
            db.conn.execute(
                "update source set next_poll = max(?, coalesce(not_before, 0)) where enabled and status = 'failing'"
                " and next_poll > ? and instr(reason, ?)",
                [seconds(now), seconds(now), name],
            )
    db.conn.execute("insert or replace into state values ('settings', ?)", [json.dumps(settings)])


def _founded(db: Database, now: datetime) -> bool:
    cursor = db.conn.execute("insert or ignore into state values ('founded', ?)", [str(seconds(now))])
    return cursor.rowcount == 0


def _rename(db: Database, source: Source, stored: dict[str, dict[str, Any]]) -> None:
    if source.name in stored:
        return
    for old in source.formerly:
        if old in stored:
            db.execute("update source set name = ? where name = ?", [source.name, old])
            stored[source.name] = stored.pop(old)
            return


def _insert(db: Database, source: Source, now: datetime, founding: bool) -> None:
    db.execute(
        "insert into source (name, url, current_url, written, enabled, listed, added, founding, status, next_poll)"
        " values (?, ?, ?, ?, ?, 1, ?, ?, 'new', ?)",
        [
            source.name,
            source.url,
            source.url,
            source.written,
            int(source.enabled),
            seconds(now),
            int(founding),
            seconds(now),
        ],
    )


def _fill(db: Database, source: Source, row: dict[str, Any]) -> None:
    """An import has brought the addresses as they are written: now it is known what its variables stand for."""
    if row["written"] and row["url"] == row["written"] == source.written:
        known = variables.values(source.written, source.url)
        row |= {name: row[name] and variables.filled(row[name], known) for name in ADDRESSES}
        _write(db, ADDRESSES, [[*(row[name] for name in ADDRESSES), row["id"]]])


def _update(db: Database, source: Source, row: dict[str, Any], now: datetime) -> None:
    db.execute(
        "update source set enabled = ?, listed = 1, written = ? where id = ?",
        [int(source.enabled), source.written, row["id"]],
    )
    if source.url == row["current_url"] and row["status"] != "gone":  # it is written down where it has moved
        db.execute("update source set url = ? where id = ?", [source.url, row["id"]])
    elif row["url"] != source.url:  # another address: history stays, what belonged to the old one goes
        db.execute(
            "update source set url = ?, current_url = ?, etag = null, last_modified = null,"
            " hashes = x'', gist = x'', digest = x'', failures = 0, moved_to = null, moved_polls = 0,"
            " ttl = null, skip_hours = 0, skip_days = 0, reason = '', status = 'new', not_before = null, next_poll = ?"
            " where id = ?",
            [source.url, source.url, seconds(now), row["id"]],
        )


def begin_tick(db: Database, now: datetime) -> datetime | None:
    """Record that a tick begins at `now`; the last recorded tick if `now` lies before it (then nothing is recorded)."""
    last = last_tick(db)
    if last is not None and last > now:
        return last
    db.execute("insert or replace into state values ('tick', ?)", [str(seconds(now))])
    return None


def last_tick(db: Database) -> datetime | None:
    """When the last tick began, or None before the first."""
    row = next(db.query("select value from state where key = 'tick'"), None)
    return moment(int(row["value"])) if row else None


def last_tick_and_due(db: Database, now: datetime, beside: Collection[int]) -> tuple[datetime | None, bool]:
    """When the last tick began, and whether the time of any source has come, without those in `beside`."""
    return last_tick(db), bool(due(db, now, 1, beside))


def due(db: Database, now: datetime, limit: int, beside: Collection[int] = ()) -> list[SourceState]:
    """Up to `limit` sources whose time has come, longest due first, without those in `beside` (under way), nor those
    that want this hour or day skipped.
    """
    rows = db.query(
        f"select {_STATE_COLUMNS} from source where enabled = 1 and next_poll <= ? and status <> 'gone'"
        " and (skip_hours >> ?) & 1 = 0 and (skip_days >> ?) & 1 = 0 order by next_poll, id limit ?",
        [seconds(now), now.hour, now.weekday(), limit + len(beside)],
    )
    return [_state(row) for row in rows if row["id"] not in beside][:limit]


def forced(db: Database, now: datetime, names: Sequence[str]) -> list[SourceState]:
    """The named sources (all where none is named), due or not; never one that is disabled, gone, or asked to wait."""
    rows = db.query(
        f"select {_STATE_COLUMNS} from source where enabled = 1 and status <> 'gone'"
        " and (not_before is null or not_before <= ?) order by next_poll, id",
        [seconds(now)],
    )
    return [_state(row) for row in rows if not names or row["name"] in names]


def _state(row: dict[str, Any]) -> SourceState:
    return SourceState(
        id=row["id"],
        name=row["name"],
        url=row["url"],
        place=Place(row["current_url"], row["moved_to"], row["moved_polls"]),
        validators=Validators(row["etag"], row["last_modified"]),
        validated=row["validated"],
        hashes=row["hashes"],
        gist=row["gist"],
        digest=row["digest"],
        failures=row["failures"],
        rhythm=_duration(row["rhythm"]),
        wishes=Wishes(_duration(row["ttl"]), _numbers(row["skip_hours"]), _numbers(row["skip_days"])),
        founding=bool(row["founding"]),
        fetched=maybe_moment(row["fetched"]),
        parsed=maybe_moment(row["parsed"]),
        id_by=row["id_by"],
    )


def record(db: Database, visits: Iterable[Visit]) -> None:
    """Write what polls left in the rows of their sources."""
    kinds: dict[tuple[str, ...], list[list[Any]]] = {}
    for visit in visits:
        columns = _columns(visit)
        kinds.setdefault(tuple(columns), []).append([*columns.values(), visit.source])
    for names, rows in kinds.items():
        _write(db, names, rows)


def record_parsed(db: Database, visit: Visit, feed: ParsedFeed, rhythm: timedelta | None, id_by: str) -> None:
    """As `record`, of a poll whose document was read. `rhythm` None: what is there stays."""
    wishes = feed.wishes
    columns = _columns(visit) | {
        "hashes": feed.hashes,
        "gist": feed.gist,
        "id_by": id_by,
        "ttl": int(wishes.ttl.total_seconds()) if wishes.ttl else None,
        "skip_hours": _bits(wishes.skip_hours),
        "skip_days": _bits(wishes.skip_days),
    }
    if rhythm is not None:
        columns["rhythm"] = int(rhythm.total_seconds())
    _write(db, columns, [[*columns.values(), visit.source]])


def _columns(visit: Visit) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "status": visit.status,
        "reason": visit.reason,
        "failures": visit.failures,
        "last_poll": seconds(visit.polled),
        "next_poll": seconds(_up(visit.next_poll)),
        "not_before": seconds(_up(visit.not_before)) if visit.not_before else None,
    }
    if not visit.failures:
        columns["last_ok"] = columns["last_poll"]
    if visit.place is not None:
        columns |= {
            "current_url": visit.place.current_url,
            "moved_to": visit.place.moved_to,
            "moved_polls": visit.place.moved_polls,
        }
    if visit.validators is not None:
        columns |= {"etag": visit.validators.etag, "last_modified": visit.validators.last_modified}
    if visit.validated is not None:
        columns["validated"] = visit.validated
    if visit.fetched is not None:
        columns["fetched"] = columns["parsed"] = seconds(visit.fetched)
    if visit.digest is not None:
        columns["digest"] = visit.digest
    return columns


def _up(moment: datetime) -> datetime:
    """The next whole second, so that nobody is polled a part of one too early."""
    return moment + timedelta(microseconds=-moment.microsecond % 1_000_000)


def _write(db: Database, names: Iterable[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write columns of those names; each row ends with the number of its source."""
    assignments = ", ".join(f"{name} = ?" for name in names)
    db.conn.executemany(f"update source set {assignments} where id = ?", rows)


def _duration(stored: int | None) -> timedelta | None:
    return None if stored is None else timedelta(seconds=stored)


def _bits(numbers: Iterable[int]) -> int:
    return sum(1 << number for number in set(numbers))


@lru_cache(maxsize=256)  # most sources skip nothing
def _numbers(bits: int) -> frozenset[int]:
    return frozenset(number for number in range(24) if bits >> number & 1)
