"""Who wrote an entry, where only its text says so: the credit lines of Chinese newspapers and portals."""

from __future__ import annotations

import re

_SEARCHED = 300  # characters at each end of a text in which a credit stands

_HAN = r"[\u4e00-\u9fff]{2,4}|[\u4e00-\u9fff]{1,6}(?:·[\u4e00-\u9fff]{1,6})+"
_ROLES = "编辑|編輯|责编|責編|责任|責任|记者|記者|作者|来源|來源|摄影|攝影|校对|图片|文字"
_NAME = rf"(?!{_ROLES})(?:{_HAN})|[A-Z][A-Za-z.'-]+(?: [A-Z][A-Za-z.'-]+){{0,3}}"
_NAMES = rf"(?:{_NAME})(?:[ 、,，/]{{1,2}}(?:{_NAME})){{0,4}}"
_END = r"(?=$|[\s|｜丨)）〕】\]。,，;；/]|编辑|編輯|责编|責編|来源|來源|校对|发自|報導|报道)"
_MARK = r"\s*[|｜丨:：/／]\s*"
_OPEN = r"[(（〔【\[]"
_WRITERS = "本报记者|本報記者|记者|記者|作者|撰文|采写|採寫|文字|文"

# From the surest to the least: a labelled credit; the wire services' 〔記者某某／台北報導〕 and （記者某某台北22日電）;
# a reporter in brackets; the editor.
_CREDITS = (
    re.compile(rf"(?:^|[\s(（〔【\[])(?:{_WRITERS}){_MARK}({_NAMES}){_END}", re.MULTILINE),
    re.compile(rf"{_OPEN}[\u4e00-\u9fff]{{0,6}}?(?:记者|記者)({_HAN})[／/]"),
    re.compile(
        rf"{_OPEN}[\u4e00-\u9fff]{{0,6}}?(?:记者|記者)([\u4e00-\u9fff]{{2,3}})[\u4e00-\u9fff]{{2,4}}\d*日?[電电]"
    ),
    re.compile(rf"{_OPEN}\s*[\u4e00-\u9fff]{{0,6}}?(?:记者|記者)\s*({_NAMES}){_END}"),
    re.compile(rf"(?:^|[\s(（〔【\[])(?:责任|責任)?(?:编辑|編輯|责编|責編){_MARK}({_NAMES}){_END}", re.MULTILINE),
)
_SEPARATORS = re.compile(r"[ 、,，/]+")
_LATIN_SEPARATORS = re.compile(r"\s*[、,，/]+\s*")
_NOT_NAMES = frozenset(
    ("报道", "報導", "报导", "编辑", "編輯", "记者", "記者", "来源", "來源", "摄影", "攝影", "综合", "綜合")
)


def author(plain: str) -> str:
    """The names that a text's first or last lines credit, joined with a comma; empty where there is none."""
    ends = plain if len(plain) <= 2 * _SEARCHED else f"{plain[:_SEARCHED]}\n{plain[-_SEARCHED:]}"
    if "者" not in ends and "文" not in ends and "编" not in ends and "編" not in ends:
        return ""
    for credit in _CREDITS:
        if found := credit.search(ends):
            separators = _LATIN_SEPARATORS if found[1].isascii() else _SEPARATORS
            names = [name for name in separators.split(found[1]) if name not in _NOT_NAMES]
            if names:
                return ", ".join(names)
    return ""
