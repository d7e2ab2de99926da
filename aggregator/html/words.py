"""Plain text out of HTML: of a text, of a title, and the beginning of a text."""

from __future__ import annotations

import re
from html import escape, unescape

from aggregator.html.tokens import (
    BLOCKS,
    KNOWN,
    PLAIN_TAG,
    RENAMED,
    SKIPPED,
    TOKEN,
    Tag,
    bounded,
    decoded,
    is_tag,
    names,
    tokens,
    without_forbidden,
)

_MAX_TITLE = 4096
_NEW_LINE = (BLOCKS | RENAMED.keys() | names("body br caption noscript option tr")) - names("acronym image strike tt")
# What stands in a text instead of a tag whose content stays.
_GAPS = {
    **dict.fromkeys(KNOWN - SKIPPED, ""),
    **dict.fromkeys(_NEW_LINE, "\n"),
    **dict.fromkeys(names("td th"), " "),
}
# How much longer than its text markup is, at most, nearly always.
_ROOM = 4

# What an editor may well write about in a title (`the <video> element`) is markup there only if it looks the part.
_USUAL_IN_TITLES = names(
    "a abbr b big br center code div em font h1 h2 h3 h4 h5 h6 i img li mark nobr p s small span strike strong sub sup"
    " tt u ul wbr"
)
_VOID_IN_TITLES = names("br hr img wbr")
_SCRIPTS = re.compile(r"<(script|style)\b[^>]*>.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
# Titles are escaped at most twice: by the feed's author and by the program that wrote the feed.
_TITLE_ROUNDS = 2

# Where a shortened text may end, in its last third: after a sentence, else between two words.
_SENTENCE_END = re.compile(r".*(?:[。！？!?…；][”’」』）)\"]*|\.(?=\s))", re.DOTALL)
_JOINING = re.compile(r"[\u0300-\u036f\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")
_DANGLING = " \t\n，、,;；：:（(《「『“‘-\u2013\u2014"


def plain(markup: str) -> str:
    """The text of `markup`: each block on a line of its own, runs of white space one blank, references read once."""
    text = _without_tags(bounded(markup))
    if "&" in text:
        text = without_forbidden(unescape(text))
    return "\n".join(filter(None, (" ".join(line.split()) for line in text.split("\n"))))


def beginning(safe: str, limit: int) -> str:
    """The first `limit` characters of the plain text of sanitised markup, mostly without reading all of it."""
    end = safe.rfind("<", 0, _ROOM * limit) if len(safe) > _ROOM * limit else -1
    if end > 0:
        text = plain(f"{safe[:end]}<br>")  # with a tag, as the whole: lines of what has none are lines of text
        if len(text) >= limit:
            return text[:limit]
    return plain(safe)[:limit]


def title(markup: str) -> str:
    """One line of plain text out of a title, which may be text, HTML, or HTML escaped once more.

    Words in angle brackets that are no HTML elements stay (`C++ <vector>`); so do elements that a title only
    mentions (`the <video> element`).
    """
    text = bounded(markup[:_MAX_TITLE])
    for level in range(_TITLE_ROUNDS):
        text = decoded(_untagged(text, _USUAL_IN_TITLES if level == 0 else frozenset()))
    return " ".join(without_forbidden(_untagged(text, frozenset())).split())


def excerpt(markup: str, limit: int) -> str:
    """The beginning of the text of `markup`, at most `limit` characters, as HTML; `…` where something was cut off."""
    text = " ".join(plain(markup).split())
    return escape(text if len(text) <= limit else _shortened(text, limit), quote=False)


def _without_tags(markup: str) -> str:
    """`markup` without its tags, if it has any with line feeds only where they break lines."""
    if "<" not in markup:
        return markup
    text = PLAIN_TAG.sub(lambda tag: _GAPS.get(tag[2], tag[0]), markup.replace("\n", " "))
    if "<" not in text:
        return text
    parts = list(tokens(markup))
    blank = " " if any(isinstance(part, Tag) for part in parts) else "\n"
    return "".join(_GAPS.get(p.name, "") if isinstance(p, Tag) else p.replace("\n", blank) for p in parts)


def _untagged(text: str, usual: frozenset[str]) -> str:
    """`text` without its tags; a start tag counts if it has attributes or an end, is void, or is one of `usual`."""
    if "<" not in text:
        return text
    lower = text.lower()

    def replacement(match: re.Match[str]) -> str:
        if not match["name"]:
            return ""
        name = match["name"].lower()
        if not is_tag(match) or not _is_markup(name, match, lower, usual):
            return match.group()
        return " " if name in _NEW_LINE else ""

    return TOKEN.sub(replacement, _SCRIPTS.sub("", text))


def _is_markup(name: str, match: re.Match[str], lower: str, usual: frozenset[str]) -> bool:
    if match["end"]:
        return f"<{name}" in lower or name in usual
    return name in usual | _VOID_IN_TITLES or "=" in match["attributes"] or name not in KNOWN or f"</{name}" in lower


def _shortened(text: str, limit: int) -> str:
    """The first characters of `text` and `…`, together at most `limit`, cut after a sentence or between words."""
    end = max(limit - 1, 0)
    sentence = _SENTENCE_END.match(text[:end])
    if sentence and sentence.end() > end * 2 // 3:
        end = sentence.end()
    else:
        end = _word_end(text, end)
    return text[:end].rstrip(_DANGLING) + "…" if limit > 0 else ""


def _word_end(text: str, end: int) -> int:
    """The last place at or before `end` that cuts no word and no character in two, or `end` if it is far off."""
    for place in range(end, end * 2 // 3, -1):
        if (
            not _JOINING.match(text, place)
            and text[place - 1] != "\u200d"
            and not all(map(_is_of_word, text[place - 1 : place + 1]))
        ):
            return place
    return end


def _is_of_word(character: str) -> bool:
    """Whether it is of a script that writes words apart: no kana, no Han."""
    eastern = "\u3040" <= character <= "\u30ff" or "\u3400" <= character <= "\u9fff" or character >= "\U00020000"
    return character.isalnum() and not eastern
