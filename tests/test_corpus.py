"""Documents through the running daemon and back out of its feeds: one of each format, and what real sites publish."""

from __future__ import annotations

import json

import pytest

from tests.bench import corpus as bench
from tests.feedserver import FeedServer
from tests.instance import Instance

RSS_091 = """<?xml version="1.0"?><rss version="0.91"><channel><title>Old news</title><link>http://old.example/</link>
<description>d</description><language>en</language>
<item><title>An old item</title><link>http://old.example/1</link><description>Plain words</description></item>
</channel></rss>"""

RSS_2 = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>播客</title><link>http://cast.example/</link><description>d</description>
<item><title>第一期：标题 &amp;amp; 正文</title><link>/1</link><guid isPermaLink="false">1</guid>
<dc:creator>主播</dc:creator>
<pubDate>Sun, 22 Nov 2026 16:00:00 +0800</pubDate><description>摘要</description>
<content:encoded><![CDATA[<p>正文，有<a href="/more">链接</a> & 符号</p>]]></content:encoded>
<enclosure url="http://cast.example/1.mp3" length="1234" type="audio/mpeg"/></item></channel></rss>"""

RDF = """<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="http://rdf.example/"><title>RDF</title><link>http://rdf.example/</link><description>d</description></channel>
<item rdf:about="http://rdf.example/1"><title>An RDF item</title><link>http://rdf.example/1</link>
<description>Words</description><dc:date>2026-11-22T08:00:00Z</dc:date></item></rdf:RDF>"""

ATOM_03 = """<?xml version="1.0"?><feed version="0.3" xmlns="http://purl.org/atom/ns#" xml:lang="en">
<title>Older</title>
<link rel="alternate" type="text/html" href="http://older.example/"/><modified>2026-11-22T08:00:00Z</modified>
<entry><title>An Atom 0.3 entry</title><link rel="alternate" type="text/html" href="http://older.example/1"/>
<id>tag:older.example,2026:1</id><issued>2026-11-22T08:00:00Z</issued><modified>2026-11-22T08:00:00Z</modified>
<summary>Words</summary></entry></feed>"""

ATOM = """<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" xml:base="http://atom.example/a/">
<id>http://atom.example/</id><title>Atom</title><updated>2026-11-22T08:00:00Z</updated><link href="/"/>
<entry><id>tag:atom.example,2026:1</id><title type="html">&lt;b&gt;Bold&lt;/b&gt; words</title><link href="1"/>
<updated>2026-11-22T08:00:00Z</updated><author><name>Someone</name></author><rights>© someone</rights>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>A <a href="2">link</a></p></div></content>
</entry></feed>"""

JSON_FEED = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "JSON",
        "home_page_url": "http://json.example/",
        "items": [
            {
                "id": "http://json.example/1",
                "url": "http://json.example/1",
                "title": "A JSON item",
                "content_html": "<p>Words</p>",
                "date_published": "2026-11-22T08:00:00Z",
            }
        ],
    }
)

GBK = """<?xml version="1.0" encoding="gb2312"?><rss version="2.0"><channel><title>旧编码</title>
<link>http://gbk.example/</link><description>d</description><item><title>国标编码的标题</title>
<link>http://gbk.example/1</link><description>朱镕基</description></item></channel></rss>"""

ILL_FORMED = """<rss version="2.0"><channel><title>Careless</title><link>http://careless.example/</link>
<item><title>Bread & butter</title><link>http://careless.example/?a=1&b=2</link><description>Words<br>more</description>
</channel></rss>"""

DOCUMENTS = {
    "rss 0.91": RSS_091.encode(),
    "rss 2.0": RSS_2.encode(),
    "rdf": RDF.encode(),
    "atom 0.3": ATOM_03.encode(),
    "atom": ATOM.encode(),
    "json": JSON_FEED.encode(),
    "gbk": GBK.encode("gb18030"),
    "ill-formed": ILL_FORMED.encode(),
}


def test_a_document_of_each_format_comes_out_as_it_went_in(instance, feeds, tmp_path):
    documents = []
    for name, body in DOCUMENTS.items():
        path = tmp_path / (f"{name}.json" if name == "json" else f"{name}.xml")
        path.write_bytes(body)
        documents.append(bench.Document(name, path, name, 1))
    outcome = bench.through_the_daemon(instance, feeds, documents, limit=100)
    assert list(bench.problems(outcome)) == []
    stored = {row["source"]: row for row in outcome.entries}
    assert {name: row["title"] for name, row in stored.items()} == {
        "rss 0.91": "An old item",
        "rss 2.0": "第一期：标题 & 正文",
        "rdf": "An RDF item",
        "atom 0.3": "An Atom 0.3 entry",
        "atom": "Bold words",
        "json": "A JSON item",
        "gbk": "国标编码的标题",
        "ill-formed": "Bread & butter",
    }
    assert stored["atom"]["link"] == "http://atom.example/a/1"
    assert 'href="http://atom.example/a/2"' in stored["atom"]["content"]
    assert stored["ill-formed"]["link"] == "http://careless.example/?a=1&b=2"
    suspicious = bench.suspicions(outcome)
    assert set(suspicious) == {"published when first seen"}, suspicious


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """The 150 smallest real documents and every twelfth of the rest, through one daemon."""
    if not bench.CORPUS.is_dir():
        pytest.skip("needs ../shared/corpus, which is not here")
    everything = bench.documents(bench.CORPUS)
    with FeedServer() as server:
        instance = Instance(tmp_path_factory.mktemp("corpus"))
        return bench.through_the_daemon(instance, server, everything[:150] + everything[150::12], limit=300)


def test_of_real_documents_none_loses_its_entries_and_every_feed_parses_back(outcome):
    assert len(outcome.documents) >= 150
    assert list(bench.problems(outcome)) == []


def test_every_real_document_is_read(outcome):
    assert {name: row["reason"] for name, row in outcome.sources.items() if row["status"] != "ok"} == {}


def test_stored_are_as_many_entries_as_the_documents_hold(outcome):
    """Less what a document holds twice under one id, which is little."""
    held = sum(document.items for document in outcome.documents)
    assert held * 0.99 < len(outcome.entries) <= held


def test_no_real_entry_lacks_what_a_reader_needs(outcome):
    suspicious = bench.suspicions(outcome)
    assert "no link" not in suspicious
    assert "markup in the title" not in suspicious, suspicious["markup in the title"]
