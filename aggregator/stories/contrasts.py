"""What makes two nearly equal titles tell different things: a negation, an opposite, names that change places, models.

Each is read once from a folded title; two titles are then compared by what was found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from aggregator import text
from aggregator.stories import aliases, rarity

# What excludes each other of one subject: the words of two sides. A title that has both tells neither.
_OPPOSITES = (
    (
        "涨 大涨 上涨 收涨 明涨 领涨 走高 高开 开高 收高 收升 收市升 市升 指升 股升 反弹 年增 月增 增长 回升 增加",
        "跌 大跌 下跌 收跌 明降 领跌 走低 低开 开低 收低 收市跌 下挫 年减 月减 下降 下滑 减少",
    ),
    ("调涨 加息 上升 涨价 上调 调升", "调降 降息 下降 降价 下调"),
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

# Steps of one affair, grades of one thing, contests of one meeting, things of one kind: two titles that name different
# ones may well be related, and are not surely one event.
_STEPS = (
    (
        "被查 接受审查 落马 投案",
        "双开 开除党籍 被开除",
        "逮捕 被捕 拘捕 刑拘 arrested",
        "公诉 起诉 indicted charged",
        "受审 出庭 开庭 trial",
        "获刑 判刑 被判 判处 sentenced convicted",
        "上诉 appeal appeals",
        "停职 suspended",
        "解职 免职 罢免 撤职 革职 弹劾 fired",
    ),
    ("提名 参选", "当选 胜选 elected", "就职 宣誓 sworn", "辞职 请辞 辞去 下台 resigns"),
    (
        "曝光 爆料 渲染图",
        "定档 预热",
        "预售 预购 预订",
        "开售 首销 发售 开卖 大定",
        "交付",
        "召回 recall",
        "停产 停售 下架",
    ),
    ("发射成功 成功发射 升空", "对接", "进驻", "返回 着陆", "爆炸 失败 失利"),
    ("入列 服役", "海试 试航", "穿越 通过"),
    ("提案 草案 预案", "通过 三读 表决 passes", "签署 签字 signs", "生效 施行 上路", "封杀 否决 搁置 退回 rejects"),
    ("将举行 将于 即将 前夕", "开幕 开始 启动 揭幕", "闭幕 落幕 收官 结束 达成 签署"),
    ("洽谈 考虑", "敲定 达成 签约"),
    ("早盘 开盘 高开 低开", "午评 午盘 午间", "收评 收盘 尾盘 收市"),
    ("a股 沪指 深成指 创业板", "港股 恒指 恒生", "美股 纳指 道指 标普", "日股 日经", "台股"),
    ("停火 休战", "空袭 袭击", "撤军"),
    ("女单", "男单", "女双", "男双", "混双"),
    ("男篮 男排 男足", "女篮 女排 女足"),
    ("冠军 夺冠 金牌 封后 封王", "亚军 银牌", "季军 铜牌", "出局 淘汰 止步"),
    ("最佳女主角 视后 影后", "最佳男主角 视帝 影帝", "最佳导演", "最佳影片"),
    ("参议院 参院 senate", "众议院 众院 house"),
    ("首日 第一天", "次日 第二天 第二日", "末日 最后一天"),
    ("黄色", "橙色", "红色", "蓝色"),
    (
        "地震 强震",
        "台风 飓风",
        "洪水 洪灾 暴雨",
        "火灾 大火 失火 起火",
        "山体滑坡 泥石流 土石流",
        "坠机 空难",
        "气爆",
        "矿难",
        "枪击",
    ),
)

# What comes after an event, or takes it back: what only one of two titles says is another act.
_SEQUELS = (
    "解除 解禁 lifts",
    "暂停 中止 终止 叫停 暂缓 停止 喊卡 suspends pauses halts",
    "取消 撤销 撤回 作废 cancels cancelled scraps",
    "推迟 延期 延后 delays delayed postpones",
    "否认 辟谣 不实 谣言 假消息 乌龙 denies deny denied",
    "驳回 否决 拒绝 封杀 rejects reject blocks",
    "停职",
    "解职 免职 罢免 撤职 革职",
    "反制 报复 反击 retaliate retaliation retaliates",
    "葬礼 追悼会 告别式 安葬 出殡 funeral",
    "悼念 哀悼 致哀 缅怀 吊唁 唁电 mourns",
    "电贺 贺电 致贺 道贺 congratulates",
    "股价 shares stocks",
    "身价",
    "谁将",
    "出庭 受审 开庭 trial",
    "拘捕 被捕 逮捕 arrested",
    "震感 地震感",
    "大定 预售 开售",
    "止步 终结",
    "跟进",
    "上诉 抗诉 appeal appeals",
)


class _Words(NamedTuple):
    """Where each word stands in the lists above, as a core has it, and what finds them all."""

    opposed: Mapping[str, Sequence[tuple[int, int]]]
    stepped: Mapping[str, Sequence[tuple[int, int]]]
    sequent: Mapping[str, int]
    any: re.Pattern[str]


@cache
def _words() -> _Words:
    opposed, stepped = _places(_OPPOSITES), _places(_STEPS)
    sequent = {_as_in_core(word): number for number, words in enumerate(_SEQUELS) for word in words.split()}
    return _Words(opposed, stepped, sequent, re.compile(text.any_of(opposed | stepped | sequent)))


def _places(groups: Sequence[Sequence[str]]) -> dict[str, list[tuple[int, int]]]:
    """For each word the groups that it is in, and the side in each."""
    places: dict[str, list[tuple[int, int]]] = {}
    for number, sides in enumerate(groups):
        for side, words in enumerate(sides):
            for word in words.split():
                places.setdefault(_as_in_core(word), []).append((number, side))
    return places


def _as_in_core(word: str) -> str:
    return aliases.default().applied(text.fold(word))[0]


_NEGATIONS = re.compile(r"(?:未能|未获|未被|没有|不再|不会|并未|拒绝|否认|未|不|没|非|无)(?=(\w\w))")
# Who does it to whom; behind a verb of the second kind it is the other way round.
_DEEDS = re.compile(
    "(?P<done>击败|战胜|力克|大胜|险胜|完胜|横扫|轻取|逆转|超越|取代|起诉|收购|(?<![名获优必全连])胜(?![利诉出率任选地负]))"
    "|负于|不敌|输给|惜败|惨败"
)
_BEATS = re.compile(r"([a-z]+) (?:beats?|defeats?|tops?|edges?|downs?|sues?|overtakes?|acquires?|buys?) ([a-z]+)")
_NO_NAME = re.compile(r"[a-z\d. ]")
_NAME = 8  # characters before and after a deed in which a name stands
_SUBJECT = 2  # characters before one of two opposites by which it is known what it says it of

# Folded: GPT4 is gpt 4. What may follow tells one model from its brothers: iPhone 17 and iPhone 17 Pro.
_VARIANTS = "pro|max|plus|ultra|mini|air|lite|se|fe|thinking|fold|flip|turbo|preview|flash|edge|note|classic|neo"
_MODEL = re.compile(
    rf"(?<![a-z0-9])([a-z]+) (\d+(?:\.\d+)?|[a-z](?: \d+)?)(?![a-z0-9])((?: (?:{_VARIANTS})(?![a-z]))*)"
)

_NO_SIDES: Mapping[tuple[int, int], str] = {}


class Deed(NamedTuple):
    """What stands before and behind a verb, and whether what stands before does it to the other."""

    before: str
    behind: str
    done: bool


@dataclass(frozen=True, slots=True)
class Signs:
    """What a title says that another may contradict: sides of opposites, with the word, and with what stands before
    it; steps, alike; sequels; what it denies; who does it to whom; which models (make, number), and their variants."""

    sides: Mapping[tuple[int, int], str]
    subjects: frozenset[tuple[int, int, str]]
    steps: Mapping[tuple[int, int], str]
    sequels: dict[int, str]
    denied: tuple[str, ...]
    deed: Deed | None
    models: frozenset[tuple[str, str]]
    variants: frozenset[tuple[str, str, str]]


def read(core: str) -> Signs:
    """The signs of a folded title."""
    words = _words()
    said = [(found[0], found.start()) for found in words.any.finditer(core)]
    models = [found for found in _MODEL.findall(core) if found[0] not in rarity.EMPTY]
    return Signs(
        sides={place: word for word, _ in said for place in words.opposed.get(word, ())} or _NO_SIDES,
        subjects=frozenset(
            (*place, core[start - _SUBJECT : start])
            for word, start in said
            if start >= _SUBJECT
            for place in words.opposed.get(word, ())
        ),
        steps={place: word for word, _ in said for place in words.stepped.get(word, ())} or _NO_SIDES,
        sequels={words.sequent[word]: word for word, _ in said if word in words.sequent},
        denied=tuple(_NEGATIONS.findall(core)),
        deed=_deed(core),
        models=frozenset((make, number) for make, number, _ in models),
        variants=frozenset(models),
    )


def _deed(core: str) -> Deed | None:
    if found := _BEATS.search(core):
        return Deed(found[1], found[2], done=True)
    letters = _NO_NAME.sub("", core)
    verb = _DEEDS.search(letters)
    if verb is None:
        return None
    before, behind = letters[max(0, verb.start() - _NAME) : verb.start()], letters[verb.end() : verb.end() + _NAME]
    return Deed(before, behind, verb["done"] is not None)


def found(a: str, b: str, of_a: Signs, of_b: Signs) -> Iterator[tuple[str, str]]:
    """For two folded titles and their signs a code for each contrast, and the words that show it."""
    if words := _apart(of_a.sides, of_b.sides) or _opposed(of_a, of_b):
        yield "opposite", words
    if word := _negated(of_a, of_b, b) or _negated(of_b, of_a, a):
        yield "negation", word
    if of_a.deed and of_b.deed and _swapped(of_a.deed, of_b.deed):
        yield "swapped", ""
    if words := _other_model(of_a, of_b):
        yield "model", words
    if words := _other_variant(of_a, of_b):
        yield "variant", words
    if words := _apart(of_a.steps, of_b.steps):
        yield "step", words
    if one_sided := of_a.sequels.keys() ^ of_b.sequels.keys():
        yield "sequel", min((of_a.sequels | of_b.sequels)[number] for number in one_sided)


def _apart(a: Mapping[tuple[int, int], str], b: Mapping[tuple[int, int], str]) -> str:
    """Two words of sides that exclude each other, where neither title has a side that the other has too."""
    if not a or not b:
        return ""
    common = {number for number, _ in a.keys() & b.keys()}
    for (number, side), word in sorted(a.items()):
        for (same, other), its in sorted(b.items()):
            if number == same and side != other and number not in common and len({s for n, s in a if n == number}) == 1:
                return _both(word, its)
    return ""


def _opposed(a: Signs, b: Signs) -> str:
    """What of both goes into opposite directions, whatever else they say (沪指跌…半导体领涨 and 沪指涨…)."""
    for number, side, subject in sorted(a.subjects - b.subjects):
        if (number, 1 - side, subject) in b.subjects - a.subjects:
            return subject
    return ""


def _negated(a: Signs, b: Signs, said_by_b: str) -> str:
    """What `a` denies and `b` says, without denying anything itself."""
    return "" if b.denied else next((word for word in a.denied if word in said_by_b), "")


def _swapped(a: Deed, b: Deed) -> bool:
    """Whether one does to the other what in the other title is done to him."""
    if not (a.before and a.behind and b.before and b.behind):
        return False
    crossed = _weaker(_shared(a.before, b.behind), _shared(a.behind, b.before))
    straight = _weaker(_shared(a.before, b.before), _shared(a.behind, b.behind))
    return crossed > straight if a.done == b.done else straight > crossed


def _weaker(one: int, other: int) -> int:
    return min(one, other) and one + other


def _shared(x: str, y: str) -> int:
    """How much of two names is one: a word, or pairs of characters."""
    if x.isascii():
        return int(x == y)
    return sum(x[start : start + 2] in y for start in range(len(x) - 1))


def _other_model(a: Signs, b: Signs) -> str:
    """A model that one title names where the other names another one of the same make or series."""
    if a.models & b.models:
        return ""
    for make, number in sorted(a.models):
        for other_make, other in sorted(b.models):
            if make == other_make or (number == other and number.isalpha()):
                return _both(f"{make} {number}", f"{other_make} {other}")
    return ""


def _other_variant(a: Signs, b: Signs) -> str:
    """A model of which each title names another variant, or only one names one."""
    if a.variants & b.variants:
        return ""
    for make, number, variant in sorted(a.variants):
        for other_make, other, its in sorted(b.variants):
            if (make, number) == (other_make, other):
                return _both(f"{make} {number}{variant}", f"{make} {number}{its}")
    return ""


def _both(one: str, other: str) -> str:
    """Two words in one order, whichever title has which."""
    return "/".join(sorted((one, other)))
