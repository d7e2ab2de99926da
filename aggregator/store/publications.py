"""The publication log, the dirty mark of each published term, what a feed carries, and the editor's decisions.

Being put into a feed is one row, and `seq` is the order for ever. A term is dirty while `changed > rendered`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from aggregator.models import Decision, Enclosure, FeedMark, Head, PublishedEntry, PublishedStory
from aggregator.store.connection import maybe_moment, moment, seconds

_STORY_SQL = """
select p.seq, p.published_at, e.published_id, e.title, e.link, e.summary, e.content, e.author, e.rights, e.language,
    e.published, e.updated, e.enclosures, e.image, e.duration, e.episode, s.name as source_name, s.url as source_url,
    h.feed_id, h.title as feed_title, h.link as feed_link, h.updated as feed_updated, h.author as feed_author,
    h.rights as feed_rights, h.language as feed_language,
    (select group_concat(distinct f.term) from filing f join entry m on m.id = f.entry where m.story = st.id) as terms
from publication p
    join story st on st.id = p.story
    join entry e on e.id = st.representative
    join source s on s.id = e.source
    join head h on h.id = e.head
where p.term = ? and p.live = 1 and p.withdrawn_at is null
order by p.seq desc limit ?
"""


def add(db: Database, story: int, terms: Iterable[str], now: datetime, live: bool) -> list[str]:
    """Put a story into feeds; the terms into which it was not put before. Those are dirty then, if it is live."""
    added = []
    for term in terms:
        cursor = db.conn.execute(
            "insert or ignore into publication (term, story, published_at, live) values (?, ?, ?, ?)",
            [term, story, seconds(now), int(live)],
        )
        if cursor.rowcount:
            added.append(term)
    if live:
        mark(db, added, now)
    return added


def mark(db: Database, terms: Iterable[str], now: datetime) -> None:
    """Mark terms as changed at `now`."""
    db.conn.executemany(
        "insert into feed (term, changed, rendered, as_of) values (?, 1, 0, ?)"
        " on conflict (term) do update set changed = changed + 1, as_of = max(as_of, excluded.as_of)",
        [(term, seconds(now)) for term in terms],
    )


def mark_story(db: Database, story: int, now: datetime) -> None:
    """Mark every feed that carries the story as changed."""
    rows = db.conn.execute("select term from publication where story = ? and live = 1", [story])
    mark(db, [row[0] for row in rows], now)


def require(db: Database, recipes: Mapping[str, str], now: datetime) -> None:
    """Mark the terms whose recipe (digest of the configuration that shapes their bytes) is new or differs."""
    stored = {row["term"]: row["recipe"] for row in db.query("select term, recipe from feed")}
    changed = [term for term, recipe in recipes.items() if stored.get(term) != recipe]
    mark(db, changed, now)
    db.conn.executemany("update feed set recipe = ? where term = ?", [(recipes[term], term) for term in changed])


def dirty(db: Database, configured: Collection[str]) -> list[FeedMark]:
    """Those of the configured terms that are dirty."""
    rows = db.query("select term, changed, as_of from feed where changed > rendered order by term")
    return [FeedMark(row["term"], row["changed"], moment(row["as_of"])) for row in rows if row["term"] in configured]


def terms(db: Database) -> set[str]:
    """Every term that has, or ever had, a feed."""
    return {row[0] for row in db.conn.execute("select term from feed")}


def feed_mark(db: Database, term: str) -> FeedMark | None:
    """The mark of one term, dirty or not."""
    row = next(db.query("select term, changed, as_of from feed where term = ?", [term]), None)
    return FeedMark(row["term"], row["changed"], moment(row["as_of"])) if row else None


def rendered(db: Database, done: FeedMark) -> None:
    """Clear the dirty mark, unless the term has changed again since `done` was read."""
    db.conn.execute("update feed set rendered = max(rendered, ?) where term = ?", [done.changed, done.term])


def expired(db: Database, max_age: timedelta, now: datetime) -> list[str]:
    """Terms whose last rendered document carries a story that has passed `max_age` since."""
    age, until = int(max_age.total_seconds()), seconds(now - max_age)
    rows = db.conn.execute(
        "select distinct p.term from entry e join story st on st.id = e.story and st.representative = e.id"
        " join publication p on p.story = st.id join feed f on f.term = p.term"
        " where e.published < ? and e.published >= (select min(as_of) from feed) - ? and e.published >= f.as_of - ?"
        " and p.live = 1 and p.withdrawn_at is null",
        [until, age, age],
    )
    return [row[0] for row in rows]


def live(db: Database, term: str, limit: int) -> list[PublishedStory]:
    """The last `limit` live stories of a term, newest first (by `seq`)."""
    return [
        PublishedStory(row["seq"], moment(row["published_at"]), _entry(row))
        for row in db.query(_STORY_SQL, [term, limit])
    ]


def _entry(row: dict[str, Any]) -> PublishedEntry:
    return PublishedEntry(
        id=row["published_id"],
        title=row["title"],
        link=row["link"],
        summary=row["summary"],
        content=row["content"],
        author=row["author"],
        rights=row["rights"],
        language=row["language"],
        published=moment(row["published"]),
        updated=moment(row["updated"]),
        enclosures=tuple(Enclosure(*enclosure) for enclosure in json.loads(row["enclosures"])),
        source_name=row["source_name"],
        source_url=row["source_url"],
        source=Head(
            id=row["feed_id"],
            title=row["feed_title"],
            link=row["feed_link"],
            updated=maybe_moment(row["feed_updated"]),
            author=row["feed_author"],
            rights=row["feed_rights"],
            language=row["feed_language"],
        ),
        image=row["image"],
        duration=row["duration"],
        episode=row["episode"],
        terms=tuple(sorted((row["terms"] or "").split(","))) if row["terms"] else (),
    )


# ------------------------------------------------------------------------------------------------- decisions


def decide(db: Database, decision: Decision) -> None:
    """Store what an editor said. Whoever polls this folder applies it; `open_decisions` are what is left to apply."""
    db.table("decision").insert(
        {
            "who": decision.who,
            "decided_at": seconds(decision.decided_at),
            "act": decision.act,
            "target": decision.target,
        }
    )


def undo(db: Database, act: str, target: str, now: datetime) -> bool:
    """Undo the standing decision of this kind on the target; False where there is none."""
    cursor = db.conn.execute(
        "update decision set undone_at = ?, applied = 0 where act = ? and target = ? and undone_at is null",
        [seconds(now), act, target],
    )
    return cursor.rowcount > 0


def open_decisions(db: Database) -> bool:
    """Whether a decision waits to be applied."""
    return db.conn.execute("select 1 from decision where applied = 0 limit 1").fetchone() is not None


def reopen_decisions(db: Database, story: int) -> None:
    """Have the standing decisions on a story applied again, as it has just been put into more feeds."""
    db.conn.execute(
        "update decision set applied = 0 where undone_at is null and target in"
        " (select e.published_id from story s join entry e on e.id = s.representative where s.id = ?)",
        [story],
    )


def apply_decisions(db: Database, now: datetime) -> None:
    """Bring the log to what the editor's decisions say, and mark the feeds that this changes."""
    for row in list(db.query("select id, who, act, target, undone_at from decision where applied = 0 order by id")):
        withdrawn = None if row["undone_at"] else seconds(now)
        why = "" if row["undone_at"] else f"hidden by {row['who']}"
        story = db.conn.execute("select story from entry where published_id = ?", [row["target"]]).fetchone()
        if story is not None:
            db.conn.execute(
                "update publication set withdrawn_at = ?, why = ? where story = ?", [withdrawn, why, story[0]]
            )
            mark_story(db, story[0], now)
        db.conn.execute("update decision set applied = 1 where id = ?", [row["id"]])
