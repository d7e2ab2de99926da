"""Documents of every format → entries; and the corpus through the same door."""

from __future__ import annotations

import contextlib
import json
import re
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import errors, parse
from tests.instance import item, rss

URL = "http://feed.example/dir/feed.xml"
EIGHT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def read(document, content_type=None, zone=None, seen=b""):
    body = document.encode() if isinstance(document, str) else document
    return parse.read(body, content_type, URL, zone, seen)


def only(document, **how):
    (entry,) = read(document, **how).entries
    return entry


def atom(inner, head="<title>A feed</title><id>urn:feed</id>"):
    return f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="zh">{head}<entry>{inner}</entry></feed>'


RSS_ITEM = "<title>题</title><link>http://e.org/1</link><pubDate>Sun, 22 Nov 2026 08:00:00 GMT</pubDate>"

FORMATS = {
    "rss 0.91": f'<rss version="0.91"><channel><title>t</title><item>{RSS_ITEM}</item></channel></rss>',
    "rss 2.0": f'<rss version="2.0"><channel><title>t</title><item>{RSS_ITEM}</item></channel></rss>',
    "rdf 1.0": (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="http://e.org/"><title>t</title></channel>'
        '<item rdf:about="http://e.org/1"><title>题</title><link>http://e.org/1</link>'
        "<dc:date>2026-11-22T16:00:00+08:00</dc:date></item></rdf:RDF>"
    ),
    "atom 0.3": (
        '<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>t</title><entry><title>题</title>'
        '<link rel="alternate" type="text/html" href="http://e.org/1"/><id>urn:1</id>'
        "<issued>2026-11-22T08:00:00Z</issued><modified>2026-11-22T08:00:00Z</modified></entry></feed>"
    ),
    "atom 1.0": atom(
        '<title>题</title><link href="http://e.org/1"/><id>urn:1</id><updated>2026-11-22T08:00:00Z</updated>'
    ),
    "json 1.1": json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": "t",
            "items": [{"id": "1", "title": "题", "url": "http://e.org/1", "date_published": "2026-11-22T08:00:00Z"}],
        }
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_title_link_and_date(name):
    entry = only(FORMATS[name])
    assert (entry.title, entry.link, entry.published) == ("题", "http://e.org/1", EIGHT)


def test_a_local_file_is_never_opened_for_a_body_that_looks_like_a_path(tmp_path):
    secret = tmp_path / "secret.xml"
    secret.write_text(rss(item(1)))
    with pytest.raises(errors.ParseError):
        read(str(secret))


@pytest.mark.parametrize(
    "page",
    [
        "<html><head>{}</head><body>x</body></html>",
        "<!DOCTYPE html>\n<meta charset=utf-8><title>x</title>{}<p>Hello.",
        '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head>{}</head></html>',
    ],
)
def test_a_page_is_no_feed_and_its_feeds_are_named(page):
    page = page.format('<link rel="alternate" type="application/rss+xml" href="/rss.xml" />')
    with pytest.raises(errors.ParseError, match=r"http://feed\.example/rss\.xml") as caught:
        read(page)
    assert caught.value.feeds == ("http://feed.example/rss.xml",)


@pytest.mark.parametrize(
    "words", ["<code><rss></code>", "<script>x = '<rss><channel><item><title>&</title></item>'</script>", "<feed>"]
)
def test_a_page_that_speaks_of_feeds_is_none(words):
    link = '<link rel="alternate" type="application/rss+xml" href="/rss.xml">'
    with pytest.raises(errors.ParseError) as caught:
        read(f"<!DOCTYPE html><html><head>{link}</head><body>{words}<p>x</body></html>")
    assert caught.value.feeds == ("http://feed.example/rss.xml",)


@pytest.mark.parametrize("body", ["", "   ", "hello", "{}", "[1]", "null", "<html></html>", "\0\0", "{", "<", "<rss"])
def test_what_is_no_feed_is_a_parse_error(body):
    with pytest.raises(errors.ParseError):
        read(body)


@pytest.mark.parametrize("before", ["", "<!DOCTYPE html>", '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "x">'])
def test_an_empty_feed_is_a_feed(before):
    assert read(rss().replace("<rss", f"{before}<rss")).entries == ()


def test_the_feeds_own_metadata():
    head = read(
        atom(
            "<title>x</title>",
            "<title>A &amp; B</title><id>urn:f</id><rights>©</rights><author><name>Someone</name></author>"
            '<link href="http://e.org/"/><link rel="self" href="http://e.org/f"/><updated>2026-11-22T08:00:00Z</updated>',
        )
    ).head
    assert (head.id, head.title, head.link, head.rights, head.author) == (
        "urn:f", "A & B", "http://e.org/", "©", "Someone",
    )  # fmt: skip
    assert head.updated == EIGHT


def test_a_local_date_has_the_sources_zone():
    entry = only(rss(item(1, date="2026-11-22 16:00")), zone=ZoneInfo("Asia/Shanghai"))
    assert entry.published == EIGHT


def test_an_unreadable_date_is_noted():
    entry = only(rss(item(1, date="someday")))
    assert entry.published is None
    assert "date:unreadable" in entry.repairs


# ------------------------------------------------------------------------------------------------- links and ids


def test_a_permalink_guid_is_the_link():
    entry = only(rss("<item><title>t</title><guid>http://e.org/g</guid></item>"))
    assert (entry.id, entry.link) == ("http://e.org/g", "http://e.org/g")


@pytest.mark.parametrize(
    ("guid", "link"),
    [
        ('<guid isPermaLink="True">http://e.org/g</guid>', "http://e.org/g"),
        ('<guid isPermaLink="False">http://e.org/g</guid>', None),
        ('<guid ispermalink="false">http://e.org/g</guid>', None),
        ("<guid>/news/1</guid>", "http://feed.example/news/1"),
    ],
)
def test_whether_a_guid_is_a_permalink(guid, link):
    assert only(rss(f"<item><title>t</title>{guid}</item>", link="")).link == link


@pytest.mark.parametrize("unusable", ["<link/>", "<link> </link>", "<link>javascript:void(0)</link>"])
@pytest.mark.parametrize(
    ("guid", "link"),
    [
        ("<guid>http://e.org/g</guid>", "http://e.org/g"),
        ('<guid isPermaLink=" true ">http://e.org/g</guid>', "http://e.org/g"),
        ('<guid isPermaLink="false">http://e.org/g</guid>', None),
        ("<guid>12345</guid>", None),
    ],
)
def test_a_permalink_guid_stands_in_for_a_link_that_leads_nowhere(unusable, guid, link):
    for said in (unusable + guid, guid + unusable):
        entry = only(rss(f"<item><title>t</title>{said}</item>"))
        assert entry.link == link
        assert entry.id in ("http://e.org/g", "12345")


def test_what_is_enclosed_is_the_last_that_is_taken_for_the_page():
    enclosed = '<link rel="enclosure" href="http://e.org/a.mp3"/>'
    assert only(atom(f'<title>t</title>{enclosed}<link rel="via" href="http://e.org/v"/>')).link == "http://e.org/v"
    assert only(atom(f"<title>t</title>{enclosed}")).link == "http://e.org/a.mp3"


def test_what_an_rdf_item_is_about_is_its_page():
    linked = FORMATS["rdf 1.0"]
    assert only(linked.replace("<link>http://e.org/1</link>", "")).link == "http://e.org/1"


def test_a_guid_that_is_no_address_stays_as_it_is():
    entry = only(rss("<item><title>t</title><link>http://e.org/1</link><guid>12345</guid></item>"))
    assert (entry.id, entry.link) == ("12345", "http://e.org/1")


def test_a_guid_does_not_depend_on_where_the_feed_lies():
    document = rss("<item><title>t</title><guid>12345</guid></item>").encode()
    ids = {parse.read(document, None, url, None).entries[0].id for url in ("http://a.example/x", "http://b.example/y")}
    assert ids == {"12345"}


def test_the_alternate_html_link_comes_first():
    inner = (
        '<title>t</title><id>urn:1</id><link rel="self" href="http://e.org/self"/>'
        '<link rel="alternate" type="application/json" href="http://e.org/json"/>'
        '<link rel="alternate" type="text/html" href="http://e.org/html"/>'
    )
    assert only(atom(inner)).link == "http://e.org/html"


def test_relative_links_are_resolved_against_xml_base_and_address():
    inner = '<title>t</title><id>urn:1</id><link href="page"/>'
    assert only(atom(inner)).link == "http://feed.example/dir/page"
    based = atom(inner).replace("<entry>", '<entry xml:base="http://other.example/x/">')
    assert only(based).link == "http://other.example/x/page"


def test_a_relative_base_is_relative_to_the_document_once():
    inner = (
        '<title>t</title><id>urn:1</id><link href="page"/><link rel="enclosure" href="a.mp3" type="audio/mpeg"/>'
        '<content type="html" xml:base="c/">&lt;a href="x">y&lt;/a></content>'
    )
    entry = only(atom(inner).replace("<feed", '<feed xml:base="sub/"'))
    assert entry.link == "http://feed.example/dir/sub/page"
    assert [each.url for each in entry.enclosures] == ["http://feed.example/dir/sub/a.mp3"]
    assert 'href="http://feed.example/dir/sub/c/x"' in entry.content


@pytest.mark.parametrize(
    "rel", ["Alternate", "alternate nofollow", "", "http://www.iana.org/assignments/relation/alternate"]
)
def test_a_links_relation_may_be_written_in_other_ways(rel):
    page = f'<link rel="{rel}" href="http://e.org/page"/>'
    sound = '<link rel="http://www.iana.org/assignments/relation/enclosure" href="http://e.org/a.mp3"/>'
    entry = only(atom(f'<title>t</title><id>urn:1</id><link rel="self" href="http://e.org/s"/>{sound}{page}'))
    assert (entry.link, [each.url for each in entry.enclosures]) == ("http://e.org/page", ["http://e.org/a.mp3"])


def test_dates_of_prism_and_episodes_of_podcasting_2_count():
    namespaces = 'xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/" xmlns:podcast="https://podcastindex.org/namespace/1.0"'
    said = "<prism:publicationDate>2026-11-22T08:00:00Z</prism:publicationDate><podcast:episode>7</podcast:episode>"
    entry = only(rss(f"<item><title>t</title>{said}</item>").replace("<rss", f"<rss {namespaces}"))
    assert (entry.published, entry.episode) == (EIGHT, "7")


def test_one_entrys_base_does_not_reach_the_next():
    entry = '<entry{}><title>t</title><id>urn:{}</id><link href="page"/></entry>'
    entries = entry.format(' xml:base="http://other.example/x/"', 1) + entry.format("", 2)
    document = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title>{entries}</feed>'
    assert [e.link for e in read(document).entries] == ["http://other.example/x/page", "http://feed.example/dir/page"]


def test_the_publishers_own_link_behind_a_proxy_wins():
    document = rss(
        '<item xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"><title>t</title><link>http://proxy.example/x'
        "</link><feedburner:origLink>http://e.org/own</feedburner:origLink></item>"
    )
    assert only(document).link == "http://e.org/own"


@pytest.mark.parametrize("link", ["javascript:alert(1)", "java&#10;script:alert(1)", "data:text/html,x", "file:///etc"])
def test_a_dangerous_link_is_no_link(link):
    assert only(rss(f"<item><title>t</title><link>{link}</link></item>")).link is None


# ------------------------------------------------------------------------------------------------- texts


def test_content_and_summary_are_kept_apart_and_safe():
    document = rss(
        '<item xmlns:content="http://purl.org/rss/1.0/modules/content/"><title>t</title><description>short</description>'
        "<content:encoded><![CDATA[<p onclick='x()'>long<script>alert(1)</script></p>]]></content:encoded></item>"
    )
    entry = only(document)
    assert (entry.summary, entry.content) == ("short", "<p>long</p>")


MEDIA = 'xmlns:media="http://search.yahoo.com/mrss/"'
CAPTION = "<media:content url='/a.jpg'><media:description>{}</media:description></media:content>"


@pytest.mark.parametrize(
    "within",
    [
        CAPTION.format("caption"),
        CAPTION.format("caption") + CAPTION.format(""),
        "<media:description>caption</media:description>",
        '<og xmlns="http://ogp.me/ns#"><title>x</title><description>caption</description></og>',
    ],
)
def test_what_describes_a_picture_is_not_the_entrys_text(within):
    own = "<description>&lt;p>text of the entry&lt;/p></description>"
    for said in (own + within, within + own):
        entry = only(rss(f"<item {MEDIA}><title>t</title>{said}</item>"))
        assert (entry.title, entry.content or entry.summary) == ("t", "<p>text of the entry</p>")


def test_the_description_of_a_film_is_the_text_of_an_entry_that_has_no_other():
    film = "<media:group><media:title>x</media:title><media:description>one\ntwo</media:description></media:group>"
    assert only(atom(f"<title>t</title>{film}").replace("<entry>", f"<entry {MEDIA}>")).summary == "one<br>two"
    assert only(rss(f"<item {MEDIA}><title>t</title><description/>{film}</item>")).summary == "one\ntwo"


ITUNES = 'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'


def test_what_an_episode_is_about_for_itunes_is_not_its_text_where_it_has_one():
    notes, short = "<description>&lt;p>all notes&lt;/p></description>", "<itunes:summary>short</itunes:summary>"
    for said in (notes + short, short + notes):
        entry = only(rss(f"<item {ITUNES}><title>t</title>{said}</item>"))
        assert (entry.content, entry.summary) == ("", "<p>all notes</p>")
    longer = short.replace("short", "longer than what the description says of it")
    entry = only(rss(f"<item {ITUNES}><title>t</title><description>short</description>{longer}</item>"))
    assert (entry.content, entry.summary) == ("longer than what the description says of it", "short")
    subtitle = "<itunes:subtitle>shorter</itunes:subtitle>"
    assert only(rss(f"<item {ITUNES}><title>t</title>{subtitle}{short}</item>")).summary == "short"
    assert only(rss(f"<item {ITUNES}><title>t</title>{subtitle}</item>")).summary == "shorter"


@pytest.mark.parametrize("empty", ["", " ", "&lt;p>&lt;/p>", "&lt;p>&amp;nbsp;&lt;/p>&lt;br>"])
def test_a_content_that_shows_nothing_is_none(empty):
    space = 'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    said = "<title>t</title><description>short</description><content:encoded>{}</content:encoded>"
    entry = only(rss(f"<item {space}>{said.format(empty)}</item>"))
    assert (entry.content, entry.summary) == ("", "short")
    picture = '<img src="http://e.org/1.png">'
    assert only(rss(f"<item {space}>{said.format(picture.replace('<', '&lt;'))}</item>")).content == picture


@pytest.mark.parametrize("stray", ["<gml:pos>1 2</gml:pos>", "<gml:posList>x</gml:posList>"])
def test_an_element_out_of_its_place_costs_no_other(stray):
    spaces = f'xmlns:gml="http://www.opengis.net/gml" {MEDIA}'
    document = rss(f"<item {spaces}><title>a</title>{stray}<link>http://e.org/1</link></item>", item(2))
    first, _ = read(document).entries
    assert (first.title, first.link) == ("a", "http://e.org/1")


def test_a_title_is_text():
    assert only(rss("<item><title>AT&amp;amp;T &lt;b&gt;bold&lt;/b&gt;</title></item>")).title == "AT&T bold"
    assert only(atom('<title type="text">use &lt;b&gt; here</title>')).title == "use <b> here"


def test_atom_text_content_is_escaped():
    assert only(atom('<title>t</title><content type="text">1 &lt; 2</content>')).content == "1 &lt; 2"


def test_atom_content_without_a_type_that_is_html_is_html():
    inner = "<title>t</title><content>&lt;p&gt;a &lt;b&gt;b&lt;/b&gt;&lt;/p&gt;</content>"
    assert only(atom(inner)).content == "<p>a <b>b</b></p>"


def test_what_a_json_item_leaves_out_is_taken_from_its_text_and_attachments():
    attached = [{"url": "/a.mp3", "mime_type": "audio/mpeg", "duration_in_seconds": 77.4}]
    content = "<p>（记者 张三）正文</p><img src='/i.png'>"
    items = [
        {"id": "1", "content_html": content, "attachments": attached},
        {"id": "2", "content_html": content, "banner_image": "/b.png", "authors": [{"name": "李四"}]},
    ]
    first, second = read(json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items})).entries
    assert (first.author, first.image, first.duration) == ("张三", "http://feed.example/i.png", 77)
    assert (second.author, second.image, second.duration) == ("李四", "http://feed.example/b.png", None)


def test_a_json_item_whose_id_is_an_address_is_found_there():
    items = [{"id": "http://e.org/1"}, {"id": "2"}, {"id": "http://e.org/3", "url": "/3"}, {"id": "/4"}]
    entries = read(json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items})).entries
    assert [entry.link for entry in entries] == ["http://e.org/1", None, "http://feed.example/3", None]


def test_a_picture_among_a_json_items_attachments_is_its_picture():
    items = [{"id": "1", "attachments": [{"url": "/a.mp3"}, {"url": "/b", "mime_type": "image/png"}]}]
    entry = only(json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}))
    assert entry.image == "http://feed.example/b"


def test_a_raw_line_break_in_json_is_read():
    feed = '{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "title": "a\tb\nc"}]}'
    assert only(feed).title == "a b c"


def test_a_number_that_is_too_long_costs_no_other_item():
    digits = "9" * 5000
    feed = f'{{"version": "https://jsonfeed.org/version/1.1", "items": [{{"id": "1", "x": {digits}}}, {{"id": "2"}}]}}'
    assert [entry.id for entry in read(feed).entries] == ["1", "2"]


def test_what_a_cache_puts_behind_a_json_feed_does_no_harm():
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "title": "t"}]}
    assert only(f"\n{json.dumps(feed)}\n<!-- cached -->").title == "t"


JSON_ITEMS = '{"id": "1", "title": "a"}, {"id": "2", "title": "b"}'
JSON_BEGINS = '{"version": "https://jsonfeed.org/version/1.1", "items": ['


@pytest.mark.parametrize(
    ("items", "ids"),
    [
        (f"{JSON_ITEMS},]}}", "12"),
        (f"// one\n{JSON_ITEMS}, /* {{ */ ], }}", "12"),
        (f"{JSON_ITEMS.replace('},', '}')}]}}", "12"),
        (f"{JSON_ITEMS.replace('},', ',')}]}}", "12"),
        (f"{JSON_ITEMS.replace('},', '}},')}]}}", "12"),
        (f"{JSON_ITEMS.replace('},', '},]')}]}}", "12"),
        ('{"id": "1"}, {"id": "2", "tags": []], "x": 1}}, {"id": "3"}]}', "123"),
        ('{"id": "1", "tags": ["x", "y"}, {"id": "2", "tags": ["x"]], "y": 1}]}', "12"),
        ('{"id": "1", "title": "a, {"id": "2"}]}', "1"),
        ('{"id": "1", "title": "a}, {"id": "2"}, {"id": "3"}]}', "123"),
        ('{"id": "1", "title": "a \\x "b", c"}, {"id": "2", "title": None, "x": undefined}]}', "12"),
        ('{id: "1", x: NaN}, {"id": , "title": "t"}, {"id": 2}]}', "1-2"),
        (f'{{"id": "1", "x": {"[" * 3000}{"]" * 3000}}}, {{"id": "2"}}]}}', "12"),
        (f'{{"id": "1", "x": {"[" * 990}{"]" * 990}}}, {{"id": "2"}}]}}', "12"),
    ],
)
def test_of_json_that_is_none_what_can_be_read_is_kept(items, ids):
    feed = read(f"{JSON_BEGINS}{items}")
    assert "".join(entry.id or "-" for entry in feed.entries) == ids
    assert feed.complete


@pytest.mark.parametrize("lost", range(1, len(JSON_ITEMS) + 2))
def test_a_json_feed_that_is_cut_short_keeps_its_whole_items(lost):
    said = f"{JSON_BEGINS}{JSON_ITEMS}]}}"[:-lost]
    feed = read(said)
    assert [entry.title for entry in feed.entries] == ["a", "b"][: said.count("}")]
    assert (feed.complete, feed.gist) == (False, b"")


@pytest.mark.parametrize("put_in", ["", *'"{}[],\\\\'])
def test_one_character_too_many_or_too_few_mixes_no_json_items(put_in):
    items = ", ".join(
        f'{{"id": "{k}", "tags": ["x"], "title": "{k}", "authors": [{{"name": "{k}"}}], "url": "/{k}"}}'
        for k in range(3)
    )
    for place in range(len(items)):
        with contextlib.suppress(errors.ParseError):
            for entry in read(f"{JSON_BEGINS}{items[:place]}{put_in}{items[place + (not put_in) :]}]}}").entries:
                said = [
                    entry.id or "",
                    entry.title,
                    entry.author,
                    (entry.link or "").removeprefix("http://feed.example"),
                ]
                named = {one.removeprefix("/") for one in said} & set("012")
                assert len(named) <= 1, (place, entry)


def test_unescaped_quotes_in_json_are_kept():
    entry = only(f'{JSON_BEGINS}{{"id": "1", "title": "a \\x "b", c"}}]}}')
    assert (entry.title, entry.repairs) == ('a \\x "b", c', ("document:mended", "link:none"))


def test_an_episode_that_has_a_title_for_itunes_only_has_that():
    space = 'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
    for said, title in (("", "i"), ("<title>t</title>", "t")):
        assert only(rss(f"<item {space}><itunes:title>i</itunes:title>{said}</item>")).title == title


def test_the_language_of_one_entry_is_its_own():
    space = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
    item_of = f"<item {space}><title>{{}}</title><guid>{{}}</guid>{{}}</item>"
    document = rss(item_of.format("a", 1, "<dc:language>en</dc:language>"), item_of.format("b", 2, ""))
    assert [entry.language for entry in read(document).entries] == ["en", None]


@pytest.mark.parametrize("space", ["", " xmlns:x='urn:nobody'"])
@pytest.mark.parametrize(
    "inner",
    [
        "x:feed{}><x:entry><x:title>a</x:title><x:link href='/1'/><x:summary><![CDATA[<x:b>]]></x:summary></x:entry>",
        "x:rss{}><x:channel><x:item><x:title>a</x:title><x:link>/1</x:link></x:item></x:channel>",
    ],
)
def test_elements_whose_prefix_nobody_knows_are_read_without_it(inner, space):
    document = f"<?xml version='1.0'?><{inner.format(space)}</{inner.partition('{')[0]}>"
    first = read(document)
    (entry,) = first.entries
    assert (entry.title, entry.link) == ("a", "http://feed.example/1")
    assert read(document, seen=first.hashes).entries == ()


def test_entities_in_a_json_title_are_read():
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "title": "It&#8217;s"}]}
    assert only(json.dumps(feed)).title == "It’s"


@pytest.mark.parametrize("first", [True, False])
def test_an_items_image_is_its_picture_and_says_nothing_else_of_it(first):
    said = "<title>t</title><link>/1</link><description>d</description>"
    image = "<image><url>/i.png</url><title>x</title><link>/x</link><description>y</description></image>"
    entry = only(rss(f"<item>{image}{said}</item>" if first else f"<item>{said}{image}</item>"))
    assert (entry.image, entry.title, entry.link) == ("http://example.org/i.png", "t", "http://example.org/1")
    assert (entry.summary, entry.content) == ("d", "")


def test_the_image_of_a_channel_is_no_items_picture():
    image = "<image><url>/i.png</url><title>x</title><link>/x</link></image>"
    assert only(rss(image, "<item><title>t</title></item>")).image is None


def test_xhtml_content_is_kept():
    content = '<div xmlns="http://www.w3.org/1999/xhtml"><p>x<b>y</b></p></div>'
    inner = f'<title>t</title><content type="xhtml">{content}</content>'
    assert "<p>x<b>y</b></p>" in only(atom(inner)).content


def test_authors_are_joined_once():
    authors = "".join(f"<author><name>{name}</name></author>" for name in "甲乙甲")
    assert only(atom(f"<title>t</title>{authors}")).author == "甲, 乙"


def test_an_entry_without_authors_has_those_of_its_source():
    source = "<source><title>s</title><author><name>甲</name></author></source>"
    assert only(atom(f"<title>t</title>{source}")).author == "甲"
    assert only(atom(f"<title>t</title>{source}<author><name>乙</name></author>")).author == "乙"


def test_a_base_within_a_text_counts_for_what_it_holds():
    xhtml = (
        '<div xmlns="http://www.w3.org/1999/xhtml" xml:base="d/">'
        '<p xml:base="http://p.example/p/"><a href="1">1</a></p>'
        '<a href="2">2</a><img src="3.png" xml:base="/i/"/><a href="http://q.example/4">4</a></div>'
    )
    content = f'<content type="xhtml" xml:base="http://b.example/c/">{xhtml}</content>'
    after = f'<summary type="xhtml">{xhtml.replace(" xml:base=", " title=")}</summary>'
    entry = only(atom(f'<title>t</title><id>urn:1</id><link href="http://l.example/"/>{content}{after}'))
    assert re.findall('(?:href|src)="([^"]*)"', entry.content) == [
        "http://p.example/p/1",
        "http://b.example/c/d/2",
        "http://b.example/i/3.png",
        "http://q.example/4",
    ]
    assert 'href="http://l.example/2"' in entry.summary


def test_a_base_within_a_text_that_would_blow_it_up_counts_for_nothing():
    base = f"http://b.example/{'x' * 600}/"
    xhtml = f'<div xmlns="http://www.w3.org/1999/xhtml" xml:base="{base}"><a href="1">1</a></div>'
    entry = only(atom(f'<title>t</title><id>urn:1</id><content type="xhtml" xml:base="/c/">{xhtml}</content>'))
    assert len(entry.content) < 100
    assert "b.example" not in entry.content


def test_a_content_with_a_base_of_its_own_is_no_summary_too():
    content = '<content type="html" xml:base="http://b.example/">&lt;a href="x">y&lt;/a></content>'
    entry = only(atom(f"<title>t</title><id>urn:1</id>{content}"))
    assert (entry.summary, entry.content) == ("", '<a href="http://b.example/x">y</a>')


@pytest.mark.parametrize(
    ("said", "seconds"), [("754", 754), ("754.5", 754), ("12:34", 754), ("1:02:03", 3723), ("", None), ("1h 2m", None)]
)
def test_how_long_an_episode_is(said, seconds):
    space = 'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
    document = rss(f"<item {space}><title>t</title><itunes:duration>{said}</itunes:duration></item>")
    assert only(document).duration == seconds


def test_an_enclosure_that_says_no_type_has_none():
    (enclosure,) = only(atom('<title>t</title><link rel="enclosure" href="http://e.org/a"/>')).enclosures
    assert enclosure.type == ""


def test_enclosures_and_media_are_kept_once():
    document = rss(
        '<item xmlns:media="http://search.yahoo.com/mrss/"><title>t</title>'
        '<enclosure url="http://e.org/a.mp3" type="audio/mpeg" length="123"/>'
        '<media:content url="http://e.org/a.mp3"/><media:content url="http://e.org/b.jpg" type="image/jpeg"/></item>'
    )
    assert [(e.url, e.type, e.length) for e in only(document).enclosures] == [
        ("http://e.org/a.mp3", "audio/mpeg", 123),
        ("http://e.org/b.jpg", "image/jpeg", None),
    ]


def test_control_characters_do_not_come_through():
    entry = only(rss("<item><title>a&#8;b\x0bc</title><description>d&#xD800;e</description></item>"))
    assert (entry.title, entry.summary) == ("abc", "de")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("<!DOCTYPE html><html><body><p>Sorry<br>&nbsp;</body></html>", "a page, not a feed, and it names none"),
        ('<html><head><link rel=alternate type="application/rss+xml" href="/f">', "names: http://feed.example/f"),
        ("<sitemap/>", "no RSS, Atom or JSON Feed"),
    ],
)
def test_what_is_no_feed_is_called_what_it_is(body, said):
    with pytest.raises(errors.ParseError, match=said):
        read(body)


NAMED_AS_VALUES = [
    *("authors", "links", "media_content", "media_thumbnail", "image", "title_detail"),
    *("summary_detail", "content", "feedburner_origlink", "created", "itunes_duration", "itunes_episode"),
    *("itunes_title", "itunessummary", "innerdescription", "itempicture", "guidislink", "language", "source"),
]


@pytest.mark.parametrize("attribute", ["", ' a="1"'])
@pytest.mark.parametrize("name", NAMED_AS_VALUES)
def test_an_element_that_is_called_as_feedparser_calls_a_value_does_no_harm(name, attribute):
    element = f"<{name}{attribute}>x</{name}>"
    said = f"{element}<link>http://e.org/1</link>"
    assert only(rss(f"<item><title>t</title>{said}</item>")).title == "t"
    assert only(rss(f"<item>{said}</item>"))
    assert only(f"<feed xmlns='http://www.w3.org/2005/Atom'>{element}<entry>{said}</entry></feed>")


def test_a_picture_among_the_media_is_the_entrys_picture_and_no_enclosure():
    media = '<media:content url="/a.jpg" medium="image"/><media:content url="/b.mp3" type="audio/mpeg"/>'
    entry = only(rss(f'<item xmlns:media="http://search.yahoo.com/mrss/"><title>x</title>{media}</item>'))
    assert entry.image == "http://feed.example/a.jpg"
    assert [enclosure.url for enclosure in entry.enclosures] == ["http://feed.example/b.mp3"]


@pytest.mark.parametrize(
    ("said", "image"),
    [
        ("<description>&lt;img data-src='/a.jpg'></description>", "http://feed.example/a.jpg"),
    ],
)
def test_an_entry_that_encloses_none_has_another_picture(said, image):
    assert only(rss(f"<item><title>x</title>{said}</item>")).image == image


@pytest.mark.parametrize(
    ("said", "image"),
    [
        ('<media:content url="http://e.org/a" type="image/jpeg"/>', "http://e.org/a"),
        ('<media:content url="http://e.org/a.JPG?w=1"/>', "http://e.org/a.JPG?w=1"),
        ('<media:content url="http://e.org/a.jpg" medium="video" type="image/jpeg"/>', None),
        ('<media:content url="http://e.org/a.jpg" type="video/mp4"/>', None),
        (
            '<media:thumbnail url="http://e.org/b.gif" width="1"/><media:content url="http://e.org/a.jpg"/>',
            "http://e.org/a.jpg",
        ),
        ('<enclosure url="http://e.org/a" type="image/png"/>', "http://e.org/a"),
        ('<enclosure url="http://e.org/a.jpg" type="audio/mpeg"/>', None),
        ('<enclosure url="http://e.org/a.jpg"/>', "http://e.org/a.jpg"),
        ('<enclosure url="http://e.org/a.mp3"/>', None),
    ],
)
def test_what_is_enclosed_is_the_entrys_picture_where_it_is_one(said, image):
    entry = only(rss(f'<item xmlns:media="http://search.yahoo.com/mrss/"><title>x</title>{said}</item>'))
    assert entry.image == image
    assert len(entry.enclosures) == 1


@pytest.mark.parametrize(("said", "language"), [("zh-TW", "zh-TW"), ("zh\nX: y", None), ("x" * 36, None), (7, "7")])
def test_a_language_of_a_json_feed_has_the_form_of_a_tag(said, language):
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "title": "t", "language": said}]}
    assert only(json.dumps(feed)).language == language


# ------------------------------------------------------------------------------------------------- what was seen


def test_entries_seen_before_are_not_read_again():
    first = read(rss(item(1), item(2)))
    second = read(rss(item(3), item(1), item(2)), seen=first.hashes)
    assert [entry.title for entry in second.entries] == ["Story 3"]
    assert len(second.hashes) == 3 * parse.HASH_LENGTH


def test_an_edited_entry_is_read_again():
    first = read(rss(item(1), item(2)))
    assert [e.title for e in read(rss(item(1, "New"), item(2)), seen=first.hashes).entries] == ["New"]


def test_what_is_seen_of_a_json_feed_is_left_out_too():
    first = read(FORMATS["json 1.1"])
    assert read(FORMATS["json 1.1"], seen=first.hashes).entries == ()


def test_an_unseen_entry_reads_as_in_the_whole_document():
    document = rss(item(1), item(2, "<b>x</b> &amp; y"), item(3))
    others = read(rss(item(1), item(3))).hashes
    (alone,) = read(document, seen=others).entries
    assert alone == read(document).entries[1]


def test_a_relative_guid_reads_the_same_when_the_entry_with_a_base_is_left_out():
    based = "<item xml:base='http://other.example/x/'><title>x</title><guid>1</guid></item>"
    relative = "<item><title>y</title><guid>../Page?</guid></item>"
    whole = read(rss(based, relative))
    (alone,) = read(rss(based, relative), seen=whole.hashes[: parse.HASH_LENGTH]).entries
    assert alone == whole.entries[1]


def test_a_document_that_cannot_be_cut_is_read_once_as_long_as_its_bytes_stay():
    document = f'<?xml version="1.0"?><rss version="2.0"><channel><ttl>5</ttl>{item(1)}<x>{item(2)}</x></channel></rss>'
    first = read(document)
    again = read(document, seen=first.hashes)
    assert (len(first.entries), again.entries, again.hashes) == (2, (), first.hashes)
    assert again.wishes == first.wishes
    assert len(read(document.replace("<ttl>5", "<ttl>6"), seen=first.hashes).entries) == 2


# ------------------------------------------------------------------------------------------------- the corpus


def documents(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_every_torture_document_reads_or_is_refused_quickly(corpus):
    for path in documents(corpus / "feeds" / "torture"):
        started = time.process_time()
        with contextlib.suppress(errors.ParseError):
            parse.read(path.read_bytes(), None, URL, None)
        assert time.process_time() - started < 2, path


def test_every_real_document_with_entries_yields_entries(corpus):
    rows = [line.split("\t") for line in (corpus / "feeds" / "INDEX.tsv").read_text("utf-8").splitlines()[1:]]
    expected = {row[0].removeprefix("feeds/"): int(row[8] or 0) for row in rows if row[1] == "real"}
    checked = 0
    for name, entries in sorted(expected.items())[::6]:
        path = corpus / "feeds" / name
        if entries and path.exists():
            found = len(parse.read(path.read_bytes(), None, URL, None).entries)
            assert found > 0, name
            checked += 1
    assert checked >= 25


@pytest.mark.full
def test_the_cut_equals_a_whole_parse_field_by_field(corpus):
    compared = 0
    for kind in ("real", "derived"):
        for path in documents(corpus / "feeds" / kind):
            body = path.read_bytes()
            try:
                whole = parse.read(body, None, URL, None)
            except errors.ParseError:
                continue
            hashes = [whole.hashes[k : k + 8] for k in range(0, len(whole.hashes), 8)]
            for k, own in enumerate(hashes[:5]):
                seen = b"".join(digest for digest in hashes if digest != own)
                if hashes.count(own) == 1 and len(hashes) > 1:
                    (alone,) = parse.read(body, None, URL, None, seen).entries
                    assert alone == whole.entries[k], path
                    compared += 1
    assert compared > 500


@given(st.binary(max_size=300))
def test_random_bytes_raise_nothing_but_parse_errors(body):
    with contextlib.suppress(errors.ParseError):
        read(body)


@given(st.text(max_size=200), st.sampled_from(sorted(FORMATS)), st.integers(0, 400))
def test_a_feed_with_something_written_into_it_raises_nothing_but_parse_errors(text, name, place):
    document = FORMATS[name]
    broken = document[:place] + text + document[place:]
    with contextlib.suppress(errors.ParseError):
        read(broken.encode("utf-8", "surrogatepass"))
