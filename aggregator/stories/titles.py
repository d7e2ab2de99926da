"""What a title says, taken apart once: its core, its numbers, its names, who speaks.

Digits, dates and marks are read from the title as it came; what is compared is folded, without what the source puts
around it, with aliases brought to one.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from aggregator import text
from aggregator.stories import aliases, contrasts, numbers, rarity

_FILE = Path(__file__).parent.parent / "data" / "wrappings.txt"

# A rubric in brackets before a title, a mark that parts a rubric from it, a tail behind a mark.
_BRACKETED = re.compile(
    r"\s*(?:【([^】]{1,16})】|\[([^\]]{1,16})\]|［([^］]{1,16})］|〔([^〕]{1,16})〕|[（(]([^）)]{1,8})[）)])\s*"
)
_HEAD = re.compile(r"\s*([^\s／/》丨｜|：:！!·•]{1,16})\s*(?:[／》丨｜|：:！!·•]|/(?!\d))\s*")
_TAIL = re.compile(r"(?:\s+[-–—|｜丨_·•]\s+|\s*[_｜丨|]\s*|\s*-(?!\d+$))([^-_｜丨|]{1,24})$")
_TAIL_BRACKETED = re.compile(r"\s*[（(【\[]([^）)】\]]{1,8})[）)】\]]\s*$")
_SPEAKER = re.compile(r"([^\s：:，,。！!？?；;／/》」』”【】|｜丨]{2,14})[：:](?!\d)")
# Days and times: what is told twice on one day has them in common with everything else of that day.
_CALENDAR = re.compile(
    r"(?:(?:19|20)\d\d\s?[年./-]\s?)?\d{1,2}\s?[月./-]\s?\d{1,2}\s?日(?:[上下]午)?|(?:19|20)\d\d[./-]\d{1,2}[./-]\d{1,2}"
    r"|(?<!\d)(?:19|20)\d{6}(?!\d)|(?:星期|周|週|礼拜|禮拜)\s?[一二三四五六日天]|(?:19|20)\d\d年(?=\D|$)"
)
_LETTER = re.compile(r"\w")
_NO_LETTER = re.compile(r"\W+")
# A round-up: titles of several stories in one.
_SEVERAL = re.compile(r"\w{5}[；;]\s?\S*\w{5}")
_CALL = re.compile(r"\W*(\w{2,8})(?:[！!，,。？?】]|\s*[｜|丨]|\s(?=\w{6}))")
# Organisations that no table lists, by the end of their names.
_ORGANISATION = re.compile(r"[\u4e00-\u9fff]{2}(?:大学|学院|银行|中学|小学|证券|基金|药房)")
ORGANISATIONS = "organisations"
_WORK = re.compile(r"《([^》]{2,30})》|中华人民共和国(\w{2,8}?法)")  # a law, too, is named by its title
_LEAST_LEFT = 6  # characters of a title that must be left when something is taken off

_NO_NAMES: Mapping[str, frozenset[str]] = {}
_NUMERAL = "0"
_DIGITS = re.compile(r"[0-9.]+|[〇零一二三四五六七八九十百千两]+|(?<=[周期星])[日天末]|\b[ivx]+\b")


@dataclass(frozen=True, slots=True)
class Reading:
    """A title taken apart.

    `letters` are the letters and digits of the folded title, `mask` those with a mark for each numeral. `core` is the
    folded title without wrappings and dates, with aliases brought to one, `tail` that without a first call; `units` are
    its characters and words, `words` those of Latin letters in a title of another script. `names` are people, places,
    companies and organisations by kind, `works` what stands between 《 and 》. `speakers` are folded. `calendar` is the
    share of dates in the title. The rest says whether it has words of reaction, of background, of what is made of an
    event, and whether it collects several stories.
    """

    letters: str
    core: str
    tail: str
    mask: str
    units: frozenset[str]
    numbers: numbers.Numbers
    names: Mapping[str, frozenset[str]]
    words: frozenset[str]
    speakers: tuple[str, ...]
    signs: contrasts.Signs
    works: frozenset[str]
    calendar: float
    reacts: bool
    explains: bool
    offers: bool
    collects: bool


# Some 5 kB each; an entry is compared again and again while its event is news.
@lru_cache(maxsize=4096)
def read(title: str, source: str, table: aliases.Aliases) -> Reading:
    """What `title` says, in an entry of the source of that name."""
    folded = text.fold(title)
    letters = _NO_LETTER.sub("", folded)
    bare = unwrapped(title, source)
    dateless = _CALENDAR.sub(" ", bare)
    core, names = _core(title, folded, dateless, table)
    units = list(map(sys.intern, rarity.units(core)))
    return Reading(
        letters=letters,
        core=core,
        tail=_tail(core, dateless, table),
        mask=_NO_LETTER.sub("", _DIGITS.sub(_NUMERAL, folded)) if _DIGITS.search(folded) else letters,
        units=frozenset(units),
        numbers=numbers.read(title),
        names=_by_kind([*names.items(), *((name, ORGANISATIONS) for name in _ORGANISATION.findall(core))]),
        words=frozenset(unit for unit in units if unit.isascii() and not unit[0].isdigit() and not core.isascii()),
        speakers=tuple(_speakers(bare, table)),
        signs=contrasts.read(core),
        works=frozenset(table.applied(_folded("".join(work)))[0] for work in _WORK.findall(title)),
        calendar=1 - len(_LETTER.findall(dateless)) / (len(_LETTER.findall(bare)) or 1),
        reacts=_says(folded, "reactions"),
        explains=_says(folded, "background"),
        offers=_says(folded, "formats"),
        collects=(_SEVERAL.search(title) or _collecting().search(title)) is not None,
    )


def core(title: str, folded: str, source: str, table: aliases.Aliases) -> str:
    """The `core` of `read` alone; `folded` is the folded title."""
    return _core(title, folded, _CALENDAR.sub(" ", unwrapped(title, source)), table)[0]


def _core(title: str, folded: str, dateless: str, table: aliases.Aliases) -> tuple[str, Mapping[str, str]]:
    """The core, and the names in it with their kinds."""
    return table.applied(folded if dateless == title else text.fold(dateless))


def _by_kind(names: Sequence[tuple[str, str]]) -> Mapping[str, frozenset[str]]:
    kinds = {kind for _, kind in names}
    return {kind: frozenset(name for name, its in names if its == kind) for kind in kinds} if kinds else _NO_NAMES


@lru_cache(maxsize=4096)
def pairs(core: str) -> frozenset[str]:
    """The pairs of neighbouring characters of a core, and its words."""
    return frozenset(rarity.pairs(core))


def _tail(core: str, bare: str, table: aliases.Aliases) -> str:
    """What follows a short first clause, which in many titles only calls (车主注意！); empty if there is none."""
    call = _CALL.match(bare)
    head = table.applied(_folded(call[1]))[0] if call else ""
    return core[len(head) :].lstrip() if head and core.startswith(head) else ""


def _speakers(bare: str, table: aliases.Aliases) -> list[str]:
    """Who speaks in a title: before a colon, or before a verb of saying."""
    said = _SPEAKER.findall(bare) or _saying().findall(bare)[-1:]
    return [table.applied(_folded(name))[0] for name in said]


def _says(folded: str, section: str) -> bool:
    return _any_of(section).search(folded) is not None


# ---------------------------------------------------------------------------------------------- wrappings


def unwrapped(title: str, source: str) -> str:
    """`title` without rubrics, source names and the account's own name around it, as far as enough is left."""
    title = unicodedata.normalize("NFC", title).strip()
    own = _folded(source)
    shorter = _without_one(title, own)
    while shorter != title:
        title, shorter = shorter, _without_one(shorter, own)
    return title


def _without_one(title: str, own: str) -> str:
    """`title` without the first wrapping that is found; itself when there is none."""
    head = _BRACKETED.match(title)
    if head and _enough(title[head.end() :]):
        return title[head.end() :]
    head = _HEAD.match(title)
    if head and _is_wrapping(head[1], own) and _enough(title[head.end() :]):
        return title[head.end() :]
    for pattern in (_TAIL_BRACKETED, _TAIL):
        tail = pattern.search(title)
        if tail and _is_tail(tail, own, title) and _enough(title[: tail.start()]):
            return title[: tail.start()]
    return title


def _enough(left: str) -> bool:
    return len(_LETTER.findall(left)) >= _LEAST_LEFT


def _is_wrapping(said: str, own: str) -> bool:
    folded = _folded(said)
    return folded in _words("rubrics") or folded in _words("sources") or _is_own_name(folded, own)


def _is_tail(tail: re.Match[str], own: str, title: str) -> bool:
    """Whether what stands behind the last mark is no part of the title: a rubric or a name of a source, also several
    of them; or, behind a mark set in blanks, something short that is not the longer part."""
    parts = [part for part in re.split(r"\s*[-–—|｜丨_·•]\s*", tail[1]) if part]
    if all(_is_wrapping(part, own) for part in parts):
        return True
    return (
        tail[0].startswith((" | ", " ｜ ", " _ ", "_")) and len(tail[1]) * 3 < len(title) and not numbers.read(tail[1])
    )


def _is_own_name(folded: str, own: str) -> bool:
    """Whether a folded name is the source's own: it is part of it, or the other way round, or nearly it."""
    if len(folded) < 2 or not own:
        return False
    if folded in own or own in folded:
        return True
    shared = len(set(folded) & set(own))
    return shared >= 2 and shared * 4 >= 3 * max(len(set(folded)), len(set(own)))


@cache
def _any_of(section: str) -> re.Pattern[str]:
    """What finds any of the words of one section; those of Latin letters only whole."""
    return re.compile(text.any_of(_words(section)))


_folded = lru_cache(maxsize=4096)(text.fold)  # of what stands around titles, which is said again and again


@cache
def _saying() -> re.Pattern[str]:
    """Who says something without a colon: 張安樂反嗆, 律師怒轟."""
    name = r"(?:^|[\s，,！!？?」』”》])([^\s，,：:！!？?「」『』“”《》、]{2,5}?)"
    return re.compile(f"{name}{text.any_of(_section('verbs'))}(?![：:])")


@cache
def _collecting() -> re.Pattern[str]:
    """The name of a column that collects stories, set apart by a mark."""
    return re.compile(rf"(?:{'|'.join(_section('collections'))})(?:[^\w\s]|\s*[|｜丨]|$)")


@cache
def _words(section: str) -> frozenset[str]:
    """The folded words of one section; a blank within a word is written as an underscore."""
    return frozenset(text.fold(word.replace("_", " ")) for word in _section(section))


def _section(name: str) -> list[str]:
    """The words of one section of our file, as they are written."""
    said = _FILE.read_text("utf-8").partition(f"[{name}]\n")[2].partition("\n[")[0]
    return " ".join(line for line in said.splitlines() if not line.startswith("#")).split()
