"""`aggregator compare`: two titles, or the pairs of a file."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from aggregator import cli

ONE, OTHER = "城南大橋合龍通車 市長張大明：全長兩公里", "城南大桥合龙通车，市长张大明称全长两公里"


@pytest.fixture(autouse=True)
def _without_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, ["compare", *arguments])


def verdicts(tmp_path: Path, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    result = run("--jsonl", str(file))
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.output.splitlines()]


def test_two_titles_are_compared_with_the_evidence() -> None:
    result = run(ONE, OTHER)
    assert result.output.startswith("same ")
    assert "characters in common" in result.output


def test_a_veto_is_shown() -> None:
    assert "Against it: they count differently (month)." in run("城南電子5月營收32億元", "城南電子4月營收35億元").output


def test_two_titles_as_json() -> None:
    verdict = json.loads(run("--json", ONE, OTHER).output)
    assert list(verdict) == ["level", "same", "link", "score", "reasons"]
    assert (verdict["same"], verdict["link"]) == (True, True)


def test_each_row_has_one_line(tmp_path: Path) -> None:
    rows = [{"title_a": ONE, "title_b": OTHER}, {"title_a": ONE, "title_b": "菜价回落"}]
    assert [verdict["same"] for verdict in verdicts(tmp_path, *rows)] == [True, False]


def test_a_date_in_seconds_is_one_and_an_odd_one_is_none(tmp_path: Path) -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
    dates = (noon, noon - 30 * 86400, 1e300)
    row = {"title_a": ONE, "title_b": OTHER, "published_b": "2026-11-22T12:00:00Z"}
    assert [each["same"] for each in verdicts(tmp_path, *({**row, "published_a": date} for date in dates))] == [
        True,
        False,
        True,
    ]


def test_what_a_row_says_beside_the_titles_counts(tmp_path: Path) -> None:
    same = {"title_a": ONE, "title_b": OTHER}
    strange = {"title_a": ONE, "title_b": "菜价回落"}
    text = "城南大桥全长两公里，双向六车道，历时三年建成。" * 6
    found = verdicts(
        tmp_path,
        same | {"feed": "甲"},
        same | {"feed_a": "甲", "feed_b": "乙"},
        same | {"published_a": "Sun, 22 Nov 2026 08:00:00 +0800", "published_b": "2026-11-26T00:00:00Z"},
        same | {"published": "2026-11-22T00:00:00Z"},
        strange | {"link_a": "https://a.example/1?utm_source=x", "link_b": "http://www.a.example/1"},
        strange | {"feed": "甲", "id": "1"},
        strange | {"feed": "甲", "guid_a": "1", "guid_b": "2"},
        strange | {"text_a": text, "summary_b": f"<p>{text}</p>"},
    )
    assert [verdict["same"] for verdict in found] == [False, True, False, True, True, True, False, True]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "rows.jsonl:2: this is no JSON"),
        ("[]", "rows.jsonl:2: an object with title_a and title_b is wanted"),
        ('{"title_a": "a", "title_b": 1}', "rows.jsonl:2: an object with title_a and title_b"),
    ],
)
def test_a_line_that_is_no_pair_is_named(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "rows.jsonl").write_text('{"title_a": "a", "title_b": "b"}\n' + line + "\n", "utf-8")
    result = run("--jsonl", "rows.jsonl")
    assert result.exit_code == 2
    assert says in result.output


@pytest.mark.parametrize("arguments", [(), ("only one",), ("a", "b", "c"), ("a", "b", "--jsonl", "rows.jsonl")])
def test_two_titles_or_a_file_are_wanted(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "rows.jsonl").touch()
    result = run(*arguments)
    assert result.exit_code == 2
    assert "give two titles, or --jsonl FILE" in result.output


def test_the_names_of_the_configuration_count(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "sources.yaml").write_text("sources:\n- {name: a, url: https://a.example/}\n", "utf-8")
    (tmp_path / "config" / "categories.yaml").write_text("categories:\n- {term: tech, label: 科技}\n", "utf-8")
    titles = ("老桥长：城南大桥全长两公里", "张大明：城南大桥全长两公里")
    assert not json.loads(run("--json", *titles).output)["same"]
    (tmp_path / "config" / "aliases.txt").write_text("[people]\n张大明, 老桥长\n", "utf-8")
    assert json.loads(run("--json", *titles).output)["same"]
