"""A lexicon built from labelled titles."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

from click.testing import CliRunner

from aggregator import cli, text
from aggregator.categorize import building, lexicon
from aggregator.categorize.building import Example
from aggregator.categorize.lexicon import Lexicon, Row, Table

PARENTS = {"tech": "", "chips": "tech", "sports": "", "science": ""}
MAKERS, CLUBS = ("东山", "西河", "南海", "北湖", "中原", "大江", "小溪", "长桥"), ("红队", "蓝队", "白队", "黑队")
KNOWN = (Row("量子点光刻", "chips", 1.0), Row("彗星", "science", 1.0))


def examples() -> list[Example]:
    tech = [f"{maker}{what}手机芯片" for maker in MAKERS for what in ("发布", "研发", "试产", "推迟")]
    sports = [f"{club}{what}客场{maker}" for club in CLUBS for what in ("夺冠", "惜败") for maker in MAKERS[:4]]
    return [
        *(Example(title, "", frozenset({"tech"})) for title in tech),
        *(Example(title, "", frozenset({"sports"})) for title in sports),
        Example("量子点光刻设备交付", "", frozenset({"tech"})),
    ]


@cache
def table() -> Table:
    return building.build(examples(), KNOWN, PARENTS, {})


def test_it_files_titles_that_are_like_the_examples() -> None:
    judge = Lexicon(table())
    assert next(iter(judge.score("金山手机芯片量产").by_term)) == "tech"
    assert next(iter(judge.score("绿队客场夺冠").by_term)) == "sports"


def test_a_word_was_seen_in_five_titles_or_is_known() -> None:
    titles = [example.title for example in examples()]
    known = {row.word for row in KNOWN}
    for row in table().rows:
        seen = sum(row.word in title or row.word in lexicon.edges_of(title) for title in titles)
        assert seen == row.titles
        assert seen >= 5 or row.word in known


def test_known_words_are_enough_for_a_category_without_examples() -> None:
    assert next(iter(Lexicon(table()).score("彗星今夜可见").by_term)) == "science"


def test_a_child_learns_from_its_parents_titles_with_its_words() -> None:
    scores = Lexicon(table()).score("量子点光刻再进一步").by_term
    assert scores["chips"] > scores["sports"]


def test_the_least_threshold_is_lower_with_a_text_than_for_a_title() -> None:
    odd = [replace(example, right=frozenset({"tech"})) for example in examples() if "sports" in example.right]
    titles = [*examples() * 3, *odd]
    texts = [replace(example, text=f"{example.title} {example.title}") for example in titles]
    built = building.build([*titles, *texts], (), PARENTS, {"tech": 0.3})
    tech = next(term for term in built.terms if term.term == "tech")
    assert (tech.least(has_text=False), tech.least(has_text=True)) == (0.5, 0.4)


def test_the_same_examples_build_the_same_file() -> None:
    assert lexicon.written(building.build(examples(), KNOWN, PARENTS, {})) == lexicon.written(table())


def test_lexicon_build_writes_what_can_be_loaded(tmp_path) -> None:
    rows = [{"title": example.title, "label": "T" if "tech" in example.right else "S"} for example in examples()]
    file, labels, out = tmp_path / "rows.jsonl", tmp_path / "labels.tsv", tmp_path / "out.tsv"
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    labels.write_text("# label, category\nT\ttech\nS\tsports\n", "utf-8")
    said = ["--config", "config", "lexicon", "build", str(file), "--labels", str(labels), "--out", str(out)]
    result = CliRunner().invoke(cli.main, said, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert f"made of {len(rows)} titles" in result.output
    judge = Lexicon(lexicon.read(out.read_text("utf-8")))
    assert next(iter(judge.score(text.fold("手機芯片")).by_term)) == "tech"


def test_a_label_for_no_category_is_said(tmp_path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"title": "手机", "label": "T"}\n', "utf-8")
    (tmp_path / "labels.tsv").write_text("T\tteck\n", "utf-8")
    said = ["--config", "config", "lexicon", "build", str(tmp_path / "rows.jsonl"), "--out", str(tmp_path / "out.tsv")]
    result = CliRunner().invoke(cli.main, [*said, "--labels", str(tmp_path / "labels.tsv")])
    assert result.exit_code == 1
    assert "labels.tsv:1: there is no category teck" in result.output
