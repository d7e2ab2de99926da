"""Documents that want to be more than text, or less than a feed."""

from __future__ import annotations

import re
import unicodedata
from html import escape

from tests.instance import item, rss
from tests.rawserver import reply
from tests.rig.stage import HOUR, Host, Story, case, document, feed

MARK = "pwned"  # stands only where nothing may survive


def channel(inner: str, before: str = "") -> str:
    """An RSS document of this, behind a prologue."""
    return f'<?xml version="1.0"?>{before}<rss version="2.0"><channel><title>t</title>{inner}</channel></rss>'


# ------------------------------------------------------------------------------------------------ XML


@case(
    ["entity", "parameter", "dtd", "public", "stylesheet", "include", "text", "schema", "content"],
    every="30d",
)
def nothing_that_a_document_names_is_fetched_or_expanded(host: Host) -> Story:
    base = host.url("")
    inclusion = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{}" parse="text"/>'
    atom = (
        f'<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><entry><id>urn:x:1</id><title>a</title>'
        f'<content type="text/html" src="{base}/out-of-line"/></entry></feed>'
    )
    passwd = '<!DOCTYPE rss [<!ENTITY f SYSTEM "file:///etc/passwd"><!ENTITY w SYSTEM "' + base + '/entity">]>'
    said = {
        "entity": channel(item(1, title="x &f; y &w; z", text="&f;&w;"), passwd),
        "parameter": channel(item(2), f'<!DOCTYPE rss [<!ENTITY % p SYSTEM "{base}/parameter"> %p;]>'),
        "dtd": channel(item(3), f'<!DOCTYPE rss SYSTEM "{base}/outer.dtd">'),
        "public": channel(item(4), f'<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "{base}/rss">'),
        "stylesheet": channel(item(5), f'<?xml-stylesheet type="text/xsl" href="{base}/style.xsl"?>'),
        "include": channel(item(6, text=inclusion.format(f"{base}/included")) + inclusion.format(f"{base}/included")),
        "text": channel(item(7, text=inclusion.format("file:///etc/passwd"))),
        "schema": channel(item(8)).replace("<rss ", f'<rss xmlns:i="http://www.w3.org/2001/XMLSchema-instance" '
                          f'i:schemaLocation="urn:x {base}/schema.xsd" ', 1),
        "content": atom,
    }  # fmt: skip
    seen = yield {f"/{name}": document(text) for name, text in said.items()}
    assert sorted(seen.targets) == sorted(f"/{name}" for name in said), "and nothing else was asked for"
    assert {row["status"] for row in seen.rows} == {"ok"}
    assert "root:" not in str(seen.entries)


LAUGHS = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(12))
EXPLOSIVE = {
    "laughs": channel(item(1, title="&a12;"), f'<!DOCTYPE rss [<!ENTITY a0 "ha">{LAUGHS}]>'),
    "attribute": channel(f'{item(1)}<x y="&a12;"/>', f'<!DOCTYPE rss [<!ENTITY a0 "ha">{LAUGHS}]>'),
    "quadratic": channel(item(1, text="&a;" * 20_000), f'<!DOCTYPE rss [<!ENTITY a "{"x" * 50_000}">]>'),
    "recursive": channel(item(1, title="&a;"), '<!DOCTYPE rss [<!ENTITY a "&b;"><!ENTITY b "&a;">]>'),
}


@case(list(EXPLOSIVE), every="30d")
def entities_do_not_explode(host: Host) -> Story:
    """How long they take is measured in tests/test_rig.py."""
    seen = yield {f"/{name}": document(text) for name, text in EXPLOSIVE.items()}
    assert len(str(seen.entries)) < 100_000
    assert len(seen.requests) == len(EXPLOSIVE)


HANGING = channel("<item " + " ".join(f'a{number}="x"' for number in range(70_000)) + "><title>x</title></item>")


@case(["hangs", "works"])
def a_document_that_would_hang_its_worker_costs_no_more_than_its_size(host: Host) -> Story:
    """feedparser takes quadratic time for the attributes of one element. All other cases are in the same tick."""
    seen = yield {"/hangs": document(HANGING), "/works": feed(1)}
    assert [row["status"] for row in seen.rows] == ["ok", "ok"]
    seen = yield {"/hangs": feed(2), "/works": feed(1)}
    assert [row["status"] for row in seen.rows] == ["ok", "ok"]


@case(["nothing", "nested", "twice", "numbers"])
def entries_by_which_nothing_can_be_known_harm_nobody(host: Host) -> Story:
    """No id, no link, no title, no date: what cannot be told from anything stored must not break the storing."""
    said = {
        "nothing": "<item/><item></item><item><description/></item>",
        "nested": f"<item>{item(1)}<title>x</title></item>",
        "twice": item(2) * 50,
        "numbers": "".join(f"<item><guid>{number % 3}</guid></item>" for number in range(30)),
    }
    for _ in range(3):
        seen = yield {f"/{name}": document(channel(items)) for name, items in said.items()}
        assert [row["status"] for row in seen.rows] == ["ok"] * 4
    count = len(seen.entries)
    seen = yield {f"/{name}": document(channel(items)) for name, items in said.items()}
    assert len(seen.entries) == count


# ------------------------------------------------------------------------------------------------ HTML

ATTACKS = (
    f'<a href="javascript:{MARK}()">k</a>',
    f'<a href=" JaVa\tScRiPt&colon;{MARK}()">k</a>',
    f'<a href="&#106;&#x61;vascript&#58;{MARK}()">k</a>',
    f'<a href="java&#10;script:{MARK}()">k</a>',
    f'<a href="\x01javascript:{MARK}()">k</a>',
    f'<a href="vbscript:{MARK}">k</a>',
    f'<a href="data:text/html,{MARK}">k</a>',
    f'<a href="file:///{MARK}">k</a>',
    f'<a href="http://example.org/" onclick="{MARK}()" style="x:{MARK}" ping="http://{MARK}/" id="{MARK}">k</a>',
    f'k<img src="x" onerror="{MARK}()">',
    f'k<img src="javascript:{MARK}()">',
    f'k<img/src="http://example.org/x.png"/onload="{MARK}()">',
    f'k<img src="http://example.org/{MARK}.gif" width="1" height="1">',
    f'k<img src="http://example.org/{MARK}.gif" width=0>',
    f'k<script>{MARK}()</script><SCRIPT SRC="http://{MARK}/"></SCRIPT>',
    f"k<style>@import '{MARK}'</style>",
    f'k<form action="http://{MARK}/"><input name="{MARK}"><button formaction="{MARK}"></button></form>',
    f'k<iframe src="http://{MARK}/" srcdoc="{MARK}"></iframe><object data="{MARK}"></object><embed src="{MARK}">',
    f'k<svg><script>{MARK}()</script><a xlink:href="javascript:{MARK}"></a></svg>',
    f'k<math><mtext></mtext><style><img title="</style><img src=x onerror={MARK}()>"></math>',
    f'k<base href="http://{MARK}/"><link rel="stylesheet" href="http://{MARK}/">',
    f'k<meta http-equiv="refresh" content="0;url=http://{MARK}/">',
    f'k<video poster="javascript:{MARK}"><source src="data:{MARK}"></video>',
    f'k<table background="javascript:{MARK}"><tr><td background="{MARK}">',
    f"k<!-- {MARK} --><![CDATA[<!-- ]]>",
    f'k<a href="http://example.org/"><script\x00>{MARK}()</script></a>',
    f'k<noscript><p title="</noscript><img src=x onerror={MARK}()>"></noscript>',
)


@case(["content", "title", "links"], every="30d")
def no_markup_of_a_publisher_does_anything(host: Host) -> Story:
    def entry(number: int, title: str, text: str) -> str:
        return item(f"x{number}", title=title, link=host.url(f"/page-{title[:1]}{number}"), text=text)

    contents = [entry(n, f"c{n}", escape(attack)) for n, attack in enumerate(ATTACKS)]
    titles = [entry(n, f"t{n} {escape(escape(attack, quote=False))} {escape(attack)}", "k")
              for n, attack in enumerate(ATTACKS) if "<a" not in attack[:2]]  # fmt: skip
    links = [
        f"<item><title>l{number}</title><guid>{number}</guid><link>{address}</link>"
        f'<enclosure url="{address}" type="{MARK}" length="1"/><comments>{address}</comments></item>'
        for number, address in enumerate(
            escape(link.partition('"')[2].partition('"')[0]) for link in ATTACKS if 'href="' in link[:10]
        )
    ]
    script = {"/content": contents, "/title": titles, "/links": links}
    seen = yield {path: document(channel("".join(items))) for path, items in script.items()}
    assert [row["status"] for row in seen.rows] == ["ok"] * 3
    kept = [entry for entry in seen.entries if entry["title"].startswith("c")]
    assert len(kept) == len(ATTACKS)
    assert all("k" in entry["summary"] + entry["content"] for entry in kept)
    assert MARK not in "".join(entry["summary"] + entry["content"] for entry in seen.entries)
    assert all(entry["link"] is None or entry["link"].startswith("http") for entry in seen.entries)
    assert not re.search(rf"(?:href|src|url)\W+(?:javascript|vbscript|data|file):|\son\w+=\W*{MARK}\(", seen.published)


# ------------------------------------------------------------------------------------------------ characters

UGLY = "a&#8;b&#xD800;c&#xFFFE;d\u202ee&#27;[31mf&#x1FFFF;g&#13;h\x85i\u2028j\u2067k\x00l\nm&#10;n"


def is_clean(text: str) -> bool:
    """Whether it has no control but tab and line feed, no surrogate, no noncharacter, and all bidi marks paired."""
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\n" for c in text):
        return False
    if any(ord(c) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(c) <= 0xFDEF for c in text):
        return False
    opened, closed = sum(map(text.count, "\u202a\u202b\u202d\u202e")), text.count("\u202c")
    return opened == closed and sum(map(text.count, "\u2066\u2067\u2068")) == text.count("\u2069")


@case(["rss", "json"], every="30d")
def what_cannot_be_printed_is_not_stored(host: Host) -> Story:
    ugly = f"<item><title>{UGLY}</title><guid>{UGLY}</guid><author>{UGLY}</author><description>{UGLY}</description>"
    link = host.url("/page")
    said = '{"version": "https://jsonfeed.org/version/1.1", "title": "x", "items": [{"id": "a\\u0000\\ud800b", "title":'
    said += f' "a\\u0008\\ud83d\\u202e\\nb\\u001b[31m", "url": "{link}", "content_text": "a\\u0000\\udfffb\\uffff"}}]}}'
    seen = yield {"/rss": document(channel(f"{ugly}<link>{link}</link></item>")), "/json": document(said)}
    assert [row["status"] for row in seen.rows] == ["ok", "ok"]
    assert len(seen.entries) == 2
    texts = [value for entry in seen.entries for value in entry.values() if isinstance(value, str)]
    assert all(map(is_clean, texts)), texts
    assert not any("\n" in title for title in seen.titles)
    assert is_clean(seen.published)


FORGING = "2026-11-22T12:00:00Z info all is well\x1b[2J\u202e"


@case(["page", "charset", "declaration", "location", "reason", "long"], every="30d")
def no_reason_forges_a_line(host: Host) -> Story:
    href = f"/feed.xml?a\n{FORGING}\r\n"
    page = f'<html><head><link rel="alternate" type="application/rss+xml" href="{href}"></head></html>'
    long = f'<html><link rel="alternate" type="application/rss+xml" href="/{"x" * 500_000}">'
    seen = yield {
        "/page": document(page),
        "/charset": [reply(fields={"Content-Type": f'text/xml; charset="{FORGING}"'.encode()}, body=b"hello")],
        "/declaration": document(f'<?xml version="1.0" encoding="{FORGING}"?>hello\n{FORGING}'),
        "/location": [reply("302 Found", {"Location": f"http://ex\tample\x0b{FORGING}/".encode()})],
        "/reason": [reply(f"500 Oh {FORGING}".encode().decode("latin-1").replace("\x1b", " "))],
        "/long": document(long),
    }
    reasons = [row["reason"] for row in seen.rows]
    assert all(reason.isprintable() and 0 < len(reason) < 5000 for reason in reasons), [r[:300] for r in reasons]
    lines = [line for line in seen.round.output.splitlines() if line.startswith(seen.case.name)]
    assert len(lines) == len(seen.case.names)


# ------------------------------------------------------------------------------------------------ pages, empty feeds


@case()
def a_page_instead_of_a_feed_is_failing_and_tells_the_feeds_that_it_names(host: Host) -> Story:
    yield feed(1)
    seen = yield document(
        "<!doctype html><html><head><title>News</title>"
        '<link rel="alternate" type="application/atom+xml" href="/news.atom">'
        '<link rel="alternate" type="application/rss+xml" href="//example.org/rss.xml"></head><body>x</body></html>'
    )
    assert (seen.status, seen.wait) == ("failing", HOUR)
    assert host.url("/news.atom") in seen.reason
    assert "http://example.org/rss.xml" in seen.reason
    assert seen.reason in seen.round.output
    assert len(seen.entries) == 1
    assert (yield feed(1)).status == "ok"


@case()
def an_empty_feed_deletes_nothing_and_is_no_failure(host: Host) -> Story:
    items = [item(f"e{number}", link=host.url(f"/{number}")) for number in range(3)]
    seen = yield document(rss(*items))
    for _ in range(2):
        seen = yield document(rss())
        assert (seen.status, seen.row["failures"], len(seen.entries)) == ("ok", 0, 3)
        assert all(host.url(f"/{number}") in seen.published for number in range(3))
    seen = yield document(rss(*items))
    assert len(seen.entries) == 3


@case()
def a_shrunken_feed_deletes_nothing(host: Host) -> Story:
    items = [item(f"s{number}", link=host.url(f"/{number}")) for number in range(5)]
    yield document(rss(*items))
    seen = yield document(rss(items[4]))
    assert (seen.status, len(seen.entries)) == ("ok", 5)
    seen = yield document(rss(*items))
    assert (len(seen.entries), len(seen.row["reason"])) == (5, 0)
    assert f"{seen.case.name}: ok, 0 new, 0 changed" in seen.round.output


@case()
def a_feed_that_begins_empty_is_well(host: Host) -> Story:
    assert (yield document(rss())).status == "ok"
    assert len((yield feed(1)).entries) == 1
