"""Broken documents → well-formed XML that says the same; hostile ones → nothing worse than little."""

from __future__ import annotations

import contextlib
import time
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.errors import ParseError
from aggregator.parse import repair

MEDIA = "{http://search.yahoo.com/mrss/}"


def tree(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(repair.wellformed(repair.clean(text))[0])


def title(inner: str, doctype: str = "") -> str:
    return tree(f"{doctype}<rss><channel><title>{inner}</title></channel></rss>").findtext("channel/title") or ""


# ---------------------------------------------------------------------------------------------- characters


FORBIDDEN = [
    "\x00",
    "\x08",
    "\x0b",
    "\x1f",
    "\ufffe",
    "\uffff",
    "\ufdd0",
    "\U0001fffe",
    "\U0010ffff",
    "\ud800",
    "\udfff",
]
REFERENCES = [
    "&#0;",
    "&#8;",
    "&#x1F;",
    "&#xD800;",
    "&#57343;",
    "&#xFFFE;",
    "&#xFDD0;",
    "&#x110000;",
    f"&#{'9' * 10_000};",
]


@pytest.mark.parametrize("forbidden", [*FORBIDDEN, *REFERENCES])
def test_characters_that_xml_forbids_are_dropped(forbidden: str) -> None:
    assert repair.clean(f"芯{forbidden}片") == "芯片"


def test_allowed_characters_and_references_stay_as_they_are() -> None:
    text = "a\t\n\r\x7f\x85\ue000\ufffd😀&#9;&#x20AC;&#128512;&amp;#8;"
    assert repair.clean(text) == text


@pytest.mark.parametrize("pair", ["&#xD83D;&#xDE00;", "&#55357;&#56832;", "\ud83d\ude00", "\ud83d&#xDE00;"])
def test_a_surrogate_pair_is_the_character_that_it_writes(pair: str) -> None:
    assert repair.clean(f"a{pair}b") == "a😀b"


def test_a_reference_that_dropping_puts_together_does_not_survive() -> None:
    assert "\x08" not in title("&#&#8;8;")
    assert title("a&#\x088;b") in ("ab", "a&#8;b")


# ---------------------------------------------------------------------------------------------- mending


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("A & B", "A & B"),
        ("AT&T; x", "AT&T; x"),
        ("?a=1&copy=2&b", "?a=1&copy=2&b"),
        ("&nbsp;&eacute;&hellip;&Auml;", "\xa0é…Ä"),
        ("&amp;lt; &lt;b&gt; &quot;&apos;", "&lt; <b> \"'"),
        ("&bogus; &#xZZ; &", "&bogus; &#xZZ; &"),
        ("&#X4E2D;&", "中&"),
        ("1 < 2 <3 <- x", "1 < 2 <3 <- x"),
        ("john <j@example.com> &", "john <j@example.com> &"),
        ("a]]>b", "a]]>b"),
        ("<![CDATA[A & B &nbsp; <p>]]> &", "A & B &nbsp; <p> &"),
        ("a<!-- -- -->b", "ab"),
        ("a<?php echo 1 ?>b&", "ab&"),
    ],
)
def test_text_that_xml_does_not_allow_means_what_it_looks_like(written: str, read: str) -> None:
    assert title(written) == read


def test_a_well_formed_document_is_not_touched() -> None:
    text = "<rss version='2.0'><!-- x --><a><![CDATA[<item> & <?x?>]]></a>&#8364;<b c='>'/></rss>"
    assert repair.wellformed(text) == (text, False)


def test_mended_documents_are_said_to_be() -> None:
    assert repair.wellformed("<rss>a & b</rss>") == ("<rss>a &amp; b</rss>", True)


@pytest.mark.parametrize(
    "before",
    [
        "\n\n ",
        "junk ",
        "<?xml version='1.0'?><?xml version='1.0'?>",
        "<br />\n<b>Warning</b>: mysql & co in <b>/x.php</b> on line <b>3</b><br />\n<?xml version='1.0'?>\n",
        "<!-- <rss -- & > -->",
        "<?xml-stylesheet href='x.xsl'?><!-- c --><!DOCTYPE rss SYSTEM 'x.dtd'>",
    ],
)
@pytest.mark.parametrize("after", ["", " \n", "<!-- cached -->", "<br/>\n<b>Notice</b>: & <p>", "\x00junk"])
def test_what_stands_outside_the_root_element_is_dropped(before: str, after: str) -> None:
    feed = tree(f"{before}<rss><channel><title>题</title></channel></rss>{after}")
    assert (feed.tag, feed.findtext("channel/title")) == ("rss", "题")


def test_attributes_are_quoted_unique_and_escaped() -> None:
    element = tree('<rss><a b=1 c d=\'x"y\' e="p<q&r" b=2 href=http://x/?a=1&b=2></a>&</rss>')[0]
    assert element.attrib == {"b": "1", "c": "", "d": 'x"y', "e": "p<q&r", "href": "http://x/?a=1&b=2"}


def test_a_lost_quote_costs_its_own_tag_only() -> None:
    feed = tree('<rss><channel><item><link href="x>a</link></item><item><title>二</title></item></channel></rss>')
    assert [item.findtext("title") for item in feed.iter("item")][-1] == "二"


def test_prefixes_that_nobody_declared_are_declared() -> None:
    feed = tree("<rss><item><media:thumbnail url='u'/><own:x own:y='1'/></item></rss>")
    assert feed.find(f"item/{MEDIA}thumbnail") is not None
    assert feed.find("item/{urn:undeclared:own}x") is not None


def test_a_prefix_declared_too_deep_counts_everywhere() -> None:
    feed = tree("<rss><item><m:x xmlns:m='urn:m'/></item><item><m:x/></item></rss>")
    assert len(feed.findall("item/{urn:m}x")) == 2


def test_two_prefixes_of_one_namespace_do_not_repeat_an_attribute() -> None:
    assert tree("<r xmlns:a='u' xmlns:b='u'><x a:q='1' b:q='2'/></r>")[0].attrib == {"{u}q": "1"}


def test_html_that_nobody_escaped_stays_in_its_element() -> None:
    feed = tree(
        "<rss><channel><item><description><p>one<br>two<img src=x></description>"
        "<title>题</title></item></channel></rss>"
    )
    item = feed.find("channel/item")
    assert item is not None
    assert item.findtext("title") == "题"
    assert "".join(item[0].itertext()) == "onetwo"


@pytest.mark.parametrize("lost", ["</item>", "</title>", "</x:category>"])
def test_a_lost_end_tag_nests_no_entry_in_another(lost: str) -> None:
    entry = "<item><title>题<x:category></x:category></title></item>"
    feed = tree(f"<rss xmlns:x='u'><channel>{entry.replace(lost, '')}{entry}{entry}</channel></rss>")
    assert [item.findtext("title") for item in feed.findall("channel/item")] == ["题"] * 3


TEXTS = ["description", "summary", "content:encoded", "itunes:summary"]


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("text", ["文", "文 &lt;b> <p>文</p><p>", "<![CDATA[文]]>"])
@pytest.mark.parametrize("end", ["</item>", ""])
def test_a_text_that_has_lost_its_end_swallows_no_part_of_its_entry(name: str, text: str, end: str) -> None:
    parts = "<link>l</link><guid>g</guid><author>d</author>"
    feed = tree(f"<rss><channel><item><{name}>{text}{parts}{end}<item><title>二</title></item></channel></rss>")
    first, second = feed.findall("channel/item")
    assert (first.findtext("link"), first.findtext("guid"), first[-1].text) == ("l", "g", "d")
    assert second.findtext("title") == "二"


def test_a_text_that_has_its_end_keeps_html_that_is_called_like_parts() -> None:
    html = "文<details><summary>s</summary><video><source src='a'></source></video></details>x<link rel=y>z"
    feed = tree(f"<rss><channel><item><description>{html}</description><link>l</link></item></channel></rss>")
    assert [child.tag for child in feed.find("channel/item") or ()] == ["description", "link"]
    assert "".join((feed.find("channel/item/description") or feed).itertext()) == "文sxz"


def test_an_end_tag_too_many_says_nothing() -> None:
    feed = tree("<rss><channel></p><title>题</b></title></item><item><link>l</link></item></channel></rss>")
    assert feed.findtext("channel/title") == "题"
    assert feed.findtext("channel/item/link") == "l"


def test_end_tags_match_in_any_case() -> None:
    assert [child.tag for child in tree("<rss><Title>a</title><Link>b</LINK></rss>")] == ["Title", "Link"]


WHOLE = (
    "<rss><channel><title>源</title>"
    "<item><title>一</title><link>http://e.org/1?a=1&amp;b=2</link></item>"
    "<item><title>二 &amp; 三</title><link>http://e.org/2</link><description><![CDATA[<p>文</p>]]></description></item>"
    "</channel></rss>"
)


LINKS = ["http://e.org/1?a=1&b=2", "http://e.org/2"]


@pytest.mark.parametrize("length", range(5, len(WHOLE)))
def test_a_document_cut_short_keeps_what_came_before(length: int) -> None:
    feed = tree(WHOLE[:length])
    whole = WHOLE[:length].count("</item>")
    assert feed.tag == "rss"
    assert [item.findtext("link") for item in feed.iter("item")][:whole] == LINKS[:whole]
    if "<title>二 &amp; 三</title>" in WHOLE[:length]:
        assert [item.findtext("title") for item in feed.iter("item")] == ["一", "二 & 三"]


ITEM = "<item><title>{}</title><description>{}</description></item>"


@pytest.mark.parametrize(
    ("unclosed", "kept"),
    [
        ("<![CDATA[文 <b>b</b>", "文 <b>b</b>"),
        ("<![CDATA[文]]", "文"),
        ("<![CDATA[\n文", "\n文"),
        ("前<![CDATA[文", "前文"),
        ("<!-- 文", " 文"),
    ],
)
@pytest.mark.parametrize("third", ["三", "<![CDATA[三]]>"])
def test_what_lacks_its_end_swallows_no_entry(unclosed: str, kept: str, third: str) -> None:
    items = ITEM.format("一", unclosed) + ITEM.format("<![CDATA[二]]>", "&") + ITEM.format(third, "x")
    found = list(tree(f"<rss><channel>{items}</channel></rss>").iter("item"))
    assert [item.findtext("title") for item in found] == ["一", "二", "三"]
    assert found[0].findtext("description") == kept


@pytest.mark.parametrize("between", ["</channel></rss>", "</rss>", "</channel></rss>\n<rss><channel><title>x</title>"])
def test_a_document_goes_on_to_its_last_entry(between: str) -> None:
    feed = tree(f"<rss><channel>{ITEM.format('一', '')}{between}{ITEM.format('二', '')}</channel></rss><p>junk</p>")
    assert [item.findtext("title") for item in feed.iter("item")] == ["一", "二"]
    assert "junk" not in "".join(feed.itertext())


def test_a_document_within_an_entry_begins_another_one() -> None:
    whole = f"<rss><channel>{ITEM.format('二', '')}</channel></rss>"
    feed = tree(
        f"<rss><channel><item><title>一</title><description>&<p>文{whole}</p></description></item></channel></rss>"
    )
    assert [item.findtext("title") for item in feed.iter("item")] == ["一", "二"]
    assert feed.find(".//item//item") is None


def test_the_words_of_a_script_are_no_document() -> None:
    script = "<script>var x = '<feed><entry>&</entry></feed>'</script>"
    assert tree(f"<p>{script}<rss><channel><title>源</title></channel></rss>").findtext("channel/title") == "源"


def test_a_section_within_a_section_is_text() -> None:
    assert title("<![CDATA[a <![CDATA[ b ]]> & c") == "a <![CDATA[ b  & c"


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("lost</title></item><item><title>一</title></item><item><title>二</title></item></channel></rss>", "rss"),
        ('<rss x="/<br>y"><item><title>一</title></item><item><title>二</title></item></rss>', "rss"),
        ('<feed xmlns:g="h<?x?>m"><entry><title>一</title></entry><entry><title>二</title></entry></feed>', "feed"),
        ("<item><title>一</title></item>\n<item><title>二</title></item>", "rss"),
        ("<id>x</id><entry><title>一</title></entry><entry><title>二</title></entry></feed>", "feed"),
    ],
)
def test_entries_outlive_the_lost_beginning_of_their_document(text: str, root: str) -> None:
    feed = tree(text)
    assert feed.tag.rpartition("}")[2] == root
    assert [title.text for title in feed.iter() if title.tag.endswith("title")] == ["一", "二"]


@pytest.mark.parametrize(
    "text", ["", "  ", "not found", "{}", "<", "<>", "<!-- <rss> -->", "<?xml version='1.0'?>", "<!DOCTYPE x>"]
)
def test_without_an_element_there_is_nothing_to_read(text: str) -> None:
    with pytest.raises(ParseError):
        repair.wellformed(text)


def test_a_page_comes_out_as_a_page() -> None:
    page = tree(
        "<!doctype html><html><head><link rel=alternate href=/f.xml><script>a<b && c</script></head><p>x<p>y</html>"
    )
    assert page.tag == "html"
    assert "/f.xml" in [link.get("href") for link in page.iter("link")]


# ---------------------------------------------------------------------------------------------- entities


def test_harmless_entities_of_the_document_are_expanded() -> None:
    doctype = "<!DOCTYPE rss [ <!-- ] > ' --> <!ENTITY who \"A &amp; &it;\"><!ENTITY it '<i>&#x4E2D;</i>'> ]>"
    assert title("x &who; <![CDATA[&who;]]>", doctype) == "x A & "
    assert "中" in repair.wellformed(f"{doctype}<rss>&who;</rss>")[0]
    assert "DOCTYPE" not in repair.wellformed(f"{doctype}<rss>&who;</rss>")[0]


def test_nothing_external_is_read() -> None:
    external = "<!ENTITY x SYSTEM 'file:///etc/passwd'><!ENTITY % p SYSTEM 'http://127.0.0.1:1/p'>%p;"
    doctype = f"<!DOCTYPE rss SYSTEM 'http://127.0.0.1:1/x.dtd' [{external}]>"
    assert title("a&x;b", doctype) == "ab"


def test_names_of_an_external_dtd_are_html_names() -> None:
    assert title("&eacute;", "<!DOCTYPE rss PUBLIC '-//Netscape//DTD RSS 0.91//EN' 'http://x/rss-0.91.dtd'>") == "é"


LAUGHS = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))
MANY = "".join(f"<!ENTITY e{n} 'y'>" for n in range(20_000))
BOMBS = {
    "billion laughs": f"<!DOCTYPE r [<!ENTITY l0 'lol'>{LAUGHS}]><r a='&l9;'>x&l9;</r>",
    "quadratic": f"<!DOCTYPE r [<!ENTITY a '{'x' * 50_000}'>]><r>x{'&a;' * 50_000}</r>",
    "endless": "<!DOCTYPE r [<!ENTITY a '&b;'><!ENTITY b '&a;&a;'>]><r>x&a;</r>",
    "parameters": "<!DOCTYPE r [<!ENTITY % a '<!ENTITY b \"%c;\">'>%a;]><r>x</r>",
    "many": f"<!DOCTYPE r [{MANY}]><r>x&e1;</r>",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_of_entities_ends_in_milliseconds(bomb: str) -> None:
    started = time.process_time()
    assert tree(bomb).text == "x"
    assert time.process_time() - started < 0.5


HOSTILE = [
    "<",
    "<![CDATA[",
    "<!--",
    "&",
    '<a "',
    "<a b='",
    "<a>",
    "</a>",
    "<a></b>",
    "<?",
    '<a x="<',
    "a=1 ",
    "]",
    "&#8;",
    "<item>",
]


@pytest.mark.parametrize("start", ["<rss>", "<rss ", "<!DOCTYPE a [", "<!DOCTYPE a "])
@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_markup_takes_linear_time(start: str, unit: str) -> None:
    started = time.process_time()
    with contextlib.suppress(ParseError):
        repair.wellformed(repair.clean(start + unit * (200_000 // len(unit))))
    assert time.process_time() - started < 2


# ---------------------------------------------------------------------------------------------- anything


@pytest.mark.parametrize(
    "section",
    ["<![cdata[a & b]]>", "<![CDATA [a & b]]>", "<! [CDATA[a & b]]>", "<!CDATA[a & b]]>", "<![Cdata[a & b]]>"],
)
def test_a_section_whose_beginning_is_misspelt_is_one(section: str) -> None:
    assert title(section) == "a & b"


def test_a_title_without_an_end_ends_where_the_next_part_begins() -> None:
    entry = tree("<rss><channel><item><title>t<link>http://e.org/1<description>d</item></channel></rss>").find(
        ".//item"
    )
    assert entry is not None
    assert [(part.tag, part.text) for part in entry] == [
        ("title", "t"), ("link", "http://e.org/1"), ("description", "d"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "start", ["<item <title>", "<item<title>", '<item x="<b>y</b>"><title>', "<item x='<b>'><title>"]
)
def test_an_entry_whose_start_tag_is_broken_is_kept(start: str) -> None:
    document = tree(f"<rss><channel>{start}t</title><description<![CDATA[d]]></description></item></channel></rss>")
    assert (document.findtext(".//item/title"), document.findtext(".//item/description")) == ("t", "d")


def test_a_word_in_angle_brackets_stays_text_where_its_bracket_is_lost() -> None:
    assert title("a <b and <i>c</i>").startswith("a <b and ")


PIECES = [
    *(
        "<rss>",
        "</rss>",
        "<a",
        "<b ",
        " x=",
        '"',
        "'",
        ">",
        "/>",
        "<",
        "&",
        "&amp;",
        "&nbsp;",
        "&#8;",
        "&#xD800;",
        "&x;",
        ";",
    ),
    *(
        "<![CDATA[",
        "]]>",
        "]]",
        "<!--",
        "-->",
        "<?",
        "?>",
        "<?xml ",
        "<!DOCTYPE a [",
        '<!ENTITY x "y&x;">',
        "]>",
        "<channel>",
    ),
    *(
        "<item>",
        "</item>",
        "<m:t",
        "</m:t>",
        " m:q=1",
        ' xmlns:m="u"',
        ' xmlns="v"',
        ' xmlns:m=""',
        "<entry/>",
        "<xmlns:a>",
    ),
    *(
        "<x:y:z>",
        ' xmlns:q="http://www.w3.org/XML/1998/namespace"',
        " q:z=1",
        "中",
        "\ud800",
        "\x00",
        "\n",
        "text",
        "<A>",
        "</a>",
    ),
]


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=25).map("".join))
def test_whatever_has_an_element_becomes_well_formed(text: str) -> None:
    try:
        document, _ = repair.wellformed(repair.clean(text))
    except ParseError:
        assert repair.mend(repair.after_prolog(repair.clean(text))) == ""
    else:
        ElementTree.fromstring(document)
        assert repair.wellformed(document)[0] == document
