"""Documents that are made to cost time: each is done in less than two seconds, as one of its size should be."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aggregator import errors, parse, prepare
from aggregator.models import Config, ParsedEntry, Settings, Source

URL = "http://feed.example/feed.xml"
SOURCE = Source("A source", URL)
TOOLS = prepare.pack(Config(Path(), Settings(), (), ()))
LETTERS = 400_000  # of a document


def rss(inner: str, attributes: str = "") -> str:
    return f'<rss version="2.0"{attributes}><channel><title>t</title>{inner}</channel></rss>'


def atom(inner: str) -> str:
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>t</title>{inner}</entry></feed>'


def item(inner: str) -> str:
    return rss(f"<item>{inner}</item>")


def many(unit: str) -> str:
    return unit * (LETTERS // len(unit))


def numbered(unit: str) -> str:
    return "".join(unit.format(n) for n in range(LETTERS // (len(unit) + 4)))


ATTRIBUTE = 'a{}="1" '
SOUND = '<media:content url="http://e.org/{}.mp3"/>'
LINK = '<div><a href="x">y</a></div>'
MEDIA = ' xmlns:media="http://search.yahoo.com/mrss/"'
XHTML = '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">{}</div></content>'
SHAPES = {
    "bare ampersands": item(f"<description>{many('&')}</description>"),
    "bare ampersands outside": rss(many("&")),
    "bare angle brackets": item(f"<description>{many('<')}</description>"),
    "escaped ampersands": item(f"<description>{many('&amp;')}</description>"),
    "empty items": rss(many("<item/>")),
    "items with a title": rss(many("<item><title>x</title></item>")),
    "items without an end": rss(many("<item>")),
    "entries in entries": atom(many("<entry>")),
    "quotes without an end": item(many("<a b='")),
    "attributes": item(f"<x {numbered(ATTRIBUTE)}/>"),
    "attributes of a title": item(f"<title {numbered(ATTRIBUTE)}>x</title>"),
    "attributes in XHTML": atom(XHTML.format(f"<p {numbered(ATTRIBUTE)}/>")),
    "namespaces": item(numbered("<a{0} xmlns:p{0}='u'/>")),
    "deep elements": item(many("<a>") + many("</a>")),
    "deep XHTML": atom(XHTML.format(many("<b>") + many("</b>"))),
    "unknown elements": item(numbered("<e{0}>1</e{0}>")),
    "categories": item(numbered("<category>c{}</category>")),
    "authors": atom(many("<author><name>x</name></author>")),
    "sources": atom(many("<source><title>x</title></source>")),
    "links": atom(many('<link href="http://e.org/1"/>')),
    "media": rss(f"<item>{numbered(SOUND)}</item>", MEDIA),
    "an author of one word": item(f"<author>{many('a')}@</author>"),
    "an author in pieces": item(f"<author>{many('aaaaaaaaaaaa<x/>')}@</author>"),
    "wishes that never end": rss(many("<skipHours>") + many("<skipDays><day ") + many("<ttl ")),
    "json that never ends": f'{{"items": [{many("{")}',
    "json in json": f'{{"items": [{many("[")}',
    "json of quotes": f'{{"items": [{{"a": {many(chr(34))}',
    "json of lost ends": '{"items": [{"a": ' + many('"b}, {"c": '),
    "json of comments": f'{{"items": [{many("/* ")}',
    "a page": f"<!doctype html><html><body>{many(LINK)}</body></html>",
}


def entries(document: str) -> list[ParsedEntry]:
    _, prepared = prepare.document(document.encode(), None, URL, SOURCE, TOOLS, b"")
    return [one.entry for one in prepared]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_hostile_shape_costs_no_more_than_its_size(shape: str) -> None:
    started = time.process_time()
    with contextlib.suppress(errors.ParseError):
        entries(SHAPES[shape])
    assert time.process_time() - started < 6, "what grows with the square of the size takes a minute"


def test_the_entries_beside_a_hostile_one_are_read() -> None:
    hostile = "".join(f"<item>{numbered('<e{0}>1</e{0}>')}</item>" for _ in range(2))
    (entry,) = entries(rss(f"{hostile}<item><title>good</title><author>Somebody</author></item>"))
    assert (entry.title, entry.author) == ("good", "Somebody")


MANY = range(parse.MOST_AT_ONCE + 5)


@pytest.mark.parametrize(
    "document",
    [
        rss("".join(f"<item><title>{n}</title></item>" for n in MANY)).encode(),
        json.dumps({"items": [{"title": str(n)} for n in MANY]}).encode(),
    ],
    ids=["rss", "json"],
)
def test_the_entries_of_a_very_long_document_are_read_in_turns(document: bytes) -> None:
    first = parse.read(document, None, URL, None)
    rest = parse.read(document, None, URL, None, first.hashes)
    assert len(first.entries) == parse.MOST_AT_ONCE
    assert (first.complete, first.gist) == (False, b"")  # there is more to read in the same document
    assert [entry.title for entry in rest.entries] == [str(n) for n in MANY[parse.MOST_AT_ONCE :]]
    assert parse.read(document, None, URL, None, rest.hashes).entries == ()


def test_a_long_list_of_authors_is_kept() -> None:
    people = ", ".join(f"Person Number {n}" for n in range(40))
    (entry,) = entries(item(f"<title>x</title><author>{people}</author>"))
    assert entry.author == people


def test_an_entry_has_no_more_than_a_few_attachments() -> None:
    attachments = [{"url": f"/{n}.mp3"} for n in range(30_000)]
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "attachments": attachments}]}
    (entry,) = entries(json.dumps(feed))
    assert len(entry.enclosures) == 20


def test_another_xml_parser_that_feedparser_would_prefer_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "drv_libxml2.py").write_text("raise SystemExit('libxml2 was taken')\n")
    work = f"from aggregator import parse; parse.read({rss(item('<title>x</title>')).encode()!r}, None, {URL!r}, None)"
    environ = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    done = subprocess.run([sys.executable, "-c", work], capture_output=True, text=True, env=environ, check=False)
    assert (done.returncode, done.stderr) == (0, "")
