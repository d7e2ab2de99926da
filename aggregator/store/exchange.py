"""`export --all` and `import`: everything that is stored, as lines of JSON, out of one database and into another.

The first line names the format and its version, the last one counts the lines. Between them stand, in the order in
which they are stored, lines of these kinds; the columns of a table are fields of the same name, blobs are hexadecimal,
times are seconds since 1970, and what refers to another row does it by a name that holds in every database.

| kind | refers by |
| --- | --- |
| state | |
| source | |
| forgotten | source: name; many keys in a line |
| entry | source: name; copy_of: published id; its head, filings and edition stand in its line |
| story | representative, entries: published ids |
| relation | entry, other: published ids |
| publication | story: published id of its representative |
| feed | |
| learned | |
| decision | target: published id |

What is read into which folder, and why so: docs/notes/import.md.
"""

from __future__ import annotations

import itertools
import json
import operator
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sqlite_utils import Database

from aggregator import errors, variables
from aggregator.models import Back, Edition
from aggregator.store import filings, sources
from aggregator.store.connection import marks, speaking

Row = dict[str, Any]

FORMAT = "aggregator-export"
VERSION = 1

_KEYS = 1000  # of what is forgotten, in one line

# What a whole number may be: SQLite's times from the year 1 to 9999 and everything smaller.
_LEAST, _MOST = -62_135_596_800, 253_402_300_799

_ENTRIES_SQL = """
select e.*, s.name as source_name, o.published_id as original
from entry e join source s on s.id = e.source left join entry o on o.id = e.copy_of order by e.id
"""
_STORIES_SQL = """
select st.*, e.published_id from story st join entry e on e.id = st.representative order by st.id
"""
_FORGOTTEN_SQL = """
select s.name, f.key from forgotten f join source s on s.id = f.source order by f.source, f.key
"""
_RELATIONS_SQL = """
select e.published_id as entry, o.published_id as other, x.evidence from relation x
    join entry e on e.id = x.entry join entry o on o.id = x.other order by x.entry, x.other
"""
_PUBLICATIONS_SQL = """
select p.*, e.published_id from publication p
    join story st on st.id = p.story join entry e on e.id = st.representative order by p.seq
"""


# ------------------------------------------------------------------------------------------------- out


def document(db: Database) -> Iterator[Row]:
    """The lines of an export, all of one moment. Neither headers nor passwords are in it, as they are never stored;
    what an address takes from a variable is not either: the start after an import puts it in again."""
    db.conn.execute("begin")
    count = 0
    for line in _lines(db):
        count += 1
        yield line
    yield {"kind": "end", "lines": count}
    db.conn.execute("rollback")


def _lines(db: Database) -> Iterator[Row]:
    yield {"format": FORMAT, "version": VERSION}
    yield from (_line("state", row) for row in db.query("select * from state order by key"))
    yield from (_source_line(row) for row in db.query("select * from source order by id"))
    yield from _forgotten_lines(db)
    yield from (_entry_line(db, row) for row in db.query(_ENTRIES_SQL))
    yield from (_story_line(db, row) for row in db.query(_STORIES_SQL))
    yield from (_line("relation", row) for row in db.query(_RELATIONS_SQL))
    for row in db.query(_PUBLICATIONS_SQL):
        yield _line("publication", row, "published_id") | {"story": row["published_id"]}
    yield from (_line("feed", row, "rendered") for row in db.query("select * from feed order by term"))
    yield from (_line("learned", row) for row in db.query("select * from learned order by term, word"))
    yield from (_line("decision", row, "id") for row in db.query("select * from decision order by id"))


def _line(kind: str, row: Row, *without: str) -> Row:
    return {"kind": kind} | {name: _plain(value) for name, value in row.items() if name not in without}


def _source_line(row: Row) -> Row:
    known = variables.values(row["written"], row["url"])
    shown = {name: row[name] and variables.hidden(row[name], known) for name in sources.ADDRESSES}
    return _line("source", row | shown | {"url": row["written"] or row["url"]}, "id")


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _forgotten_lines(db: Database) -> Iterator[Row]:
    for source, rows in itertools.groupby(db.conn.execute(_FORGOTTEN_SQL), operator.itemgetter(0)):
        while keys := [key.hex() for _, key in itertools.islice(rows, _KEYS)]:
            yield {"kind": "forgotten", "source": source, "keys": keys}


def _entry_line(db: Database, row: Row) -> Row:
    head = next(db.query("select * from head where id = ?", [row["head"]]))
    return _line("entry", row, "id", "story", "source_name", "original") | {
        "source": row["source_name"],
        "copy_of": row["original"],
        "enclosures": json.loads(row["enclosures"]),
        "edition": None if row["edition"] is None else _edition(db, row["edition"]),
        "head": {name: _plain(value) for name, value in head.items() if name not in ("id", "source")},
        "filings": list(
            db.query(
                "select term, origin, reason, score from filing where entry = ? order by term, origin", [row["id"]]
            )
        ),
    }


def _edition(db: Database, number: int) -> list[str]:
    row = db.conn.execute("select lexicon, rules from edition where id = ?", [number]).fetchone()
    return list(row)


def _story_line(db: Database, row: Row) -> Row:
    members = db.conn.execute("select published_id from entry where story = ? order by id", [row["id"]])
    return _line("story", row, "id", "published_id") | {
        "representative": row["published_id"],
        "entries": [member[0] for member in members],
    }


# ------------------------------------------------------------------------------------------------- in


def take(db: Database, lines: Iterable[bytes], damaged: Callable[[int, str], None]) -> Counter[str]:
    """Add what the lines hold and the database lacks, in one transaction; how many rows of each kind were added.

    `damaged` gets the number of every line that cannot be taken, and why. Raises StoreError, and AggregatorError when
    the first line names another format or version; then nothing is added.
    """
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    _check_format(next(numbered, (1, b""))[1])
    with speaking():
        db.conn.execute("begin immediate")
        try:
            added = _Import(db).take(numbered, damaged)
            db.conn.execute("commit")
        except BaseException:
            if db.conn.in_transaction:
                db.conn.execute("rollback")
            raise
    return added


def _check_format(line: bytes) -> None:
    try:
        said = json.loads(line)
        known, version = said["format"] == FORMAT, said["version"]
    except (ValueError, TypeError, KeyError, RecursionError):
        known, version = False, None
    if not known:
        raise errors.AggregatorError("this is no export: make one with `aggregator export --all`")
    if version != VERSION:
        raise errors.AggregatorError(
            f"this export is of format {version}, and this release reads format {VERSION}: use the release that made it"
        )


class _Import:
    """One document on its way into one database. Rows up to `_last` were there before it, and stay as they are."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._last: int = self._value("select coalesce(max(id), 0) from entry")
        self._empty = self._last == 0
        self._takers: dict[str, Callable[[Row], bool]] = {
            "state": self._state,
            "source": self._source,
            "forgotten": self._forgotten,
            "entry": self._entry,
            "story": self._story,
            "relation": self._relation,
            "publication": self._publication,
            "feed": self._feed,
            "learned": self._learned,
            "decision": self._decision,
        }
        self._types = {table: self._types_of(table) for table in (*self._takers, "head", "filing")}
        self._met: set[str] = set()  # published ids, in the document, of entries that did not come with them
        self._stories: dict[str, int | None] = {}  # by the representative's published id; None: left to settling
        self._copies: list[tuple[str, int]] = []

    def _types_of(self, table: str) -> dict[str, str]:
        rows = self._db.query(f"pragma table_info({table})")
        return {row["name"]: row["type"] for row in rows if row["name"] != "id"}

    def take(self, numbered: Iterable[tuple[int, bytes]], damaged: Callable[[int, str], None]) -> Counter[str]:
        """Add every line but the first, which is read already; how many rows of each kind were added."""
        added: Counter[str] = Counter()
        number, count, ended = 1, 1, False
        for number, line in numbered:
            try:
                said = _object(line)
                kind = said.pop("kind", None)
                if kind == "end":
                    ended = True
                    _check_count(said, count)
                else:
                    with self._db.atomic():
                        added[str(kind)] += self._taker(kind)(said)
            except _UNFIT as error:
                damaged(number, _reason(error))
            count += 1
        if not ended:
            rest = (
                "import the whole one into an empty folder, since where a part of it is, the rest is no more than added"
            )
            damaged(number + 1, f"the document stops here, before its end: {rest}")
        self._finish()
        return +added

    def _taker(self, kind: Any) -> Callable[[Row], bool]:
        if not isinstance(kind, str) or kind not in self._takers:
            raise ValueError(f"{kind!r} is no kind of line")
        return self._takers[kind]

    # --------------------------------------------------------------------------------------------- one line

    def _state(self, said: Row) -> bool:
        return self._insert("state", said, "insert or ignore").rowcount > 0

    def _source(self, said: Row) -> bool:
        if self._source_row(_text(said, "name")) is not None:
            return False
        self._insert("source", said)
        return True

    def _forgotten(self, said: Row) -> bool:
        source = self._source_of(said)
        keys = [(source, bytes.fromhex(key)) for key in said["keys"]]
        sql = "insert or ignore into forgotten (source, key) values (?, ?)"
        return self._db.conn.executemany(sql, keys).rowcount > 0

    def _entry(self, said: Row) -> bool:
        source = self._source_of(said)
        if self._value("select 1 from entry where source = ? and entry_id = ?", [source, _text(said, "entry_id")]):
            self._met.add(said["published_id"])
            return False
        head, filed, original = said.pop("head"), said.pop("filings"), said.pop("copy_of")
        said["enclosures"] = _enclosures(said["enclosures"])
        if said.get("edition") is not None:
            said["edition"] = filings.edition(self._db, Edition(*said["edition"]))
        if said["published_id"] is not None and self._row(said["published_id"]) is not None:
            self._met.add(said["published_id"])  # another entry has it here: settling gives this one its own
            said["published_id"] = None
        row = self._new("entry", said | {"source": source, "head": self._head(source, head), "story": None})
        for filing in filed:
            self._insert("filing", filing | {"entry": row})
        if original is not None:
            self._copies.append((original, row))
        return True

    def _source_of(self, said: Row) -> int:
        """The source that a line names.

        If that source's own line is damaged, it is made: the configuration, which has its address, completes it at the
        next start, and it is polled as one that was added later.
        """
        name = _text(said, "source")
        if (found := self._source_row(name)) is not None:
            return found
        row = {"name": name, "url": "", "current_url": "", "status": "new"}
        return self._new("source", row | dict.fromkeys(("enabled", "listed", "added", "founding", "next_poll"), 0))

    def _head(self, source: int, said: Row) -> int:
        self._insert("head", said | {"source": source}, "insert or ignore")
        digest = bytes.fromhex(said["digest"])
        found: int = self._value("select id from head where source = ? and digest = ?", [source, digest])
        return found

    def _story(self, said: Row) -> bool:
        name, members = _text(said, "representative"), said.pop("entries")
        everyone = {name, *members}  # the representative is in another story where an editor joined the two
        if any(map(self._is_here, everyone)) or any(map(self._has_page_here, map(self._row, everyone))):
            self._stories[name] = None
            return False
        if (representative := self._row(name)) is None:
            raise ValueError(f"its entry {name} is not here")
        story = self._new("story", said | {"representative": representative})
        moved = [(story, member) for member in members]
        self._db.conn.executemany("update entry set story = ? where published_id = ?", moved)
        self._stories[name] = story
        return True

    def _is_here(self, published_id: str) -> bool:
        """Whether the entry that has this id in the document, or another that has it here, was here before."""
        return published_id in self._met or (self._row(published_id) or self._last + 1) <= self._last

    def _has_page_here(self, row: int | None) -> bool:
        """Whether an entry that was here before links to the same page."""
        if self._empty:
            return False
        sql = (
            "select 1 from entry e join entry o on o.canonical = e.canonical"
            " where e.id = ? and o.id <= ? and o.story is not null"
        )
        return self._value(sql, [row, self._last]) is not None

    def _relation(self, said: Row) -> bool:
        rows = [self._row(_text(said, end)) for end in ("entry", "other")]
        if None in rows or any(self._is_here(said[end]) for end in ("entry", "other")):
            return False
        return self._insert("relation", said | {"entry": rows[0], "other": rows[1]}, "insert or ignore").rowcount > 0

    def _publication(self, said: Row) -> bool:
        name = _text(said, "story")
        if name not in self._stories:
            raise ValueError(f"its story {name} is not here")
        story = self._stories[name]
        if story is None:
            return False
        if not self._empty:  # back issues, behind all that was published here
            del said["seq"]
            said["live"] = 0
        self._insert("publication", said | {"story": story})
        return True

    def _feed(self, said: Row) -> bool:
        if not self._empty:
            return False
        self._insert(
            "feed",
            said | {"rendered": 0},
            conflict="on conflict (term) do update set changed = changed + 1, as_of = max(as_of, excluded.as_of),"
            " labels = excluded.labels",
        )
        return True

    def _learned(self, said: Row) -> bool:
        return self._insert("learned", said, "insert or ignore").rowcount > 0

    def _decision(self, said: Row) -> bool:
        known = [said["who"], said["decided_at"], said["act"], said["target"], said.get("other")]
        sql = "select 1 from decision where (who, decided_at, act, target) = (?, ?, ?, ?) and other is ?"
        if self._is_here(_text(said, "target")) or self._value(sql, known):
            return False
        self._insert("decision", said)
        return True

    def _finish(self) -> None:
        """Lead copies to what they are copies of, and have entries whose story did not come along settled here."""
        self._db.conn.executemany(
            "update entry set copy_of = (select id from entry where published_id = ?) where id = ?", self._copies
        )
        self._db.conn.execute(
            "update entry set published_id = null, copy_of = null, evidence = '', back = max(back, ?)"
            " where id > ? and story is null and (published_id is not null or not ?)",
            [Back.BACK_ISSUE, self._last, self._empty],
        )

    # --------------------------------------------------------------------------------------------- rows

    def _value(self, sql: str, values: Iterable[Any] = ()) -> Any:
        row = self._db.conn.execute(sql, list(values)).fetchone()
        return None if row is None else row[0]

    def _row(self, published_id: str) -> int | None:
        row: int | None = self._value("select id from entry where published_id = ?", [published_id])
        return row

    def _source_row(self, name: str) -> int | None:
        row: int | None = self._value("select id from source where name = ?", [name])
        return row

    def _new(self, table: str, said: Mapping[str, Any]) -> int:
        """Insert a row of these fields; its number."""
        row = self._insert(table, said).lastrowid
        assert row is not None
        return row

    def _insert(self, table: str, said: Mapping[str, Any], verb: str = "insert", conflict: str = "") -> sqlite3.Cursor:
        types = self._types[table]
        for name, value in said.items():
            if name not in types:
                raise ValueError(f"{table} has no field {name!r}")
            if isinstance(value, int) and not _LEAST <= value <= _MOST:
                raise ValueError(f"{name}: {value} is out of range")
        values = [_stored(value, types[name]) for name, value in said.items()]
        names = ", ".join(said)
        return self._db.conn.execute(f"{verb} into {table} ({names}) values ({marks(said)}) {conflict}", values)


# What a line can be unfit by. Other errors of SQLite (a full disk) end the import instead.
_UNFIT = (
    ValueError,
    TypeError,
    KeyError,
    RecursionError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
)


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"the field {error} is missing"
    if isinstance(error, (json.JSONDecodeError, UnicodeDecodeError, RecursionError)):
        return f"it is no JSON ({error})"
    return str(error)


def _object(line: bytes) -> Row:
    said = json.loads(line)
    if not isinstance(said, dict):
        raise ValueError("it is no object")
    return said


def _check_count(said: Row, count: int) -> None:
    if said["lines"] != count:
        raise ValueError(f"{count} lines stand before this one, and {said['lines']} should")


def _text(said: Row, name: str) -> str:
    value = said[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value


def _enclosures(said: Any) -> str:
    for url, media_type, length in said:
        if not (isinstance(url, str) and isinstance(media_type, str) and isinstance(length, int | None)):
            raise ValueError("enclosures are lists of url, type, length")
    return json.dumps(said, ensure_ascii=False)


def _stored(value: Any, type_: str) -> Any:
    return bytes.fromhex(value) if type_ == "BLOB" and value is not None else value
