"""Text: cleaned for people, folded for comparing, and which script it is in.

A folded text is never shown. It has one spelling for what a reader takes for the same: NFKC, lower case, no
punctuation, 简体 (words too: 軟體 is 软件). Han characters stand without blanks between them, words of other scripts
with one. OpenCC is loaded when the first 繁體 text comes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

_LINE_BREAK = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# Controls but for tab and line feed, lone surrogates, BOM, noncharacters (Unicode 23.7).
# (Ranges beyond the first plane are slow to look through, so that the few characters there are looked at twice.)
_FORBIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufdd0-\ufdef\ufffe\uffff\U00010000-\U0010ffff](?<!["
    + "".join(f"{chr(plane << 16)}-{chr(plane << 16 | 0xFFFD)}" for plane in range(1, 17))
    + "])"
)
_BIDI = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_EMBEDDINGS, _POP_EMBEDDING = frozenset("\u202a\u202b\u202d\u202e"), "\u202c"
_ISOLATES, _POP_ISOLATE = frozenset("\u2066\u2067\u2068"), "\u2069"

# Nearly every text: nothing to remove, and nothing that NFC would join or change.
_CLEAN = re.compile(
    r"[ -~\t\n\xa0-\u02ff\u2010-\u2027\u2030-\u205e\u3000-\u3029\u3041-\u3096\u30a1-\u30fe\u4e00-\u9fff\uff01-\uff9f]*+"
)

# CPython orders combining marks in quadratic time. Unicode's stream-safe format (UAX 15, section 13) allows 30.
_MAX_MARKS = 30
_MARKS = re.compile(rf"[^\w\s\x00-\x7f][^\w\s\x00-\x7f]{{{_MAX_MARKS},}}")

# Characters that are not seen, and so make no difference to a reader: soft hyphen, zero-width and bidi marks,
# variation selectors.
_UNSEEN = re.compile(r"[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
# What NFKC makes of the punctuation that no Chinese text is without; and the text that it would leave as it is then.
_WIDE = (*zip("，：；！？（）", ",:;!?()", strict=True), ("…", "..."))
_ORDINARY = re.compile(r"[ -~\n\xb7\u2013\u2014\u2018\u2019\u201c\u201d\u3001-\u301b\u4e00-\u9fff]*+")
_HAN = r"\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA = r"\u3041-\u30ff\u31f0-\u31ff"
# The patterns below begin with a character to look for, which `re` finds fast, and look back from behind it.
_THOUSANDS = re.compile(r",(?<=\d,)(?=\d{3}(?!\d))")
# A point within a number and the plus signs of C++, 5+ stay; so does the sharp of C# and F#.
# (Why no group is repeated possessively: tests/test_patterns.py.)
_WORDS = re.compile(r"[^\W_][^\W_]*(?:(?:\.(?<=\d\.)(?=\d)|(?<=[a-z0-9])\++|(?<=(?<![a-z0-9])[cf])#)[^\W_]*)*")
# GPT-4, GPT4 and GPT 4 are one.
_DIGIT_BEFORE = re.compile(r"[0-9](?=[a-z])")
_DIGIT_AFTER = re.compile(r"[0-9](?<=[a-z][0-9])")
_BLANK_BY_HAN = re.compile(rf" (?:(?=[{_HAN}{_KANA}])|(?<=[{_HAN}{_KANA}] ))")

_HAN_LETTERS = re.compile(f"[{_HAN}]+")
_KANA_LETTERS = re.compile(r"[\u3041-\u306d\u306f-\u3096\u30a1-\u30fa]+")  # without の, which Chinese brands love
_HANGUL_LETTERS = re.compile(r"[\uac00-\ud7a3]+")
_LATIN_LETTERS = re.compile(r"[A-Za-z]+")
_OTHER_LETTERS = re.compile(rf"[^\W\d_A-Za-z{_HAN}{_KANA}]+")

# Shares of a text's letters from which on they decide its language.
_KANA_SHARE = 0.05
_HANGUL_SHARE = 0.2
_OTHER_SHARE = 0.05
# A Han character says as much as this many Latin letters.
_LETTERS_PER_HAN = 8
# Conversions in a row until none changes anything; two were enough for every text that we have seen.
_MAX_CONVERSIONS = 4


# ---------------------------------------------------------------------------------------------- for people


def clean(text: str) -> str:
    """`text` as it may be stored, shown and logged: NFC, line breaks as `\\n`, no controls (but tab and line feed),
    lone surrogates, noncharacters or bidi marks without their partner in the same line."""
    if _CLEAN.fullmatch(text):
        return text
    text = _FORBIDDEN.sub("", _LINE_BREAK.sub("\n", text))
    if _BIDI.search(text):
        text = "\n".join(map(_balanced, text.split("\n")))
    return unicodedata.normalize("NFC", _stream_safe(text))


def one_line(text: str) -> str:
    """`text` cleaned, its runs of white space single blanks, none at the ends."""
    return " ".join(clean(text).split())


def language_tag(said: str | None) -> str | None:
    """What a document says its language is, if it has the form of a tag (RFC 5646) or a locale (`zh_CN`); else None."""
    tag = one_line(said or "").replace("_", "-")
    return tag if tag and len(tag) <= 35 and all(part.isalnum() and part.isascii() for part in tag.split("-")) else None


def _balanced(line: str) -> str:
    """`line` without bidi marks that open or close nothing (UAX 9, BD9 and BD11)."""
    opened: list[int] = []
    matched: set[int] = set()
    for match in _BIDI.finditer(line):
        mark, place = match.group(), match.start()
        if mark in _EMBEDDINGS or mark in _ISOLATES:
            opened.append(place)
        elif mark == _POP_EMBEDDING:
            if opened and line[opened[-1]] in _EMBEDDINGS:
                matched.update((opened.pop(), place))
        else:
            while opened and line[opened[-1]] in _EMBEDDINGS:
                opened.pop()
            if opened:
                matched.update((opened.pop(), place))
    return _BIDI.sub(lambda match: match.group() if match.start() in matched else "", line)


def _stream_safe(text: str) -> str:
    return _MARKS.sub(_few_marks, text)


def _few_marks(run: re.Match[str]) -> str:
    kept: list[str] = []
    marks = 0
    for character in run.group():
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= _MAX_MARKS:
            kept.append(character)
    return "".join(kept)


# ---------------------------------------------------------------------------------------------- for comparing


def fold(text: str) -> str:
    """The one spelling under which texts are compared; `fold` of a folded text is itself."""
    folded = _spelled(text)
    for _ in range(_MAX_CONVERSIONS):
        if not _hant_letter().search(folded) or script(folded) != "zh-Hant":
            break
        converted = _spelled(_converter("tw2sp")(folded))
        if converted == folded:
            break
        folded = converted
    return folded


def signed(text: str) -> str:
    """What `fold` leaves of a text but for the signs: NFKC, lower case, 简体, with the punctuation as it stands."""
    return simplified(_lower(text))


def simplified(text: str) -> str:
    """`text` in 简体, words too (軟體 is 软件), if any 繁體 stands in it; punctuation and case stay."""
    converted: str = _converter("tw2sp")(text) if _hant_letter().search(text) else text
    return converted


def contains(folded: str, word: str) -> bool:
    """Whether the folded `word` occurs in `folded`: whole words of Latin, Greek and Cyrillic letters and whole
    numbers, anywhere in other scripts. An empty word occurs nowhere."""
    start = folded.find(word) if word else -1
    while start >= 0:
        end = start + len(word)
        before, after = folded[start - 1 : start], folded[end : end + 1]
        if not (_continues(before, word[0]) or _continues(word[-1], after) or _is_named(word, after)):
            return True
        start = folded.find(word, start + 1)
    return False


def any_of(words: Iterable[str]) -> str:
    """A pattern that finds any of these words in a text, at one place the longest; those of Latin letters only whole.

    It looks for a character that some word begins with before it tries the words: six times as fast with eighty.
    """
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    beginnings = "".join(sorted({re.escape(word[0]) for word in longest_first}))
    escaped = (rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word) for word in longest_first)
    return f"(?=[{beginnings}])(?:{'|'.join(escaped)})"


def grams(folded: str, n: int) -> set[str]:
    """All runs of `n` characters; a shorter text is one gram itself, an empty one has none."""
    if len(folded) <= n:
        return {folded} if folded else set()
    return {folded[start : start + n] for start in range(len(folded) - n + 1)}


def _spelled(text: str) -> str:
    """Everything of `fold` but the conversion of 繁體."""
    words = " ".join(_WORDS.findall(_THOUSANDS.sub("", _lower(text))))
    words = _DIGIT_BEFORE.sub(lambda digit: f"{digit[0]} ", words)
    words = _DIGIT_AFTER.sub(lambda digit: f" {digit[0]}", words)
    return _BLANK_BY_HAN.sub("", words)


def _lower(text: str) -> str:
    """What is seen of `text`, NFKC and case folded (Unicode 3.13, D146), until both hold."""
    if text.isascii():
        return text.lower()
    for wide, narrow in _WIDE:
        text = text.replace(wide, narrow)
    if _ORDINARY.fullmatch(text):
        return text.lower()
    lower = unicodedata.normalize("NFKC", _stream_safe(_UNSEEN.sub("", text))).casefold()
    while not unicodedata.is_normalized("NFKC", lower):
        lower = unicodedata.normalize("NFKC", lower).casefold()
    return lower


def _continues(before: str, after: str) -> bool:
    """Whether a word or number goes on from `before` to `after`, each one character or none."""
    return _in_word(before) and _in_word(after)


def _is_named(word: str, after: str) -> bool:
    """Whether a letter that `word` is, or ends with, is another name with the sign after it: C is not C++ nor C#."""
    return after in ("+", "#") and word[-1].isalpha() and not _in_word(word[-2:-1])


def _in_word(character: str) -> bool:
    return character == "." or (character.isalnum() and (character < "\u0590" or "\u1e00" <= character < "\u2000"))


# ---------------------------------------------------------------------------------------------- scripts


class _Distinctive(NamedTuple):
    """The characters that only 繁體 has, and those that only 简体 has."""

    hant: frozenset[str]
    hans: frozenset[str]


def script(text: str) -> str | None:
    """The language that the characters of `text` give away: zh-Hans, zh-Hant, ja, ko, en; None where they do not.

    Chinese that uses only characters of both scripts is None. `en` means hardly any letter outside A to Z.
    """
    if text.isascii():
        return "en" if _LATIN_LETTERS.search(text) else None
    han, latin = _count(_HAN_LETTERS, text), _count(_LATIN_LETTERS, text)
    kana, hangul = _count(_KANA_LETTERS, text), _count(_HANGUL_LETTERS, text)
    eastern = han + kana + hangul
    if eastern and eastern * _LETTERS_PER_HAN >= latin:
        return _eastern(text, kana / eastern, hangul / eastern)
    return "en" if latin and _count(_OTHER_LETTERS, text) <= _OTHER_SHARE * latin else None


def _eastern(text: str, kana: float, hangul: float) -> str | None:
    if hangul >= _HANGUL_SHARE:
        return "ko"
    if kana >= _KANA_SHARE:
        return "ja"
    characters = frozenset(text)
    hant, hans = (len(characters & distinctive) for distinctive in _distinctive())
    if hant == hans == 0:
        return None
    return "zh-Hant" if hant > hans else "zh-Hans"


def _count(pattern: re.Pattern[str], text: str) -> int:
    return sum(map(len, pattern.findall(text)))


@cache
def _distinctive() -> _Distinctive:
    data = (Path(__file__).parent / "data" / "scripts.txt").read_text("utf-8")
    hant, hans = data.partition("\nzh-Hant\n")[2].split("\nzh-Hans\n")
    return _Distinctive(frozenset(hant) - {"\n"}, frozenset(hans) - {"\n"})


@cache
def _hant_letter() -> re.Pattern[str]:
    return re.compile(f"[{''.join(_distinctive().hant)}]")


@cache
def _converter(name: str) -> Callable[[str], str]:
    import opencc

    convert: Callable[[str], str] = opencc.OpenCC(name).convert
    return convert
