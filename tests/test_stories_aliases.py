"""The table of names."""

from __future__ import annotations

from collections import Counter

import pytest

from aggregator import stories, text
from aggregator.stories import aliases


def applied(said: str, added: str = "") -> str:
    return stories.load_aliases(added).applied(text.fold(said))[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("輝達漲了", "英伟达涨了"),
        ("Nvidia 股价", "英伟达股价"),
        ("澤倫斯基說", "泽连斯基说"),
        ("在紐西蘭", "在新西兰"),
        ("那斯達克收高", "纳指收高"),
        ("捷運停駛", "地铁停驶"),
    ],
)
def test_names_of_one_thing_become_one(one: str, other: str) -> None:
    assert applied(one) == applied(other)


def test_the_longest_name_counts() -> None:
    assert applied("尼日利亚") != applied("尼日尔") + applied("利亚")


def test_latin_names_are_whole_words() -> None:
    assert applied("用hp的打印机") == "用惠普的打印机"
    assert applied("用hpx的打印机") == "用hpx的打印机"


def test_names_do_not_grow_together_with_the_words_beside_them():
    assert applied("蓋2GW人工智慧") == applied("盖2GW AI") == "盖2 gw ai"
    assert applied("前Intel執行長") == "前英特尔ceo"


def test_a_text_of_latin_letters_stays_one() -> None:
    assert applied("Federal Reserve meets") == applied("Fed meets") == "fed meets"


def test_people_places_and_companies_are_told_apart_from_terms() -> None:
    _, names = stories.load_aliases().applied(text.fold("輝達與川普在東京談晶片"))
    assert names == {"英伟达": "companies", "特朗普": "people", "东京": "places"}


def test_the_shipped_table_has_three_hundred_groups_and_no_name_twice() -> None:
    one = aliases.load().one
    groups = Counter(one.values())
    assert sum(size > 1 for size in groups.values()) >= 300
    lines = [names for _, names in aliases._groups(aliases._FILE.read_text("utf-8"))]
    places = Counter(name for names in lines for name in set(names))
    assert [name for name, count in places.items() if count > 1] == []


def test_added_lines_join_a_group_of_ours_and_make_new_ones() -> None:
    added = "[companies]\n英伟达, 绿厂\n[people]\n王小二, 王二哥  # invented\n"
    assert applied("绿厂", added) == applied("輝達", added)
    assert applied("王二哥", added) == "王小二"


@pytest.mark.parametrize(
    ("added", "says"),
    [("a, b\n[animals]\n", r"line 2: \[animals\] is none of people"), ("a,, b\n", "line 1: a name is missing")],
)
def test_a_wrong_line_is_named(added: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        stories.load_aliases(added)
