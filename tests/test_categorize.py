"""Two voices: the source and the rules."""

from __future__ import annotations

import pytest

from aggregator import categorize, text
from aggregator.models import Category, Filing, Rule


def subject(**fields):
    return categorize.Subject(plain=fields, folded={name: text.fold(value) for name, value in fields.items()})


def filed(rule, source_terms=(), **fields):
    book = categorize.Rulebook([Category("tech", "科技", rules=(rule,))])
    return book.file(subject(**fields), source_terms)


def test_the_sources_own_categories_count():
    assert filed(Rule(any=("x",)), ["tech"], title="y") == (Filing("tech", "source"),)


def test_a_source_category_that_is_not_configured_is_left_out():
    assert filed(Rule(any=("x",)), ["removed"], title="y") == ()


def test_a_rule_says_which_word_hit():
    assert filed(Rule(any=("芯片", "光刻机")), title="国产光刻机") == (Filing("tech", "rule", "1: 光刻机"),)


def test_source_and_rule_are_both_named():
    found = filed(Rule(any=("芯片",)), ["tech"], title="芯片")
    assert [filing.origin for filing in found] == ["source", "rule"]


@pytest.mark.parametrize(("word", "title"), [("芯片", "國產晶片"), ("軟體", "开源软件"), ("软件", "開源軟體")])
def test_a_word_in_either_script_matches_both(word, title):
    assert filed(Rule(any=(word,)), title=title)


@pytest.mark.parametrize(
    ("word", "title", "hit"),
    [
        ("AI", "AI 改变世界", True),
        ("AI", "谈AI的未来", True),
        ("AI", "SAID so", False),
        ("ai", "AI", True),
        ("GPT-4", "\uff27\uff30\uff34-4 发布", True),
        ("machine learning", "New Machine  Learning model", True),
        ("machine learning", "machines learning", False),
    ],
)
def test_latin_words_match_whole_words_of_any_case(word, title, hit):
    assert bool(filed(Rule(any=(word,)), title=title)) is hit


def test_all_wants_every_word_and_none_forbids():
    rule = Rule(all=("苹果", "手机"), none=("水果",))
    assert filed(rule, title="苹果发布手机")
    assert not filed(rule, title="苹果发布")
    assert not filed(rule, title="苹果手机与水果")


def test_any_beside_all_needs_both():
    rule = Rule(any=("a1", "b1"), all=("c1",))
    assert filed(rule, title="b1 c1")[0].reason == "1: c1 + b1"
    assert not filed(rule, title="a1")


def test_a_pattern_is_searched_as_the_reader_sees_the_text():
    assert filed(Rule(any=(r"/RTX ?\d{4}/",)), title="NVIDIA RTX 5090")
    assert not filed(Rule(any=(r"/RTX ?\d{4}/",)), title="nvidia rtx 5090")
    assert filed(Rule(any=(r"/(?i)rtx/",)), title="RTX")


def test_a_hostile_pattern_ends():
    assert not filed(Rule(any=("/(a+)+$/",)), title="a" * 5000 + "b")


def test_rules_look_only_where_they_are_told():
    rule = Rule(any=("芯片",), fields=("title",))
    assert not filed(rule, title="x", text="芯片")
    assert filed(Rule(any=("/news/",), fields=("url",)), url="http://e.org/news/1")
    assert filed(Rule(any=("记者",), fields=("author",)), author="本报记者")
    assert filed(Rule(any=("少数派",), fields=("source",)), source="少数派")


def test_the_first_rule_that_hits_is_the_reason():
    book = categorize.Rulebook([Category("tech", "科技", rules=(Rule(any=("甲",)), Rule(any=("乙",))))])
    assert book.file(subject(title="乙"), []) == (Filing("tech", "rule", "2: 乙"),)
