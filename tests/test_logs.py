"""How a log line looks, whatever is in it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from aggregator import logs

FORGED = "news\n2026-11-22T12:00:00Z error forged\x1b[31m\u202e\u2028\x9b\ud800"


@pytest.fixture(autouse=True)
def kept() -> Iterator[None]:
    """What logs to where, put back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def written(style: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines of a record that holds, and was caused by, what a feed says."""
    logs.start("info", style)
    try:
        raise ValueError(FORGED)
    except ValueError:
        logging.getLogger("aggregator").exception("%s failed", FORGED)
    said = capsys.readouterr().err
    assert said.endswith("\n")
    lines = said[:-1].split("\n")
    assert all(line.isprintable() for line in lines)
    return lines


def test_in_a_text_log_only_a_traceback_has_lines_of_its_own_and_they_are_indented(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, *trace = written("text", capsys)
    assert first[20:].startswith(" error")
    assert "\\n2026-11-22T12:00:00Z error forged\\x1b[31m\\u202e\\u2028\\x9b\\ud800 failed" in first
    assert all(line.startswith("    ") for line in trace)


def test_in_a_json_log_a_record_is_one_line_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = written("json", capsys)
    record = json.loads(line)
    assert record["level"] == "error"
    assert all(part.isprintable() for part in record["traceback"].split("\n"))
