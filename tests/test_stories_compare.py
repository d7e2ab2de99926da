"""Two entries: one text, one event, related or different, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator import stories, text
from aggregator.stories import Level, Said
from tests.test_stories_prints import article

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
EVENT = ("城南大橋合龍通車 市長張大明：全長兩公里", "城南大桥合龙通车，市长张大明称全长两公里")


def said(
    title: str,
    source: str | None = None,
    body: str = "",
    after: timedelta | None = timedelta(),
    canonical: str | None = None,
    entry_id: str | None = None,
) -> Said:
    print_ = stories.fingerprint(title, text.fold(title), text.fold(body[:1000]), source or "")
    return Said(title, source, None if after is None else NOON + after, canonical, entry_id, print_)


def compare(a: Said, b: Said) -> stories.Verdict:
    """The verdict, which must be the same the other way round."""
    verdict = stories.compare(a, b)
    assert stories.compare(b, a) == verdict
    return verdict


def level(one: str, other: str) -> Level:
    return compare(said(one, "甲"), said(other, "乙")).level


# ---------------------------------------------------------------------------------------------- one text


FRAME = (
    "本文由某某日报独家发布，更多精彩内容请下载客户端阅读全文，点击右上角关注我们，每天早晚两次为您送上最新鲜的本地消息与生活服务指南。"
    * 2
)


def test_what_a_source_says_below_every_title_makes_no_copies() -> None:
    for one, other in (
        ("Story b0", "Story b1"),
        ("老城区的茶馆重新开张", "邮差骑车走遍全岛"),
        ("周报第7期", "周报第8期"),
    ):
        assert not compare(said(one, "甲", FRAME), said(other, "甲", FRAME)).joins
    assert not compare(said("老城区的茶馆重新开张", "甲", FRAME), said("邮差骑车走遍全岛", "乙", FRAME)).joins
    assert compare(said("老城区茶馆重新开张", "甲", FRAME), said("老城区的茶馆今天重新开张", "甲", FRAME)).joins


def test_entries_that_link_to_one_page_are_one_text() -> None:
    page = "https://a.example/1"
    verdict = compare(said("一个标题", "甲", canonical=page), said("另外的说法", "乙", canonical=page))
    assert (verdict.level, [str(reason) for reason in verdict.reasons]) == (Level.SAME_TEXT, ["link"])


def test_an_id_is_evidence_within_its_source_only() -> None:
    one, other = said("一个标题", "甲", entry_id="1"), said("另外的说法", "甲", entry_id="1")
    assert compare(one, other).level is Level.SAME_TEXT
    assert compare(one, replace(other, source="乙")).level is Level.DIFFERENT
    assert compare(replace(one, source=None), replace(other, source=None)).level is Level.DIFFERENT


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("菜价连续三周回落 城南市场供应充足", "菜價連續三週回落 城南市場供應充足"),
        ("菜价连续三周回落，城南市场供应充足！", "菜价连续三周回落 城南市场供应充足"),
        ("【快讯】菜价连续三周回落 城南市场供应充足", "菜价连续三周回落 城南市场供应充足"),
        ("菜价连续三周回落 城南市场供应充足_某某网", "菜价连续三周回落 城南市场供应充足"),
        ("２０２６年城南中学招生方案公布", "2026年城南中学招生方案公布"),
    ],
)
def test_titles_that_differ_in_dress_are_one_text(one: str, other: str) -> None:
    assert level(one, other) is Level.SAME_TEXT


def test_one_title_in_one_source_is_a_column() -> None:
    verdict = compare(said("城南市场每日播报", "甲"), said("城南市场每日播报", "甲", after=timedelta(hours=24)))
    assert not verdict.joins


def test_one_text_is_recognised_under_any_title() -> None:
    one, other = said("城南菜价回落", "甲", article(1)), said("买菜便宜了", "乙", article(1), timedelta(days=10))
    assert compare(one, other).level is Level.SAME_TEXT
    assert compare(one, said("买菜便宜了", "乙", article(1), timedelta(days=15))).level is Level.DIFFERENT


def test_within_one_source_only_a_nearly_equal_text_is_one() -> None:
    body = article(1, 800)
    one = said("城南大桥施工公告", "甲", body)
    assert compare(one, said("城南大桥施工通知", "甲", body, timedelta(hours=1))).level is Level.SAME_TEXT
    assert not compare(one, said("城南大桥施工通知", "甲", body[:500] + article(2, 300), timedelta(hours=1))).joins


def test_the_next_issue_of_a_column_is_no_copy_however_alike_its_text() -> None:
    body = article(1)
    one, other = said("城南气象日报 11月21日", "甲", body), said("城南气象日报 11月22日", "乙", body)
    assert compare(one, other).level is Level.DIFFERENT


def test_a_number_that_was_edited_makes_no_other_text() -> None:
    one, other = said("城南大桥全长2100米", "甲", article(1)), said("城南大桥全长2110米", "乙", article(1))
    assert compare(one, other).level is Level.SAME_TEXT


def test_one_title_of_columns_over_two_texts_is_a_coincidence() -> None:
    one, other = said("今日要闻", "甲", article(1)), said("今日要闻", "乙", article(2))
    assert not compare(one, other).joins


# ---------------------------------------------------------------------------------------------- one event


@pytest.mark.parametrize(
    ("one", "other"),
    [
        EVENT,
        ("輝達發表新一代加速器 效能提升三倍", "英伟达发布新一代加速器，性能提升三倍"),
        ("颱風海神登陸花蓮 最大陣風14級", "台风“海神”在花莲登陆，最大阵风达14级"),
        ("Harbour bridge reopens after storm damage repairs", "Storm damage repaired, harbour bridge is reopening"),
        ("兩車隧道內追撞 9人送醫 國道回堵5公里", "國道隧道追撞事故9人送醫 車流回堵5公里"),
    ],
)
def test_two_reports_of_one_event_join(one: str, other: str) -> None:
    assert compare(said(one, "甲"), said(other, "乙", after=timedelta(minutes=40))).joins


def test_one_event_is_not_followed_for_more_than_three_days() -> None:
    one, other = EVENT
    assert compare(said(one, "甲"), said(other, "乙", after=timedelta(hours=73))).level is Level.DIFFERENT


def test_a_missing_date_counts_as_equal_and_a_missing_source_as_different() -> None:
    one, other = EVENT
    assert compare(said(one, after=None), said(other)).joins


def test_entries_without_a_date_need_more_to_be_one_event() -> None:
    one, other = EVENT[0], "两公里长的城南大桥合龙 工程历时三年完成"
    dated, undated = (
        compare(said(one, "甲", after=when), said(other, "乙", after=when)) for when in (timedelta(), None)
    )
    assert dated.score == undated.score
    assert (dated.joins, undated.joins) == (True, False)


def test_one_source_does_not_report_one_event_twice() -> None:
    one, other = EVENT
    verdict = compare(said(one, "甲"), said(other, "甲"))
    assert verdict.level is Level.RELATED
    assert "one source" in [reason.code for reason in verdict.reasons]


@pytest.mark.parametrize(
    ("one", "other", "code"),
    [
        ("城南電子5月營收32億元 年增7%", "城南電子4月營收35億元 年增7%", "numbers"),
        ("城南市场日报（11月21日）", "城南市场日报（11月22日）", "column"),
        ("国内汽油价格今晚上调 加满一箱多付十元", "国内汽油价格今晚下调 加满一箱多付十元", "opposite"),
        ("宏碁宣布裁减一成员工 涉及三个部门", "华硕宣布裁减一成员工 涉及三个部门", "names"),
        ("云上银行获准发行金融债券一百亿", "海角银行获准发行金融债券一百亿", "template"),
        ("城南银行获准发行债券", "城北银行获准发行票据", "names"),
        ("城南队5-0大胜海角联队", "城南队5-0大胜云上竞技", "ending"),
        ("提醒公民近期避免前往山那边", "提醒公民近期避免前往海峡对岸", "ending"),
        ("Best summer deals on tents", "Best summer deals on kayaks", "ending"),
        ("甲队今晚3-2力克乙队晋级决赛", "甲队今晚3-1力克乙队晋级决赛", "score"),
        ("城南六号改发射低轨09组卫星成功", "城南六號改發射低軌10組衛星 順利", "numbers"),
        ("某牌手机出货4000万台 位列第三", "某牌手機出貨5000萬臺 排名第三", "numbers"),
        ("投资圈祝大家中秋节快乐", "海角集团祝大家中秋节快乐", "greeting"),
        ("城南大桥合龙通车", "一图读懂城南大桥合龙通车", "format"),
        ("城南大桥合龙通车", "【城南早报】城南大桥合龙通车；菜价连续回落", "digest"),
        ("《城南法》今起施行", "《城北法》今起施行", "works"),
        ("Rovers beat Wanderers 3-1 at home", "Wanderers beat Rovers 3-1 at home", "swapped"),
        ("Today's schedule", "Todays schedule", "common words"),
        ("这样走路说明身体好", "这样吃饭说明身体差", "common words"),
    ],
)
def test_a_veto_keeps_look_alikes_apart(one: str, other: str, code: str) -> None:
    verdict = compare(said(one, "甲"), said(other, "乙"))
    assert not verdict.joins
    assert code in " ".join(map(str, verdict.reasons))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("宁波公司：增发申请获得批准", "青岛公司：增发申请获得批准"),
        ("云上韵升：增发申请获得批准", "海角风电：增发申请获得批准"),
        ("福特召回十万辆汽车", "本田召回二十万辆汽车"),
    ],
)
def test_one_notice_about_two_subjects_is_no_copy(one: str, other: str) -> None:
    verdict = compare(said(one, "甲", FRAME), said(other, "乙", FRAME))
    assert (verdict.level, verdict.reasons[0].code) == (Level.DIFFERENT, "subject")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("議會通過城南大橋預算 市長感謝支持", "城南大橋預算 在野黨團：程序違法將提釋憲"),
        ("城南大桥合龙通车", "城南大桥通车后如何收费？专家解读"),
    ],
)
def test_another_act_of_one_affair_does_not_join(one: str, other: str) -> None:
    assert not compare(said(one, "甲"), said(other, "乙", after=timedelta(hours=5))).joins


def test_reports_whose_texts_have_nothing_in_common_do_not_join() -> None:
    one, other = EVENT
    strangers = compare(said(one, "甲", article(1)), said(other, "乙", "".join(map(chr, range(0x6000, 0x6300)))))
    assert strangers.level is Level.RELATED
    assert "other texts" in [reason.code for reason in strangers.reasons]


# ---------------------------------------------------------------------------------------------- always


_TITLES = st.one_of(
    st.text(max_size=40),
    st.lists(
        st.sampled_from([*"张大明：称批评合龙通车城南大桥3212月日%/ -【】《》！", "輝達", "iPhone 17", "3-2"])
    ).map("".join),
)


@given(_TITLES, _TITLES, st.sampled_from([None, "甲", "乙"]), st.integers(0, 400))
def test_every_pair_of_titles_has_one_verdict_in_both_directions(
    one: str, other: str, source: str | None, hours: int
) -> None:
    verdict = compare(said(one, "甲"), said(other, source, after=timedelta(hours=hours)))
    assert 0 <= verdict.score <= 1
    assert verdict.links or not verdict.joins
    assert all(stories.sentence(reason) for reason in verdict.reasons)


def test_a_reason_is_a_part_of_a_sentence_too() -> None:
    assert stories.clause(stories.Reason("dice", ("+5.3",))) == "characters in common, of both titles (+5.3)"
    assert stories.clause(stories.Reason("title")) == "both have the same title"


@given(st.text("城南大桥今日合龙通车市长称造价三亿元 ，：！《》-36%", min_size=24, max_size=60))
def test_an_entry_is_one_with_itself_in_another_source(title: str) -> None:
    assert compare(said(title, "甲"), said(title, "乙")).level is Level.SAME_TEXT


def test_what_would_join_passes_the_first_gate() -> None:
    one, other = (said(title, "甲") for title in EVENT)
    assert len(set(one.fingerprint.title_keys) & set(other.fingerprint.title_keys)) >= 2
    assert promising(one, other)
    assert not promising(one, said("菜价回落", "乙"))


def test_one_text_passes_the_first_gate_under_any_title() -> None:
    assert promising(said("大桥通车", "甲", article(1)), said("菜价回落", "乙", article(1)))


CHARACTERS = "城南大桥今日合龙通车市长称造价三亿元共5年12月 ，：！《》-36%"


@settings(deadline=None)
@given(
    st.text(CHARACTERS, min_size=8, max_size=40),
    st.text(CHARACTERS, max_size=8),
    st.integers(0, 40),
    st.integers(0, 12),
    st.integers(0, 80),
)
def test_whatever_would_link_passes_the_first_gate(title, put_in, place, taken_out, hours):
    a = said(title, "甲")
    b = said(title[:place] + put_in + title[place + taken_out :], "乙", after=timedelta(hours=hours))
    assert promising(a, b) or not compare(a, b).links or common(a, b) < 0.38


def promising(one: Said, other: Said) -> bool:
    return stories.Glance(one).promise(other.fingerprint, other.published) > 0


def common(one: Said, other: Said) -> float:
    """The share of the shorter title's characters that the other one has, which the gate asks for besides."""
    mine, its = one.fingerprint.letters, other.fingerprint.letters
    return len(mine & its) / (min(len(mine), len(its)) or 1)


def test_an_editors_names_count() -> None:
    table = stories.load_aliases("[people]\n张大明, 老桥长\n")
    one, other = said("老桥长：城南大桥全长两公里", "甲"), said("张大明：城南大桥全长两公里", "乙")
    assert stories.compare(one, other).level is not Level.SAME_TEXT
    assert stories.compare(one, other, table).level is Level.SAME_TEXT


def test_a_reason_without_a_sentence_is_shown_as_it_stands() -> None:
    assert stories.sentence(stories.Reason("new code", ("7",))) == "new code 7"
    assert stories.sentence(stories.Reason("far apart", ("80",))).startswith("80 hours lie between them")
