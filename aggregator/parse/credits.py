"""Who wrote an entry, where only its text says so: the credit lines of Chinese newspapers and portals."""

from __future__ import annotations

import re

_SEARCHED = 300  # characters at each end of a text in which a credit stands

_NAME = r"[\u4e00-\u9fff·]{2,5}|[A-Z][A-Za-z.'-]+(?: [A-Z][A-Za-z.'-]+){0,3}"
_NAMES = rf"(?:{_NAME})(?:[ 、,，/]{{1,2}}(?:{_NAME})){{0,4}}"
_END = r"(?=$|[\s|｜丨)）】\]。,，;；/]|编辑|編輯|责编|責編|来源|來源|校对|发自|報導|报道|/)"
_MARK = r"\s*[|｜丨:：/／]\s*"

# From the surest to the least: a labelled credit; the wire services' "(记者 …)" and "记者…／台北报导".
_CREDITS = (
    re.compile(
        rf"(?:^|[\s(（【\[])(?:本报记者|本報記者|记者|記者|作者|撰文|文字|文|采写|採寫){_MARK}({_NAMES}){_END}",
        re.MULTILINE,
    ),
    re.compile(rf"[(（【\[]\s*(?:[\u4e00-\u9fff]{{0,6}})(?:记者|記者)\s*({_NAMES})"),
    re.compile(r"(?:^|[\s（(【\[])(?:记者|記者)([\u4e00-\u9fff]{2,4})[／/]"),
    re.compile(rf"(?:^|\s)(?:编辑|編輯|责编|責編){_MARK}({_NAMES}){_END}", re.MULTILINE),
)
_NOT_NAMES = frozenset(
    [
        "报道",
        "報導",
        "报导",
        "编辑",
        "編輯",
        "记者",
        "記者",
        "来源",
        "來源",
        "摄影",
        "攝影",
        "综合",
        "綜合",
        "获悉",
        "了解",
    ]
)


def author(plain: str) -> str:
    """The names that a text's first or last lines credit, joined with a comma; empty where there is none."""
    ends = plain if len(plain) <= 2 * _SEARCHED else f"{plain[:_SEARCHED]}\n{plain[-_SEARCHED:]}"
    if "者" not in ends and "文" not in ends and "编" not in ends and "編" not in ends:
        return ""
    for credit in _CREDITS:
        if found := credit.search(ends):
            names = [name for name in re.split(r"[ 、,，/]+", found[1]) if name not in _NOT_NAMES]
            if names:
                return ", ".join(names)
    return ""
