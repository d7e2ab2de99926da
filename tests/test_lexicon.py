"""The lexicon: its file, its scores, its words."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
import yaml

from aggregator import text
from aggregator.categorize import lexicon
from aggregator.categorize.lexicon import Learned, Lexicon, Row, Scale, Table, Term
from aggregator.models import Weight

ROOT = Path(__file__).resolve().parent.parent
SCALE = Scale(4.0, 0.0)
TERMS = (Term("tech", -0.5, 0.6), Term("chips", -0.5, 0.5, "tech"), Term("sports", -0.5, 0.6))


def small(*rows: Row) -> Lexicon:
    return Lexicon(Table(100, TERMS, {"title": SCALE, "text": SCALE}, rows))


def test_a_word_speaks_for_its_category() -> None:
    scores = small(Row("芯片", "tech", 1.0, 5), Row("球队", "sports", 1.0, 5)).score("国产芯片")
    assert next(iter(scores.by_term)) == "tech"
    assert scores.by_term["tech"] > 0.8 > 0.2 > scores.by_term["sports"]
    assert scores.words("tech", 5) == [("芯片", pytest.approx(1.0))]
    assert scores.words("sports", 5) == []


def test_a_child_is_never_above_its_parent() -> None:
    scores = small(Row("芯片", "chips", 3.0, 9)).score("芯片").by_term
    assert scores["chips"] == scores["tech"]


def test_a_close_rival_makes_a_category_less_sure() -> None:
    alone = small(Row("芯片", "tech", 1.0, 9)).score("芯片").by_term["tech"]
    rivalled = small(Row("芯片", "tech", 1.0, 9), Row("芯片", "sports", 0.8, 9)).score("芯片").by_term
    assert rivalled["sports"] < rivalled["tech"] < alone


def test_an_unknown_title_belongs_nowhere() -> None:
    assert all(score < 0.5 for score in small(Row("芯片", "tech", 1.0, 9)).score("好天气").by_term.values())


def test_a_rarer_word_is_louder() -> None:
    judge = small(Row("芯片", "tech", 1.0, 50), Row("光刻机", "tech", 1.0, 5))
    assert [word for word, _ in judge.score("光刻机和芯片").words("tech", 5)] == ["光刻机", "芯片"]


def test_a_word_may_count_only_at_an_edge_of_a_phrase() -> None:
    judge = small(Row("^苹果", "tech", 1.0, 5), Row("派$", "sports", 1.0, 5))
    assert judge.score("新品 苹果发布").words("tech", 5)[0][0] == "^苹果"
    assert judge.score("今天吃苹果").words("tech", 5) == []
    assert judge.score("吃苹果派 后来").words("sports", 5)[0][0] == "派$"
    assert judge.score("派出所").words("sports", 5) == []


def test_edges_are_not_learned() -> None:
    assert "^苹果" not in small(Row("芯片", "tech", 1.0, 5)).values("苹果芯片")


def test_beside_a_text_the_words_of_the_title_count_more_than_those_of_the_text() -> None:
    judge = small(Row("芯片", "tech", 1.0, 5), Row("球队", "sports", 1.0, 5))
    alone = judge.score("芯片 球队").by_term
    assert alone["tech"] == pytest.approx(alone["sports"])
    both = judge.score("芯片", "球队")
    assert both.by_term["tech"] > both.by_term["sports"]
    assert both.words("tech", 5)[0][1] > both.words("sports", 5)[0][1]
    values = judge.values("芯片", "球队")
    assert values["芯片"] == pytest.approx(1.5 * values["球队"])


def test_words_far_into_a_text_count_half_and_those_beyond_its_opening_nothing() -> None:
    judge = small(Row("芯片", "tech", 1.0, 5), Row("球队", "sports", 1.0, 5))
    values = judge.values("", "芯片" + "好" * 298 + "球队")
    assert values["芯片"] == pytest.approx(2 * values["球队"])
    assert "球队" not in judge.values("", "芯片" + "好" * (lexicon.OPENING - 2) + "球队")


def test_a_word_that_is_near_and_far_in_a_text_counts_as_the_near_one() -> None:
    judge = small(Row("芯片", "tech", 1.0, 5), Row("球队", "sports", 1.0, 5))
    near, filler = "芯片 球队", "好" * 300
    assert judge.margins("", near + filler + "球队") == judge.margins("", near + filler)


def test_a_word_of_title_and_text_counts_once() -> None:
    judge = small(Row("芯片", "tech", 1.0, 5), Row("球队", "sports", 1.0, 5))
    assert judge.margins("芯片", "芯片 球队") == judge.margins("芯片", "球队")


def test_what_was_learned_of_a_word_counts_as_the_word_does() -> None:
    judge = small(Row("芯片", "tech", 1.0, 5), Row("球队", "sports", 1.0, 5))
    learned = Learned.of([Weight("芯片", "sports", 1.0, 1), Weight("球队", "tech", 1.0, 1)])
    before, after = judge.margins("芯片", "球队"), judge.margins("芯片", "球队", learned)
    gained = {term: after[term] - before[term] for term in ("tech", "sports")}
    assert gained["sports"] == pytest.approx(1.5 * gained["tech"])


def test_ten_words_are_a_little_less_sure_than_one() -> None:
    words = [chr(0x4E00 + place) for place in range(10)]
    judge = small(*(Row(word, "tech", 1.0, 5) for word in words))
    said = [sum(weight for _, weight in judge.score(" ".join(part)).words("tech", 10)) for part in (words[:1], words)]
    assert said[0] == pytest.approx(1.0)
    assert 1.0 < said[1] < 10**0.5


def test_words_longer_than_a_run_are_found() -> None:
    judge = small(Row("人工智能训练营", "tech", 1.0), Row("large language model", "tech", 1.0))
    assert judge.score("参加人工智能训练营的人").words("tech", 1)[0][0] == "人工智能训练营"
    assert judge.score("a large language model arrives").words("tech", 1)[0][0] == "large language model"
    assert judge.score("a large language modelling job").words("tech", 1) == []


def test_the_file_holds_the_whole_table() -> None:
    table = Table(7, TERMS, {"title": SCALE, "text": Scale(2.5, -0.25)}, (Row("gpt 4", "tech", -0.125, 6),))
    assert lexicon.read(lexicon.written(table)) == table


def test_own_lines_add_to_the_lexicon_in_either_script() -> None:
    judge = lexicon.load("# 我的\n\n螺螄機器人聯盟\ttech\n老字号凉茶\tculture\t2.5  # 重\n")
    assert judge.score(text.fold("螺蛳机器人联盟")).words("tech", 1)[0][0] == "螺蛳机器人联盟"
    assert judge.score("老字号凉茶").by_term["culture"] > 0.9


def test_a_line_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ValueError, match="line 2: write words"):
        lexicon.load("芯片\ttech\n芯片\n")


def test_a_new_category_needs_only_words() -> None:
    assert next(iter(lexicon.load("猫咖\tpets\t3\n").score("猫咖").by_term)) == "pets"


def test_both_scripts_score_the_same() -> None:
    judge = lexicon.load()
    assert judge.score(text.fold("國產晶片再獲突破")).by_term == judge.score(text.fold("国产芯片再获突破")).by_term


def test_the_shipped_file_keeps_its_bounds() -> None:
    content = lexicon.shipped()
    table = lexicon.read(content)
    assert lexicon.written(table) == content
    assert len(table.rows) <= 30_000
    words = [row.word.removeprefix("^").removesuffix("$") for row in table.rows[::50]]
    assert all(word == text.fold(word) for word in words)


def test_a_shipped_word_was_seen_in_five_titles_or_is_known() -> None:
    known = {row.word for row in lexicon.added(lexicon.known())}
    rare = {row.word for row in lexicon.read(lexicon.shipped()).rows if row.titles < 5}
    assert rare <= known


def test_the_shipped_lexicon_has_every_shipped_category() -> None:
    shipped = yaml.safe_load((ROOT / "config" / "categories.yaml").read_text("utf-8"))["categories"]
    terms = lexicon.load().terms
    assert {category["term"]: category.get("parent", "") for category in shipped} == {
        term: known.parent for term, known in terms.items()
    }


def test_it_takes_less_than_20_megabytes() -> None:
    tracemalloc.start()
    kept = lexicon.load()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept.terms
    assert size < 20e6


@pytest.mark.parametrize(
    ("title", "term"),
    [
        ("新款旗舰手机搭载自研芯片，续航大幅提升", "tech"),
        ("央行宣布下调存款准备金率，A股三大指数高开", "finance"),
        ("主队客场两球逆转，小组赛提前出线", "sports"),
        ("天文学家发现一颗新的系外行星", "science"),
        ("New smartphone chip promises longer battery life", "tech"),
        ("Striker scores twice as champions win the final", "sports"),
    ],
)
def test_plain_titles_are_where_they_belong(title: str, term: str) -> None:
    assert next(iter(lexicon.load().score(text.fold(title)).by_term)) == term


def test_the_portals_article_is_tech_and_chips_by_title_and_by_text(portal: str) -> None:
    judge = lexicon.load()
    lines = [line.strip() for line in portal.splitlines() if line.strip()]
    for body in ("", "\n".join(lines[10:])):
        scores = judge.score(text.fold(lines[3]), text.fold(body)).by_term
        assert all(scores[term] >= judge.terms[term].threshold for term in ("tech", "chips"))
