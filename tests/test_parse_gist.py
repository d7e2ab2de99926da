"""Which documents say the same, to be known before they are read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import errors, parse

RSS = (
    '<rss version="2.0"><channel><title>源</title><link>http://e.org/</link>{head}'
    "<item><guid>1</guid><title>一</title><pubDate>{date}</pubDate></item></channel></rss>"
)
ATOM = (
    '<feed xmlns="http://www.w3.org/2005/Atom"><title>源</title>{head}'
    "<entry><id>tag:e.org,2026:1</id><title>一</title><updated>{date}</updated></entry></feed>"
)
PREFIXED = (
    '<a:feed xmlns:a="http://www.w3.org/2005/Atom" xmlns="http://www.w3.org/2005/Atom">{head}'
    "<a:entry><id>tag:e.org,2026:1</id><title>一</title><updated>{date}</updated></a:entry></a:feed>"
)
FOREIGN = (
    '<源:feed xmlns:源="http://www.w3.org/2005/Atom">{head}'
    "<源:entry><源:id>tag:e.org,2026:1</源:id><updated>{date}</updated></源:entry><entry/></源:feed>"
)
NOON, LATER = "2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z"


def gist(document: str, content_type: str | None = "application/xml") -> bytes:
    return parse.gist(document.encode(), content_type)


def test_it_is_that_of_the_feed_which_is_read():
    document = RSS.format(head="<ttl>90</ttl>", date="").encode()
    assert parse.read(document, "text/xml", "http://e.org/", None).gist == parse.gist(document, "text/xml") != b""


@pytest.mark.parametrize(
    ("document", "made"),
    [
        (RSS, "<lastBuildDate>{}</lastBuildDate>"),
        (RSS, "<pubDate>{}</pubDate>"),
        (RSS, "<dc:date>{}</dc:date>"),
        ("\ufeff\n" + RSS, "<pubDate>\n{} </pubDate>"),
        (ATOM, "<updated>{}</updated>"),
        (PREFIXED, "<updated>{}</updated>"),
    ],
)
def test_when_the_document_was_made_is_left_out(document, made):
    one, other = (document.format(head=made.format(when), date=NOON) for when in (NOON, LATER))
    assert gist(one) == gist(other)


@pytest.mark.parametrize("document", [RSS, ATOM, PREFIXED, FOREIGN])
def test_when_an_entry_was_made_is_not(document):
    one, other = (document.format(head=f"<updated>{NOON}</updated>", date=when) for when in (NOON, LATER))
    assert gist(one) != gist(other)


@pytest.mark.parametrize("said", ["<ttl>{}</ttl>", "<language>{}</language>", "<updated>{}</updated><!-- {} -->"])
def test_whatever_else_differs_makes_another_one(said):
    assert gist(RSS.format(head=said.format(1, 1), date="")) != gist(RSS.format(head=said.format(2, 2), date=""))


def test_so_does_another_media_type_which_may_name_another_encoding():
    document = RSS.format(head="", date="")
    assert gist(document, "text/xml; charset=gbk") != gist(document, "text/xml; charset=big5")


def test_what_looks_like_a_date_in_the_bytes_of_utf_16_is_none():
    looks = (b"<updated>", b"%s", b"</updated ><item >")
    titles = [b"".join(looks).replace(b"%s", when).decode("utf-16-le") for when in (b"123", b"456")]
    one, other = (RSS.format(head=f"<description>{title}</description>", date="") for title in titles)
    assert parse.gist(one.encode("utf-16-le"), None) != parse.gist(other.encode("utf-16-le"), None)


def test_what_looks_like_a_date_in_a_json_feed_is_none():
    one, other = (
        f'{{"items": [{{"id": "1", "content_html": "<updated>{when}</updated><item >"}}]}}' for when in (NOON, LATER)
    )
    assert gist(one) != gist(other)


def test_a_document_too_long_to_say_has_none():
    assert gist(RSS.format(head="<!--" + "x" * 2**20 + "-->", date="")) == b""


_PIECES = [
    "<item>",
    "</item>",
    "<a:item>",
    "<entry >",
    "</entry>",
    "<updated>1</updated>",
    "<updated>2</updated>",
    "<pubDate>Sun, 22 Nov 2026 08:00:00 GMT</pubDate>",
    "<pubDate>Mon, 23 Nov 2026 08:00:00 GMT</pubDate>",
    "<title>一</title>",
    "<ttl>60</ttl>",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
]
_BODIES = st.lists(st.sampled_from(_PIECES), max_size=7).map("".join)


@given(_BODIES, st.sampled_from(["1", "2"]), st.sampled_from(["3", "4"]))
def test_what_has_the_same_gist_is_read_in_the_same_way(body, one, other):
    first = RSS.format(head=f"<updated>{one}</updated>{body}", date=NOON)
    second = RSS.format(head=f"<updated>{other}</updated>{body}", date=NOON)
    if gist(first) == gist(second):
        assert entries_and_wishes(first) == entries_and_wishes(second)


def entries_and_wishes(document: str) -> object:
    try:
        feed = parse.read(document.encode(), "application/xml", "http://e.org/", None)
    except errors.ParseError:
        return None
    return feed.entries, feed.wishes
