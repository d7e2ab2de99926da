"""What the lexicon learns from corrections and from certain sources."""

from __future__ import annotations

from aggregator.categorize import learning
from aggregator.categorize.learning import Lesson
from aggregator.categorize.lexicon import NEW_THRESHOLD, NOTHING, Learned, Lexicon, Row, Scale, Table, Term, Weight

TERMS = (Term("tech", -0.8, 0.6), Term("sports", -0.8, 0.6))
ROWS = (Row("芯片", "tech", 1.2, 9), Row("球队", "sports", 1.2, 9), Row("手环", "sports", 0.9, 9))
LEXICON = Lexicon(Table(200, TERMS, {"title": Scale(4.0, 0.0), "text": Scale(4.0, 0.0)}, ROWS))


def lesson(title: str, right: str = "", wrong: str = "", body: str = "") -> Lesson:
    return Lesson(title, body, frozenset(right.split()), frozenset(wrong.split()))


def after(*lessons: Lesson, teacher: learning.Teacher = learning.CORRECTION) -> Learned:
    learned = NOTHING
    for each in lessons:
        learned = Learned.of([*learned.rows(), *learning.learn(LEXICON, learned, each, teacher)])
    return learned


def test_a_correction_files_what_is_like_it() -> None:
    learned = after(*[lesson("运动手环测评", "tech", "sports")] * 4)
    assert (
        LEXICON.score("这款手环测评").by_term["tech"] < 0.5 < LEXICON.score("这款手环测评", "", learned).by_term["tech"]
    )
    assert next(iter(LEXICON.score("运动手环").by_term)) == "sports"
    assert next(iter(LEXICON.score("运动手环", "", learned).by_term)) == "tech"


def test_what_a_category_learned_is_nothing_against_the_others() -> None:
    learned = after(*[lesson("球队芯片", "tech")] * 4)
    before, now = (LEXICON.score("球队芯片", "", each).by_term for each in (NOTHING, learned))
    assert now["tech"] > before["tech"]
    assert now["sports"] == before["sports"]


def test_what_a_category_unlearned_changes_nothing_for_the_others() -> None:
    learned = after(*[lesson("球队芯片", wrong="sports")] * 4)
    before, now = (LEXICON.score("球队芯片", "", each).by_term for each in (NOTHING, learned))
    assert now["sports"] < before["sports"]
    assert now["tech"] == before["tech"]


def test_a_correction_is_made_against_the_rivals_of_a_category_and_a_sources_lesson_is_not() -> None:
    sure = Lexicon(Table(200, TERMS, {}, (Row("芯片", "tech", 3.0, 9), Row("球队", "sports", 3.0, 9))))
    both = lesson("芯片球队", "tech")
    assert sure.margins("芯片球队")["tech"] > 1 > sure.decisive("芯片球队")["tech"]
    assert learning.learn(sure, NOTHING, both, learning.CORRECTION)
    assert not learning.learn(sure, NOTHING, both, learning.SOURCE)


def test_what_the_lexicon_is_sure_of_teaches_nothing() -> None:
    sure = Lexicon(Table(200, TERMS, {}, (Row("芯片", "tech", 3.0, 9),)))
    assert learning.learn(sure, NOTHING, lesson("芯片", "tech")) == []


def test_titles_without_a_learned_word_change_only_by_the_terms_own_weight() -> None:
    learned = Learned.of([Weight("手环", "tech", 0.7), Weight("测评", "tech", 0.7)])
    assert LEXICON.margins("球队芯片", "", learned) == LEXICON.margins("球队芯片")


def test_reasons_name_what_was_learned() -> None:
    learned = after(lesson("新机测评", "tech"))
    assert "测评" in [word for word, _ in LEXICON.score("测评", "", learned).words("tech", 9)]


def test_a_category_that_the_lexicon_does_not_know_is_learned() -> None:
    examples = [lesson(f"{name}猫咖开业", "cats") for name in "东西南北"]
    others = [lesson(f"{name}楼盘开业", "", "cats") for name in "东西南北"]
    learned = after(*[each for pair in zip(examples * 3, others * 3, strict=True) for each in pair])
    assert LEXICON.score("新猫咖开业", "", learned).by_term["cats"] > NEW_THRESHOLD
    assert LEXICON.score("新楼盘开业", "", learned).by_term["cats"] < NEW_THRESHOLD
    assert "cats" not in LEXICON.score("新猫咖开业").by_term


def test_rows_say_in_how_many_lessons_they_were_learned_and_can_be_stored() -> None:
    learned = after(lesson("手环", "tech"), lesson("手环", "tech"))
    assert learned.weights["手环"]["tech"].lessons == 2
    assert Learned.of(learned.rows()) == learned


def test_a_source_teaches_less_than_a_correction() -> None:
    corrected, told = (after(lesson("手环", "tech"), teacher=each) for each in (learning.CORRECTION, learning.SOURCE))
    assert 0 < told.weights["手环"]["tech"].weight < corrected.weights["手环"]["tech"].weight


def test_certain_sources_teach_as_much_against_a_term_as_for_it() -> None:
    entries = [("甲", "", {"tech"}), ("乙", "", {"tech"}), ("丙", "", {"tech"}), ("丁", "", {"sports"})]
    taught = list(learning.lessons(entries))
    assert [each.title for each in taught if "tech" in each.right] == ["甲"]
    assert [each.title for each in taught if "tech" in each.wrong] == ["丁"]
    assert [each.title for each in taught if "sports" in each.wrong] == ["甲"]


def test_a_single_certain_source_teaches_nothing() -> None:
    assert list(learning.lessons([("甲", "", {"tech"}), ("乙", "", {"tech"})])) == []


def test_the_weakest_rows_are_too_many_first() -> None:
    rows = [Weight("强", "tech", 0.9), Weight("弱", "tech", -0.1), Weight("", "tech", 0.01), Weight("中", "tech", -0.5)]
    assert [row.word for row in learning.surplus(Learned.of(rows), 2)] == ["弱", "中"]
    assert learning.surplus(Learned.of(rows), 4) == []
