"""Sanitising, plain text, titles, excerpts, and what pages name."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aggregator import html, urls
from aggregator.html import tidy

_BASE = "https://site.example/a/b"
# 512 Ki characters are looked at; twice that must cost little, on a busy machine too.
_MEGABYTE = 1_000_000
_SECONDS = 2.0

_NAMES = (
    "p b i a li ul ol dl dt dd table tr td th tbody thead tfoot caption div span h1 h2 pre blockquote br hr img ruby"
    " rt rp code s section noscript svg script style form mark video source summary details figure nobr font select"
    " option template math textarea title vector x-y"
)
_PIECES = st.one_of(
    st.builds(
        "<{}{}{}>".format,
        st.sampled_from(["", "", "/"]),
        st.sampled_from(_NAMES.split()),
        st.sampled_from(["", "", " href=q", " src='i.png' width=20", ' title="&quot;<b>"', "/", " onclick=x"]),
    ),
    st.sampled_from(
        ["&lt;", "&amp;lt;", "&#8;", "&#13;", "\n\n", "\t", "\xa0", "&nbsp;", "<", "<!-- c -->", "a<b", "中"]
    ),
    st.text(max_size=8),
)
_MARKUP = st.lists(_PIECES, max_size=20).map("".join)


_CONTAINERS = "p b i a div span section h2 h3 blockquote pre figure code font dl table"


def _elements(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    start = st.sampled_from(
        ["", ' class="x"', ' href="q"', " src='i.png' alt='a&lt;b'", ' title="t" lang="de" value="3"']
    )
    plain = st.builds("<{0}{1}>{2}</{0}>".format, st.sampled_from(_CONTAINERS.split()), start, inner)
    listed = st.builds("<{0}><li{1}>{2}</li> <li>{2}</li></{0}>".format, st.sampled_from(["ul", "ol"]), start, inner)
    void = st.builds("<{}{}/>".format, st.sampled_from(["br", "hr", "img"]), start)
    return st.lists(plain | listed | void | st.sampled_from(["x", "\n", "&nbsp;&#8;", "a>b", "<b>"]), max_size=4).map(
        "".join
    )


# Well nested for the most part, as publishers write it.
_ORDERLY = st.recursive(st.sampled_from(["", "t", "\n t"]), _elements, max_leaves=12)


def _sanitize(markup: str, base: str | None = _BASE) -> str:
    return html.sanitize(markup, partial(urls.link, base), partial(urls.join, base))


# ---------------------------------------------------------------------------------------------- sanitize


@pytest.mark.parametrize(
    ("markup", "safe"),
    [
        ("a < b", "a &lt; b"),
        ("AT&T", "AT&amp;T"),
        ("AT&amp;T", "AT&amp;T"),
        ("if x <y and y> z", "if x &lt;y and y&gt; z"),
        ("C++ <vector> &copy;", "C++ &lt;vector&gt; ©"),
        ("就这样", "就这样"),
        ("", ""),
    ],
)
def test_text_that_is_no_html_stays(markup: str, safe: str) -> None:
    assert _sanitize(markup) == safe


@pytest.mark.parametrize(
    ("markup", "safe"),
    [
        ("<script>alert(1)</script>ok", "ok"),
        ("<SCRIPT src=//e.example></SCRIPT >ok", "ok"),
        ("<style>p{}</style><iframe src=https://e.example>x</iframe>ok", "ok"),
        ("<svg><script>1</script><a href=javascript:x>t</a></svg>ok", "ok"),
        ("<svg><foreignObject><svg/><svg><p>1</p></svg></foreignObject></svg>ok", "ok"),
        ("<svg><svg>1</svg><p>forgotten</p>", "<p>forgotten</p>"),
        ("<form action=/x><input name=q><p>ok</p></form>", "<div><p>ok</p></div>"),
        ('<p class="x" id=y style="color:red" onclick="z()" data-q=1>ok</p>', "<p>ok</p>"),
        ("<img/src=i.png/onerror=alert(1)>", '<img src="https://site.example/a/i.png/onerror=alert(1)">'),
        ('<img src=i.png onerror="alert(1)">', '<img src="https://site.example/a/i.png">'),
        ('<a href="i" title="&quot;><script>x</script>">t</a>', None),
        ("<!-- x --><!doctype html><?php x ?>ok", "ok"),
        ("<o:p>ok</o:p><my-tag>ok</my-tag>", "okok"),
        ('<widget x="1">ok</Widget></other>', "ok&lt;/other&gt;"),
        ("a\x00b&#8;c&#x1F;d\ud800\ufffe", "abcd"),
        ("<p>ok</p><scr", "<p>ok</p>&lt;scr"),
        ('<p>ok</p><a href="https://e.exam', "<p>ok</p>"),
    ],
)
def test_only_what_is_allowed_comes_out(markup: str, safe: str | None) -> None:
    found = _sanitize(markup)
    assert "<script" not in found
    assert safe is None or found == safe


@pytest.mark.parametrize(
    "address",
    [
        *(
            "javascript:alert(1)",
            "java&#10;script:alert(1)",
            "&#106;avascript:alert(1)",
            "&amp;#106;avascript:alert(1)",
        ),
        *(
            "\x01javascript:x",
            "JAVASCRIPT&colon;x",
            "vbscript:x",
            "data:text/html,x",
            "file:///etc",
            "blob:https://h/x",
        ),
    ],
)
def test_a_dangerous_address_goes_and_its_text_stays(address: str) -> None:
    assert _sanitize(f'<a href="{address}">t</a><img src="{address}">') == "t"


def test_addresses_become_absolute() -> None:
    found = _sanitize('<a href="../c?x=1&amp;y=2&copy=3">t</a><video src="v.mp4" poster="/p.png" controls></video>')
    assert '<a href="https://site.example/c?x=1&amp;y=2&amp;copy=3">' in found
    assert 'src="https://site.example/a/v.mp4"' in found
    assert 'poster="https://site.example/p.png"' in found
    assert _sanitize('<a href="mailto:a@b.example">t</a>') == '<a href="mailto:a@b.example">t</a>'


def test_a_relative_address_without_a_base_goes() -> None:
    assert _sanitize('<a href="/x">t</a><img src="i.png">', base=None) == "t"


@pytest.mark.parametrize(
    "image",
    [
        '<img data-src="//img.example/1.png" src="data:image/gif;base64,R0">',
        '<img src="/loading.gif" data-original="https://img.example/1.png">',
        '<img src="https://img.example/1.png" data-lazyload="true">',
        '<img srcset="https://img.example/1.png 1x, https://img.example/2.png 2x">',
        '<img srcset="data:image/gif;base64,AA== 1x,\n https://img.example/1.png, https://img.example/2.png 2x">',
        '<img src="https://img.example/1.png"><noscript><img src="https://img.example/1.png"></noscript>',
        '<img src="data:x"><noscript><img src="https://img.example/1.png"></noscript>',
        '<img style="display:none" data-src="https://img.example/1.png">',
        '<img style="visibility:hidden;max-width:100%;min-width:0;border-width:1px" src="https://img.example/1.png">',
    ],
)
def test_an_image_that_is_loaded_late_gets_its_address_back(image: str) -> None:
    assert _sanitize(image) == '<img src="https://img.example/1.png">'


@pytest.mark.parametrize(
    "image",
    [
        '<img src="https://img.example/t.gif" width="1" height="1">',
        '<img src="https://img.example/t.gif" height="0px">',
        '<img src="https://img.example/t.gif" style="border:0;width: 1px">',
        '<img src="https://img.example/t.gif" width="0x1">',
        '<img src="https://img.example/t.gif" width="1%">',
        '<img src="https://img.example/t.gif" style="max-height:1.0PX !important">',
        '<img src="https://img.example/t.gif" style="width: .5em">',
        '<img src="https://img.example/t.gif" style="display : none">',
        '<img src="https://img.example/t.gif" hidden>',
        '<img src="https://img.example/a/1x1.gif?u=1">',
        '<img src="https://img.example/Pixel.png">',
        '<img src="https://pixel.wp.com/g.gif?x=1">',
        '<img data-src="https://feeds.feedburner.com/~r/x/~4/y" src="">',
        '<img alt="no address">',
    ],
)
def test_an_image_that_shows_nothing_goes(image: str) -> None:
    assert _sanitize(f"<p>{image}t</p>") == "<p>t</p>"


@pytest.mark.parametrize(
    "image",
    [
        '<img src="https://img.example/pixel.jpg?x=/1x1.gif">',
        '<img src="https://img.example/not-a-pixel.gif">',
        '<img data-src="https://img.example/i.jpg" style="visibility:hidden" src="https://img.example/blank.gif">',
    ],
)
def test_an_image_that_only_looks_like_one_that_shows_nothing_stays(image: str) -> None:
    assert "https://img.example/" in _sanitize(image)


def test_a_page_of_a_counting_host_is_still_linked() -> None:
    link = '<a href="https://pixel.wp.com/about">t</a>'
    assert _sanitize(link) == link
    assert "img" in _sanitize('<img src="https://notpixel.wp.com.example/g.png" width="100">')


@pytest.mark.parametrize(
    ("markup", "tree"),
    [
        ("<p>1<p>2", "<p>1</p><p>2</p>"),
        ("<ul><li>1<li>2<ul><li>3</ul></ul>", "<ul><li>1</li><li>2<ul><li>3</li></ul></li></ul>"),
        ("<dl><dt>1<dd>2<dt>3</dl>", "<dl><dt>1</dt><dd>2</dd><dt>3</dt></dl>"),
        ("<b>1<i>2</b>3</i>", "<b>1<i>2</i></b><i>3</i>"),
        ("<b><p>1</b>2</p>", "<b><p>1</p></b><p>2</p>"),
        ("<h1>1<h2>2</h2>", "<h1>1</h1><h2>2</h2>"),
        ("<div>1</p></b></div>", "<div>1</div>"),
        (
            "<table><td>1<td>2<tr><th>3</table>",
            "<table><tbody><tr><td>1</td><td>2</td></tr><tr><th>3</th></tr></tbody></table>",
        ),
        ("<table>1</table>", "<table><tbody><tr><td>1</td></tr></tbody></table>"),
        ("<td>1</td>", "1"),
        ("<section>1</section><section>2</section>", "<div>1</div><div>2</div>"),
        ("<pre>\n\n1\n</pre>", "<pre>1\n</pre>"),
        ("<ruby>漢<rp>(<rt>kan<rp>)</ruby>", "<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>"),
        ("<rt>1</rt>", "1"),
        ("<![CDATA[<p>1</p>]]>", "<p>1</p>"),
        ('<td colspan="2x" width=9>1', "1"),
        ('<ol start="3" type="a"><li value=x>1</ol>', '<ol start="3" type="a"><li>1</li></ol>'),
    ],
)
def test_broken_markup_is_read_as_browsers_read_it(markup: str, tree: str) -> None:
    assert _sanitize(markup) == tree


def test_a_link_around_blocks_stays_a_link() -> None:
    found = _sanitize('<p><a href="/x"><figure><img src="i.png"></figure></a></p>')
    assert '<figure><a href="https://site.example/x"><img src="https://site.example/a/i.png"></a></figure>' in found


@given(_MARKUP)
@example("<pre>&#10;x")
@example("<p><a href=q><table><tr><a href=q><td>")
@example("<ruby><b><rt><ul><li><rp></b>")
@example("<li><p><a href=q><table><li>")
@example(f"{'<table>' * 24}<q>{'<table>' * 24}")
@example('<p><a href="//\u0506\u077e/y"></a>x<img alt="a" src="//\u0506\u077e/y">')  # a host that only nh3 refuses
def test_sanitising_twice_is_sanitising_once(markup: str) -> None:
    safe = _sanitize(markup)
    assert _sanitize(safe) == safe
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", safe)
    assert not re.search(r"<[^>]*\bon[a-z]+=|<(?:script|style|form|svg)", safe)


@pytest.mark.parametrize(
    ("markup", "tidied"),
    [
        ('<p class="x">1 &amp; <b>2</b><br /> 3 > 2</p>\n<p>and so on', None),
        ("<section id='a'><ul><li>1</li></ul></section>", "<div id='a'><ul><li>1</li></ul></div>"),
        ('<a href="q"><div><h2>1</h2><img src="i.png"></div></a>', None),
    ],
)
def test_markup_in_order_is_recognised(markup: str, tidied: str | None) -> None:
    assert tidy.tidied(markup) == (tidied or markup)


@pytest.mark.parametrize(
    "markup",
    [
        *("a < b", "C++ <vector>", "<p>ok</p><scr", "<!-- c -->", "<P>1</P>", "<p a=1>1</p>", "<script>1</script>"),
        *(
            "</p>",
            "<br></br>",
            "<b><i>1</b></i>",
            "<p>1<p>2</p></p>",
            "<p><b><ul></ul></b></p>",
            "<h1><b><h2></h2></b></h1>",
        ),
        *(
            '<a href="q"><b><a href="q">1</a></b></a>',
            "<li>1</li>",
            "<ul><b><li>1</li></b></ul>",
            "<dl><li>1</li></dl>",
        ),
        *(
            "<table><tr><td>1</td></tr></table>",
            "<svg><p>1</p></svg>",
            "<div>" * 101,
            "<br>" * 10_001,
            "<p " + "a " * 21 + ">1",
        ),
    ],
)
def test_markup_that_a_parser_would_change_is_not_in_order(markup: str) -> None:
    assert tidy.tidied(markup) is None


@given(_ORDERLY | _MARKUP)
@example('<section><p title="t">1</p>\n<p lang="de">2</p></section>')
@example('<ul><li value="2px">1</li></ul><ol start="x"><li>2</li></ol>')
@example("<div>" * 101 + "x" + "</div>" * 101)
@example('<a id="top">1</a><a href="q">2</a>')
def test_markup_in_order_comes_out_as_if_it_were_written_anew(markup: str) -> None:
    written_anew = f"<!-- a comment is never in order -->{markup}"
    assert _sanitize(markup) == _sanitize(written_anew)
    assert html.plain(markup) == html.plain(written_anew)


@given(_ORDERLY)
def test_sanitising_what_is_in_order_twice_is_sanitising_it_once(markup: str) -> None:
    safe = _sanitize(markup)
    assert _sanitize(safe) == safe


@given(_MARKUP)
def test_sanitising_loses_no_text(markup: str) -> None:
    assert "".join(html.plain(_sanitize(markup)).split()) == "".join(html.plain(markup).split())


# ---------------------------------------------------------------------------------------------- hostile markup

_HOSTILE = [
    *(
        "<div>",
        "<b>",
        "<p><b>",
        "<b id=1><p>",
        "<",
        "<x ",
        '<a b="',
        "<a b=\"<a b='",
        "<!--",
        "&amp;",
        "<table><tr><td>",
    ),
    *(
        "<table>x",
        "<ul><li>",
        "<a href=x><p>",
        "<svg>",
        "<svg><svg></svg>",
        "<script>",
        "<title>",
        "<img src=a.png>",
        "<a/",
        "<a =",
        "&#1",
    ),
    *(
        "<![CDATA[",
        "</div>",
        "<b><i><u><s><em><strong><div></b>",
        "<dl><dt><dd>",
        "<?",
        "<font color=a><p>",
        "<a x=1 y=2",
    ),
    *('<p a="b" c="d">x</p>', '<a href="q">x</a>', '<img src="a.png">', "<ul><li>x</li></ul>", '<p a="', "<p a b c "),
]


@pytest.mark.parametrize("piece", _HOSTILE)
def test_a_hostile_megabyte_costs_little(piece: str) -> None:
    markup = piece * (_MEGABYTE // len(piece))
    asks: list[Callable[[str], object]] = [
        _sanitize,
        html.plain,
        html.title,
        lambda page: html.feeds(page, _BASE, urls.join),
    ]
    for ask in asks:
        start = time.perf_counter()
        ask(markup)
        assert time.perf_counter() - start < _SECONDS


def test_open_formatting_is_not_multiplied() -> None:
    markup = "".join(f"<b id={number}>" for number in range(3000)) + "<p>x" * 100_000
    start = time.perf_counter()
    assert len(_sanitize(markup)) < 10 * len(markup)
    assert time.perf_counter() - start < _SECONDS


def test_deep_nesting_ends_and_its_text_stays() -> None:
    found = _sanitize("<div>" * 1000 + "deep" + "</div>" * 1000)
    assert found.count("<div>") == found.count("</div>") == 100
    assert "deep" in found


# ---------------------------------------------------------------------------------------------- plain, title, excerpt


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<h1>T</h1><p>a\n b</p>", "T\na b"),
        ("a<br>b", "a\nb"),
        ("<ul><li>1<li>2</ul>", "1\n2"),
        ("<tr><td>1<td>2", "1 2"),
        ("in<b>line</b>", "inline"),
        ("<b>one</b>\n<i>line</i>", "one line"),
        ("&amp;lt;b&gt;", "&lt;b>"),
        ("<script>x</script><style>y</style><!-- z -->ok", "ok"),
        ("two\nlines", "two\nlines"),
        ("x &#8;&nbsp;\u3000 y", "x y"),
        ("a < b", "a < b"),
    ],
)
def test_plain_text_keeps_the_words_and_the_blocks(markup: str, text: str) -> None:
    assert html.plain(markup) == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("AT&T", "AT&T"),
        ("AT&amp;T", "AT&T"),
        ("AT&amp;amp;T", "AT&T"),
        ("<b>x</b>", "x"),
        ("<b>Unclosed", "Unclosed"),
        ("&lt;b&gt;x&lt;/b&gt;", "x"),
        ("&amp;lt;i&amp;gt;x&amp;lt;/i&amp;gt;", "x"),
        ("a < b", "a < b"),
        ("1 &lt; 2", "1 < 2"),
        ("i <3 you", "i <3 you"),
        ("C++ <vector>", "C++ <vector>"),
        ("List<String> and Map<K, V>", "List<String> and Map<K, V>"),
        ("The <video> element", "The <video> element"),
        ("How to use &lt;b&gt;", "How to use <b>"),
        ("<script>alert(1)</script>T", "T"),
        ("<img src=x onerror=alert(1)>T", "T"),
        ("<p>One</p><p>Two</p>", "One Two"),
        ("<![CDATA[T]]>", "T"),
        ("?a=1&copy=2", "?a=1&copy=2"),
        ("&#8220;T&#8221; &hellip;&nbsp;&unknown;", "“T” … &unknown;"),
        (" a\n\t b\x00&#8;&#xD800; ", "a b\ufffd"),
    ],
)
def test_a_title_is_one_line_of_text(markup: str, text: str) -> None:
    assert html.title(markup) == text


@pytest.mark.parametrize(
    ("markup", "limit", "text"),
    [
        ("<p>short &amp; sweet</p>", 50, "short &amp; sweet"),
        ("<p>a &lt; b</p><p>c</p>", 50, "a &lt; b c"),
        ("一二三四五六七八九十。一二三四", 12, "一二三四五六七八九十。…"),
        ("The quick brown fox jumps", 18, "The quick brown…"),
        ("一二三四五，六七八九十", 7, "一二三四五…"),
        ("x" * 50, 10, "x" * 9 + "…"),
        ("家家家家家家家👩\u200d👩\u200d👧", 11, "家家家家家家家…"),
        ("long", 1, "…"),
        ("long", 0, ""),
    ],
)
def test_an_excerpt_ends_at_a_sensible_place(markup: str, limit: int, text: str) -> None:
    assert html.excerpt(markup, limit) == text


@given(_MARKUP, st.integers(0, 30))
def test_an_excerpt_is_short_safe_and_text(markup: str, limit: int) -> None:
    shown = html.excerpt(markup, limit)
    assert "<" not in shown
    assert len(html.plain(shown).replace("\n", " ")) <= limit


@given(_ORDERLY | _MARKUP, st.integers(1, 30))
@example("&lt;&lt;&lt;&lt;&lt;00\r000000<p>", 8)
@example("one line of a plain text\nand the next one of it", 4)
def test_the_beginning_of_a_text_is_that_of_the_whole(markup: str, limit: int) -> None:
    safe = _sanitize(markup)
    assert html.beginning(safe, limit) == html.plain(safe)[:limit]


# ---------------------------------------------------------------------------------------------- pages


def test_a_page_names_its_feeds_declared_ones_first() -> None:
    page = """<html><head><base href="/sub/"><title>T</title>
      <link rel="alternate" type="application/rss+xml" title=" The &amp; feed " href="rss.xml">
      <link rel='ALTERNATE nofollow' type='application/atom+xml; charset=utf-8' href='//f.example/atom'>
      <link rel=alternate type=application/feed+json href=https://site.example/feed.json>
      <link rel=alternate type=application/rss+xml href=javascript:x><link rel=alternate hreflang=en href=/en>
      <link rel=stylesheet type=text/css href=x.css><link rel=alternate type=application/rss+xml href=rss.xml></head>
      <body><a href="/about">About</a> <a href="/news/feed/">All <b>news</b></a> <a href="rss.xml">again</a>"""
    assert html.feeds(page, _BASE, urls.join) == [
        ("https://site.example/sub/rss.xml", "The & feed"),
        ("https://f.example/atom", ""),
        ("https://site.example/feed.json", ""),
        ("https://site.example/news/feed/", "All news"),
    ]
    assert html.feeds("<rss/>", _BASE, urls.join) == []


@pytest.mark.parametrize(
    "element",
    [
        '<link rel="feed" href="/f">',
        '<link rel="service.feed" type="application/atom+xml" href="/f">',
        '<link rel="alternate" type="application/x-rss+xml" href="/f">',
        '<link rel="alternate" type="text/rss" href="/f">',
        '<link rel="alternate" type="application/rss+xml" href="feed:https://site.example/f">',
        '<link rel="alternate" type="application/rss+xml" href=" FEED://site.example/f">',
    ],
)
def test_a_page_names_its_feeds_in_odd_ways(element: str) -> None:
    assert html.feeds(element, _BASE, urls.join) == [("https://site.example/f", "")]


@pytest.mark.parametrize(
    "element",
    [
        '<link rel="alternate" type="application/json" href="/wp-json/wp/v2/pages/2">',
        '<link rel="alternate" type="application/json+oembed" href="/f">',
        '<link rel="feed" type="text/css" href="/f">',
        '<link rel="alternate" href="/f">',
        '<link rel="alternate" type="application/rss+xml" href="feed:javascript:x">',
    ],
)
def test_what_else_a_page_names_is_no_feed(element: str) -> None:
    assert html.feeds(element, _BASE, urls.join) == []


def test_the_first_picture_is_no_emoji() -> None:
    emoji, picture = '<img src="https://i.example/e.png" width="20">', '<img src="https://i.example/p.png" width="640">'
    assert html.first_image(f"<p>{emoji}{picture}</p>") == "https://i.example/p.png"
    assert html.first_image(emoji) is None
