"""What the daemon answers, asked over real HTTP."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from tests.instance import Instance, item, rss


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    from tests.feedserver import FeedServer

    made = Instance(tmp_path_factory.mktemp("served"))
    with FeedServer() as feeds:
        feeds["/a.xml"] = rss(item(1), item(2))
        made.configure([{"name": "A", "url": feeds.url("/a.xml"), "category": "tech"}])
        made.poll()
        made.start()
        yield made
        made.stop()


@pytest.mark.parametrize(
    ("suffix", "media_type"),
    [
        ("atom", "application/atom+xml; charset=utf-8"),
        ("rss", "application/rss+xml; charset=utf-8"),
        ("json", "application/feed+json; charset=utf-8"),
    ],
)
def test_a_feed_has_its_media_type_and_is_the_file(served, suffix, media_type):
    status, headers, body = served.get(f"/feeds/tech.{suffix}")
    assert (status, headers["Content-Type"]) == (200, media_type)
    assert body == served.feed(f"tech.{suffix}")
    assert "max-age" in headers["Cache-Control"]


def test_an_unchanged_feed_is_304_by_etag(served):
    etag = served.get("/feeds/tech.atom")[1]["ETag"]
    assert not etag.startswith("W/")
    status, headers, body = served.get("/feeds/tech.atom", {"If-None-Match": f'"other", {etag}'})
    assert (status, body, headers["ETag"]) == (304, b"", etag)


def test_an_unchanged_feed_is_304_by_date(served):
    modified = served.get("/feeds/tech.atom")[1]["Last-Modified"]
    assert served.get("/feeds/tech.atom", {"If-Modified-Since": modified})[0] == 304
    assert served.get("/feeds/tech.atom", {"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"})[0] == 200


def test_the_etag_counts_before_the_date(served):
    modified = served.get("/feeds/tech.atom")[1]["Last-Modified"]
    headers = {"If-None-Match": '"other"', "If-Modified-Since": modified}
    assert served.get("/feeds/tech.atom", headers)[0] == 200


def test_nonsense_conditions_are_no_conditions(served):
    for nonsense in ("yesterday", "Tue, 24 Nov 99999999999 23:59:59 GMT", "Tue, 24 Nov 2026 23:59:59 +99999999999999"):
        assert served.get("/feeds/tech.atom", {"If-Modified-Since": nonsense})[0] == 200


@pytest.mark.parametrize("form", ["%a %b %d %H:%M:%S %Y", "%A, %d-%b-%y %H:%M:%S GMT", "%a, %d %b %Y %H:%M:%S -0000"])
def test_a_date_may_have_any_form(served, form):
    soon = (datetime.now(UTC) + timedelta(hours=1)).strftime(form)
    assert served.get("/feeds/tech.atom", {"If-Modified-Since": soon})[0] == 304


def test_gzip_is_sent_to_who_accepts_it_with_an_etag_of_its_own(served):
    plain = served.get("/feeds/tech.atom")
    zipped = served.get("/feeds/tech.atom", {"Accept-Encoding": "br, gzip;q=0.5"})
    assert zipped[1]["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped[2]) == plain[2]
    assert zipped[1]["ETag"] != plain[1]["ETag"]
    assert zipped[1]["Vary"] == "Accept-Encoding"
    for refused in ("gzip;q=0", "*, gzip;q=0", "identity"):
        assert served.get("/feeds/tech.atom", {"Accept-Encoding": refused})[2] == plain[2]


def test_head_is_get_without_body(served):
    got, head = served.get("/feeds/tech.atom"), served.get("/feeds/tech.atom", method="HEAD")
    assert (head[0], head[2]) == (200, b"")
    assert head[1]["ETag"] == got[1]["ETag"]
    assert head[1]["Content-Length"] == str(len(got[2]))


@pytest.mark.parametrize("label", ["科技", quote("科技"), "Technology"])
def test_a_label_leads_to_its_term(served, label):
    path = quote(f"/feeds/{label}.rss", safe="/%")
    status, headers, _ = served.get(path)
    assert (status, headers["Location"]) == (308, "/feeds/tech.rss")


def test_the_label_of_all_leads_there_too(served):
    assert served.get(quote("/feeds/全部.atom"))[1]["Location"] == "/feeds/all.atom"


def test_the_front_page_offers_the_feeds(served):
    status, headers, body = served.get("/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b'href="feeds/tech.atom"' in body
    assert served.get("/index.en.html")[0] == 200


def test_opml_is_served(served):
    status, headers, body = served.get("/feeds.opml")
    assert (status, headers["Content-Type"]) == (200, "text/x-opml; charset=utf-8")
    assert b"/feeds/tech.atom" in body


@pytest.mark.parametrize(
    "path",
    [
        "/feeds/nothing.atom",
        "/feeds/tech",
        "/feeds/tech.atom.gz",
        "/feeds/..%2f..%2faggregator.db",
        "/..%2f..%2fconfig%2fsources.yaml",
        "/%2e%2e/aggregator.db",
        "/feeds/%00.atom",
        "/.htaccess",
        "/feeds/",
        "//etc/index.html",
        "/feeds/a/tech.atom",
        "/a/b/index.html",
    ],
)
def test_nothing_else_is_served(served, path):
    assert served.get(path)[0] in (400, 404)


@pytest.mark.parametrize("path", ["/feeds/nothing.atom", "/nothing", "/a/b/c"])
def test_what_is_missing_is_said_to_be_in_three_languages(served, path):
    status, headers, body = served.get(path)
    assert (status, headers["Content-Type"]) == (404, "text/plain; charset=utf-8")
    assert body.decode().splitlines() == ["这里没有这个文档。", "這裡沒有這個文件。", "There is no such document here."]


def test_only_reading_is_allowed(served):
    assert served.get("/feeds/tech.atom", method="POST")[0] == 405


def test_health_and_readiness(served):
    assert served.get("/healthz")[::2] == (200, b"ok\n")
    assert served.get("/readyz")[::2] == (200, b"ready\n")


def test_foreign_host_names_are_refused_where_ours_are_listed(instance, feeds):
    feeds["/a.xml"] = rss()
    instance.configure([{"name": "A", "url": feeds.url("/a.xml")}], site={"hosts": ["news.example", "127.0.0.1"]})
    instance.start()
    assert instance.get("/", {"Host": "evil.example"})[0] == 421
    assert instance.get("/", {"Host": "news.example"})[0] == 200
    assert [instance.get(probe, {"Host": "evil.example"})[0] for probe in ("/healthz", "/readyz")] == [200, 200]
