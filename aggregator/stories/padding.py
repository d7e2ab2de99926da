"""What content farms and newsrooms put around a text, taken out of a folded one before it is compared.

A folded text has no lines and no punctuation, so that these are phrases. Model: a portal's article page, whose title
stands in the text five times, between stock phrases.
"""

from __future__ import annotations

import re

_BEGINNING = 400  # characters within which the title is a repetition
_LEAST_TITLE = 6

_STOCK = re.compile(
    r"(?:(?:下面|今天|接下来)?(?:我们|小编)就?(?:一起)?来(?:聊聊|说说|看看|了解)(?:关于)?.{0,80}?)?接下来(?:我们)?就?一起(?:去|来)?(?:了解一下|看看)吧?"
    r"|(?:更新|发布|发表|发稿)?时间(?:\d{4} ?年?){1}[\d 年月日]{4,20}"
    r"|(?:想要?了解)?更多精彩(?:资讯|内容|新闻)(?:请)?(?:敬请)?关注.{0,24}?(?:最新(?:资讯|消息|内容)|$)"
    r"|查看(?:全部|全文|更多)|阅读(?:原文|全文)|展开全文|相关.{0,6}(?:推荐|阅读|新闻)|热门.{0,6}推荐|猜你喜欢|网友(?:关注|热评)"
    r"|点击(?:上方|下方)?(?:蓝字|标题|关注)(?:我们|关注)*|长按(?:识别)?二维码(?:关注)?|扫码关注.{0,12}?公众号"
    r"|(?:责任|本文)?编辑(?:作者)?(?:[\u4e00-\u9fff]{2,3}(?=版权|来源|审核|$))|版权(?:所有|声明).{0,40}?(?:转载|侵权|$)"
    r"|原标题|copyright.{0,60}?all rights reserved|read more|continue reading"
    r"|the post .{0,120}? appeared first on .{0,60}$"
)


def removed(folded_text: str, folded_title: str) -> str:
    """`folded_text` without stock phrases and without the title where its beginning says it again."""
    text = _STOCK.sub("", folded_text)
    if len(folded_title) >= _LEAST_TITLE:
        text = text[:_BEGINNING].replace(folded_title, "") + text[_BEGINNING:]
    return text
