"""Articles as the documents that publishers serve: RSS 2.0, RSS 1.0, Atom, JSON Feed and pages; and their blemishes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from aggregator.demo.newsroom import Article
from aggregator.demo.publishers import Publisher, Quirk

HTML = "text/html; charset=utf-8"

_JUNK = "\n<!-- cached 0.02s -->\n"


def feed(publisher: Publisher, articles: Sequence[Article], address: str) -> tuple[bytes, str]:
    """A publisher's feed of these articles, and its Content-Type. `address` is where all publishers are."""
    write, media_type = _FORMS[publisher.form]
    document = write(publisher, articles, address)
    if publisher.quirk is Quirk.GBK:
        return f'<?xml version="1.0"?>\n{document}'.encode("gbk"), "text/xml"
    if publisher.form != "json":
        document = f'<?xml version="1.0" encoding="utf-8"?>\n{document}'
    if publisher.quirk is Quirk.ILL_FORMED:
        document = _ill_formed(document)
    return document.encode(), media_type


def _ill_formed(document: str) -> str:
    """Text before the declaration, an entity that nobody declared, a bare ampersand, and the end cut off."""
    blemished = document.replace("</description></item>", "&nbsp;试玩 & 讨论</description></item>")
    return _JUNK + blemished.removesuffix("</channel></rss>")


def _rss(publisher: Publisher, articles: Iterable[Article], address: str) -> str:
    items = "".join(
        f"<item><title>{escape(one.title)}</title><link>{escape(address + one.link)}</link>"
        f'<guid isPermaLink="false">{one.guid}</guid>'
        f"<pubDate>{format_datetime(one.published)}</pubDate><description>{escape(one.text)}</description></item>"
        for one in articles
    )
    return (
        f'<rss version="2.0"><channel><title>{publisher.name}</title><link>{address}{publisher.home}</link>'
        f"<description>{publisher.name}</description><language>{publisher.language}</language>{items}</channel></rss>"
    )


def _rdf(publisher: Publisher, articles: Sequence[Article], address: str) -> str:
    listed = "".join(f'<rdf:li resource="{address}{one.link}"/>' for one in articles)
    items = "".join(
        f'<item rdf:about="{address}{one.link}"><title>{escape(one.title)}</title><link>{address}{one.link}</link>'
        f"<description>{escape(one.text)}</description><dc:date>{one.published.isoformat()}</dc:date></item>"
        for one in articles
    )
    return (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"'
        f' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="{address}{publisher.home}">'
        f"<title>{publisher.name}</title><link>{address}{publisher.home}</link>"
        f"<description>{publisher.name}</description><items><rdf:Seq>{listed}</rdf:Seq></items></channel>"
        f"{items}</rdf:RDF>"
    )


def _atom(publisher: Publisher, articles: Sequence[Article], address: str) -> str:
    """With links that are relative to xml:base."""
    entries = "".join(
        f"<entry><id>tag:{publisher.key}.example,{one.published:%Y-%m-%d}:{one.number}</id>"
        f"<title>{escape(one.title)}</title><link href={quoteattr(one.link)}/>"
        f"<published>{one.published.isoformat()}</published><updated>{one.published.isoformat()}</updated>"
        f"<content>{escape(one.text)}</content></entry>"
        for one in articles
    )
    updated = articles[0].published.isoformat() if articles else "2026-01-01T00:00:00Z"
    return (
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{publisher.language}" xml:base="{address}">'
        f"<id>tag:{publisher.key}.example,2026:feed</id><title>{publisher.name}</title><updated>{updated}</updated>"
        f'<author><name>{publisher.name}</name></author><link href="{publisher.home}"/>{entries}</feed>'
    )


def _json(publisher: Publisher, articles: Iterable[Article], address: str) -> str:
    items = [
        {
            "id": address + one.link,
            "url": address + one.link,
            "title": one.title,
            "content_text": one.text,
            "date_published": one.published.isoformat(),
        }
        for one in articles
    ]
    head = {"version": "https://jsonfeed.org/version/1.1", "title": publisher.name, "language": publisher.language}
    return json.dumps(head | {"home_page_url": address + publisher.home, "items": items}, ensure_ascii=False)


_FORMS = {
    "rss": (_rss, "application/rss+xml"),
    "rdf": (_rdf, "application/rdf+xml"),
    "atom": (_atom, "application/atom+xml"),
    "json": (_json, "application/feed+json"),
}


def page(article: Article) -> str:
    """The page of one article."""
    publisher = article.publisher
    return (
        f'<!DOCTYPE html><html lang="{publisher.language}"><meta charset="utf-8"><title>{escape(article.title)}</title>'
        f'<p><a href="{publisher.home}">{publisher.name}</a></p><h1>{escape(article.title)}</h1>'
        f"<p>{article.published:%Y-%m-%d %H:%M} UTC</p><p>{escape(article.text)}</p></html>"
    )


def front_page(publisher: Publisher, articles: Iterable[Article]) -> str:
    """The page that lists a publisher's articles, and names its feed."""
    listed = "".join(f"<li><a href={quoteattr(one.link)}>{escape(one.title)}</a></li>" for one in articles)
    _, media_type = _FORMS[publisher.form]
    return (
        f'<!DOCTYPE html><html lang="{publisher.language}"><meta charset="utf-8"><title>{publisher.name}</title>'
        f'<link rel="alternate" type="{media_type}" href="{publisher.feed}"><h1>{publisher.name}</h1>'
        f"<ul>{listed}</ul></html>"
    )
