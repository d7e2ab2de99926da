"""Cleaning, folding, matching and scripts."""

from __future__ import annotations

import json
import re
import time
import unicodedata
from pathlib import Path

import opencc
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aggregator import text

_DATASETS = Path(__file__).parent.parent.parent / "shared" / "corpus" / "datasets"
_BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# Any character at all, lone surrogates too, and many of those that matter here.
_ANY = st.text(
    st.one_of(st.characters(), st.characters(categories=["Cs"]), st.sampled_from(_BIDI + "aA1 \n.,+#-中軟體"))
)

# ---------------------------------------------------------------------------------------------- clean


@pytest.mark.parametrize(
    ("given_text", "cleaned"),
    [
        ("plain", "plain"),
        ("a\x00b\x07c\x1bd\x7fe\x9ff", "abcdef"),
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb\rc\x0bd\u2028e\x85f", "a\nb\nc\nd\ne\nf"),
        ("\ufeffa\ud800b\ufdd0c\ufffed\U0001ffffe", "abcde"),
        ("e\u0301", "é"),
        ("\u202eevil", "evil"),
        ("a\u202cb\u2069c", "abc"),
        ("\u202babc\u202c", "\u202babc\u202c"),
        ("\u2067a\u202bb\u2069c\u202c", "\u2067ab\u2069c"),
        ("\u202ba\nb\u202c", "a\nb"),
        ("家\u200d人👩\u200d👩\u200d👧", "家\u200d人👩\u200d👩\u200d👧"),
    ],
)
def test_what_never_may_be_shown_is_removed(given_text: str, cleaned: str) -> None:
    assert text.clean(given_text) == cleaned


def test_one_line_has_single_blanks() -> None:
    assert text.one_line("\n a\t\u3000b\r\n c\x00 ") == "a b c"


@pytest.mark.parametrize(
    ("said", "tag"), [("zh-CN", "zh-CN"), (" zh_CN\n", "zh-CN"), ("Chinese (PRC)", None), ("", None), (None, None)]
)
def test_a_language_is_a_tag_or_none(said: str | None, tag: str | None) -> None:
    assert text.language_tag(said) == tag


@given(_ANY)
def test_cleaning_twice_is_cleaning_once(any_text: str) -> None:
    cleaned = text.clean(any_text)
    assert text.clean(cleaned) == cleaned
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in cleaned if character not in "\n\t")
    assert "\n" not in text.one_line(any_text)
    cleaned.encode()


def test_many_combining_marks_cost_no_more_than_other_text() -> None:
    hostile = "a" + "\u0315\u0300" * 200_000
    start = time.perf_counter()
    assert len(text.clean(hostile)) < 100
    assert len(text.fold(hostile)) < 100
    assert time.perf_counter() - start < 2


# ---------------------------------------------------------------------------------------------- fold


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\uff21\uff22\uff23\u3000\uff11\uff12", "abc 12"),
        ("Straße", "STRASSE"),
        ("《三体》·第二季！", "三体第二季"),
        ("人工 智能", "人工智能"),
        ("GPT-4", "gpt 4"),
        ("GPT4", "GPT-4"),
        ("iPhone15", "iPhone 15"),
        ("1,234,567人", "1234567人"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
        ("“Don’t”", '"don\'t"'),
        ("1，234人（首次）：是？", "1,234人(首次):是?"),
        ("GPT-4o与3.5版…", "gpt 4 o与3.5版..."),
        ("軟體", "软件"),
        ("行動網路與人工智慧", "移动网络与人工智能"),
        ("用應用程式打開檔案，國產晶片突破", "用应用程序打开文件，国产芯片突破"),
        ("臺灣裡面後來", "台湾里面后来"),
    ],
)
def test_what_a_reader_takes_for_the_same_folds_to_one(one: str, other: str) -> None:
    assert text.fold(one) == text.fold(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [("C++", "C"), ("C#", "C"), ("3.5", "35"), ("1.2万", "12万"), ("会员", "会议"), ("5+", "5"), ("a b", "ab")],
)
def test_what_a_reader_tells_apart_folds_to_two(one: str, other: str) -> None:
    assert text.fold(one) != text.fold(other)


@pytest.mark.parametrize("hans", ["程序员的文档", "乾隆与瞭望", "程序与项目管理", "数据库的默认值"])
def test_simplified_text_is_not_converted(hans: str) -> None:
    assert text.fold(hans) == hans


def test_japanese_and_korean_are_not_converted() -> None:
    assert text.fold("自動車メーカーの発表") == "自動車メーカーの発表"
    assert "大韓民國" in text.fold("大韓民國 한국어 기사입니다")


@given(_ANY)
@example("軟,體")
@example("應用程式與檔案")
@example("\u1e9e\u0345\u03b1")
@example("隨身碟U")
@example("1,000,000,0")
@example("c# c ## c+ +")
@example("a ++b 中++")
def test_folding_twice_is_folding_once(any_text: str) -> None:
    folded = text.fold(any_text)
    assert text.fold(folded) == folded
    assert folded == folded.strip()


@pytest.mark.skipif(not _DATASETS.exists(), reason="the corpus is not here")
def test_both_scripts_of_real_titles_fold_to_one() -> None:
    lines = (_DATASETS / "derived_toutiao_s2twp" / "dev.jsonl").read_text("utf-8").splitlines()[:1000]
    rows = [json.loads(line) for line in lines]
    assert sum(text.fold(row["title"]) == text.fold(row["title_hans"]) for row in rows) >= 0.95 * len(rows)


# ---------------------------------------------------------------------------------------------- contains, grams


@pytest.mark.parametrize(
    ("sentence", "word"),
    [
        ("新一代GPT-4发布", "gpt-4"),
        ("OpenAI’s plan", "OpenAI"),
        ("国产AI芯片", "AI"),
        ("国产AI芯片", "芯片"),
        ("國產晶片", "芯片"),
        ("Learn C++ today", "C++"),
        ("会场：第5代", "5"),
        ("says AI. Again", "ai"),
        ("Large language models", "language models"),
    ],
)
def test_a_word_is_found(sentence: str, word: str) -> None:
    assert text.contains(text.fold(sentence), text.fold(word))


@pytest.mark.parametrize(
    ("sentence", "word"),
    [
        ("He said it again", "AI"),
        ("chairman", "AI"),
        ("110万", "10万"),
        ("GPT-3.5", "GPT-3"),
        ("3.5", "5"),
        ("C语言", "C++"),
        ("Ёлка ель", "ел"),
        ("anything", ""),
    ],
)
def test_a_part_of_a_word_is_not_found(sentence: str, word: str) -> None:
    assert not text.contains(text.fold(sentence), text.fold(word))


def test_a_word_is_found_behind_a_part_of_a_word() -> None:
    assert text.contains("maintain ai", "ai")


def test_grams_are_all_runs_and_a_short_text_is_its_own() -> None:
    assert text.grams("国产芯片", 2) == {"国产", "产芯", "芯片"}
    assert text.grams("国", 2) == {"国"}
    assert text.grams("", 2) == set()


# ---------------------------------------------------------------------------------------------- script


@pytest.mark.parametrize(
    ("written", "language"),
    [
        ("国产芯片发布", "zh-Hans"),
        ("國產晶片發布", "zh-Hant"),
        ("iPhone 17 Pro Max 今日发布", "zh-Hans"),
        ("乾隆年间的瞭望塔开放", "zh-Hans"),
        ("鲜の每日优选开业", "zh-Hans"),
        ("人工智能", None),
        ("日産、新型の電気自動車を発表へ", "ja"),
        ("삼성전자 실적 발표", "ko"),
        ("Chips are back", "en"),
        ("The café society of Vienna is back", "en"),
        ("Déjà vu à l’Élysée", None),
        ("Новости дня", None),
        ("2026-11-22", None),
        ("", None),
    ],
)
def test_characters_tell_the_script(written: str, language: str | None) -> None:
    assert text.script(written) == language


def test_the_distinctive_characters_are_those_of_opencc() -> None:
    to_hans, to_hant = opencc.OpenCC("t2s"), opencc.OpenCC("s2t")
    distinctive = text._distinctive()
    assert len(distinctive.hant) > 3000
    assert len(distinctive.hans) > 1500
    assert not distinctive.hant & distinctive.hans
    kept = sum(to_hans.convert(character) == character for character in distinctive.hant)
    kept += sum(to_hant.convert(character) == character for character in distinctive.hans)
    assert kept < 50  # another release of OpenCC may know a few characters less


def test_any_of_finds_the_longest_word_and_latin_ones_only_whole():
    found = re.compile(text.any_of(["涨", "大涨", "gain"])).findall("股价大涨 again gain")
    assert found == ["大涨", "gain"]
