"""Single values: how a scalar was typed, and what text, numbers, durations and sizes are made of it.

Each reader takes a value of a `document.Document` and the `Context`, and returns the value or raises `BadValueError`. A
complaint shows a value as it was typed, never what a variable stands for.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from aggregator.config import syntax
from aggregator.variables import VARIABLE


class BadValueError(ValueError):
    """A value cannot be taken; the text completes "`key`: …". `key` names a key inside of it as the culprit."""

    def __init__(self, message: str, hint: str = "", key: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.key = key


@dataclass(frozen=True, slots=True)
class Context:
    """What values may refer to: the configuration's folder, and the variables behind `${NAME}`."""

    folder: Path
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Plain:
    """A scalar without quotes that some YAML reader takes for something else than text. `kind` is what."""

    typed: str
    kind: str


# Kinds of unquoted scalars, over YAML 1.1 and 1.2. `number` is what both read alike.
_KINDS = re.compile(
    r"""(?P<blank>~|null|Null|NULL|)
    |(?P<truth>true|True|TRUE|false|False|FALSE)
    |(?P<switch>yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)
    |(?P<number>[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?)
    |(?P<time>[-+]?[0-9]+(?::[0-5]?[0-9])+(?:\.[0-9_]*)?)
    |(?P<date>[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:.*)?)
    |(?P<odd>0x[0-9a-fA-F_]+|0o[0-7_]+|[-+]?0b[01_]+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)
        |[-+]?(?:\.[0-9][0-9_]*|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?)""",
    re.VERBOSE,
)
_FIRST_LETTERS = frozenset("~nNtTfFyYoO-+.0123456789")
_MEANINGS = {
    "truth": "a truth value",
    "switch": "a truth value",
    "time": "a number to base 60",
    "date": "a date",
    "odd": "another number than it looks like",
}

_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_DURATION = re.compile(
    r"0|(?:([0-9]{1,10})d)?(?:([0-9]{1,10})h)?(?:([0-9]{1,10})m)?(?:([0-9]{1,10})s)?(?:([0-9]{1,13})ms)?"
)
_LONGEST = timedelta(days=36_500)
_DURATIONS = "write it as 30m, 6h, 1d, 1h30m or 90s"
_SIZE = re.compile(r"([0-9]{1,15})(B|KB|MB|GB|KiB|MiB|GiB)")
_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def plain(token: str) -> str | Plain:
    """The unquoted scalar `token`: a text, unless it looks like something else."""
    if token and token[0] not in _FIRST_LETTERS:
        return token
    kind = _KINDS.fullmatch(token)
    return Plain(token, str(kind.lastgroup)) if kind else token


def is_blank(value: object) -> bool:
    """Whether the key was left without a value."""
    return isinstance(value, Plain) and value.kind == "blank"


def typed(value: object) -> str:
    """A single value as it was typed, its variables not filled in."""
    return value.typed if isinstance(value, Plain) else str(value)


def shown(value: object) -> str:
    """The value as it was typed, in quotes and short, for a message."""
    text = typed(value)
    return f"'{text}'" if len(text) <= 60 else f"'{text[:60]}…'"


def nearest(word: str, known: Iterable[str]) -> str:
    """The one of `known` that was probably meant by `word`, or nothing."""
    by_key = {_loose(name): name for name in known}
    loose = _loose(word)
    begun = [name for name in by_key if len(loose) >= 3 and name.startswith(loose)]
    found = begun or difflib.get_close_matches(loose, by_key, n=1, cutoff=0.7)
    return by_key[found[0]] if found else ""


def _loose(word: str) -> str:
    return word.casefold().replace("-", "_")


def scalar(value: object, context: Context) -> str:
    """A value in a format of its own, as typed, with its variables filled in."""
    if is_blank(value):
        raise BadValueError("has no value", "write one, or remove the key")
    if isinstance(value, Plain):
        return value.typed
    if not isinstance(value, str):
        raise BadValueError(f"must be a single value, not {form(value)}")
    filled = fill(value, context.environ) if "$" in value else value
    if _CONTROL.search(filled):
        raise BadValueError("holds a line break or another control character", "write it in one line")
    return filled


def form(value: object) -> str:
    """In words, what stands there."""
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "keys with values"
    return "nothing" if is_blank(value) else "a single value"


def text(value: object, context: Context) -> str:
    """A free text, not empty. What YAML may take for something else must be quoted."""
    if isinstance(value, Plain) and value.kind in _MEANINGS:
        raise BadValueError(f"to YAML {value.typed} is {_MEANINGS[value.kind]}", f"put it in quotes: '{value.typed}'")
    result = scalar(value, context)
    if not result.strip():
        raise BadValueError("is empty", "write a text, or remove the key")
    return result


def any_text(value: object, context: Context) -> str:
    """A free text that may be empty."""
    return "" if value == "" else text(value, context)


def fill(template: str, environ: Mapping[str, str]) -> str:
    """`template` with each `${NAME}` replaced by the variable, and `$${` by `${`."""

    def replace(found: re.Match[str]) -> str:
        if found["escaped"]:
            return "${"
        name = found["name"]
        if name is None or not _VARIABLE_NAME.fullmatch(name):
            raise BadValueError("${ begins a variable's name, ${NAME}", "write $${ for the characters themselves")
        if name not in environ:
            hint = f"set it where the daemon is started, or write $${{{name}}} for the characters themselves"
            raise BadValueError(f"the environment variable {name} is not set", hint)
        return environ[name]

    return VARIABLE.sub(replace, template)


def not_a(thing: str, value: object, how: str) -> BadValueError:
    """The complaint that `value` is not `thing`; `how` says how one is written."""
    return BadValueError(f"{shown(value)} is not {thing}", syntax.full_width(typed(value)) or how)


def boolean(value: object, context: Context) -> bool:
    """`true` or `false`, nothing else."""
    word = scalar(value, context)
    if isinstance(value, Plain) and value.kind == "truth":
        return word.lower() == "true"
    meant = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(word.lower(), "true or false")
    if word.lower() in ("true", "false"):
        raise BadValueError(f"{shown(value)} is a text here", "write true or false without quotes")
    raise not_a("true or false", value, f"write {meant}")


def whole(value: object, context: Context, *, least: int, most: int) -> int:
    """A whole number from `least` to `most`."""
    word = scalar(value, context)
    how = f"write a whole number from {least} to {most}, in plain digits and without quotes"
    if not isinstance(value, Plain) or value.kind != "number" or not word.isdecimal():
        raise not_a("a whole number", value, how)
    if len(word) > 9 or not least <= int(word) <= most:
        raise BadValueError(f"{shown(value)} is out of bounds", how)
    return int(word)


def decimal(value: object, context: Context, *, least: float, most: float) -> float:
    """A number from `least` to `most`, with or without decimals."""
    word = scalar(value, context)
    how = f"write a number from {least:g} to {most:g}, such as 0.5, without quotes"
    if not isinstance(value, Plain) or value.kind != "number":
        raise not_a("a number", value, how)
    if not least <= float(word) <= most:
        raise BadValueError(f"{shown(value)} is out of bounds", how)
    return float(word)


def optional_decimal(value: object, context: Context, *, least: float, most: float) -> float:
    """A number, or infinity for `none`."""
    return math.inf if value == "none" else decimal(value, context, least=least, most=most)


def duration(value: object, context: Context, *, least: timedelta = timedelta(0)) -> timedelta:
    """A duration such as `1h30m`, at least `least`, at most a hundred years."""
    word = scalar(value, context)
    found = _DURATION.fullmatch(word)
    if not found or not word:
        raise not_a("a duration", value, _DURATIONS)
    days, hours, minutes, seconds, milliseconds = (int(part or 0) for part in found.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds + milliseconds / 1000
    if total < least.total_seconds():
        raise BadValueError(f"{shown(value)} is too short", f"the least is {duration_text(least)}")
    if total > _LONGEST.total_seconds():
        raise BadValueError(f"{shown(value)} is too long", f"the most is {duration_text(_LONGEST)}")
    return timedelta(seconds=total)


def optional_duration(value: object, context: Context, *, least: timedelta) -> timedelta | None:
    """A duration, or None for `none`."""
    return None if value == "none" else duration(value, context, least=least)


def duration_text(value: timedelta) -> str:
    """The way a duration is written in YAML, in the largest unit that it is whole in: `24h`, `90s`."""
    for unit, one in (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1))):
        count, rest = divmod(value, one)
        if count and not rest and (count, unit) != (1, "d"):  # a day is written as 24h
            return f"{count}{unit}"
    if value % timedelta(seconds=1):
        return f"{value // timedelta(milliseconds=1)}ms"
    return f"{value // timedelta(seconds=1)}s"


def optional_duration_text(value: timedelta | None) -> str:
    """The way a duration or its absence is written in YAML."""
    return duration_text(value) if value is not None else "none"


def size(value: object, context: Context) -> int:
    """A size such as `15MiB` or `2MB`, in bytes; not 0."""
    found = _SIZE.fullmatch(scalar(value, context))
    if not found or not int(found[1]):
        raise not_a("a size", value, "write it as 15MiB, 500KiB or 2MB")
    return int(found[1]) * _UNITS[found[2]]


def size_text(value: int) -> str:
    """The way a size is written in YAML, in the largest binary unit that it is whole in."""
    for unit in ("GiB", "MiB", "KiB"):
        if value % _UNITS[unit] == 0:
            return f"{value // _UNITS[unit]}{unit}"
    return f"{value}B"


def choice(value: object, context: Context, *, among: tuple[str, ...]) -> str:
    """One of the words `among`."""
    word = scalar(value, context)
    if word in among:
        return word
    meant = nearest(typed(value), among)
    raise not_a("known here", value, f"did you mean {meant}?" if meant else f"write {' or '.join(among)}")


def many(value: object) -> object:
    """A single value as a list of one, for keys that take one or several."""
    return value if isinstance(value, list) or is_blank(value) else [value]
