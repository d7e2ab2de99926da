"""Real feed readers subscribed to the served 科技 feed: newsboat (Debian's) and `reader` (PyPI's); and what it says to
any other, in each format.
"""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess

import feedparser
import pytest
from lxml import etree

from tests.instance import item, rss


@pytest.fixture
def tech(instance, feeds):
    """A running daemon whose 科技 feed has two entries, and a function that brings a third."""
    old = rss(item(1, "第一条", text="正文甲"), item(2, "第二条", text="正文乙"), title="一个来源")
    feeds["/a.xml"] = old
    source = {"name": "A", "url": feeds.url("/a.xml"), "category": "tech"}
    instance.configure([source])
    instance.poll()
    instance.start()

    def bring_another():
        feeds["/b.xml"] = rss(item(3, "第三条", text="正文丙"))
        instance.configure([source, {"name": "B", "url": feeds.url("/b.xml"), "category": "tech"}])
        instance.wait_for(lambda: "第三条".encode() in instance.feed("tech.atom"))

    return f"http://127.0.0.1:{instance.port}/feeds/tech.atom", bring_another


def refresh(newsboat, folder):
    files = ["-u", folder / "urls", "-C", folder / "newsboat.conf", "-c", folder / "cache.db"]
    environ = os.environ | {"HOME": str(folder), "LC_ALL": "C.UTF-8", "TERM": "dumb"}
    subprocess.run([newsboat, "-q", *files, "-x", "reload"], check=True, timeout=60, env=environ)


def test_newsboat_shows_whole_entries_and_only_new_ones_anew(newsboat, tech, tmp_path):
    url, bring_another = tech
    (tmp_path / "urls").write_text(f"{url}\n")
    (tmp_path / "newsboat.conf").write_text("")

    def rows():
        with sqlite3.connect(tmp_path / "cache.db") as db:
            return db.execute("select title, url, pubDate, author, content, guid from rss_item order by id").fetchall()

    refresh(newsboat, tmp_path)
    first = rows()
    assert sorted(row[0] for row in first) == ["第一条", "第二条"]
    for title, link, date, author, content, _guid in first:
        assert link.startswith("http://example.org/")
        assert date == 1795334400
        assert author == "一个来源"
        assert "正文" in content, title
    bring_another()
    refresh(newsboat, tmp_path)
    after = rows()
    assert {row[5] for row in first} < {row[5] for row in after}
    assert [row[0] for row in after if row[5] not in {old[5] for old in first}] == ["第三条"]


def test_newsboat_gets_304_from_its_third_refresh_on(newsboat, tech, tmp_path):
    url, _ = tech
    with _Relay(url) as relay:
        (tmp_path / "urls").write_text(f"{relay.address}/feeds/tech.atom\n")
        (tmp_path / "newsboat.conf").write_text("")
        for _ in range(4):
            refresh(newsboat, tmp_path)
    assert relay.statuses[2:] == [304, 304]


def test_reader_shows_whole_entries_gets_304_and_only_new_ones_anew(tech):
    reader = pytest.importorskip("reader", reason="needs PyPI's reader")
    url, bring_another = tech
    with _Relay(url) as relay:
        subscribed = reader.make_reader(":memory:")
        subscribed.add_feed(f"{relay.address}/feeds/tech.atom")
        subscribed.update_feeds(scheduled=False)
        entries = list(subscribed.get_entries())
        assert sorted(entry.title for entry in entries) == ["第一条", "第二条"]
        for entry in entries:
            assert entry.link.startswith("http://example.org/")
            assert entry.published is not None
            assert entry.authors_str == "一个来源"
            assert "正文" in (entry.get_content() or entry).value
        subscribed.update_feeds(scheduled=False)
        assert relay.statuses == [200, 304]
        for entry in entries:
            subscribed.mark_entry_as_read(entry)
        bring_another()
        subscribed.update_feeds(scheduled=False)
        assert [entry.title for entry in subscribed.get_entries(read=False)] == ["第三条"]
        subscribed.close()


PODCAST = """<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>A podcast</title><link>http://cast.example/</link><description>d</description><language>en</language>
<copyright>© cast</copyright><item><title>Episode</title><link>http://cast.example/1</link><guid>http://cast.example/1</guid>
<pubDate>Sun, 22 Nov 2026 08:00:00 GMT</pubDate><dc:creator>Host</dc:creator><description>Words</description>
<enclosure url="http://cast.example/1.mp3" type="audio/mpeg" length="1234"/>
<media:content url="http://cast.example/1.jpg" medium="image"/></item></channel></rss>"""

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def podcast(instance, feeds):
    """The published documents of one podcast episode, by suffix."""
    feeds["/a.xml"] = PODCAST
    instance.configure([{"name": "A", "url": feeds.url("/a.xml"), "category": "tech"}])
    instance.poll()
    return {suffix: instance.feed(f"tech.{suffix}") for suffix in ("atom", "rss", "json")}


def test_an_enclosure_is_never_taken_for_the_page(podcast):
    """feedgen writes all links of an Atom entry without their relation."""
    for suffix in ("atom", "rss"):
        (entry,) = feedparser.parse(io.BytesIO(podcast[suffix])).entries
        assert entry.link == "http://cast.example/1"
        assert (entry.enclosures[0].href, entry.enclosures[0].type, entry.enclosures[0].length) == (
            "http://cast.example/1.mp3",
            "audio/mpeg",
            "1234",
        )
    (item_,) = json.loads(podcast["json"])["items"]
    assert item_["url"] == "http://cast.example/1"
    assert item_["attachments"][0]["url"] == "http://cast.example/1.mp3"


def test_every_enclosure_has_a_media_type(podcast):
    links = etree.fromstring(podcast["atom"]).findall(f"{ATOM}entry/{ATOM}link[@rel='enclosure']")
    assert all("/" in link.get("type") for link in links)
    (item_,) = json.loads(podcast["json"])["items"]
    assert all("/" in attachment["mime_type"] for attachment in item_["attachments"])


def test_an_entry_keeps_its_language_and_rights_in_each_format(podcast):
    entry = etree.fromstring(podcast["atom"]).find(f"{ATOM}entry")
    assert entry.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
    assert entry.findtext(f"{ATOM}rights") == "© cast"
    item_ = etree.fromstring(podcast["rss"]).find("channel/item")
    assert item_.findtext("{http://purl.org/dc/elements/1.1/}language") == "en"
    assert item_.findtext("{http://purl.org/dc/elements/1.1/}rights") == "© cast"
    (said,) = json.loads(podcast["json"])["items"]
    assert (said["language"], said["_source"]["rights"]) == ("en", "© cast")


class _Relay:
    """Passes requests on to the daemon as they are, and remembers the status of each answer."""

    def __init__(self, url):
        import http.client
        import threading
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
        from urllib.parse import urlsplit

        self.statuses = []
        target = urlsplit(url)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                connection = http.client.HTTPConnection(target.hostname, target.port, timeout=30)
                connection.request("GET", self.path, headers=dict(self.headers))
                answer = connection.getresponse()
                body = answer.read()
                outer.statuses.append(answer.status)
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                if answer.status != 304:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                connection.close()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
