"""How the log looks: text for people or one JSON object a line. A record is one line, whatever its values hold."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def start(level: str, style: str) -> None:
    """Log to standard error from now on, in `style` text or json."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if style == "json" else _Text())
    logging.basicConfig(level=_LEVELS[level], handlers=[handler], force=True)
    for noisy in ("apscheduler", "asyncio", "watchfiles"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """The record as one line; a traceback follows, each of its lines indented."""
        time = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        line = f"{time} {record.levelname.lower():7} {_printable(record.getMessage())}"
        if record.exc_info:
            trace = self.formatException(record.exc_info).splitlines()
            line += "".join(f"\n    {_printable(part)}" for part in trace)
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
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)


def _printable(value: str) -> str:
    """The text with everything that could break or colour a line escaped: a feed must not forge the log."""
    if value.isprintable():
        return value
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in value)
