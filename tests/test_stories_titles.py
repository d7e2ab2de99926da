"""What is read from a title: without its wrappings, its numbers, who speaks, what others may contradict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.stories import aliases, contrasts, numbers, titles


def read(title: str, source: str = "") -> titles.Reading:
    return titles.read(title, source, aliases.default())


# ---------------------------------------------------------------------------------------------- wrappings


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("【快讯】大桥今日合龙通车", "大桥今日合龙通车"),
        ("快訊／大橋今日合龍通車", "大橋今日合龍通車"),
        ("獨家》大橋今日合龍通車", "大橋今日合龍通車"),
        ("视频丨大桥今日合龙通车", "大桥今日合龙通车"),
        ("[转载]大桥今日合龙通车", "大桥今日合龙通车"),
        ("（更新）大桥今日合龙通车", "大桥今日合龙通车"),
        ("重磅！大桥今日合龙通车", "大桥今日合龙通车"),
        ("新华社快讯：大桥今日合龙通车", "大桥今日合龙通车"),
        ("大桥今日合龙通车（图）", "大桥今日合龙通车"),
        ("大桥今日合龙通车-36氪", "大桥今日合龙通车"),
        ("大桥今日合龙通车_澎湃新闻-The Paper", "大桥今日合龙通车"),
        ("大桥今日合龙通车 | 机核 GCORES", "大桥今日合龙通车"),
        ("大桥今日合龙通车｜深度", "大桥今日合龙通车"),
        ("Bridge opens to traffic today - BBC News", "Bridge opens to traffic today"),
    ],
)
def test_what_a_source_puts_around_a_title_goes(title: str, bare: str) -> None:
    assert titles.unwrapped(title, "") == bare


@pytest.mark.parametrize(
    "title",
    [
        "主队主场3-2",
        "美軍P-8A飛越海峽",
        "法網／新秀闖進決賽",
        "外交部：將持續交涉",
        "【快讯】大桥",
        "Spider-Man returns to cinemas",
    ],
)
def test_what_belongs_to_a_title_stays(title: str) -> None:
    assert titles.unwrapped(title, "") == title


@pytest.mark.parametrize("source", ["老王看盘", "老王看盘实录"])
def test_the_accounts_own_name_goes_and_is_no_speaker(source: str) -> None:
    reading = read("老王看盘：明天还会继续上涨吗？", source)
    assert reading.core == "明天还会继续上涨吗"
    assert reading.speakers == ()


# ---------------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("title", "kind", "fact"),
    [
        ("6月15日起施行", "date", (6, 15)),
        ("6/15起施行", "date", (6, 15)),
        ("复盘20260615", "date", (6, 15)),
        ("票房日报(06.15)", "date", (6, 15)),
        ("2026-06-15 早报", "date", (6, 15)),
        ("5月营收创新高", "month", (5,)),
        ("2026年度总结", "year", (2026,)),
        ("甲队3-2乙队", "score", (2, 3)),
        ("甲隊 2：3 乙隊", "score", (2, 3)),
        ("第十六批名单公布", "第批", (16,)),
        ("神舟二十三号升空", "第号", (23,)),
        ("首架交付", "第架", (1,)),
        ("年增12.5\uff05", "%", (12.5,)),
        ("1萬1051名公職", "名", (11051,)),
        ("投资1.5亿元", "元", (150_000_000,)),
    ],
)
def test_a_number_is_read_with_what_it_counts(title: str, kind: str, fact: tuple[float, ...]) -> None:
    assert fact in numbers.read(title).facts[kind]


@pytest.mark.parametrize(
    ("a", "b", "found"),
    [
        ("5月营收32亿元", "4月营收35亿元", ("month", True)),
        ("甲队3-1乙队", "甲队2-1丙队", ("score", True)),
        ("同比下降0.1%", "同比下降0.3%", ("%", True)),
        ("第12批开标", "第十三批开标", ("第批", True)),
        ("營收年增56%", "营收增长55.6%", None),
        ("一審判決出爐", "二審判決出爐", ("第审", True)),
        ("降价9元", "降价7元", ("元", False)),
        ("至少20人遇难，12伤", "至少31人遇难，18伤", None),
        ("阅读1.1万次", "阅读11411次", None),
        ("先胜一局3比2", "2：3惜败", None),
        ("兩萬點", "20000點", None),
        ("涨了", "跌了", None),
    ],
)
def test_two_titles_contradict_each_other_where_they_count_one_thing(
    a: str, b: str, found: tuple[str, bool] | None
) -> None:
    assert numbers.contradiction(numbers.read(a), numbers.read(b)) == found


@given(st.text(alphabet="0123456789月日年第零一二十百千万亿%：:-./ 首号期a", max_size=30))
def test_no_title_has_numbers_that_cannot_be_read(title: str) -> None:
    assert numbers.contradiction(numbers.read(title), numbers.read(title)) is None


# ---------------------------------------------------------------------------------------------- speakers, contrasts


@pytest.mark.parametrize(
    ("title", "speakers"),
    [
        ("新規上路 交通部：先宣導三個月", ("交通部",)),
        ("新規上路 張大明反嗆規定太嚴", ("张大明",)),
        ("新規上路 三個月後開罰", ()),
    ],
)
def test_who_speaks_is_read(title: str, speakers: tuple[str, ...]) -> None:
    assert read(title).speakers == speakers


@pytest.mark.parametrize(
    ("a", "b", "code"),
    [
        ("油價明起調漲", "油價明起調降", "opposite"),
        ("金价突破三千", "金价跌破三千", "opposite"),
        ("议会通过预算案", "议会未通过预算案", "opposite"),
        ("公司将裁减员工", "公司不裁减员工", "negation"),
        ("决赛张三丰逆转李四光", "决赛李四光逆转张三丰", "swapped"),
        ("某牌 Model 3 降价", "某牌 Model Y 降价", "model"),
        ("某牌 SU7 上市", "某牌 SU9 上市", "model"),
        ("某牌发布 Star 17", "某牌发布 Star 17 Pro", "variant"),
        ("某牌发布 Kite K2", "某牌发布 Kite K2 Thinking", "variant"),
        ("股市高開120點", "股市低開120點", "opposite"),
        ("甲指跌0.3%，纺织板块领涨", "甲指涨0.3%，白酒板块领涨", "opposite"),
        ("城南颱風警報發布", "城南台风警报解除", "sequel"),
        ("城南队112-107胜城北队", "城北队112-107胜城南队", "swapped"),
        ("城南女排1-3不敌城北女排", "城南女排3-1战胜城北女排", "swapped"),
        ("城南纺织股价超越城北白酒", "城北白酒股价重新超越城南纺织", "swapped"),
        ("某地原市长王某被查", "某地原市长王某被双开", "step"),
        ("城南发布暴雨黄色预警", "城南發布暴雨紅色預警", "step"),
        ("张大明/李小明夺得女双冠军", "张大明/王小明夺得混双冠军", "step"),
        ("Senate passes the bill on bridges", "House passes the bill on bridges", "step"),
        ("城南大桥通车仪式", "城南大桥通车仪式推迟", "sequel"),
        ("消息称甲公司收购乙公司", "甲公司收购乙公司？双方否认", "sequel"),
    ],
)
def test_titles_that_tell_the_contrary_are_recognised(a: str, b: str, code: str) -> None:
    one, other = read(a), read(b)
    found = dict(contrasts.found(one.core, other.core, one.signs, other.signs))
    assert code in found
    assert found == dict(contrasts.found(other.core, one.core, other.signs, one.signs))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("城南队112-107胜城北队", "城北队107-112不敌城南队"),
        ("城南女排3-1战胜城北女排", "城南女排3-1击败城北女排"),
        ("某牌 Star 17 Pro 降价", "某牌 Star 17 Pro 今起降价"),
        ("城南發布暴雨紅色預警", "城南暴雨红色预警生效"),
        ("甲公司辟谣：收购乙公司不实", "收购乙公司？甲公司辟谣"),
    ],
)
def test_other_words_for_one_thing_are_no_contrast(a: str, b: str) -> None:
    one, other = read(a), read(b)
    assert list(contrasts.found(one.core, other.core, one.signs, other.signs)) == []


def test_a_title_that_says_both_contradicts_neither() -> None:
    one, other = read("先漲後跌 油價收平"), read("油價大跌")
    assert list(contrasts.found(one.core, other.core, one.signs, other.signs)) == []


# ---------------------------------------------------------------------------------------------- kinds of titles


@pytest.mark.parametrize(
    "title", ["【城南早报】大桥通车；菜价回落", "6月8日简报|大桥通车", "大桥今日合龙通车；城南菜价连续回落"]
)
def test_a_title_of_several_stories_is_recognised(title: str) -> None:
    assert read(title).collects


@pytest.mark.parametrize("title", ["人民日报记者走进大桥工地", "大桥头条新闻不断"])
def test_a_word_of_columns_within_a_title_makes_no_column(title: str) -> None:
    assert not read(title).collects
