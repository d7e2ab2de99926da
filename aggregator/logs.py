"""How the log looks: text for people or one JSON object a line. A record is one line, whatever its values hold.

And what it says of polls: news, a failure when it begins or changes, and one line for a tick of many sources.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aggregator.pipeline import Report

log = logging.getLogger(__name__)

MOST_FAILURES = 10  # of one tick that are said one by one
MANY = 10  # sources in a tick that make it worth a line of its own

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def start(level: str, style: str) -> None:
    """Log to standard error from now on, in `style` text or json."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if style == "json" else _Text())
    logging.basicConfig(level=_LEVELS[level], handlers=[handler], force=True)
    for noisy in ("apscheduler", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """The record as one line; a traceback follows, each of its lines indented."""
        time = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        line = f"{time} {record.levelname.lower():7} {_printable(record.getMessage())}"
        if record.exc_info:
            line += "".join(f"\n    {part}" for part in _trace(self.formatException(record.exc_info)))
        return line


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """The record as one JSON object."""
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _printable(record.getMessage()),
        }
        if record.exc_info:
            said["traceback"] = "\n".join(_trace(self.formatException(record.exc_info)))
        return json.dumps(said, ensure_ascii=False)


class Polls:
    """What the log says of polls, over a daemon's life."""

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}  # of the sources that failed when last polled, by name
        self.first_is_over = False  # whether the first tick has ended, which may find no network

    def tick(self) -> Tick:
        """What it says of one tick."""
        return Tick(self)


class Tick:
    """`report` each poll, then `end`. A failure that was said before is not said again until its reason changes."""

    def __init__(self, polls: Polls) -> None:
        self._polls = polls
        self._started = time.monotonic()
        self._counts: Counter[str] = Counter()

    def report(self, poll: Report) -> None:
        """Say what came of one poll, if it is worth a line."""
        self._counts.update(polled=1, new=poll.new, changed=poll.changed, failing=bool(poll.reason))
        if poll.reason:
            log.log(self._loudness(poll), "%s: %s: %s", poll.name, poll.outcome, poll.reason)
            self._polls.reasons[poll.name] = poll.reason
            return
        recovered = self._polls.reasons.pop(poll.name, None) is not None
        level = logging.INFO if recovered or poll.new or poll.changed else logging.DEBUG
        again = "works again, " if recovered else ""
        log.log(level, "%s: %s%d new, %d changed, %.1f s", poll.name, again, poll.new, poll.changed, poll.seconds)

    def _loudness(self, poll: Report) -> int:
        """The level of a failure: a warning if it is news, and not one of very many."""
        if self._polls.reasons.get(poll.name) == poll.reason:
            return logging.DEBUG
        self._counts["begun"] += 1
        return logging.WARNING if self._counts["begun"] <= MOST_FAILURES else logging.DEBUG

    def end(self) -> None:
        """Say what came of the tick, if it was one of many sources."""
        counts = self._counts
        if (unsaid := counts["begun"] - MOST_FAILURES) > 0:
            log.warning("%d more sources fail: `aggregator status` names them with their reasons", unsaid)
        if not self._polls.first_is_over and counts["polled"]:
            self._polls.first_is_over = True
            if counts["polled"] == counts["failing"]:
                log.warning("every source failed: is there a network? `aggregator demo` shows everything without one")
        if counts["polled"] < MANY:
            return
        log.info(
            "%d sources polled in %.1f s: %d entries new, %d changed; %d sources failing",
            counts["polled"],
            time.monotonic() - self._started,
            counts["new"],
            counts["changed"],
            counts["failing"],
        )


def _trace(said: str) -> list[str]:
    """The lines of a traceback; what it quotes may be a feed's."""
    return [_printable(line) for line in said.splitlines()]


def _printable(value: str) -> str:
    """The text with everything that could break or colour a line escaped: a feed must not forge the log."""
    if value.isprintable():
        return value
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in value)
