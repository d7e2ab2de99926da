"""What editors said by hand. Whoever polls the folder applies it; what that moved is kept, so that it can be undone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from aggregator.models import Decision, OpenDecision
from aggregator.store.connection import moment, seconds


def decide(db: Database, decision: Decision) -> None:
    """Store what an editor said."""
    db.table("decision").insert(
        {
            "who": decision.who,
            "decided_at": seconds(decision.decided_at),
            "act": decision.act,
            "target": decision.target,
            "other": decision.other,
        }
    )


def undo(db: Database, act: str, target: str, other: str | None, now: datetime) -> bool:
    """Undo the last standing decision of this kind on the target; False where there is none."""
    cursor = db.conn.execute(
        "update decision set undone_at = ?, applied = 0 where id ="
        " (select max(id) from decision where act = ? and target = ? and other is ? and undone_at is null)",
        [seconds(now), act, target, other],
    )
    return cursor.rowcount > 0


def is_open(db: Database) -> bool:
    """Whether a decision waits to be applied."""
    return db.conn.execute("select 1 from decision where applied = 0 and act <> 'apply'").fetchone() is not None


def asked(db: Database, act: str) -> int | None:
    """The first decision of a kind that waits, for what is done apart from the others; its row, or None."""
    found = db.conn.execute("select min(id) from decision where applied = 0 and act = ?", [act]).fetchone()
    return None if found is None else found[0]


def done(db: Database, act: str, until: int) -> None:
    """Note that the decisions of a kind up to a row are carried out."""
    db.conn.execute("update decision set applied = 1 where applied = 0 and act = ? and id <= ?", [act, until])


def hides(db: Database, story: int) -> str | None:
    """Who hides a story: who first decided so of one of its entries, whichever it is. None where nobody does."""
    found = db.conn.execute(
        "select d.who from entry e join decision d on d.target = e.published_id"
        " where e.story = ? and d.act = 'hide' and d.undone_at is null order by d.id",
        [story],
    ).fetchone()
    return None if found is None else str(found[0])


def stories(db: Database, act: str) -> set[int]:
    """The stories on which a decision of a kind stands."""
    rows = db.conn.execute(
        "select distinct e.story from decision d join entry e on e.published_id = d.target"
        " where d.act = ? and d.undone_at is null and e.story is not null",
        [act],
    )
    return {row[0] for row in rows}


def stands(db: Database, said: Decision) -> bool:
    """Whether the same was decided of the same another time, and is not undone."""
    sql = "select 1 from decision where (act, target) = (?, ?) and other is ? and undone_at is null"
    return db.conn.execute(sql, [said.act, said.target, said.other]).fetchone() is not None


def waiting(db: Database) -> OpenDecision | None:
    """The first of the decisions that wait to be applied, in the order in which they were taken; of what was undone at
    one moment, the last comes first."""
    rows = db.query(
        "select * from decision where applied = 0 and act <> 'apply'"
        " order by coalesce(undone_at, decided_at), case when undone_at is null then id else -id end limit 1"
    )
    return next(map(_open, rows), None)


def moves_after(db: Database, row: int) -> list[OpenDecision]:
    """What was decided of stories after a decision and counts now, in the order in which it was applied; also what is
    undone, and waits to be taken back."""
    rows = db.query(
        "select * from decision where id > ? and act in ('join', 'split') and applied = (undone_at is null)"
        " order by id",
        [row],
    )
    return list(map(_open, rows))


def _open(row: Mapping[str, Any]) -> OpenDecision:
    return OpenDecision(
        row=row["id"],
        said=Decision(row["who"], moment(row["decided_at"]), row["act"], row["target"], row["other"]),
        undone=row["undone_at"] is not None,
        effect=json.loads(row["effect"]) if row["effect"] else {},
    )


def applied(db: Database, row: int, effect: Mapping[str, Any]) -> None:
    """Note that a decision was applied (or undone), and what that moved."""
    said = json.dumps(effect, ensure_ascii=False) if effect else ""
    db.conn.execute("update decision set applied = 1, effect = ? where id = ?", [said, row])
