"""Who wrote an entry, where only its text says so: the credit lines of Chinese newspapers and portals."""

from __future__ import annotations

import re

_SEARCHED = 300  # characters at each end of a text in which a credit stands

_HAN = r"[\u4e00-\u9fff]{2,4}|[\u4e00-\u9fff]{1,6}(?:·[\u4e00-\u9fff]{1,6})+"
_ROLES = "编辑|編輯|责编|責編|責任|责任|记者|記者|作者|来源|來源|摄影|攝影|校对|图片|文字"
_NAME = rf"(?!{_ROLES})(?:{_HAN})|[A-Z][A-Za-z.'-]+(?: [A-Z][A-Za-z.'-]+){{0,3}}"
_MARK = r"\s*[|｜丨:：/／]\s*"
# (What a mark follows is the next credit's label and no name.)
_NAMES = rf"(?:{_NAME})(?:[ 、,，/]{{1,2}}(?:{_NAME})(?![|｜丨:：])){{0,4}}"
_END = r"(?=$|[\s|｜丨)）〕】\]。,，;；/_]|编辑|編輯|责编|責編|来源|來源|校对|发自|報導|报道)"
_OPEN = r"[(（〔【\[]"
_START = r"(?:^|[\s(（〔【\[])"
_WRITERS = (
    "本报记者|本報記者|记者|記者|(?:本文|文章)?作者|撰文|撰稿|采写|採寫|文字|(?:文[、/／&]?[图圖]|[图圖][、/／&]?文|文)"
)
_REPORTER = r"[\u4e00-\u9fff]{0,10}?(?:记者|記者)"
_COUNTRY = r"[\[［【(（〔][\u4e00-\u9fff]{1,4}[\]］】)）〕]\s*"
_PLACE = r"[\u4e00-\u9fff]{2,4}"
_REPORTS = "报道|報導|报导|報道"

# From the surest to the least: a labelled credit; the wire services' 〔記者某某／台北報導〕 and （記者某某台北22日電）;
# the same at the beginning of a line without brackets; a reporter in brackets; the only words of a line; the editor.
_CREDITS = (
    re.compile(rf"{_START}(?:{_WRITERS}){_MARK}(?:{_REPORTER}\s*[:：]?\s*|{_COUNTRY})?({_NAMES}){_END}", re.MULTILINE),
    re.compile(rf"{_OPEN}[\u4e00-\u9fff]{{0,6}}?(?:记者|記者)({_HAN})[／/]"),
    re.compile(
        rf"{_OPEN}[\u4e00-\u9fff]{{0,6}}?(?:记者|記者)([\u4e00-\u9fff]{{2,3}})[\u4e00-\u9fff]{{2,4}}\d*日?[電电]"
    ),
    re.compile(
        rf"^{_OPEN}?(?:{_REPORTER})\s*([\u4e00-\u9fff]{{2,3}})\s*[／/]?\s*(?:{_PLACE})?\s?(?:{_REPORTS})(?:$|[\s)）〕】])",
        re.MULTILINE,
    ),
    re.compile(rf"{_OPEN}\s*[\u4e00-\u9fff]{{0,6}}?(?:记者|記者)\s*({_NAMES}){_END}"),
    re.compile(r"^(?:作者|撰文|撰稿)[ \u3000]+([\u4e00-\u9fff]{2,4})$", re.MULTILINE),
    re.compile(rf"{_START}(?:责任|責任)?(?:编辑|編輯|责编|責編){_MARK}({_NAMES}){_END}", re.MULTILINE),
)
_HINT = re.compile("[者文图圖撰采採编編]")
_SEPARATORS = re.compile(r"[ 、,，/]+")
_LATIN_SEPARATORS = re.compile(r"\s*[、,，/]+\s*")
_NOT_NAMES = frozenset(
    (
        *("报道", "報導", "报导", "编辑", "編輯", "记者", "記者", "来源", "來源", "摄影", "攝影", "综合", "綜合"),
        *("整理", "实习", "实习生", "通讯员", "近日", "今日", "昨日", "日前", "获悉", "了解", "现场"),
    )
)


def author(plain: str) -> str:
    """The names that a text's first or last lines credit, joined with a comma; empty where there is none."""
    ends = plain if len(plain) <= 2 * _SEARCHED else f"{plain[:_SEARCHED]}\n{plain[-_SEARCHED:]}"
    if not _HINT.search(ends):
        return ""
    for credit in _CREDITS:
        if found := credit.search(ends):
            separators = _LATIN_SEPARATORS if found[1].isascii() else _SEPARATORS
            names = [name for name in separators.split(found[1]) if name not in _NOT_NAMES]
            if names:
                return ", ".join(names)
    return ""
