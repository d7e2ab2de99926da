"""What makes two nearly equal titles tell different things: a negation, an opposite, names that change places, models.

Each is read once from a folded title; two titles are then compared by what was found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aggregator import text
from aggregator.stories import rarity

# What excludes each other of one subject: the words of two sides. A title that has both tells neither.
_OPPOSITES = (
    ("涨 大涨 上涨 收涨 走高 反弹 年增 月增 增长 回升 增加", "跌 大跌 下跌 收跌 走低 下挫 年减 月减 下降 下滑 减少"),
    ("调涨 加息 上升 涨价", "调降 降息 下降 降价"),
    ("加息 降息", "利率不变"),
    ("突破 升破", "跌破"),
    ("多花", "少花"),
    ("通过 获批 批准", "驳回 未通过 未获通过 搁置"),
    ("有罪", "无罪"),
    ("抵达 抵台", "离开 离台"),
    ("启动 恢复 解禁 重启", "暂停 中止 叫停 取消 终止"),
    ("新高", "新低"),
    ("超预期", "不及预期 低于预期"),
    ("盈利 扭亏", "亏损 预亏"),
    ("当选", "败选"),
    ("限制", "恢复"),
    ("买入 增持", "卖出 减持"),
    ("开幕", "闭幕 落幕"),
    ("完成", "驳回 失败"),
    ("抢先看 前瞻 倒计时", "落幕 回顾 总结"),
    ("赢 胜", "输 负"),
    ("rises rise rose gains surges jumps", "falls fall fell drops slumps plunges"),
    ("wins win beats", "loses lose lost"),
    ("approves approve", "rejects reject"),
)
_SIDES: dict[str, list[tuple[int, int]]] = {}
for _number, _sides in enumerate(_OPPOSITES):
    for _side, _words in enumerate(_sides):
        for _word in _words.split():
            _SIDES.setdefault(_word, []).append((_number, _side))
_OPPOSED = re.compile(text.any_of(_SIDES))

_NEGATIONS = re.compile(r"(?:未能|未获|未被|没有|不再|不会|并未|拒绝|否认|未|不|没|非|无)(?=(\w\w))")
_DEFEATS = re.compile("击败|逆转|负于|不敌|输给|超越|取代|起诉|收购")
_BEATS = re.compile(r"([a-z]+) (?:beats?|defeats?|tops?|edges?|downs?|sues?|overtakes?|acquires?|buys?) ([a-z]+)")
_NO_NAME = re.compile(r"[a-z\d. ]")
_NAME = 4  # characters before and after a defeat that may be a name
_MODEL = re.compile(r"(?<![a-z0-9])([a-z]+) (\d+(?:\.\d+)?|[a-z])(?![a-z0-9])")  # folded: GPT4 is gpt 4


_NO_SIDES: Mapping[tuple[int, int], str] = {}


@dataclass(frozen=True, slots=True)
class Signs:
    """What a title says that another may contradict: sides of opposites, with the word; what it denies; who defeats
    whom; which models (make, number)."""

    sides: Mapping[tuple[int, int], str]
    denied: tuple[str, ...]
    defeat: tuple[str, str] | None
    models: frozenset[tuple[str, str]]


def read(core: str) -> Signs:
    """The signs of a folded title."""
    sides = {side: word for word in _OPPOSED.findall(core) for side in _SIDES[word]}
    return Signs(
        sides=sides or _NO_SIDES,
        denied=tuple(_NEGATIONS.findall(core)),
        defeat=_defeat(core),
        models=frozenset((make, number) for make, number in _MODEL.findall(core) if make not in rarity.EMPTY),
    )


def _defeat(core: str) -> tuple[str, str] | None:
    if found := _BEATS.search(core):
        return found[1], found[2]
    letters = _NO_NAME.sub("", core)
    verb = _DEFEATS.search(letters)
    return verb and (letters[max(0, verb.start() - _NAME) : verb.start()], letters[verb.end() : verb.end() + _NAME])


def found(a: str, b: str, of_a: Signs, of_b: Signs) -> Iterator[tuple[str, str]]:
    """For two folded titles and their signs a code for each contrast, and the words that show it."""
    if words := _opposed(of_a, of_b) or _opposed(of_b, of_a):
        yield "opposite", words
    if word := _negated(of_a, of_b, b) or _negated(of_b, of_a, a):
        yield "negation", word
    if of_a.defeat and of_b.defeat and _swapped(of_a.defeat, of_b.defeat):
        yield "swapped", ""
    if words := _other_model(of_a, of_b):
        yield "model", words


def _opposed(a: Signs, b: Signs) -> str:
    for (number, side), word in a.sides.items():
        other = (number, 1 - side)
        if other in b.sides and other not in a.sides and (number, side) not in b.sides:
            return _both(word, b.sides[other])
    return ""


def _negated(a: Signs, b: Signs, said_by_b: str) -> str:
    """What `a` denies and `b` says, without denying anything itself."""
    return "" if b.denied else next((word for word in a.denied if word in said_by_b), "")


def _swapped(a: tuple[str, str], b: tuple[str, str]) -> bool:
    crossed = _share(a[0], b[1]) and _share(a[1], b[0])
    return crossed and not _share(a[0], b[0])


def _share(x: str, y: str) -> bool:
    """Whether two names may be one: equal words, or two characters in common."""
    if x.isascii():
        return x == y
    return any(x[start : start + 2] in y for start in range(len(x) - 1))


def _other_model(a: Signs, b: Signs) -> str:
    """A model that one title names where the other names another one of the same make or series."""
    if a.models & b.models:
        return ""
    for make, number in sorted(a.models):
        for other_make, other in sorted(b.models):
            if make == other_make or (number == other and number.isalpha()):
                return _both(f"{make} {number}", f"{other_make} {other}")
    return ""


def _both(one: str, other: str) -> str:
    """Two words in one order, whichever title has which."""
    return "/".join(sorted((one, other)))
