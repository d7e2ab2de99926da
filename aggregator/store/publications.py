"""The publication log, the dirty mark of each published term, and what a feed carries.

Being put into a feed is one row, and `seq` is the order for ever. A term is dirty while `changed > rendered`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from aggregator import variables
from aggregator.models import Enclosure, FeedMark, Head, Mention, PublishedEntry, PublishedStory
from aggregator.store.connection import marks, maybe_moment, moment, seconds

_STORY_SQL = """
select p.seq, p.published_at, p.story, e.published_id, e.title, e.link, e.summary, e.content, e.author, e.rights,
    e.language, e.published, e.updated, e.enclosures, e.image, e.duration, e.episode, s.name as source_name,
    s.url as source_url, s.written as source_written, h.feed_id, h.title as feed_title, h.link as feed_link,
    h.updated as feed_updated,
    h.author as feed_author, h.rights as feed_rights, h.language as feed_language,
    (select group_concat(distinct f.term) from filing f join entry m on m.id = f.entry where m.story = st.id) as terms
from publication p
    join story st on st.id = p.story
    join entry e on e.id = st.representative
    join source s on s.id = e.source
    join head h on h.id = e.head
where p.term = ? and p.live = 1 and p.withdrawn_at is null
order by p.seq desc limit ?
"""

_COVERAGE = """
select e.story, s.name, e.title, e.link from story st
    join entry e on e.story = st.id and e.id <> st.representative
    join source s on s.id = e.source
where st.id in ({}) order by e.published, s.name, e.entry_id
"""

# More would be padding.
_MOST_RELATED = 10

# Of stories that readers can see: those that were withdrawn, or only came as back issues, are not named.
_RELATED = """
select distinct e.story, s.name, r.title, r.link from entry e
    join relation x on x.entry = e.id
    join entry o on o.id = x.other
    join story st on st.id = o.story
    join entry r on r.id = st.representative
    join source s on s.id = r.source
where e.story in ({}) and o.story <> e.story
    and exists (select 1 from publication p where p.story = st.id and p.live = 1 and p.withdrawn_at is null)
order by r.published, s.name, r.entry_id
"""

_SHOWING = """
select distinct p.term from publication p where p.live = 1 and p.story in (
    select value from json_each(:stories) union
    select o.story from json_each(:stories) s join entry e on e.story = s.value
        join relation x on x.entry = e.id join entry o on o.id = x.other
)
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


def mark_stories(db: Database, stories: Iterable[int], now: datetime) -> None:
    """Mark every feed that carries one of the stories, or one that shows a link to it, as changed."""
    rows = db.conn.execute(_SHOWING, {"stories": json.dumps(list(stories))}).fetchall()
    mark(db, [row[0] for row in rows], now)


def mark_carrying(db: Database, stories: Collection[int], now: datetime) -> None:
    """Mark every feed that carries one of the stories as changed."""
    sql = "select distinct term from publication where live = 1 and withdrawn_at is null and story in ({})"
    rows = db.conn.execute(sql.format(marks(stories)), list(stories)).fetchall()
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


def called(db: Database, labels: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Note what terms are called now; for each name that any feed has, or else once had, its term. Those terms that are
    there now come before others."""
    known = {term: json.loads(said) for term, said in db.conn.execute("select term, labels from feed order by term")}
    known |= {term: list(dict.fromkeys((*known.get(term, ()), *now))) for term, now in labels.items()}
    sql = "update feed set labels = ? where term = ? and labels <> ?"
    for term in labels:
        said = json.dumps(known[term], ensure_ascii=False)
        db.conn.execute(sql, [said, term, said])
    once = {label: term for term in sorted(known, key=labels.__contains__) for label in known[term]}
    return once | {label: term for term, names in labels.items() for label in names}


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
    rows = list(db.query(_STORY_SQL, [term, limit]))
    numbers = [row["story"] for row in rows]
    coverage, related = _mentions(db, _COVERAGE, numbers), _mentions(db, _RELATED, numbers, _MOST_RELATED)
    return [
        PublishedStory(
            row["seq"],
            moment(row["published_at"]),
            _entry(row, coverage[row["story"]], related[row["story"]]),
        )
        for row in rows
    ]


def _mentions(
    db: Database, sql: str, stories: Sequence[int], most: int = sys.maxsize
) -> Mapping[int, tuple[Mention, ...]]:
    """What each of the stories mentions, in the order of publication. At most so many each, the earliest, so that what
    is published later changes nothing."""
    found: dict[int, tuple[Mention, ...]] = dict.fromkeys(stories, ())
    for story, source_name, title, link in db.conn.execute(sql.format(marks(stories)), list(stories)):
        if len(found[story]) < most:
            found[story] += (Mention(source_name, title, link),)
    return found


def _without_values(row: dict[str, Any]) -> dict[str, Any]:
    """What a document may say of where it comes from, if a part of the address is a variable's value."""
    known = variables.values(row["source_written"], row["source_url"])
    said = {name: row[name] and variables.hidden(row[name], known) for name in ("feed_id", "feed_link")}
    said["source_url"] = row["source_written"]
    return {name: value if value == row[name] else variables.public(value) for name, value in said.items()}


def _entry(row: dict[str, Any], coverage: tuple[Mention, ...], related: tuple[Mention, ...]) -> PublishedEntry:
    if row["source_written"]:
        row = row | _without_values(row)
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
        coverage=coverage,
        related=related,
    )


# ------------------------------------------------------------------------------------------------- filing anew

REFILED = "refiled"  # why a story left a feed whose category it is no longer in: no tombstone, it may come back


def standing(db: Database, stories: Sequence[int]) -> dict[int, frozenset[str]]:
    """For each story the terms into whose feeds it was put, but those that it left by being filed anew."""
    found: dict[int, frozenset[str]] = dict.fromkeys(stories, frozenset())
    sql = "select story, group_concat(term) from publication where why <> ? and story in ({}) group by story"
    for story, terms in db.conn.execute(sql.format(marks(stories)), [REFILED, *stories]):
        found[story] = frozenset(terms.split(","))
    return found


def announced(db: Database, stories: Sequence[int]) -> dict[int, datetime]:
    """When these stories were first put into a live feed, of those that were."""
    sql = "select story, min(published_at) from publication where live = 1 and story in ({}) group by story"
    rows = db.conn.execute(sql.format(marks(stories)), list(stories))
    return {story: moment(published_at) for story, published_at in rows}


def places(db: Database, stories: Sequence[int]) -> dict[int, int]:
    """Where these stories stand in the log since they were first published, of those that were."""
    sql = "select story, min(seq) from publication where story in ({}) group by story"
    return dict(db.conn.execute(sql.format(marks(stories)), list(stories)))


def enter(db: Database, live: Mapping[int, bool], term: str, now: datetime) -> None:
    """Put stories, each `live` or as a back issue, into the feed of a category that they are in now: in their old
    places where they had one, else one after the other. The feed is to be marked then, as with `leave`."""
    db.conn.executemany(
        "insert into publication (term, story, published_at, live) select ?, id, ?, ? from story where id = ?"
        " on conflict (term, story) do update set withdrawn_at = null, why = '' where why = ?",
        [(term, seconds(now), int(is_live), story, REFILED) for story, is_live in live.items()],
    )


def leave(db: Database, stories: Iterable[int], term: str, now: datetime) -> None:
    """Take stories out of the feed of a category that they are no longer in, also those that are hidden there."""
    db.conn.executemany(
        "update publication set withdrawn_at = coalesce(withdrawn_at, ?), why = ? where story = ? and term = ?",
        [(seconds(now), REFILED, story, term) for story in stories],
    )


# ------------------------------------------------------------------------------------------------- withdrawing


def withdraw(db: Database, story: int, why: str, now: datetime) -> None:
    """Take a story out of every feed that it is in, for a reason that an editor gave."""
    mark_stories(db, [story], now)
    db.conn.execute(
        "update publication set withdrawn_at = ?, why = ? where story = ? and withdrawn_at is null",
        [seconds(now), why, story],
    )


def hide(db: Database, story: int, who: str, now: datetime) -> None:
    """Take a story out of every feed that it is in, as an editor wants."""
    withdraw(db, story, f"hidden by {who}", now)


def show(db: Database, story: int, now: datetime) -> None:
    """Put a story back into the feeds out of which it was hidden, if it was."""
    cursor = db.conn.execute(
        "update publication set withdrawn_at = null, why = '' where story = ? and withdrawn_at is not null"
        " and why glob 'hidden by *'",
        [story],
    )
    if cursor.rowcount:
        mark_stories(db, [story], now)


def restore_moved(db: Database, story: int, now: datetime) -> None:
    """Put a story back into the feeds that it was taken out of since it had no members: it has some again."""
    db.conn.execute(
        "update publication set withdrawn_at = null, why = '' where story = ? and withdrawn_at is not null"
        " and (why glob 'joined with *' or why glob 'split off *')",
        [story],
    )
    mark_stories(db, [story], now)


def is_live(db: Database, story: int) -> bool:
    """Whether a live feed ever carried the story."""
    return db.conn.execute("select 1 from publication where story = ? and live = 1", [story]).fetchone() is not None
