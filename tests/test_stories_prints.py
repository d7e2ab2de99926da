"""Prints of entries, and the keys by which candidates are found."""

from __future__ import annotations

import random
import subprocess
import sys

import opencc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import stories, text
from aggregator.stories import padding, prints

TITLE = "城南大桥今日合龙通车"
_SYLLABLES = (
    "城南大桥工程历时三年建成总长两千米双向六车道市民步行参观记者现场看到施工人员拆除围挡"
    "交警部门提示绕行路线公交线路同步调整沿线商铺恢复营业"
)


def article(seed: int, length: int = 900) -> str:
    """Words in an order that no other seed gives."""
    chance = random.Random(seed)
    return "".join(chance.choice(_SYLLABLES) for _ in range(length))


def made(title: str = TITLE, body: str = "", source: str = "") -> stories.Fingerprint:
    return stories.fingerprint(title, text.fold(title), text.fold(body[:1000]), source)


def alike(a: stories.Fingerprint, b: stories.Fingerprint) -> float:
    found = prints.resemblance(a, b)
    assert found is not None
    return found


# ---------------------------------------------------------------------------------------------- stored


@given(st.text(max_size=120), st.text(max_size=300))
def test_a_print_comes_back_from_the_store_as_it_was(title: str, body: str) -> None:
    print_ = made(title, body)
    back = stories.Fingerprint.unpack(print_.pack())
    assert (back.title, back.length, back.signature, back.topic) == (
        print_.title.encode("utf-8", "replace").decode(),
        print_.length,
        print_.signature,
        print_.topic,
    )
    assert back.version == stories.VERSION


def test_a_print_of_another_version_compares_by_its_title_alone() -> None:
    packed = bytearray(made(body=article(1)).pack())
    packed[0] = stories.VERSION + 1
    back = stories.Fingerprint.unpack(bytes(packed))
    assert (back.title, back.signature, back.topic) == (made().title, b"", b"")
    assert back.version == stories.VERSION + 1


def test_the_longest_print_with_its_postings_takes_600_bytes() -> None:
    postings = 20  # bytes that SQLite takes for one
    print_ = made(article(1, 70), article(2))
    assert len(print_.pack()) + postings * len(print_.keys) <= 800
    usual = made("城南大桥今日合龙通车 市民步行参观六车道桥面", article(2))
    assert len(usual.pack()) + postings * len(usual.keys) <= 600


def test_keys_fit_into_36_bits_and_say_what_they_are_of() -> None:
    print_ = made(body=article(1))
    assert all(0 < key < 1 << 36 for key in print_.keys)
    assert len(print_.title_keys) <= 13
    assert not set(print_.title_keys) & set(print_.text_keys)
    assert len({key >> 32 for key in print_.title_keys}) == 2  # the whole title, and its pairs
    assert len({key >> 32 for key in print_.text_keys}) == 1


def test_another_process_makes_the_same_print() -> None:
    here = made(body=article(1))
    code = (
        "from tests.test_stories_prints import *\n"
        "print_ = made(body=article(1))\nprint(print_.pack().hex(), *print_.keys)"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert there == [here.pack().hex(), *map(str, here.keys)]


# ---------------------------------------------------------------------------------------------- titles


@pytest.mark.parametrize(
    ("title", "source"),
    [("【快讯】城南大桥今日合龙通车", ""), ("城南大橋今日合龍通車", ""), ("桥讯：城南大桥今日合龙通车！", "桥讯")],
)
def test_titles_that_differ_in_wrappings_or_script_share_their_keys(title: str, source: str) -> None:
    assert len(set(made(title, source=source).title_keys) & set(made().title_keys)) >= 9


def test_the_rarest_pairs_are_the_keys_of_a_long_title() -> None:
    common = "中国公司发布最新消息称今年市场增长"
    keys = set(made(f"{common}鼹鼠麒麟{common}").title_keys)
    assert set(made("鼹鼠麒麟").title_keys) - keys == {next(iter(made("鼹鼠麒麟").title_keys))}


def test_english_titles_are_found_by_their_words() -> None:
    one, other = made("Quokka population recovers on Rottnest Island"), made("Rottnest quokkas: population up again")
    assert len(set(one.title_keys) & set(other.title_keys)) >= 2


# ---------------------------------------------------------------------------------------------- texts


def test_a_text_too_short_to_tell_has_no_signature() -> None:
    short = made(body="城南大桥今日合龙。")
    assert (short.signature, short.topic, short.text_keys) == (b"", b"", ())
    assert prints.resemblance(short, made(body=article(1))) is None


def test_a_text_is_itself_and_not_another() -> None:
    assert alike(made(body=article(1)), made(body=article(1))) == 1
    assert alike(made(body=article(1)), made(body=article(2))) < 0.1


def test_an_edited_text_resembles_itself_and_shares_a_key() -> None:
    chance = random.Random(7)
    for seed in range(8):
        body = article(seed)
        other = "".join(letter if chance.random() > 0.05 else "某" for letter in body)
        assert alike(made(body=body), made(body=other)) > 0.4
        assert set(made(body=body).text_keys) & set(made(body=other).text_keys)


def test_a_text_in_the_other_script_is_the_same_text() -> None:
    body = (
        "记者看到，城南大桥的施工人员正在拆除围挡，交警部门提示市民绕行。沿线的商铺将于下周恢复营业，公交线路也会同步调整。"
        * 4
    )
    assert alike(made(body=body), made(body=opencc.OpenCC("s2twp").convert(body))) > 0.8


@pytest.mark.parametrize(
    "padded",
    [
        "城南大桥今日合龙通车更新时间2026 10 06 02 19 28{}",
        "下面我们就来聊聊关于城南大桥今日合龙通车接下来我们就一起去了解一下吧{}",
        "{}更多精彩资讯请关注城南在线我们将持续为您更新最新资讯",
        "{}查看全部相关新闻资讯推荐热门新闻资讯推荐",
        "原标题{}责任编辑",
    ],
)
def test_padding_is_no_part_of_a_text(padded: str) -> None:
    body = text.fold(article(3, 300))
    assert padding.removed(padded.format(body), TITLE) == body


def test_words_of_padding_within_a_text_stay() -> None:
    body = "编辑部的时间表显示接下来三年相关部门推荐的方案将公布"
    assert padding.removed(body, TITLE) == body


def test_a_portals_page_is_one_text_in_every_dress(portal: str) -> None:
    title, simplified = "泰芯科技與ai芯片", opencc.OpenCC("t2s").convert
    bare = portal[portal.index("9月初") :]
    as_it_is = made(title, portal)
    for other in (
        made(title, bare),
        made(simplified(title), simplified(portal)),
        made(title + "?", portal),
        made(simplified(title), simplified(bare)),
    ):
        assert alike(as_it_is, other) > 0.6
        assert set(as_it_is.text_keys) & set(other.text_keys)
