"""In which categories entries are filed, by which voice and edition, and what editors said of that by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlite_utils import Database

from aggregator.models import Edition, Filing, Ruling, StoredEntry
from aggregator.store.connection import marks, seconds

_BATCH = 500  # below SQLite's limit on bound values


def put(db: Database, entry: int, filings: Iterable[Filing]) -> None:
    """Store categories of an entry, each with its voice, reason and score."""
    db.conn.executemany(
        "insert or replace into filing (entry, term, origin, reason, score) values (?, ?, ?, ?, ?)",
        [(entry, filing.term, filing.origin, filing.reason, filing.score) for filing in filings],
    )


def replace(db: Database, entry: int, filings: Iterable[Filing]) -> None:
    """Store what the voices say now of an entry, in place of what they said."""
    db.conn.execute("delete from filing where entry = ?", [entry])
    put(db, entry, filings)


def of(db: Database, entries: Sequence[int]) -> Mapping[int, tuple[Filing, ...]]:
    """The stored filings of each of these entries."""
    found: dict[int, list[Filing]] = {entry: [] for entry in entries}
    for start in range(0, len(entries), _BATCH):
        batch = entries[start : start + _BATCH]
        sql = "select entry, term, origin, reason, score from filing where entry in ({}) order by entry, term, origin"
        for entry, *said in db.conn.execute(sql.format(marks(batch)), list(batch)):
            found[entry].append(Filing(*said))
    return {entry: tuple(filings) for entry, filings in found.items()}


def remove(db: Database, entry: int, filings: Iterable[Filing]) -> None:
    """Delete these filings of an entry."""
    db.conn.executemany(
        "delete from filing where entry = ? and term = ? and origin = ?",
        [(entry, filing.term, filing.origin) for filing in filings],
    )


# ------------------------------------------------------------------------------------------------- editions


def edition(db: Database, made: Edition) -> int:
    """The row of an edition, but for what was learned."""
    parts = [made.lexicon, made.rules]
    db.conn.execute("insert or ignore into edition (lexicon, rules) values (?, ?)", parts)
    return int(db.conn.execute("select id from edition where lexicon = ? and rules = ?", parts).fetchone()[0])


def stamp(db: Database, made: Mapping[int, Edition]) -> None:
    """Note which edition filed each of these entries."""
    numbers = {each: edition(db, each) for each in set(made.values())}
    db.conn.executemany(
        "update entry set edition = ?, learned = ? where id = ?",
        [(numbers[each], each.learned, entry) for entry, each in made.items()],
    )


def older(db: Database, editions: Mapping[str, Edition]) -> int:
    """How many entries of these sources were filed by other rules or another lexicon than their source's edition."""
    sql = (
        "select count(*) from entry e where e.source = (select id from source where name = ?) and e.edition is not"
        " null and e.edition not in (select id from edition where rules = ? and lexicon = ?)"
    )
    counts = [db.conn.execute(sql, [name, made.rules, made.lexicon]).fetchone()[0] for name, made in editions.items()]
    return sum(counts)


# ------------------------------------------------------------------------------------------------- filing anew


def stored(db: Database, after: int, limit: int, since: datetime | None = None) -> list[StoredEntry]:
    """What filing looks at of the next entries behind a number: those of listed sources, first seen since a moment."""
    rows = list(
        db.query(
            "select e.id, e.published_id, e.story, e.title, e.link, e.summary, e.content, e.author, e.language,"
            " s.name as source from entry e join source s on s.id = e.source"
            " where e.id > ? and s.listed = 1 and e.story is not null and e.first_seen >= ? order by e.id limit ?",
            [after, 0 if since is None else seconds(since), limit],
        )
    )
    numbers = [row["id"] for row in rows]
    filings, rulings = of(db, numbers), _rulings(db, [row["published_id"] for row in rows])
    return [
        StoredEntry(
            row=row["id"],
            published_id=row["published_id"],
            story=row["story"],
            source_name=row["source"],
            title=row["title"],
            link=row["link"],
            markup=row["content"] or row["summary"],
            author=row["author"],
            language=row["language"],
            filings=filings[row["id"]],
            rulings=tuple(rulings[row["published_id"]]),
        )
        for row in rows
    ]


def _rulings(db: Database, published_ids: Sequence[str]) -> Mapping[str, list[Ruling]]:
    """What editors said by hand of each of these entries and its categories; the last word on each counts."""
    found: dict[str, dict[str, Ruling]] = defaultdict(dict)
    for start in range(0, len(published_ids), _BATCH):
        batch = published_ids[start : start + _BATCH]
        rows = db.conn.execute(
            "select target, other, act, who from decision where act in ('file', 'unfile') and undone_at is null"
            f" and target in ({marks(batch)}) order by id",
            batch,
        )
        for target, term, act, who in rows:
            found[target].pop(term, None)
            found[target][term] = Ruling(term, act == "file", who)
    return defaultdict(list, {target: list(rulings.values()) for target, rulings in found.items()})


def rulings(db: Database, published_id: str) -> list[Ruling]:
    """What editors said by hand of an entry and its categories."""
    return _rulings(db, [published_id])[published_id]


def members(db: Database, stories: Sequence[int]) -> dict[int, dict[int, frozenset[str]]]:
    """For each story its entries, and the categories in which each is filed."""
    found: dict[int, dict[int, frozenset[str]]] = {story: {} for story in stories}
    sql = "select e.story, e.id, f.term from entry e left join filing f on f.entry = e.id where e.story in ({})"
    for story, entry, term in db.conn.execute(sql.format(marks(stories)), list(stories)):
        found[story][entry] = found[story].get(entry, frozenset()) | ({term} if term else frozenset())
    return found


def story_of(db: Database, entries: Sequence[int]) -> dict[int, int | None]:
    """The story of each of these entries that are stored still."""
    sql = f"select id, story from entry where id in ({marks(entries)})"
    return dict(db.conn.execute(sql, list(entries)).fetchall())
