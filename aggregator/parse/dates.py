"""A date as some publisher wrote it → a datetime. None where it says no possible point in time.

A text is brought to one plain form (no full-width digits, no CJK units, no accents), then read as the first of: seconds
since 1970, ISO 8601, or anything else that has one date and at most one time in it.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MAX_LENGTH = 100
# Nothing on the web is older, and the zeros of other systems (year 1, 1601, 1899-12-30, 1900-01-01) are no dates.
_FIRST_YEAR = 1901
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_DATE = timedelta(days=1)  # about the epoch: a zero, in whatever zone it was written


class _Reading(NamedTuple):
    """What a text says, unchecked. `zone` is None where it says none."""

    year: int
    month: int
    day: int
    time: timedelta = timedelta()
    zone: str | None = None


def read(value: str, zone: tzinfo | None) -> datetime | None:
    """The point in time, in UTC, that `value` says; None where it says none or an impossible one. Never raises.

    A time without a zone is in `zone`, the source's, or in UTC without one. A date without a time is its first moment.
    """
    try:
        return _usable(_common(value) or _uncommon(_plain(value), zone))
    except (ValueError, OverflowError):
        return None


def _uncommon(text: str, zone: tzinfo | None) -> datetime | None:
    if not text:
        return None
    text, zone = _without_region(text, zone)
    return _epoch(text) or _moment(_iso(text) or _compact(text) or _written(text, zone), zone)


def _usable(moment: datetime | None) -> datetime | None:
    if moment is None or moment.year < _FIRST_YEAR or abs(moment - _EPOCH) <= _NO_DATE:
        return None
    return moment


def _moment(reading: _Reading | None, zone: tzinfo | None) -> datetime | None:
    if reading is None:
        return None
    local = datetime(reading.year, reading.month, reading.day) + reading.time  # noqa: DTZ001
    return local.replace(tzinfo=_offset(reading.zone, local, zone) or zone or UTC).astimezone(UTC)


# ---------------------------------------------------------------------------------------------- the common forms

# Offsets that no zone has are left to the other forms, which refuse them.
_NEAR = r"(?:\+(?:0\d|1[0-3])|-(?:0\d|1[01]))"
_RFC_822 = re.compile(
    rf"(?:[A-Z][a-z]{{2}}, )?(\d\d?) ([A-Z][a-z]{{2}}) (\d{{4}}) (\d\d:\d\d:\d\d) (?:GMT|({_NEAR})([0-5]\d))"
)
_RFC_3339 = re.compile(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|{_NEAR}:[0-5]\d)")


def _common(value: str) -> datetime | None:
    """What most feeds write, read fast; None for all else, and for what is impossible."""
    if found := _RFC_822.fullmatch(value):
        day, name, year, time, hours, minutes = found.groups()
        month = _MONTHS.get(name.lower(), 0)
        value = f"{year}-{month:02}-{day:0>2}T{time}{hours or '+00'}:{minutes or '00'}"
    elif not _RFC_3339.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


# ---------------------------------------------------------------------------------------------- plain form

_CHINESE_NUMBER = re.compile(r"[零一二三四五六七八九十廿卅百]+(?=[年月日号號时時点點分秒])")
_VARIANTS = {0x3007: "零", 0x25CB: "零", 0x2212: "-"}  # two round zeros, and the minus sign
_CHINESE_DIGITS = {digit: str(value) for value, digit in enumerate("零一二三四五六七八九")}
_CHINESE_TENS = {"十": 10, "廿": 20, "卅": 30}
_ERA_YEAR = re.compile(
    r"(民國|民国|令和|平成)\s*(元|[1-9]\d{0,2})(?!\d)"
    r"|(?<!\d)(?P<roc>1\d\d)(?=\s*年|(?P<by>[-/.])\d{1,2}(?P=by)\d{1,2}(?!\d))"
)
_ERAS = {"民國": 1911, "民国": 1911, "令和": 2018, "平成": 1988}  # the year before the first
# An offset whose plus sign became a blank, as it does in an address.
_LOST_PLUS = re.compile(r"(\d:\d\d:\d\d(?:\.\d{1,9})?) (?=(?:0\d|1[0-4]):?[0-5]\d$)")
_WEEK = re.compile(r"(\d{4})-?w(\d\d)(?:-?([1-7]))?(?!\d)")

# A month beside which the day and the year stand as in English, as programs write it that know its name only.
_CHINESE_MONTH = re.compile(r"(?<!\d)(1[0-2]|0?[1-9])\s*月")
_ENGLISH_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

# Written forms of the parts of a date, in Chinese, Japanese and Korean, each with what stands for it in the plain form.
_REWRITTEN = (
    (re.compile(r"(?<![\d和])(\d{4}|[0-4]\d)\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日号號일]?"), r" \1-\2-\3 "),
    (re.compile(r"(?<!\d)(\d{1,2})\s*[时時点點시]\s*半"), r" \1:30 "),
    (re.compile(r"(?<!\d)(\d{1,2})\s*[时時点點시]\s*(\d{1,2})\s*[分분]?\s*(\d{1,2})\s*[秒초]"), r" \1:\2:\3 "),
    (re.compile(r"(?<!\d)(\d{1,2})\s*[时時点點시]\s*(\d{1,2})\s*[分분]?"), r" \1:\2 "),
    (re.compile(r"(?<!\d)(\d{1,2})\s*[时時点點시][整正]?"), r" \1:00 "),
    (re.compile(r"(\d{1,2}:\d{1,2})\s*分"), r"\1 "),
    (re.compile(r"凌晨|清晨|早晨|早上|上午|午前|午夜|오전|早(?=\s*\d)"), " am "),
    (re.compile(r"下午|午后|午後|傍晚|오후"), " pm "),
    (re.compile(r"晚上|晚间|晚間|夜间|夜間|夜里|夜裡|深夜|晚(?=\s*\d)"), " night "),
    (re.compile(r"中午|正午|午间|午間"), " noon "),
    (re.compile(r"(?:星期|礼拜|禮拜|周|週)\s*[一二三四五六日天]|[月火水木金土日]曜日|\(.\)"), " "),
)


def _plain(value: str) -> str:
    """`value` in lower case with ASCII digits and punctuation; "" where it is too long to be a date."""
    if len(value) > 4 * _MAX_LENGTH:
        return ""
    text = unicodedata.normalize("NFKC", value).strip().lower()
    if len(text) > _MAX_LENGTH:
        return ""
    if not text.isascii():
        text = _rewritten(text)
    text = _LOST_PLUS.sub(r"\1+", text)
    text = _ERA_YEAR.sub(_common_year, _WEEK.sub(_day_of_week, text))
    return " ".join(text.split())


def _rewritten(text: str) -> str:
    text = _CHINESE_NUMBER.sub(lambda number: _arabic(number[0]), text.translate(_VARIANTS))
    text = _ERA_YEAR.sub(_common_year, text)
    for pattern, plain in _REWRITTEN:
        text = pattern.sub(plain, text)
    text = _CHINESE_MONTH.sub(lambda month: f" {_ENGLISH_MONTHS[int(month[1]) - 1]} ", text)
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _common_year(year: re.Match[str]) -> str:
    """民國115 → 2026, 令和8 → 2026; three digits that begin a date are a year of the 民國 too."""
    if year["roc"]:
        return str(_ERAS["民國"] + int(year["roc"]))
    return str(_ERAS[year[1]] + (1 if year[2] == "元" else int(year[2])))


def _day_of_week(said: re.Match[str]) -> str:
    """ISO 8601's week date: 2026-W47-7 → 2026-11-22."""
    return f"{datetime.fromisocalendar(int(said[1]), int(said[2]), int(said[3] or 1)):%Y-%m-%d}"


def _arabic(number: str) -> str:
    """二〇二六 → 2026, 十一 → 11, 二十二 → 22, 一百一十五 → 115."""
    hundreds, _, number = number.rpartition("百")
    if hundreds:
        return str(100 * int(_arabic(hundreds)) + int(_arabic(number) or "0"))
    ten = next((char for char in number if char in _CHINESE_TENS), None)
    if ten is None:
        return "".join(_CHINESE_DIGITS[digit] for digit in number)
    before, _, after = number.partition(ten)
    tens = _CHINESE_TENS[ten] * int(_CHINESE_DIGITS.get(before, "1"))
    return str(tens + int(_CHINESE_DIGITS.get(after, "0")))


# ---------------------------------------------------------------------------------------------- numbers and ISO 8601

# As .NET writes it in JSON; the milliseconds are UTC's whatever offset stands behind them.
_WRAPPED = re.compile(r"\\?/?date\((\d+)(?:[+-]\d{4})?\)\\?/?")
_NUMBER = re.compile(r"\d{9,10}(?:[.,]\d{1,9})?|\d{13}|\d{16}")


def _epoch(text: str) -> datetime | None:
    """Seconds, milliseconds or microseconds since 1970."""
    if wrapped := _WRAPPED.fullmatch(text):
        return _EPOCH + timedelta(milliseconds=int(wrapped[1]))
    if not _NUMBER.fullmatch(text):
        return None
    if len(text) in (13, 16) and text.isdigit():
        return _EPOCH + timedelta(microseconds=int(text) * (1000 if len(text) == 13 else 1))
    return _EPOCH + timedelta(seconds=float(text.replace(",", ".")))


_OFFSET = r"(?:utc|gmt|z)?\s?[+-](?:\d{1,2}:?\d{2}|\d{1,2})(?![\d/.-])"
_ZONE = rf"(?P<zone>{_OFFSET}|(?!am|pm)[a-z]{{1,5}})"
_TIME = r"(?P<hour>\d{1,2})\s?[:h]\s?(?P<minute>\d{1,2})(?:\s?:\s?(?P<second>\d{1,2})(?P<fraction>[.,]\d+)?)?"
_ISO = re.compile(
    rf"(?P<year>\d{{4}})-(?P<month>\d\d)(?:-(?P<day>\d\d)(?:(?:t|\s|t\s|_){_TIME})?)?(?:\s?{_ZONE})?(?:\[[a-z_/]+\])?"
)
_COMPACT = re.compile(
    r"(?P<year>\d{4})-?(?P<month>\d\d)-?(?P<day>\d\d)"
    rf"(?:[t\s]?(?P<hour>\d\d):?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?P<fraction>[.,]\d+)?)?(?:\s?{_ZONE})?)?"
)
_ORDINAL = re.compile(r"(\d{4})-(\d{3})")


def _iso(text: str) -> _Reading | None:
    """The formats of RFC 3339 and W3C-DTF, and ordinal dates."""
    if ordinal := _ORDINAL.fullmatch(text):
        return _of_year(int(ordinal[1]), int(ordinal[2]))
    match = _ISO.fullmatch(text)
    return _fields(match) if match else None


def _of_year(year: int, day: int) -> _Reading:
    date = datetime(year, 1, 1) + timedelta(days=day - 1)  # noqa: DTZ001
    if date.year != year:
        raise ValueError(day)
    return _Reading(date.year, date.month, date.day)


def _compact(text: str) -> _Reading | None:
    """ISO 8601's basic format, with or without the T, or half of it in the extended one."""
    match = _COMPACT.fullmatch(text)
    return _fields(match) if match else None


def _fields(match: re.Match[str]) -> _Reading:
    found = match.groupdict()
    time = _time(match) if found["hour"] else timedelta()
    return _Reading(int(found["year"]), int(found["month"]), int(found["day"] or 1), time, found["zone"])


def _time(match: re.Match[str]) -> timedelta:
    """The time of day of a match; 24:00 and a leap second belong to the next. Raises ValueError for no time of day."""
    hour, minute, second = int(match["hour"]), int(match["minute"] or 0), int(match["second"] or 0)
    if minute > 59 or second > 60 or hour > 24 or (hour == 24 and (minute or second)):
        raise ValueError(match[0])
    fraction = (match["fraction"] or ".0")[1:7].ljust(6, "0")
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=int(fraction))


# ---------------------------------------------------------------------------------------------- zones

# In minutes east of UTC: RFC 2822, section 4.3, and what feeds write besides. CST is not here: see `_offset`.
_ZONES = {
    **dict.fromkeys(("ut", "utc", "gmt", "z", "wet"), 0),
    **dict.fromkeys(("bst", "west", "cet", "met", "mez"), 60),
    **dict.fromkeys(("cest", "mest", "mesz", "eet", "sast"), 120),
    **dict.fromkeys(("eest", "msk", "trt"), 180),
    **dict.fromkeys(("gst",), 240),
    **dict.fromkeys(("pkt",), 300),
    **dict.fromkeys(("ist",), 330),
    **dict.fromkeys(("ict", "wib"), 420),
    **dict.fromkeys(("hkt", "sgt", "pht", "myt", "awst", "cct", "bjt"), 480),
    **dict.fromkeys(("jst", "kst"), 540),
    **dict.fromkeys(("acst",), 570),
    **dict.fromkeys(("aest",), 600),
    **dict.fromkeys(("acdt",), 630),
    **dict.fromkeys(("aedt",), 660),
    **dict.fromkeys(("nzst",), 720),
    **dict.fromkeys(("nzdt",), 780),
    **dict.fromkeys(("brt", "art", "adt"), -180),
    **dict.fromkeys(("nst",), -210),
    **dict.fromkeys(("ndt",), -150),
    **dict.fromkeys(("ast", "edt"), -240),
    **dict.fromkeys(("est", "et", "cdt"), -300),
    **dict.fromkeys(("mdt", "ct"), -360),
    **dict.fromkeys(("mst", "mt", "pdt"), -420),
    **dict.fromkeys(("pst", "pt", "akdt"), -480),
    **dict.fromkeys(("akst",), -540),
    **dict.fromkeys(("hst",), -600),
}
_HOURS_MINUTES = re.compile(r"([+-])(\d{1,2}):?(\d{2})?$")
_EAST, _WEST = timedelta(hours=14), timedelta(hours=12)  # no zone is farther from UTC


def _offset(name: str | None, local: datetime, zone: tzinfo | None) -> tzinfo | None:
    """The zone that a date names; None where it names none that we know. Raises ValueError for an impossible offset.

    CST is China Standard Time unless the source's own zone lies in the west.
    """
    if not name:
        return None
    if numeric := _HOURS_MINUTES.search(name):
        sign, hours, minutes = numeric.groups(default="0")
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        if offset > (_WEST if sign == "-" else _EAST) or int(minutes) > 59:
            raise ValueError(name)
        return timezone(-offset if sign == "-" else offset)
    if name == "cst":
        western = zone is not None and (zone.utcoffset(local) or timedelta()) < timedelta()
        return timezone(timedelta(hours=-6 if western else 8))
    return timezone(timedelta(minutes=_ZONES[name])) if name in _ZONES else None


# The zone's name in the tz database, and what it is called in Chinese. An offset beside it counts for more.
_REGION = re.compile(r"[\[(]?\b([a-z]{2,}(?:/[a-z_]{2,}){1,2})\b[\])]?")
_CALLED = re.compile(
    r"[(]?(北京|中国标准|中國標準|香港|台北|臺北|东京|東京|美东|美東|格林尼治|格林威治)(?:时间|時間)[)]?"
)
_CALLED_REGIONS = {"东": "asia/tokyo", "東": "asia/tokyo", "美": "america/new_york", "格": "etc/utc"}


def _without_region(text: str, zone: tzinfo | None) -> tuple[str, tzinfo | None]:
    """`text` without the region whose time it says it is in, and its zone; both as they are where it says none."""
    called = _CALLED.search(text) or _REGION.search(text)
    if called is None:
        return text, zone
    name = called[1] if "/" in called[1] else _CALLED_REGIONS.get(called[1][0], "asia/shanghai")
    region = _region(name)
    if region is None:
        return text, zone
    return " ".join(f"{text[: called.start()]} {text[called.end() :]}".split()), region


@lru_cache(maxsize=64)
def _region(name: str) -> tzinfo | None:
    """The zone of this name in lower case, which the database has in its own."""
    place = name.title()
    if place.startswith("Us/"):
        place = f"US{place[2:]}"
    try:
        return UTC if place == "Etc/Utc" else ZoneInfo(place)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


# ---------------------------------------------------------------------------------------------- anything else

_PART = r"am|pm|a\.m\.|p\.m\.|night|noon"
_KNOWN_ZONE = rf"(?P<zone>{_OFFSET}|(?:{'|'.join((*_ZONES, 'cst'))})(?![a-z]))"
_CLOCK = re.compile(
    rf"(?:(?P<before>{_PART})\s*)?(?<![\d:+-]){_TIME}\s*(?P<after>{_PART})?[\s(]{{0,2}}(?:{_KNOWN_ZONE})?"
)
_HOUR = re.compile(r"(?<!\d)(?P<hour>\d{1,2})(?P<minute>)(?P<second>)(?P<fraction>)\s?(?P<after>am|pm)\b")
_DATE_ZONE = re.compile(_KNOWN_ZONE)

_WORD = r"(?P<name>[^\W\d_]{3,})\.?"
_YEAR = r"(?P<year>\d{4})(?!\d)"
_ANY_YEAR = r"(?P<year>\d{4}|\d{2,3})(?!\d)"
_DAY = r"(?<!\d)(?P<day>\d{1,2})(?:st|nd|rd|th|er|[oa]\b)?"
_GAP = r"[\s./,-]*(?:(?:de|del|of)\s)?"
_DATES = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<!\d)(?P<year>\d{4})\s?[-/.]\s?(?P<month>\d{1,2})\s?[-/.]\s?(?P<day>\d{1,2})(?!\d)",
        rf"{_DAY}{_GAP}{_WORD}{_GAP}'?{_ANY_YEAR}",
        rf"{_WORD}[\s./-]*{_DAY}[\s.,/-]+'?{_ANY_YEAR}",
        rf"(?<!\d){_YEAR}[\s./-]*{_WORD}[\s./-]*{_DAY}(?!\d)",
        rf"(?<!\d)(?P<first>\d{{1,2}})(?P<by>[-/. ])(?P<second>\d{{1,2}})(?P=by){_YEAR}",
        r"(?<!\d)(?P<year>\d{2})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?!\d)",
        r"(?<!\d)(?P<first>\d{1,2})(?P<by>[/.])(?P<second>\d{1,2})(?P=by)(?P<third>\d{2})(?!\d)",
    )
)

# How the months begin in English, German, French, Spanish, Italian, Portuguese, Dutch and Russian, without accents.
_MONTHS = {
    prefix: month
    for month, prefixes in enumerate(
        (
            "jan ene gen янв",
            "feb fev фев",
            "mar mrz maa мар",
            "apr avr abr апр",
            "may mai mag mei мая маи",
            "jun juin giu июн",
            "jul juil lug июл",
            "aug aou ago авг",
            "sep set сен",
            "oct okt ott out окт",
            "nov ноя",
            "dec dez dic дек",
        ),
        start=1,
    )
    for prefix in prefixes.split()
}

_YEAR_FIRST = frozenset(("Asia/Shanghai", "Asia/Taipei", "Asia/Tokyo", "Asia/Seoul"))


def _written(text: str, zone: tzinfo | None) -> _Reading | None:
    """A date in any order, with or without a time before, after or within it, and no other number."""
    clock = _CLOCK.search(text) or _HOUR.search(text)
    rest = f"{text[: clock.start()]} {text[clock.end() :]}" if clock else text
    for pattern in _DATES:
        match = pattern.search(rest)
        date = _date(match, zone) if match else None
        if match and date:
            around = rest[: match.start()], rest[match.end() :]
            return _with_clock(date, clock, around)
    return None


def _with_clock(date: _Reading, clock: re.Match[str] | None, around: tuple[str, str]) -> _Reading | None:
    """`date` at the time of `clock`; None where the text `around` the date holds another number."""
    before, after = around
    if clock:
        found = clock.groupdict()
        time = _time(clock) + _shift(found.get("before") or found["after"], int(clock["hour"]))
        zone = found.get("zone")
    else:
        named = _DATE_ZONE.match(after.lstrip())
        time, zone = timedelta(), named["zone"] if named else None
        after = after.lstrip()[named.end() :] if named else after
    if re.search(r"\d", before + after):
        return None
    return date._replace(time=time, zone=zone)


def _shift(part: str | None, hour: int) -> timedelta:
    """What has to be added to an hour of the clock in this part of the day."""
    if part in ("am", "a.m."):
        return timedelta(hours=-12 if hour == 12 else 0)
    late = {"pm": hour < 12, "p.m.": hour < 12, "night": 5 <= hour <= 12, "noon": hour < 11}
    return timedelta(hours=12 if part and late[part] else 0)


def _date(match: re.Match[str], zone: tzinfo | None) -> _Reading | None:
    """The date of a match of `_DATES`; None where its word is no month."""
    found = match.groupdict()
    if found.get("third"):
        return _short(found["first"], found["second"], found["third"], zone)
    year = _full_year(found["year"])
    if found.get("first"):
        first, second = int(found["first"]), int(found["second"])
        month_first = found["by"] == "/" and (second > 12 or (first <= 12 and _is_american(zone)))
        return _Reading(year, first, second) if month_first else _Reading(year, second, first)
    month = int(found["month"]) if "month" in found else _month(found["name"])
    return _Reading(year, month, int(found["day"])) if month else None


def _short(first: str, second: str, third: str, zone: tzinfo | None) -> _Reading | None:
    """Three short numbers, where but one of them can be the year, or the source's country puts it first."""
    if int(second) > 12:
        return _Reading(_full_year(third), int(first), int(second))
    if int(third) > 31:
        return _Reading(_full_year(third), int(second), int(first)) if int(first) > 12 else None
    if int(first) > 31 or (int(first) > 12 and str(zone) in _YEAR_FIRST):
        return _Reading(_full_year(first), int(second), int(third))
    return None


def _is_american(zone: tzinfo | None) -> bool:
    """Whether 3/4/2026 is the fourth of March in this zone."""
    return str(zone).startswith(("America/", "US/"))


def _month(word: str) -> int | None:
    return _MONTHS.get(word[:4]) or _MONTHS.get(word[:3])


def _full_year(digits: str) -> int:
    """RFC 2822, section 4.3: two digits below 50 are this century's, other short years the last one's."""
    year = int(digits)
    if len(digits) == 4:
        return year
    return year + (2000 if len(digits) == 2 and year < 50 else 1900)
