"""The numbers of a title, each with what it counts, and whether two titles contradict each other in them.

Numbers are read from the title as it came: folding would take the mark out of a score and the slash out of a date.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

# What stands beside numbers in 繁體, as in 简体.
_NARROW = str.maketrans(
    "億萬點號屆歲個強連勝輪場戰縣張擊車艦機損傷種樓層參週碼標級條項審組臺輛噸時間隻雙對顆員圓幣頭鄉鎮處門課題據單筆節齣幀頻線鍵劑桿畝聲戶盤響頁幫貫齡廠國隊爾歐韓澤",
    "亿万点号届岁个强连胜轮场战县张击车舰机损伤种楼层参周码标级条项审组台辆吨时间只双对颗员元币头乡镇处门课题据单笔节出帧频线键剂杆亩声户盘响页帮贯龄厂国队尔欧韩泽",
)
_HAN_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_HAN_PLACES = {"十": 10, "百": 100, "千": 1000}
_MAGNITUDES = {"": 1, "千": 10**3, "万": 10**4, "百万": 10**6, "千万": 10**7, "亿": 10**8, "万亿": 10**12, "兆": 10**12}

_HAN = "零〇一二三四五六七八九十百两兩"
_MAGNITUDE = r"(?:百万|千万|万亿|亿|万|兆|千)?"
_PLAIN = r"\d+(?:,\d{3})*(?:\.\d+)?"

_DATE = re.compile(
    r"(?<![\d.])(?:(?:19|20)\d\d\s?[-./年]\s?)?(0?[1-9]|1[0-2])\s?月\s?(3[01]|[12]\d|0?[1-9])(?!\d)[日号]?"
    r"|(?<!\d)(?:19|20)\d\d[-./](0?[1-9]|1[0-2])[-./](3[01]|[12]\d|0?[1-9])(?!\d)"
    r"|(?<!\d)(?:19|20)\d\d(0[1-9]|1[0-2])(3[01]|[12]\d|0[1-9])(?!\d)"
    r"|(?<![\d./])(1[0-2]|0?[1-9])/(3[01]|[12]\d|0?[1-9])(?![\d/])"
    r"|(?<![\d.])(0[1-9]|1[0-2])\.(3[01]|[12]\d|0[1-9])(?![\d.%])"
)
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?:年|(?!\d|[.,%万亿]))")
_MONTH = re.compile(r"(?<![\d个])(1[0-2]|[1-9])月(?!\d)")
_SCORE = re.compile(r"(?<![\d.:-])(\d{1,3})\s?[:：比-]\s?(\d{1,3})(?![\d.:%年月日-])")
_ORDINAL = re.compile(rf"第\s?(\d+|[{_HAN}]+)\s?(\w?)")
_INSTANCE = re.compile(r"([一二三])(审)")
_FIRST = re.compile(r"(首)([架届批集季期轮艘颗])")
_SERIAL = re.compile(rf"(?<=[^\W\d_])([{_HAN}]{{2,}}|\d+)(号|期|届|季|集|轮|审)")
_AMOUNT = re.compile(rf"({_PLAIN})\s?({_MAGNITUDE})(?:({_PLAIN})(万)?)?\s?(%|[a-z]+|[\u4e00-\u9fff])?")

_IN_DIGITS = (("date", _DATE), ("year", _YEAR), ("month", _MONTH), ("score", _SCORE))
_DIGIT = re.compile(r"\d")
_ANY = re.compile(rf"[\d{_HAN}首]")

_LARGE = 100

# A number of these counts what goes on growing while a story is told, so that another one is no contradiction; and
# 13 时 is 下午 1 时.
_GROWING = frozenset("死伤亡人名例失户例罹受遇时")
# Kinds of which a title names only one, that it is about; 级, 强 and 地 stand behind the strength of an earthquake.
_DECISIVE = frozenset(("date", "month", "year", "score", "%", "级", "强", "地"))


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of a title by what they count: `date`, `month`, `year`, `score`, an ordinal (`第` and its word), or
    the sign behind the number. `values` are all amounts, whatever they count."""

    facts: Mapping[str, frozenset[tuple[float, ...]]]
    values: frozenset[float]

    def __bool__(self) -> bool:
        return bool(self.facts)


_NONE = Numbers({}, frozenset())


@lru_cache(maxsize=256)  # a new title is looked at with each of its candidates
def read(title: str) -> Numbers:
    """All numbers of a title."""
    if not _ANY.search(title):
        return _NONE
    rest = unicodedata.normalize("NFKC", title).lower().translate(_NARROW)
    facts: dict[str, set[tuple[float, ...]]] = {}
    values: set[float] = set()
    has_digits = _DIGIT.search(rest) is not None
    for kind, pattern in _IN_DIGITS if has_digits else ():
        if all_found := list(pattern.finditer(rest)):
            facts[kind] = {tuple(map(float, filter(None, found.groups()))) for found in all_found}
            rest = pattern.sub(" ", rest)
    for pattern in (_FIRST, _INSTANCE, _ORDINAL, _SERIAL):
        if all_found := list(pattern.finditer(rest)):
            for found in all_found:
                facts.setdefault(f"第{found[2]}", set()).add((_whole(found[1]),))
            rest = pattern.sub(" ", rest)
    for kind, value in _amounts(rest) if has_digits else ():
        facts.setdefault(kind, set()).add((value,))
        values.add(value)
    facts = {kind: {tuple(sorted(one)) if kind == "score" else one for one in some} for kind, some in facts.items()}
    return Numbers({kind: frozenset(some) for kind, some in facts.items()}, frozenset(values))


def _amounts(rest: str) -> Iterator[tuple[str, float]]:
    for number, magnitude, more, more_magnitude, unit in _AMOUNT.findall(rest):
        value = _plain(number) * _MAGNITUDES[magnitude]
        if more:
            value += _plain(more) * _MAGNITUDES[more_magnitude]
        yield unit, value


def _plain(number: str) -> float:
    return float(number.replace(",", ""))


def _whole(said: str) -> float:
    """The value of an ordinal in digits or in Chinese numerals."""
    if said.isdigit():
        return float(said)
    if said == "首":
        return 1.0
    total = current = 0
    for sign in said:
        if sign in _HAN_PLACES:
            total += (current or 1) * _HAN_PLACES[sign]
            current = 0
        else:
            current = _HAN_DIGITS[sign]
    return float(total + current)


def contradiction(a: Numbers, b: Numbers) -> tuple[str, bool] | None:
    """What the two count differently, and whether it settles that they are not one event; None where nothing is."""
    soft: str | None = None
    for kind in sorted(a.facts.keys() & b.facts.keys()):
        if kind in _GROWING or _agree(a.facts[kind], b.facts[kind]):
            continue
        if is_decisive(kind):
            return kind, True
        soft = soft or kind
    return None if soft is None else (soft, False)


def is_decisive(kind: str) -> bool:
    """Whether a title names only one of this kind, the one that it is about."""
    return kind in _DECISIVE or kind.startswith("第")


def _agree(some: frozenset[tuple[float, ...]], others: frozenset[tuple[float, ...]]) -> bool:
    return any(len(x) == len(y) and all(map(_near, x, y)) for x in some for y in others)


def _near(x: float, y: float) -> bool:
    """Whether two amounts are one, rounded: 1.1 万 and 11,411, 56 and 55.6; small whole ones must be equal."""
    low, high = sorted((x, y))
    if low >= 1000:
        return high - low <= 0.05 * high
    return low == high or (low >= 10 and round(low) == round(high) and low.is_integer() != high.is_integer())


def shared(a: Numbers, b: Numbers) -> int:
    """How many numbers both titles have, whatever they count; 1 and 2 prove nothing, dates and scores do."""
    amounts = len({value for value in a.values & b.values if value > 2})
    return amounts + bool(a.facts.get("score", frozenset()) & b.facts.get("score", frozenset()))


def agree_in_large(a: Numbers, b: Numbers) -> bool:
    """Whether both titles have an amount that few titles have: 10 米 and 5-0 are in many, 600 亿 is not."""
    return any(value >= _LARGE for value in a.values & b.values)


def one_day(a: Numbers, b: Numbers) -> bool:
    """Whether both name one day, or one month of one year."""
    equal = {kind for kind in a.facts.keys() & b.facts.keys() if a.facts[kind] & b.facts[kind]}
    return "date" in equal or {"year", "month"} <= equal
