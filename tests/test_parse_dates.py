"""Dates as publishers write them → points in time; and nothing for what is no date."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.parse import dates

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
FULL_WIDTH = {ascii: ascii + 0xFEE0 for ascii in range(0x21, 0x7F)} | {0x20: 0x3000}


def read(text: str, zone: ZoneInfo | None = None) -> str | None:
    """What is read, as ISO 8601 without the zone, which is UTC."""
    moment = dates.read(text, zone)
    assert moment is None or moment.tzinfo is UTC
    return moment.replace(tzinfo=None).isoformat(" ") if moment else None


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 22 Nov 2026 14:05:33 +0800",
        "Sun,22 Nov 2026 14:05:33 +08:00",
        "22 Nov 2026 14:05:33 +0800",
        "Mon, 22 Nov 2026 06:05:33 GMT",
        "Sunday, 22-Nov-26 06:05:33 GMT",
        "Sun, 22 Nov 26 06:05:33 Z",
        "Sun, 22 Nov 2026 06:05:33 UT",
        "Sun, 22 Nov 2026 06:05:33 +0000 (UTC)",
        "Sun, 22 Nov 2026 01:05:33 EST",
        "Sat, 21 Nov 2026 23:05:33 PDT",
        "Sun, 22 Nov 2026 15:05:33 JST",
        "Sun, 22 Nov 2026 11:35:33 IST",
        "Sun, 22 Nov 2026 14:05:33 GMT+8",
        "Sun, 22 Nov 2026 14:05:33 UTC+08:00",
        "Sun, 22 Nov 2026 14:05:33 +800",
        "Sun Nov 22 2026 14:05:33 GMT+0800 (中国标准时间)",
        "Sun Nov 22 14:05:33 +0800 2026",
        "Sun Nov 22 06:05:33 UTC 2026",
        "Sun Nov 22 06:05:33 2026",
        "Sun, 22 November 2026, 06:05:33",
        "November 22, 2026 2:05:33 PM HKT",
        "Nov. 22nd, 2026 at 06:05:33",
        "2026-11-22T06:05:33Z",
        "2026-11-22t06:05:33z",
        "2026-11-22T14:05:33+08:00",
        "2026-11-22T14:05:33+0800",
        "2026-11-22T14:05:33+08",
        "2026-11-22 14:05:33 +0800",
        "2026-11-22T14:05:33 08:00",
        "Sun, 22 Nov 2026 14:05:33 0800",
        "/Date(1795327533000)/",
        r"\/Date(1795327533000+0800)\/",
        "22 11 2026 06:05:33",
        "2026-11-22T14:05:33+08:00[Asia/Shanghai]",
        "2026-11-21T23:35:33-06:30",
        "20261122T060533Z",
        "20261122T140533+0800",
        "20261122060533",
        "2026-11-22T140533+08:00",
        "20261122T14:05:33.0+08:00",
        "2026-11-22 06:05:33.0",
        "2026-11-22T06:05:33",
        "2026-11-22 06:05:33".translate(FULL_WIDTH),
        "2026/11/22 06:05:33",
        "2026.11.22 06:05:33",
        "06:05:33 22/11/2026",
        "11/22/2026 06:05:33",
        "22.11.2026 06:05:33",
        "26-11-22 06:05:33",
        "2026年11月22日 06:05:33",
        "2026年11月22日06时05分33秒",
        "2026 年 11 月 22 日 上午 6:05:33",
        "2026年11月22日（星期日）06：05：33",
        "發布於2026年11月22日 早上6點5分33秒",
        "民國115年11月22日 06:05:33",
        "115年11月22日 06:05:33",
        "民國一百一十五年十一月二十二日 06:05:33",
        "26年11月22日 06:05:33",
        "11/22/26 06:05:33",
        "二〇二六年十一月二十二日 06:05:33",
        "2026年11月22日 (日) 午前6時5分33秒",
        "2026년 11월 22일 오전 6:05:33",
        "22 novembre 2026 06:05:33",
        "22. November 2026, 06:05:33 Uhr",
        "22 de noviembre de 2026 06:05:33",
        "22 ноября 2026 06:05:33",
        "22º de novembro de 2026 06:05:33",
        "发布时间：2026-11-22 06:05:33 来源：新华社",
        "星期日, 22 11月 2026 14:05:33 +0800",
        "周日, 22 十一月 2026 06:05:33",
        "十一月 22, 2026 06:05:33",
        "2026-W47-7T14:05:33+08:00",
        "2026-11-22 14:05:33 (GMT+08:00)",
        "115/11/22 06:05:33",
        "令和8年11月22日 06:05:33",
        "2026-11-22 01:05:33 America/New_York",
        "2026-11-22T15:05:33[Asia/Tokyo]",
        "Sat, 21 Nov 2026 22:05:33 US/Pacific",
        "Sun, 22 Nov 2026 06:05:33 Etc/UTC",
        "2026-11-22 14:05:33 北京时间",
        "（北京時間）2026年11月22日14時05分33秒",
        "美东时间2026-11-22 01:05:33",
        "1795327533",
        "1795327533000",
        "1795327533000000",
        "1795327533.0",
        " \n 2026-11-22T06:05:33Z \t",
    ],
)
def test_one_moment_in_many_spellings(text: str) -> None:
    assert read(text) == "2026-11-22 06:05:33"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026年11月22日 14:05", "2026-11-22 06:05:00"),
        ("2026/11/22 14:05", "2026-11-22 06:05:00"),
        ("Sun, 22 Nov 2026 14:05:33", "2026-11-22 06:05:33"),
        ("Sun, 22 Nov 2026 14:05:33 XYZ", "2026-11-22 06:05:33"),
        ("2026-11-22", "2026-11-21 16:00:00"),
        ("2026年11月22日", "2026-11-21 16:00:00"),
        ("2026-11", "2026-10-31 16:00:00"),
        ("2026-326", "2026-11-21 16:00:00"),
        ("20261122", "2026-11-21 16:00:00"),
        ("2026-11-22T14:05Z", "2026-11-22 14:05:00"),
        ("2026-11-22Z", "2026-11-22 00:00:00"),
    ],
)
def test_without_a_zone_it_is_the_sources(text: str, expected: str) -> None:
    assert read(text, SHANGHAI) == expected


@pytest.mark.parametrize("text", ["2026-11-22 14:05:33 Asia/Nowhere", "2026-11-22 14:05:33 America/Indiana"])
def test_a_region_that_nobody_knows_is_no_zone(text: str) -> None:
    assert read(text, SHANGHAI) == "2026-11-22 06:05:33"


def test_an_offset_counts_for_more_than_the_region_beside_it() -> None:
    assert read("2026-11-22T14:05:33+08:00[America/New_York]") == "2026-11-22 06:05:33"


def test_a_zone_with_summer_time_is_asked_for_the_day() -> None:
    assert read("2026-07-01 12:00", NEW_YORK) == "2026-07-01 16:00:00"
    assert read("2026-12-01 12:00", NEW_YORK) == "2026-12-01 17:00:00"


@pytest.mark.parametrize(
    ("zone", "hour"), [(None, 4), (SHANGHAI, 4), (NEW_YORK, 18), (ZoneInfo("America/Chicago"), 18)]
)
def test_cst_is_chinas_unless_the_source_is_in_the_west(zone: ZoneInfo | None, hour: int) -> None:
    assert read("22 Nov 2026 12:00 CST", zone) == f"2026-11-22 {hour:02}:00:00"


@pytest.mark.parametrize(
    ("part", "hour"),
    [
        *[("上午9:05", 9), ("上午12:05", 0), ("下午2:05", 14), ("下午12:05", 12), ("下午14:05", 14), ("凌晨12:05", 0)],
        *[
            ("凌晨3点05分", 3),
            ("中午12:05", 12),
            ("中午1:05", 13),
            ("中午11:05", 11),
            ("晚上8點05分", 20),
            ("晚上1:05", 1),
            ("晚8时05分", 20),
            ("早8點05分", 8),
            ("午间12:05", 12),
            ("午夜12:05", 0),
        ],
        *[
            ("2:05 PM", 14),
            ("12:05am", 0),
            ("12:05 p.m.", 12),
            ("午後2時05分", 14),
            ("오후 2:05", 14),
            ("傍晚6:05", 18),
        ],
    ],
)
def test_parts_of_the_day(part: str, hour: int) -> None:
    assert read(f"2026年11月22日 {part}") == f"2026-11-22 {hour:02}:05:00"


def test_other_forms_of_a_time() -> None:
    assert read("2026年11月22日 下午2点") == "2026-11-22 14:00:00"
    assert read("2026年11月22日 晚上8点半") == "2026-11-22 20:30:00"
    assert read("2026年11月22日 晚上12点") == "2026-11-23 00:00:00"
    assert read("22 novembre 2026 à 14h05") == "2026-11-22 14:05:00"
    assert read("Nov 22 2026 2pm") == "2026-11-22 14:00:00"
    assert read("2026-11-22T24:00:00Z") == "2026-11-23 00:00:00"
    assert read("2026-12-31T23:59:60Z") == "2027-01-01 00:00:00"
    assert read("2026-11-22T14:05:33,25Z") == "2026-11-22 14:05:33.250000"


def test_an_ambiguous_day_and_month_are_read_as_the_source_would() -> None:
    assert read("03/04/2026") == "2026-04-03 00:00:00"
    assert read("03/04/2026", NEW_YORK) == "2026-03-04 05:00:00"
    assert read("03.04.2026", NEW_YORK) == "2026-04-03 04:00:00"


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("26/11/22", SHANGHAI, "2026-11-21 16:00:00"),
        ("26.11.22 下午2:05", SHANGHAI, "2026-11-22 06:05:00"),
        *(("26/11/22", zone, None) for zone in (None, NEW_YORK, ZoneInfo("Asia/Hong_Kong"))),
        ("99/11/22", None, "1999-11-22 00:00:00"),
        ("22/11/99", None, "1999-11-22 00:00:00"),
        ("05/06/26", SHANGHAI, None),
        ("26/2/30", SHANGHAI, None),
        ("26/13/45", SHANGHAI, None),
        ("昭和26年11月22日", SHANGHAI, None),
        ("民國一百年一月二日", None, "2011-01-02 00:00:00"),
        ("民國一百零五年一月二日", None, "2016-01-02 00:00:00"),
    ],
)
def test_a_short_year_counts_where_no_other_number_can_be_the_year(
    text: str, zone: ZoneInfo | None, expected: str | None
) -> None:
    assert read(text, zone) == expected


@pytest.mark.parametrize(("year", "full"), [("00", 2000), ("49", 2049), ("50", 1950), ("99", 1999), ("103", 2003)])
def test_short_years_are_rfc_2822s(year: str, full: int) -> None:
    assert read(f"22 Nov {year} 14:05 GMT") == f"{full}-11-22 14:05:00"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "now",
            "3小时前",
            "昨天 14:05",
            "刚刚",
            "11月22日 14:05",
            "2026",
            "14:05",
            "22 Nov",
            "Sun",
            "None",
            "-1",
            "0",
        ),
        *(
            "2026-02-30",
            "30 Feb 2026",
            "2026年13月1日",
            "2026-00-10",
            "2026-11-31 10:00",
            "2026-367",
            "2025-366",
            "31/31/2026",
        ),
        *(
            "2026-11-22T25:00:00Z",
            "2026-11-22T14:61:00Z",
            "2026-11-22 24:01",
            "2026-11-22T14:05:00+99:99",
            "民國0年1月1日",
            "2026-W54-1",
            "22 13月 2026",
        ),
        *("2026-11-22T14:05:00-13:00", "2026-11-22T14:05:00+08:75"),
        *("0000-00-00 00:00:00", "0001-01-01T00:00:00Z", "1601-01-01T00:00:00Z", "1899-12-30", "1900-01-01 00:00:00"),
        *(
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "Thu, 01 Jan 1970 08:00:00 +0800",
            "1970-01-01",
            "1970年1月1日",
            "0000000000",
        ),
        *("9999-12-31T23:59:59-08:00", "2026-11-22 14:05 2026-11-23", "22 Foo 2026", "2026-11-22 or 23", "1" * 20),
        "2026-11-22" + " " * 500 + "14:05",
        "x" * 101,
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert read(text, SHANGHAI) is None


LOCAL = "%Y-%m-%d %H:%M:%S"
FORMATS = [
    *(
        "%a, %d %b %Y %H:%M:%S",
        "%d %B %Y %H:%M:%S",
        "%B %d, %Y %I:%M:%S %p",
        "%a %b %d %H:%M:%S %Y",
        "%Y-%m-%dT%H:%M:%S",
    ),
    *(
        "%Y%m%dT%H%M%S",
        "%Y%m%d%H%M%S",
        "%Y/%m/%d %H:%M:%S",
        "%Y.%m.%d %H:%M:%S",
        "%d.%m.%Y %H:%M:%S",
        "%d-%b-%Y %H:%M:%S",
    ),
    *(
        "%Y年%m月%d日 %H:%M:%S",
        "%Y年%m月%d日%H时%M分%S秒",
        "%Y %b %d %H:%M:%S",
        "%H:%M:%S %d.%m.%Y",
        "%Y-%m-%d %I:%M:%S %p",
    ),
]
ZONED = [
    "%a, %d %b %Y %H:%M:%S %z",
    "%Y-%m-%dT%H:%M:%S%z",
    "%a %b %d %H:%M:%S %z %Y",
    "%Y%m%dT%H%M%S%z",
    "%d %b %Y %H:%M %Z",
]
MOMENTS = st.datetimes(datetime.fromisoformat("1971-01-01"), datetime.fromisoformat("2099-12-31")).map(
    lambda at: at.replace(microsecond=0)
)
OFFSETS = st.integers(-47, 55).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))


@given(MOMENTS, st.sampled_from(FORMATS), st.sampled_from([None, SHANGHAI, ZoneInfo("Asia/Kolkata")]))
def test_a_date_comes_back_from_every_format(at: datetime, form: str, zone: ZoneInfo | None) -> None:
    assert dates.read(at.strftime(form), zone) == at.replace(tzinfo=zone or UTC)


@given(MOMENTS, st.sampled_from(ZONED), OFFSETS)
def test_a_date_with_a_zone_comes_back_from_every_format(at: datetime, form: str, offset: timezone) -> None:
    at = at.replace(tzinfo=offset, second=at.second if "%S" in form else 0)
    assert dates.read(at.strftime(form), SHANGHAI) == at


@given(MOMENTS)
def test_seconds_since_1970_come_back(at: datetime) -> None:
    seconds = int(at.replace(tzinfo=UTC).timestamp())
    if seconds >= 100_000_000:
        assert dates.read(str(seconds), SHANGHAI) == at.replace(tzinfo=UTC)
    if seconds >= 1_000_000_000:
        assert dates.read(str(seconds * 1000), SHANGHAI) == at.replace(tzinfo=UTC)


PIECES = st.sampled_from(
    [*"0123456789:-/. +年月日点半T", "2026", "11", "Nov", "下午", "pm", "CST", "十", "二", "民國", "24:00", "Z", "de"]
)


@given(
    st.one_of(st.text(max_size=120), st.lists(PIECES, max_size=20).map("".join)),
    st.sampled_from([None, SHANGHAI, NEW_YORK]),
)
def test_any_text_is_a_date_or_none(text: str, zone: ZoneInfo | None) -> None:
    moment = dates.read(text, zone)
    assert moment is None or moment.tzinfo is UTC


@pytest.mark.parametrize("unit", ["1", "1 ", "1:", "1-", "十", "nov ", "1月", "年", " ", "+", "\ufdfa", "a"])
def test_long_values_cost_nothing(unit: str) -> None:
    started = time.process_time()
    for length in (50, 100, 1_000_000):
        dates.read(unit * (length // len(unit)), None)
    assert time.process_time() - started < 0.2


TWO = st.integers(0, 99).map("{:02}".format)
CLOCKS = st.tuples(st.integers(0, 25), st.integers(0, 61), st.integers(0, 61)).map(
    lambda t: "{:02}:{:02}:{:02}".format(*t)
)
YEARS = st.sampled_from(["0000", "0001", "1900", "1970", "2026", "9999"])
NAMES = st.sampled_from(["Jan", "Feb", "Mai", "Okt", "Dec", "Xyz"])
DAYS = st.integers(0, 32)


@given(
    st.one_of(
        st.builds("Sun, {} {} {} {} GMT".format, DAYS, NAMES, YEARS, CLOCKS),
        st.builds(
            "{:02} {} {} {} {}{:02}{}".format,
            DAYS,
            NAMES,
            YEARS,
            CLOCKS,
            st.sampled_from("+-"),
            st.integers(0, 25),
            TWO,
        ),
        st.builds(
            "{}-{:02}-{:02}T{}{}{:02}:{}".format,
            YEARS,
            st.integers(0, 13),
            DAYS,
            CLOCKS,
            st.sampled_from("+-"),
            st.integers(0, 25),
            TWO,
        ),
        st.builds("{}-{:02}-{:02}T{}Z".format, YEARS, st.integers(0, 13), DAYS, CLOCKS),
    )
)
def test_the_common_forms_say_what_they_say_with_a_blank_before_them(written: str) -> None:
    """They are read by a short way; the blank has them take the long one."""
    assert read(written) == read(" " + written)
