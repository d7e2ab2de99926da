"""Rules: what is found in which field, in either script."""

from __future__ import annotations

import pytest

from aggregator import text
from aggregator.categorize import rules
from aggregator.models import Category, Rule, Sought


def subject(**fields):
    return rules.Subject(plain=fields, folded={name: text.fold(value) for name, value in fields.items()})


def filed(*said, **fields):
    """What each rule that hits found, with its reference, in order."""
    book = rules.of_categories([Category("tech", "科技", rules=said)])
    return [(hit.reference, hit.found) for hit in book.hits(subject(**fields))]


def test_a_rule_says_which_word_hit():
    assert filed(Rule(any=("芯片", "光刻机")), title="国产光刻机") == [("1", "光刻机")]


def test_every_rule_that_hits_is_told_in_order_with_its_number():
    assert filed(Rule(any=("甲",)), Rule(any=("乙",)), Rule(any=("丙", "丁")), title="丁乙") == [
        ("2", "乙"),
        ("3", "丁"),
    ]


def test_a_hit_names_what_it_found_of_any_but_not_endlessly():
    words = tuple("甲乙丙丁戊己庚")
    assert filed(Rule(all=("x1",), any=words), title="x1 庚己戊丁丙乙") == [("1", "x1 + 乙, 丙, 丁, 戊, 己")]


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
    assert filed(rule, title="苹果发布手机") == [("1", "苹果 + 手机")]
    assert not filed(rule, title="苹果发布")
    assert not filed(rule, title="苹果手机与水果")


def test_any_beside_all_needs_both():
    rule = Rule(any=("a1", "b1"), all=("c1",))
    assert filed(rule, title="b1 c1") == [("1", "c1 + b1")]
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


@pytest.mark.parametrize(
    ("tag", "said", "hit"),
    [
        ("zh", "zh-Hans", True),
        ("zh-Hans", "zh-Hans-CN", True),
        ("zh-hant", "zh-Hant", True),
        ("zh-Hant", "zh-Hans", False),
        ("en", "en-US", True),
        ("e", "en", False),
    ],
)
def test_a_language_is_looked_for_by_its_subtags(tag, said, hit):
    assert bool(filed(Rule(any=(tag,), fields=("language",)), language=said)) is hit


def test_an_item_may_have_a_field_of_its_own():
    rule = Rule(any=("苹果",), none=(Sought("source", "果农日报"),), fields=("title",))
    assert filed(rule, title="苹果丰收", source="科技日报")
    assert not filed(rule, title="苹果丰收", source="果农日报")
    assert not filed(rule, title="丰收", text="苹果")


def test_an_item_of_another_field_is_named_with_it():
    rule = Rule(any=("苹果", Sought("url", "/sports/")), all=(Sought("language", "zh-Hant"),), fields=("title",))
    found = filed(rule, title="x", url="http://e.org/sports/1", language="zh-Hant")
    assert found == [("1", "language zh-Hant + url /sports/")]


def test_the_same_word_in_other_fields_is_another_item():
    in_title, in_text = Rule(any=("芯片",), fields=("title",)), Rule(any=("芯片",), fields=("text",))
    assert filed(in_title, in_text, title="x", text="芯片") == [("2", "芯片")]
    assert filed(in_title, in_text, title="芯片", text="x") == [("1", "芯片")]


@pytest.mark.parametrize(
    ("pattern", "title"),
    [
        (r"/软件\d+/", "新版軟體12發佈"),
        (r"/軟體\d+/", "新版软件12发布"),
        (r"/(國|米)足/", "国足主场"),
        (r"/国足.{0,3}胜/", "國足三勝"),
    ],
)
def test_a_pattern_in_either_script_matches_both(pattern, title):
    assert filed(Rule(any=(pattern,)), title=title)


def test_a_range_that_conversion_would_turn_around_is_searched_as_it_is_written():
    rule = Rule(any=("/[過-體]/",))
    assert filed(rule, title="過")
    assert not filed(rule, title="东")


def test_rules_of_a_source_are_about_the_category_that_they_name():
    book = rules.of_source((Rule(any=("x",), category="a"), Rule(any=("y",), category="b")))
    assert [(hit.term, hit.reference) for hit in book.hits(subject(title="x y"))] == [
        ("a", "source 1"),
        ("b", "source 2"),
    ]


@pytest.mark.parametrize(
    ("word", "title", "hits"),
    [
        (".NET", "Build with .NET 8", True),
        (".NET", "ASP.NET Core", True),
        (".NET", "用\uff0eNET開發", True),
        (".NET", "Net income is up on the internet", False),
        (".NET", "See .networks", False),
        ("net", "Build with .NET 8", True),
        ("C", "Learn C today", True),
        ("C", "用C++和C#寫", False),
        ("C++", "用Ｃ\uff0b\uff0b寫", True),
        ("C#", "F# is no C", False),
        ("Disney", "Disney+ is here", True),
    ],
)
def test_signs_that_make_another_name_count(word, title, hits):
    book = rules.of_source([Rule(any=(word,), category="tech")])
    assert bool(list(book.hits(rules.Subject({"title": title}, {})))) is hits
