"""Who wrote it, where only the text says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.parse import credits


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("记者 | 彭某新\n编辑 | 李某\n正文开始", "彭某新"),
        ("記者｜王小明 編輯｜陳大文\n正文", "王小明"),
        ("本报记者：张三、李四\n正文", "张三, 李四"),
        ("文/赵某某 正文开始了。", "赵某某"),
        ("作者：Jane Doe\nText begins", "Jane Doe"),
        ("（某某社記者林小美台北22日電）今天", "林小美"),
        ("（某某社記者林明台北電）今天", "林明"),
        ("〔記者陳小華／台北報導〕某市今天", "陳小華"),
        ("正文很长。" * 100 + "\n（记者 王五）", "王五"),
        ("正文。\n责编：钱六", "钱六"),
        ("正文。\n（责任编辑：李华）", "李华"),
        ("正文。\n責任編輯／李華", "李華"),
        ("文/赵六 编辑/钱七 正文", "赵六"),
        ("记者：张三 李四 责任编辑：王五", "张三, 李四"),
        ("正文。\n本报记者 张三 报道", "张三"),
        ("记者张三报道\n正文", "张三"),
        ("記者王小明／台北報導\n正文", "王小明"),
        ("記者王小明/綜合報導\n正文", "王小明"),
        ("記者 王小明 台北報導\n正文", "王小明"),
        ("【記者王小明台北報導】正文", "王小明"),
        ("采写：某都记者 张三\n正文", "张三"),
        ("采写/张三\n正文", "张三"),
        ("文、图/某某晚报全媒体记者 张三\n正文", "张三"),
        ("图文/张三\n正文", "张三"),
        ("撰稿/某报记者 张三\n正文", "张三"),
        ("本文作者：张三\n正文", "张三"),
        ("作者 张三\n正文", "张三"),
        ("作者：[美]约翰·史密斯\n正文", "约翰·史密斯"),
        ("图源：某某网 作者|张三 出品|某号\n正文", "张三"),
        ("正文。\n责任编辑：张三_XY123", "张三"),
    ],
)
def test_a_credit_line_names_the_author(text, names):
    assert credits.author(text) == names


@pytest.mark.parametrize(
    "text",
    [
        "",
        "记者从会上获悉，今年增长很快。",
        "作者认为这本书很好",
        "他是一名记者，也是作者。",
        "文章/评论的数量",
        "no credit here at all",
        "记者近日报道\n正文",
        "记者了解到，多家公司 报道",
        "作者 认为这本书很好",
        "有记者问张三：今天怎样",
        "据记者现场报道\n正文",
        "图文并茂的一本书/好书",
        "正文。" * 200 + "记者：某某" + "正文。" * 200,
    ],
)
def test_what_is_no_credit_names_nobody(text):
    assert credits.author(text) == ""


@given(st.text(alphabet="记者者编辑文/｜|：: 甲乙丙\n（）", max_size=200))
def test_any_text_gives_a_short_answer(text):
    assert len(credits.author(text)) < 80
