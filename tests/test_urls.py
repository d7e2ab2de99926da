"""Canonical URLs, front pages, and references made absolute."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aggregator import urls

_PAIRS = Path(__file__).parent.parent.parent / "shared" / "corpus" / "pairs" / "url_variant" / "dev.jsonl"
_BASE = "http://a/b/c/d;p?q"

# Texts that look enough like addresses to reach every branch.
_ADDRESSES = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="htps:/?#&=%[]@.\\ \t\n\x00aA1中é;-_~+!'\"<>2eEfF", max_size=60).map("https://h.example/".__add__),
    st.text(alphabet="wm.Aa1-中é:@[]0/?#", max_size=30).map("http://".__add__),
)


# ---------------------------------------------------------------------------------------------- canonical


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://news.example/a/1", "https://news.example/a/1"),
        ("https://NEWS.example/a/1", "https://news.example/a/1"),
        ("https://www.news.example/a/1", "https://news.example/a/1"),
        ("https://news.example:443/a/1", "http://news.example:80/a/1"),
        ("https://news.example./a/1", "https://news.example/a/1"),
        ("https://news.example/a/1/", "https://news.example/a/1"),
        ("https://news.example//a///1", "https://news.example/a/1"),
        ("https://news.example/a/x/../1", "https://news.example/a/1"),
        ("https://news.example/a/index.html", "https://news.example/a"),
        ("https://news.example/a%7eb/%e4%b8%ad", "https://news.example/a~b/中"),
        ("https://例え.example/a", "https://xn--r8jz45g.example/a"),
        ("https://news.example/a/1#comments", "https://news.example/a/1"),
        ("https://news.example/a?b=2&a=1", "https://news.example/a?a=1&b=2"),
        ("https://news.example/a?b=1&amp;c=2", "https://news.example/a?b=1&c=2"),
        ("https://news.example/a?q=x+y", "https://news.example/a?q=x%20y"),
        ("https://news.example/a?b=", "https://news.example/a?b"),
        ("https://news.example/a?", "https://news.example/a"),
        ("https://user:secret@news.example/a", "https://news.example/a"),
        ("https://news.example/a;jsessionid=AB12?x=1", "https://news.example/a?x=1"),
        ("https://news.example/2024/my-post/amp/", "https://news.example/2024/my-post"),
        ("https://news.example/a?UTM_Source=x&fbclid=y&spm=z", "https://news.example/a"),
        ("https://news.example/a?id=7&from=timeline", "https://news.example/a?id=7"),
        ("  https://news.example/a\n", "https://news.example/a"),
        ("https:\\\\news.example\\a", "https://news.example/a"),
        ("https://m.36kr.com/p/123456", "https://www.36kr.com/p/123456?f=rss"),
        ("https://old.reddit.com/r/python/comments/abc/x/", "https://www.reddit.com/r/python/comments/abc/x"),
        ("https://www.bbc.co.uk/news/articles/c1", "https://www.bbc.com/news/articles/c1?at_medium=RSS"),
        ("https://www.bilibili.com/video/BV1?p=2&vd_source=3", "https://m.bilibili.com/video/BV1?p=2"),
    ],
)
def test_two_addresses_of_one_page_have_one_key(one: str, other: str) -> None:
    assert urls.canonical(one) == urls.canonical(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://news.example/a/1", "https://news.example/a/2"),
        ("https://news.example/A", "https://news.example/a"),
        ("https://news.example/a", "https://news.example:8443/a"),
        ("https://news.example/?p=1", "https://news.example/?p=2"),
        ("https://news.example/a?from=20", "https://news.example/a?from=40"),
        ("https://news.example/a?x=1&x=2", "https://news.example/a?x=2&x=1"),
        ("https://news.example/a%2Fb", "https://news.example/a/b"),
        ("https://news.example/a?x=1%262", "https://news.example/a?x=1&2"),
        ("https://news.example/#/story/1", "https://news.example/#/story/2"),
        ("https://news.example/#!story/1", "https://news.example/#!story/2"),
        ("https://news.example/gear/amp", "https://news.example/gear"),
        ("https://www.example/a", "https://example/a"),
        ("https://m.news.example/a/1", "https://news.example/a/1"),
        ("https://www.bilibili.com/video/BV1?p=2", "https://www.bilibili.com/video/BV1?p=3"),
    ],
)
def test_two_pages_have_two_keys(one: str, other: str) -> None:
    assert urls.canonical(one) != urls.canonical(other)


def test_a_wechat_article_is_told_by_its_four_parameters() -> None:
    shared = "http://mp.weixin.qq.com/s?__biz=Mz==&mid=22&idx=1&sn=ab&chksm=cd&scene=21&mpshare=1#wechat_redirect"
    assert urls.canonical(shared) == "https://mp.weixin.qq.com/s?__biz=Mz==&idx=1&mid=22&sn=ab"
    assert urls.canonical(shared.replace("idx=1", "idx=2")) != urls.canonical(shared)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "",
            "/a/1",
            "mailto:a@b.example",
            "ftp://h.example/",
            "javascript:alert(1)",
            "tag:x,2024:1",
            "http://",
            "https:///",
        ),
        *(
            "http://a b/",
            "http://h:99999/",
            "http://h:x/",
            "http://[zz]/",
            "http://[::1",
            "http://.../",
            "http://a..b/",
        ),
        *("http://\u200b中.example/", "http://" + "a" * 300 + "/", "http://h/" + "a" * 9000, "http://a\u2100.example/"),
    ],
)
def test_what_is_no_web_address_has_no_key(address: str) -> None:
    assert urls.canonical(address) is None
    assert not urls.is_front_page(address)
    assert urls.host(address) == ""


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("http://bob:sesame@a.example/feed?x=1", "http://a.example/feed?x=1"),
        ("bob:sesame@a.example", "a.example"),
        ("https://a:b@c@a.example#d", "https://a.example#d"),
        ("https://a.example/@bob?to=c@d", "https://a.example/@bob?to=c@d"),
    ],
)
def test_an_address_is_shown_without_its_login(said: str, shown: str) -> None:
    assert urls.without_login(said) == shown


def test_a_front_page_names_no_single_page() -> None:
    roots = ["https://h.example", "http://www.h.example/index.html", "https://h.example/?utm_source=rss#top"]
    assert all(map(urls.is_front_page, [*roots, "https://h.example/zh-CN/"]))
    pages = ["https://h.example/?p=1", "https://h.example/a", "https://h.example/#/a", "https://h.example/zh/a"]
    assert not any(map(urls.is_front_page, pages))
    assert not any(map(urls.single_page, [*roots, "mailto:a@b.example"]))
    assert list(map(urls.single_page, pages)) == list(map(urls.canonical, pages))


def test_the_host_is_named_without_port_and_in_ascii() -> None:
    assert urls.host("https://u:p@Bücher.Example:8080/x") == "xn--bcher-kva.example"
    assert urls.host("http://[2001:DB8::1]:80/") == "[2001:db8::1]"


@given(_ADDRESSES)
@example("http://www.www.example.com/")
@example("https://h/a/index.html/index.html")
@example("https://h/?&amp;amp;lt;=1")
@example("https://h/%2%35//%2e%2e/x%")
@example("https://h/1/amp/amp")
def test_a_key_is_its_own_key(address: str) -> None:
    key = urls.canonical(address)
    if key is not None:
        assert urls.canonical(key) == key


@pytest.mark.skipif(not _PAIRS.exists(), reason="the corpus is not here")
def test_labelled_variants_meet_and_others_do_not() -> None:
    rows = [json.loads(line) for line in _PAIRS.read_text("utf-8").splitlines()]
    met = [(row["label"], urls.canonical(row["link_a"]) == urls.canonical(row["link_b"])) for row in rows]
    same = [meets for label, meets in met if label == "same"]
    assert sum(same) >= 0.97 * len(same)
    assert not any(meets for label, meets in met if label != "same")


# ---------------------------------------------------------------------------------------------- tracking data


def test_an_extra_file_adds_statements() -> None:
    tracking = urls.load_tracking("# ours\n* drop zz_*\nnews.example drop src  # theirs\nmob.example is news.example\n")
    assert urls.canonical("https://mob.example/a?zz_1=2&src=3&utm_id=4&p=5", tracking) == "https://news.example/a?p=5"
    assert urls.canonical("https://other.example/a?src=3", tracking) == "https://other.example/a?src=3"


def test_an_extra_file_overrules_ours() -> None:
    tracking = urls.load_tracking("36kr.com keep f\nnews.example keep utm_source\n* keep fbclid\n")
    assert urls.canonical("https://36kr.com/p/1?f=rss2", tracking) == "https://36kr.com/p/1?f=rss2"
    key = urls.canonical("https://news.example/?utm_source=a&utm_medium=b&fbclid=c", tracking)
    assert key == "https://news.example/?fbclid=c&utm_source=a"


def test_the_nearest_site_decides() -> None:
    tracking = urls.load_tracking("example only id\nnews.example keep page\n")
    assert urls.canonical("https://www.news.example/?id=1&page=2&x=3", tracking) == "https://news.example/?id=1&page=2"
    assert urls.canonical("https://blog.example/?id=1&page=2&x=3", tracking) == "https://blog.example/?id=1"


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("h.example", "line 2: after h.example comes drop, keep, only or is, not nothing"),
        ("h.example lose a", "line 2: after h.example comes drop, keep, only or is, not lose"),
        ("h.example drop", "line 2: h.example drop needs at least one parameter"),
        ("* only a", "line 2: only is for one site"),
        ("h.example is", "line 2: h.example is … needs exactly one host"),
        ("h.example is m.36kr.com", "line 2: h.example is m.36kr.com would need a second step"),
        ("36kr.com is h.example", "line 2: 36kr.com is h.example would need a second step"),
    ],
)
def test_a_wrong_statement_is_named_by_its_line(statement: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(complaint)}"):
        urls.load_tracking(f"# ours\n{statement}\n")


# ---------------------------------------------------------------------------------------------- join


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        *[("g", "http://a/b/c/g"), ("./g", "http://a/b/c/g"), ("g/", "http://a/b/c/g/"), ("/g", "http://a/g")],
        *[("//g", "http://g/"), ("?y", "http://a/b/c/d;p?y"), ("g?y", "http://a/b/c/g?y"), (";x", "http://a/b/c/;x")],
        *[("#s", "http://a/b/c/d;p?q#s"), ("g#s", "http://a/b/c/g#s"), ("g;x=1/../y", "http://a/b/c/y")],
        *[(".", "http://a/b/c/"), ("..", "http://a/b/"), ("../../g", "http://a/g"), ("../../../g", "http://a/g")],
        *[("g?y/../x", "http://a/b/c/g?y/../x"), ("g..", "http://a/b/c/g.."), ("/./g", "http://a/g")],
        *[("http://h/x", "http://h/x"), ("HTTPS://H/x", "https://h/x"), ("", None), ("http:g", None)],
    ],
)
def test_references_are_resolved_as_rfc_3986_says(reference: str, target: str | None) -> None:
    assert urls.join(_BASE, reference) == target


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        (" \n/a b\t", "http://a/a%20b"),
        ("/a\nb", "http://a/ab"),
        ("\\\\h.example\\x", "http://h.example/x"),
        ("https:/\\h.example/x", "https://h.example/x"),
        ("http://h.example/中?q=é#ü", "http://h.example/%E4%B8%AD?q=%C3%A9#%C3%BC"),
        ("http://中文.example/", "http://xn--fiq228c.example/"),
        ("http://h.example/a[1]|{2}?x=[3]", "http://h.example/a%5B1%5D%7C%7B2%7D?x=%5B3%5D"),
        ("http://h.example/100%", "http://h.example/100%25"),
        ("http://h.example/?a=1&amp;b=2", "http://h.example/?a=1&b=2"),
        ("http://user:secret@h.example/x", "http://h.example/x"),
        ("http://h.example:80/x", "http://h.example/x"),
    ],
)
def test_what_browsers_mend_is_mended(reference: str, target: str) -> None:
    assert urls.join(_BASE, reference) == target


@pytest.mark.parametrize(
    "reference",
    [
        *("javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "java\tscript:x", "\x00javascript:x"),
        *(" \x01javascript:x", "&#106;avascript:x", "&#x6A;avascript:x", "javascript&colon;x", "java&Tab;script:x"),
        *(
            "%6aavascript:x",
            "java\u200bscript:x",
            "\uff4aavascript:x",
            "vbscript:x",
            "data:text/html,x",
            "file:///etc/passwd",
        ),
        *("ftp://h/x", "blob:https://h/x", "http:javascript:x", "mailto:a@b", "http://h:0/", "http://[::zz]/", "//"),
    ],
)
def test_nothing_but_web_addresses_comes_out(reference: str) -> None:
    assert urls.join(_BASE, reference) is None
    assert urls.join(None, reference) is None


def test_without_a_base_only_absolute_references_have_a_target() -> None:
    assert urls.join(None, "/a") is None
    assert urls.join("tag:x,2024:1", "a") is None
    assert urls.join(None, "//h.example/a") == "https://h.example/a"
    assert urls.join(None, "https://h.example/a") == "https://h.example/a"


def test_credentials_of_the_base_are_not_handed_on() -> None:
    assert urls.join("https://user:secret@h.example/feed.xml", "a/1") == "https://h.example/a/1"


def test_a_link_may_be_a_mail_address() -> None:
    assert urls.link(_BASE, " MAILTO:a@b.example?subject=你 好") == "mailto:a@b.example?subject=%E4%BD%A0%20%E5%A5%BD"
    assert urls.link(_BASE, "mailto:") is None
    assert urls.link(_BASE, "g") == "http://a/b/c/g"


@given(st.none() | _ADDRESSES, _ADDRESSES)
@example(None, "http://h/\ud800")
@example("https://h/", "x&#58;y")
def test_a_joined_address_is_ascii_http_and_stays_as_it_is(base: str | None, reference: str) -> None:
    target = urls.join(base, reference)
    if target is not None:
        assert re.fullmatch(r"https?://[a-z0-9._:\[\]-]+/[!-~]*", target)
        assert not set(target) & set('"<>\\^`{|} ')
        assert urls.join(None, target) == urls.join(base, target) == urls.link(None, target) == target
        assert urls.canonical(target) is not None


@given(_ADDRESSES)
@example("https://h.example/a/./b")
@example("https://h.example/a/../b?c")
@example("https://h.example:80/a.b/.c?d=/..#e")
@example("https://h.example/a?b=1&amp;c=2")
@example("https://h.example/" + "a" * 8200)
def test_an_address_is_joined_as_it_is_with_a_blank_before_it(reference: str) -> None:
    """What is recognised as finished is left out of the work; the blank has it done."""
    assert urls.join(_BASE, reference) == urls.join(_BASE, " " + reference)
