"""`aggregator try`: where an entry would be filed, and why."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from aggregator import cli, store
from aggregator.models import Weight

# Rules alone file here, whatever the lexicon says, but for the category that it does not know.
CATEGORIES = """\
categories:
- {term: tech, label: 科技, threshold: none, rules: [{any: 手机, in: title}, {any: 招聘, act: remove}]}
- {term: ai, label: 人工智能, parent: tech, threshold: none, rules: [{any: 大模型}]}
- {term: chess, label: 棋, threshold: -1.5, rules: [{any: 围棋, weight: 2}]}
- {term: sports, label: 体育, threshold: none, rules: [{any: {url: sports}}, {any: [{language: en}], all: 决赛}]}
"""
SOURCES = """\
sources:
- {name: 体育报, url: "https://sports.example/", category: sports}
- {name: 晚报, url: "https://wan.example/", rules: [{category: tech, any: 数码}]}
"""


@pytest.fixture
def tried(tmp_path):
    """What is printed for these arguments: the exit code, the lines, and what is complained of."""
    (tmp_path / "categories.yaml").write_text(CATEGORIES, "utf-8")
    (tmp_path / "sources.yaml").write_text(SOURCES, "utf-8")

    def run(*arguments, said=None):
        ran = CliRunner().invoke(cli.main, ["--config", str(tmp_path), "try", *arguments], input=said)
        return ran.exit_code, [json.loads(line) for line in ran.stdout.splitlines()], ran.stderr

    return run


def answer(found):
    code, (line,), complaint = found
    assert (code, complaint) == (0, "")
    return line


def terms(line):
    return [category["term"] for category in line["categories"]]


def test_a_title_is_filed_with_reasons(tried):
    (category,) = answer(tried("新手机"))["categories"]
    assert category["term"] == "tech"
    assert category["reasons"][0] == "rule 1 of that category, which found 手机"
    assert isinstance(category["score"], float)


def test_parents_are_there_and_say_why_but_other_never(tried):
    (tech, ai) = answer(tried("大模型"))["categories"]
    assert (tech["term"], tech["reasons"]) == ("tech", ["the parent of ai"])
    assert ai["reasons"] == ["rule 1 of that category, which found 大模型"]
    assert tech["score"] == ai["score"]
    assert answer(tried("无关"))["categories"] == []


def test_scores_are_of_every_category_without_a_parent_and_best_first(tried):
    scores = answer(tried("新手机", "--url", "https://e.example/sports/1"))["scores"]
    assert sorted(score["term"] for score in scores) == ["chess", "sports", "tech"]
    assert sorted((score["score"] for score in scores), reverse=True) == [score["score"] for score in scores]
    assert answer(tried("大模型"))["scores"][0]["term"] == "tech"


def test_a_weight_shows_in_the_score_and_is_named(tried):
    (category,) = answer(tried("围棋"))["categories"]
    assert category == {
        "term": "chess",
        "score": -0.944,
        "reasons": [
            "the lexicon with a score of -0.94 (threshold -1.50): rule 1 of that category +2.00, which found 围棋"
        ],
    }
    assert terms(answer(tried("象棋"))) == []


def test_each_score_has_the_threshold_that_it_is_held_against(tried):
    thresholds = {score["term"]: score["threshold"] for score in answer(tried("x"))["scores"]}
    assert thresholds == {"tech": None, "chess": -1.5, "sports": None}


def test_text_link_language_and_source_count(tried):
    assert terms(answer(tried("x", "--text", "<p>大<b>模型</b></p>"))) == ["tech", "ai"]
    assert terms(answer(tried("x", "--url", "https://e.example/sports/1"))) == ["sports"]
    assert terms(answer(tried("决赛", "--language", "en-US"))) == ["sports"]
    assert terms(answer(tried("x", "--source", "体育报"))) == ["sports"]
    assert answer(tried("数码", "--source", "晚报"))["categories"][0]["reasons"] == [
        "rule 1 of its source, which found 数码"
    ]


def test_what_was_learned_counts_where_there_is_a_database(tried, tmp_path):
    said = ("古琴少年", "--data", str(tmp_path))
    before = answer(tried(*said))
    assert terms(before) == []
    assert not (tmp_path / store.FILE_NAME).exists(), "nothing is made by trying"
    db = store.connect(tmp_path)
    store.learned.put(db, [Weight("古琴", "chess", 9.0, 1)], [])
    db.close()
    after = answer(tried(*said))
    assert terms(after) == ["chess"]
    assert "古琴" in after["categories"][0]["reasons"][-1]


def test_what_keeps_an_entry_out_is_said(tried):
    line = answer(tried("手机厂商招聘"))
    assert line["categories"] == []
    assert line["kept_out"][0] == {"term": "tech", "reasons": ["rule 2 of that category, which found 招聘"]}


def test_a_source_that_there_is_not_is_told_with_the_nearest(tried):
    code, lines, complaint = tried("x", "--source", "体育")
    assert (code, lines) == (2, [])
    assert "no source is called 体育 (did you mean 体育报?)" in complaint


def test_rows_come_back_in_order_with_as_many_keys_as_they_have(tried):
    rows = [
        {"title": "手机", "label": 3},
        {"text": "大模型", "title": None},
        {"title": "x", "source": "体育报"},
        {"title": "x", "source": "someone else"},
        {"title": "\ud800 \x00", "url": "\udfff"},
        {},
    ]
    code, lines, _ = tried("--jsonl", "-", said="\n".join(map(json.dumps, rows)) + "\n\n")
    assert code == 0
    assert list(map(terms, lines)) == [["tech"], ["tech", "ai"], ["sports"], [], [], []]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("[1]", "is no JSON object"),
        ("{title: x}", "is not JSON (Expecting property name"),
        ('{"title": 5}', "has a title that is no text"),
        ('{"title": "x", "text": ["y"]}', "has a text that is no text"),
        (b'{"title": "\xff"}', "is not JSON ('utf-8' codec"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_nothing_after_it_is_tried(tried, tmp_path, row, says):
    file = tmp_path / "rows.jsonl"
    row = row if isinstance(row, bytes) else row.encode()
    file.write_bytes(b'{"title": "a"}\n\n' + row + b'\n{"title": "b"}\n')
    code, lines, complaint = tried("--jsonl", str(file))
    assert (code, len(lines)) == (1, 1)
    assert complaint.startswith(f"aggregator: {file}:3: the row {says}")


@pytest.mark.parametrize("arguments", [(), ("x", "--jsonl", "-")])
def test_it_wants_a_title_or_a_file(tried, arguments):
    code, _, complaint = tried(*arguments)
    assert code == 2
    assert "give a title, or --jsonl FILE" in complaint
