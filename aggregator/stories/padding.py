"""What content farms and newsrooms put around a text, taken out of a folded one before it is compared.

A folded text has no lines and no punctuation, so that these are phrases. Model: a portal's article page, whose title
stands in the text five times, between stock phrases.
"""

from __future__ import annotations

import re

_BEGINNING = 400  # characters within which the title is a repetition
_LEAST_TITLE = 6

# Phrases, each behind a word without which it cannot be there: looking for that word is fast.
_STOCK = tuple(
    (word, re.compile(phrase))
    for word, phrase in (
        ("接下来", r"(?:下面我们就来.{2,4}关于.{0,80}?)?接下来(?:我们)?就?一起(?:去|来)?(?:了解一下|看看)吧?"),
        ("时间", r"(?:更新|发布|发表|发稿)时间\d{4}[\d 年月日]{4,20}"),
        ("更多精彩", r"更多精彩(?:资讯|内容|新闻)请?敬?请?关注.{0,24}?(?:最新(?:资讯|消息|内容)|$)"),
        ("查看", r"查看(?:全部|全文|更多)"),
        ("阅读", r"阅读(?:原文|全文)"),
        ("推荐", r"(?:相关|热门)(?:.{0,4}资讯|新闻|文章|阅读)?推荐"),
        ("网友", r"网友(?:关注|热评)"),
        ("点击", r"点击(?:上方|下方)?(?:蓝字|标题|关注)(?:我们|关注)*"),
        ("二维码", r"(?:长按|扫描)(?:识别)?(?:下方|上方)?二维码(?:关注)?"),
        ("公众号", r"扫码关注.{0,12}?公众号"),
        ("编辑", r"(?:责任|本文)编辑(?:[\u4e00-\u9fff]{2,3}(?=版权|来源|审核|$))?"),
        ("版权", r"版权(?:所有|声明).{0,40}?(?:转载|侵权|$)"),
        ("原标题", r"原标题"),
        ("copyright", r"copyright.{0,60}?all rights reserved"),
        ("reading", r"continue reading"),
        ("appeared first", r"the post .{0,120}? appeared first on .{0,60}$"),
    )
)

# Scripts and styles that a publisher left in its text, by words that hardly any text has; they are long runs of Latin
# words, of a text in another script.
_CODE = ("function", "useragent", "createelement", "px ")
_LATIN_RUN = re.compile(r"(?:[a-z0-9.+#]+ ){8,}")


def removed(folded_text: str, folded_title: str) -> str:
    """`folded_text` without stock phrases, code, and the title where its beginning says it again."""
    text = folded_text
    for word, phrase in _STOCK:
        if word in text:
            text = phrase.sub("", text)
    if any(word in text for word in _CODE) and not text.isascii():
        text = _LATIN_RUN.sub("", text)
    if len(folded_title) >= _LEAST_TITLE:
        text = text[:_BEGINNING].replace(folded_title, "") + text[_BEGINNING:]
    return text
