"""Recognising markup that is as its parser would write it, which most is: that keeps sanitising cheap."""

from __future__ import annotations

import re
from collections.abc import Iterable

from aggregator.html.tokens import BLOCKS, PLAIN_TAG, RENAMED, names

# What is beyond them is no longer ordinary.
_MAX_TAGS = 10_000
_MAX_DEPTH = 100

_SECTIONS = frozenset(name for name, written in RENAMED.items() if written == "div")
_SECTION = re.compile(rf"(</?)(?:{'|'.join(sorted(_SECTIONS))})(?=[ \n\t/>])")

_VOID = names("br hr img")
_INLINE = names("a b br code del em font i img ins mark q s samp small span strong sub sup u")
_PARAGRAPHS = (BLOCKS | _SECTIONS) - names("details summary table")
_HEADINGS = names("h1 h2 h3 h4 h5 h6")
# The elements that each cannot stand in, however deep (HTML, 13.2.6.4.7), and those one of which it must stand in.
_BARRED = {
    **dict.fromkeys(_INLINE, names("")),
    **dict.fromkeys(_PARAGRAPHS, names("p")),
    **dict.fromkeys(_HEADINGS, _HEADINGS | names("p")),
    "a": names("a"),
}
_PARENTS = {"li": (["ol"], ["ul"]), "dd": (["dl"],), "dt": (["dl"],)}


def tidied(markup: str) -> str | None:
    """`markup` with its sections as `div`s, if its elements are ordinary ones that stand in one another as written.

    None for all else: whatever a parser would close, open, move or skip, and text that only looks like a tag.
    """
    tags = PLAIN_TAG.findall(markup)
    if len(tags) != markup.count("<") or len(tags) > _MAX_TAGS or not _are_nested(tags):
        return None
    return markup if _SECTIONS.isdisjoint(name for _, name in tags) else _SECTION.sub(r"\1div", markup)


def _are_nested(tags: Iterable[tuple[str, str]]) -> bool:
    """Whether each end tag ends the innermost open element, and each start tag leaves all of them open."""
    opened: list[str] = []
    for end, name in tags:
        if end:
            if not opened or opened.pop() != name:
                return False
        elif not _fits(name, opened):
            return False
        elif name not in _VOID:
            opened.append(name)
    return True


def _fits(name: str, opened: list[str]) -> bool:
    if name not in _BARRED or not _BARRED[name].isdisjoint(opened) or len(opened) >= _MAX_DEPTH:
        return False
    return name not in _PARENTS or opened[-1:] in _PARENTS[name]
