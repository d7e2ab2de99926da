"""Published documents: three formats that parse back to what was curated, and their files."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from dataclasses import replace

import feedparser
import pytest
from lxml import etree

from aggregator import publish
from aggregator.models import Category, Enclosure, FeedMeta, Head, Mention, SiteSettings
from tests.builders import HOUR, NOW, published

ATOM = "{http://www.w3.org/2005/Atom}"

META = FeedMeta(
    term="tech",
    id=publish.feed_id("tech"),
    title="科技 · 聚合",
    site="https://news.example",
    language="zh-Hans",
    updated=NOW,
    labels={"tech": "科技", "ai": "人工智能"},
)


def documents(*entries):
    rendered = publish.render(META, entries)
    assert rendered.left_out == ()
    return rendered.documents


def parsed(document):
    found = feedparser.parse(io.BytesIO(document), sanitize_html=False)
    assert not found.bozo
    return found


@pytest.mark.parametrize("suffix", ["atom", "rss"])
def test_an_entry_parses_back_to_what_was_curated(suffix):
    said = published(terms=("ai", "tech"))
    (entry,) = parsed(documents(said)[suffix]).entries
    assert (entry.id, entry.title, entry.link) == (said.id, said.title, said.link)
    assert said.content in (entry.get("content") or [{"value": entry.summary}])[0]["value"]
    assert entry.published_parsed[:4] == (2026, 11, 22, 12)
    assert entry.author == "记者"
    assert {tag.term for tag in entry.tags} & {"ai", "人工智能"}
    assert entry.source.title == "Source"


def test_atom_source_is_whole():
    root = etree.fromstring(documents(published())["atom"])
    source = root.find(f"{ATOM}entry/{ATOM}source")
    assert source.findtext(f"{ATOM}id") == "urn:feed"
    assert source.findtext(f"{ATOM}title") == "Source"
    assert source.find(f"{ATOM}link").get("href") == "http://example.org/"
    assert source.findtext(f"{ATOM}updated") == "2026-11-22T12:00:00+00:00"
    assert source.findtext(f"{ATOM}rights") == "© source"


def test_rights_and_both_dates_are_kept():
    entry = etree.fromstring(documents(published())["atom"]).find(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}rights") == "© someone"
    assert entry.findtext(f"{ATOM}published") == "2026-11-22T12:00:00+00:00"
    assert entry.findtext(f"{ATOM}updated") == "2026-11-22T13:00:00+00:00"


def test_categories_carry_scheme_term_and_label():
    root = etree.fromstring(documents(published(terms=("ai",)))["atom"])
    category = root.find(f"{ATOM}entry/{ATOM}category")
    assert dict(category.attrib) == {"term": "ai", "scheme": "https://news.example/", "label": "人工智能"}
    (category,) = etree.fromstring(documents(published(terms=("ai",)))["rss"]).findall("channel/item/category")
    assert (category.text, dict(category.attrib)) == ("人工智能", {"domain": "https://news.example/"})
    (said,) = json.loads(documents(published(terms=("tech", "ai")))["json"])["items"]
    assert said["tags"] == ["科技", "人工智能"]


def test_the_feed_names_itself_and_never_its_place_in_its_id():
    root = etree.fromstring(documents()["atom"])
    links = {link.get("rel"): link.get("href") for link in root.findall(f"{ATOM}link")}
    assert links == {"self": "https://news.example/feeds/tech.atom", "alternate": "https://news.example/"}
    assert root.findtext(f"{ATOM}id") == "urn:uuid:34b825eb-da39-5339-b5fb-ce0998045255"
    channel = etree.fromstring(documents()["rss"]).find("channel")
    assert channel.findtext("link") == "https://news.example/"
    assert channel.findtext("title") == "科技 · 聚合"


def test_json_feed_says_the_same():
    feed = json.loads(documents(published(enclosures=(Enclosure("http://e.org/a.mp3", "audio/mpeg", 5),)))["json"])
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    (item,) = feed["items"]
    assert (item["id"], item["url"], item["title"]) == (
        "tag:example.org,2026:1",
        "http://example.org/1?a=1&b=2",
        "标题 & <b>title</b>",
    )
    assert item["content_html"] == "<p>正文 &amp; text</p>"
    assert item["date_published"] == "2026-11-22T12:00:00Z"
    assert item["authors"] == [{"name": "记者"}]
    assert item["attachments"] == [{"url": "http://e.org/a.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 5}]


def test_order_is_the_order_given():
    entries = [published(id=f"urn:x:{k}") for k in (3, 1, 2)]
    for suffix in ("atom", "rss"):
        assert [e.id for e in parsed(documents(*entries)[suffix]).entries] == ["urn:x:3", "urn:x:1", "urn:x:2"]


def test_enclosures_are_kept():
    entry = parsed(documents(published(enclosures=(Enclosure("http://e.org/a.mp3", "audio/mpeg", 5),)))["rss"]).entries[
        0
    ]
    assert (entry.enclosures[0].href, entry.enclosures[0].type) == ("http://e.org/a.mp3", "audio/mpeg")


def test_image_duration_and_episode_are_kept():
    said = published(
        enclosures=(Enclosure("http://e.org/a.mp3"),), image="http://e.org/i.jpg", duration=3661, episode="12"
    )
    for suffix in ("atom", "rss"):
        (entry,) = parsed(documents(said)[suffix]).entries
        assert (entry.itunes_duration, entry.itunes_episode) == ("3661", "12")
        assert entry.media_thumbnail == [{"url": "http://e.org/i.jpg"}]
    (item,) = json.loads(documents(said)["json"])["items"]
    assert (item["image"], item["attachments"][0]["duration_in_seconds"]) == ("http://e.org/i.jpg", 3661)


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ({"title": "", "summary": "<p>" + "字" * 80 + "</p>"}, "字" * 60 + "…"),
        ({"title": "", "content": "", "summary": ""}, "http://example.org/1?a=1&b=2"),
        ({"title": "", "content": "", "summary": "", "link": None}, "source"),
    ],
)
def test_an_entry_without_title_is_called_by_its_beginning(said, title):
    for suffix in ("atom", "rss"):
        assert parsed(documents(published(**said))[suffix]).entries[0].title == title


def test_an_author_is_always_named():
    said = published(author="", source=Head(title="Source"))
    assert parsed(documents(said)["atom"]).entries[0].author == "Source"
    assert parsed(documents(said)["rss"]).entries[0].author == "Source"


def test_one_unpublishable_entry_is_left_out_and_named_and_the_others_stay():
    rendered = publish.render(
        META, [published(id="urn:x:1"), published(id="urn:x:2", title="a\x00b"), published(id="urn:x:3")]
    )
    assert [entry_id for entry_id, _ in rendered.left_out] == ["urn:x:2"]
    assert [e.id for e in parsed(rendered.documents["atom"]).entries] == ["urn:x:1", "urn:x:3"]


@pytest.mark.parametrize(
    "field",
    [
        {"title": "x"},
        {"link": "http://example.org/x"},
        {"summary": "x"},
        {"content": "x"},
        {"author": "x"},
        {"rights": "x"},
        {"updated": NOW + 2 * HOUR},
        {"published": NOW - HOUR},
        {"terms": ("ai",)},
        {"enclosures": (Enclosure("http://e.org/x"),)},
        {"image": "http://e.org/x.jpg"},
        {"duration": 60},
        {"episode": "7"},
        {"language": "en"},
        {"source": Head(title="x")},
    ],
)
@pytest.mark.parametrize("suffix", ["atom", "rss", "json"])
def test_changing_a_stored_field_changes_the_document(field, suffix):
    assert documents(published(**field))[suffix] != documents(published())[suffix]


@pytest.mark.parametrize(
    ("suffix", "said"),
    [
        ("atom", {"site": "https://other.example"}),
        ("rss", {"site": "https://other.example"}),
        *((suffix, {"language": "en"}) for suffix in ("atom", "rss", "json")),
        *((suffix, {"labels": {"tech": "Tech"}}) for suffix in ("atom", "rss", "json")),
    ],
)
def test_an_entry_says_anew_what_it_says_of_the_feed_once_that_is_another(said, suffix):
    entry = published(terms=("tech",), related=(Mention("Other", "Title", "http://e.org/1"),))
    one, other = (publish.render(replace(META, **changed), [entry]).documents[suffix] for changed in ({}, said))
    first, end = {"atom": (b"<entry", b"</entry>"), "rss": (b"<item>", b"</item>"), "json": (b'{"id"', b"]}")}[suffix]
    assert one[one.index(first) : one.rindex(end)] != other[other.index(first) : other.rindex(end)]


def test_entries_that_were_rendered_are_not_remembered_without_bound():
    tracemalloc.start()
    try:
        for number in range(40):
            publish.render(META, [published(id=f"urn:x:{number}", content="x" * 2**20)])
        assert tracemalloc.get_traced_memory()[0] < 20 * 2**20
    finally:
        tracemalloc.stop()


def test_a_hundred_renderings_are_one():
    entries = [published(id=f"urn:x:{k}") for k in range(5)]
    assert len({tuple(sorted(publish.render(META, entries).documents.items())) for _ in range(100)}) == 1


# ------------------------------------------------------------------------------------------------- pages


CATEGORIES = [
    Category("tech", "科技", {"en": "Technology"}),
    Category("finance", "财经"),
    Category("ai", "人工智能", parent="tech"),
]


def test_the_front_page_lists_every_feed_with_autodiscovery_children_behind_their_parent():
    page = publish.pages(SiteSettings(title="聚合"), CATEGORIES)["index.html"].decode()
    order = [page.index(f">feeds/{term}.atom<") for term in ("tech", "ai", "finance", "all", "other")]
    assert order == sorted(order)
    assert 'type="application/atom+xml" title="科技 · 聚合" href="feeds/tech.atom"' in page


def test_pages_come_in_three_languages():
    pages = publish.pages(SiteSettings(), CATEGORIES)
    assert "Technology" in pages["index.en.html"].decode()
    assert "複製網址" in pages["index.zh-Hant.html"].decode()
    assert pages["index.html"] == pages["index.zh-Hans.html"]


def test_a_title_with_markup_is_text_on_the_page():
    page = publish.pages(SiteSettings(title="<script>alert(1)</script>"), [])["index.html"].decode()
    assert "<script>alert(1)" not in page


def test_opml_lists_the_feeds():
    root = etree.fromstring(publish.opml("聚合", [("科技", "http://e.org/feeds/tech.atom")]))
    outline = root.find("body/outline")
    assert dict(outline.attrib) == {
        "text": "科技",
        "title": "科技",
        "type": "rss",
        "xmlUrl": "http://e.org/feeds/tech.atom",
    }


# ------------------------------------------------------------------------------------------------- files


def test_a_document_is_put_with_its_gzip(tmp_path):
    assert publish.put(tmp_path, {"feeds/a.atom": b"<a/>"}) == ["feeds/a.atom"]
    assert (tmp_path / "feeds/a.atom").read_bytes() == b"<a/>"
    assert gzip.decompress((tmp_path / "feeds/a.atom.gz").read_bytes()) == b"<a/>"


def test_the_same_bytes_are_not_written_again(tmp_path):
    publish.put(tmp_path, {"a.atom": b"<a/>"})
    before = (tmp_path / "a.atom").stat()
    assert publish.put(tmp_path, {"a.atom": b"<a/>"}) == []
    assert (tmp_path / "a.atom").stat().st_ino == before.st_ino


def test_a_missing_gzip_is_made_again(tmp_path):
    publish.put(tmp_path, {"a.atom": b"<a/>"})
    (tmp_path / "a.atom.gz").unlink()
    assert publish.put(tmp_path, {"a.atom": b"<a/>"}) == ["a.atom"]


def test_what_is_no_document_of_ours_goes_hidden_files_stay(tmp_path):
    for name in ("a.atom", "a.atom.gz", "old.atom", ".htaccess", ".writing-abc"):
        (tmp_path / name).write_bytes(b"")
    assert sorted(publish.remove_others(tmp_path, ["a.atom"])) == [".writing-abc", "old.atom"]
    assert (tmp_path / ".htaccess").exists()
