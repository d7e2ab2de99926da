"""What is wrong with a text that should be YAML, said for a person: encoding, full-width signs, PyYAML's own errors.

Nothing here shows a value of the file, because a value may be a password.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Set

import yaml

# Signs that a Chinese input method types where YAML wants the ASCII one. Some are no "full-width form" of Unicode.
_OTHER_WIDTH = {
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "、": ",",
    "【": "[",
    "】": "]",
    "—": "-",
    "–": "-",
    "\u3000": " ",
}
_FULL_WIDTH = re.compile("[\uff01-\uff5e" + "".join(_OTHER_WIDTH) + "]")
_NOT_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # YAML 1.1, section 5.1
_COLON = "："
_DASH = "[\uff0d\u2013\u2014]"
_SLIP = re.compile(f"{_COLON}|{_DASH}")
_KEY_WITHOUT_BLANK = re.compile(r"^\s*(?:- +)*[A-Za-z_-]+(?P<colon>:)(?!//)\S")
MAX_DEPTH = 50  # the deepest valid configuration has six levels
_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # what libyaml counts as a line


class BadYamlError(Exception):
    """The text is no YAML that we take: `line` and `column` count from 1, as the editor shows them."""

    def __init__(self, line: int, column: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.message = message
        self.hint = hint


def decode(raw: bytes) -> str:
    """The text of a UTF-8 file, without its byte order mark. Raises `BadYamlError` at what is not UTF-8 or not YAML."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8")
        place = _place(_line_starts(before), len(before))
        raise BadYamlError(*place, "this is not UTF-8 text", _encoding_hint(raw)) from None
    if strange := _NOT_YAML.search(text):
        place = _place(_line_starts(text), strange.start())
        name = f"U+{ord(strange.group()):04X}"
        raise BadYamlError(*place, f"the control character {name} cannot stand in YAML", "remove it")
    return text


def _line_starts(text: str) -> list[int]:
    return [0, *(found.end() for found in _LINE_BREAK.finditer(text))]


def _place(starts: list[int], index: int) -> tuple[int, int]:
    """The line and column, from 1, of the character at `index`, where lines begin at `starts`."""
    line = bisect.bisect_right(starts, index)
    return line, index - starts[line - 1] + 1


def _encoding_hint(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "it is UTF-16: save the file as UTF-8"
    try:
        raw.decode("gb18030")
    except UnicodeDecodeError:
        return "save the file as UTF-8"
    return "it looks like GBK (GB18030): save the file as UTF-8"


def ascii_of(sign: str) -> str:
    """The ASCII character that was meant by a full-width sign."""
    return _OTHER_WIDTH.get(sign) or chr(ord(sign) - 0xFEE0)


def full_width(text: str) -> str:
    """A hint that names the first full-width sign of `text`, or nothing when it has none."""
    sign = _FULL_WIDTH.search(text)
    return _width_hint(sign.group()) if sign else ""


def _width_hint(sign: str) -> str:
    if sign == "\u3000":
        return "there is an ideographic space (U+3000): write an ordinary blank"
    return f"{sign} is a full-width sign: write {ascii_of(sign)}"


def mend(text: str, keys: Set[str]) -> tuple[str, list[BadYamlError]]:
    """`text` with full-width colons after `keys` and full-width dashes before items put right, and where they were.

    YAML takes such a line for a piece of text and complains elsewhere, or not at all. With the lines put right, the
    rest of the file can be checked too.
    """
    if not _SLIP.search(text):
        return text, []
    names = "|".join(sorted(map(re.escape, keys)))
    slips = re.compile(
        rf"^[ ]*(?:-[ ]+)*(?P<dash>{_DASH}(?=[ ]))?(?:[ ]*(?:{names})[ ]*(?P<colon>{_COLON}))?", re.MULTILINE
    )
    starts = _line_starts(text)
    faults: list[BadYamlError] = []
    pieces: list[str] = []
    done = 0
    for index in _slips(slips, text):
        faults.append(_slip(text[index], _place(starts, index)))
        pieces += text[done:index], ": " if text[index] == _COLON else "-"
        done = index + 1
    return "".join((*pieces, text[done:])), faults


def _slips(slips: re.Pattern[str], text: str) -> Iterator[int]:
    for found in slips.finditer(text):
        yield from (found.start(sign) for sign in ("dash", "colon") if found[sign])


def _slip(sign: str, place: tuple[int, int]) -> BadYamlError:
    if sign == _COLON:
        return BadYamlError(*place, f"the colon {sign} after a key is full-width", "write ':' and a blank in ASCII")
    return BadYamlError(*place, f"the dash {sign} of a list item is full-width", "write '-' in ASCII")


def too_deep(line: int, column: int) -> BadYamlError:
    """The refusal of what begins there, because it is nested deeper than `MAX_DEPTH`."""
    return BadYamlError(line, column, f"this is nested deeper than {MAX_DEPTH} levels")


def explain(error: yaml.MarkedYAMLError, text: str) -> BadYamlError:
    """PyYAML's error at the place where the mistake is, with what to do where we can tell."""
    if error.problem == _TOO_DEEP and error.problem_mark:
        return too_deep(error.problem_mark.line + 1, error.problem_mark.column + 1)
    lines = [line.partition(" #")[0] for line in _LINE_BREAK.split(text)]
    at_start = error.context in ("while scanning a simple key", "while scanning a quoted scalar")
    mark = error.context_mark if at_start and error.context_mark else error.problem_mark
    if mark is None:
        return _unreadable(error, 0, 0, "")
    for number in (mark.line, mark.line - 1):
        if 0 <= number < len(lines) and (glued := _KEY_WITHOUT_BLANK.match(lines[number])):
            column = glued.start("colon") + 1
            return BadYamlError(number + 1, column, "a blank is missing after the colon", "write 'key: value'")
    line = lines[mark.line] if mark.line < len(lines) else ""
    hint = _hint(error, line, mark.column)
    return _slip_in_brackets(error, lines) or _unreadable(error, mark.line + 1, mark.column + 1, hint)


def _slip_in_brackets(error: yaml.MarkedYAMLError, lines: list[str]) -> BadYamlError | None:
    """The full-width sign because of which YAML does not see where a list in brackets ends."""
    opened, failed = error.context_mark, error.problem_mark
    if opened is None or failed is None or not (error.context or "").startswith("while parsing a flow"):
        return None
    for number, line in enumerate(lines[opened.line : failed.line + 1], opened.line + 1):
        if sign := _FULL_WIDTH.search(line, opened.column if number == opened.line + 1 else 0):
            return _unreadable(error, number, sign.start() + 1, _width_hint(sign.group()))
    return None


def _unreadable(error: yaml.MarkedYAMLError, line: int, column: int, hint: str) -> BadYamlError:
    what = ", ".join(part for part in (error.context, error.problem) if part)
    return BadYamlError(line, column, f"cannot be read as YAML: {what}", hint)


def _hint(error: yaml.MarkedYAMLError, line: str, column: int) -> str:
    sign = line[column : column + 1]
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "the line is indented with a tab: write blanks"
    if sign and sign in "@`%":
        return f"a text that begins with {sign} must stand in quotes"
    if "[::" in line:
        return "an IPv6 address in brackets must stand in quotes"
    if "${" in line and error.problem in _IN_FLOW:
        return "between [ ] or { } a text with ${…} must stand in quotes"
    if width := full_width(line):
        return width
    return _HINTS.get(error.problem or "", "look at the indentation and the quotes here and on the line before")


_TOO_DEEP = "exceeded maximum nesting depth"  # libyaml since 0.2.6, at 1,000, maybe before it tells of the 50
_IN_FLOW = (
    "did not find expected ',' or '}'",
    "did not find expected ',' or ']'",
    "did not find expected node content",
)
_HINTS = {
    "mapping values are not allowed in this context": "check the indentation; a text with ': ' must stand in quotes",
    "block sequence entries are not allowed in this context": "begin the list on a line of its own",
    "found unexpected end of stream": "the quote that opens here is never closed",
    "found unknown escape character": "in double quotes a backslash begins an escape: use single quotes",
    "did not find expected key": "this line is indented otherwise than its neighbours",
}
