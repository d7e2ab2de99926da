"""What a worker does for an entry, part by part, beside feedparser over the same documents, in one run.

    .venv/bin/python -m tests.bench.reading [--feeds 100] [--rounds 5]

CPU in microseconds an entry, the least of the rounds, and its ratio to feedparser with its sanitiser on, which takes
its turn in every round, in a process of its own. Parts are measured on what they are given when the documents of
../shared/bench/feedfarm.py are read; indented ones are within the one above.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import io
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path

import deflate
import feedparser

from aggregator import categorize, config, html, parse, prepare, publish, text, urls
from aggregator.models import FeedMeta, ParsedEntry, PublishedEntry, Source
from aggregator.parse import cut, decoding, repair
from aggregator.publish import jsonfeed, xmlfeeds
from tests.bench.cycle import Farm
from tests.builders import NOW, published

PEER = """
import feedparser, io, json, sys, time
documents = [document.encode() for document in json.load(sys.stdin)]
def cpu(**how):
    start = time.process_time()
    for document in documents:
        feedparser.parse(io.BytesIO(document), **how)
    return time.process_time() - start
print(json.dumps([cpu(), cpu(sanitize_html=False, resolve_relative_uris=False)]))
"""
SOURCE = Source("A source", "http://source.example/feed.xml")
RENDERED = 100  # entries of a feed

Part = Callable[[], object]
Packing = Callable[[bytes], bytes]


class Work:
    """The documents of a farm, and what each part is given while they are read."""

    def __init__(self, feeds: int) -> None:
        farm = Farm(feeds)
        try:
            self.addresses = farm.ask("urls").split()
            self.bodies = [urllib.request.urlopen(address, timeout=60).read() for address in self.addresses]
        finally:
            farm.process.terminate()
            farm.process.wait()
        self.tools = prepare.pack(config.load(Path("config"), os.environ))
        self.documents = [xml.encode() for xml in self._mended()]
        self.entries = [entry for feed in self.feeds() for entry in feed.entries]
        self.plain = [html.beginning(entry.content or entry.summary, prepare.COMPARED) for entry in self.entries]
        self.texts = [written for document in self.documents for written in _texts(document)]
        self.guide = prepare.unpack(self.tools).guide
        self.subjects = [prepare.subject(entry, SOURCE) for entry in self.entries]

    def feeds(self) -> list[parse.ParsedFeed]:
        return [parse.read(body, None, url, None) for body, url in zip(self.bodies, self.addresses, strict=True)]

    def peer(self) -> tuple[float, float]:
        """Seconds that feedparser takes for all documents, with its sanitiser and bare."""
        documents = json.dumps([document.decode() for document in self.documents])
        done = subprocess.run([sys.executable, "-c", PEER], input=documents, capture_output=True, text=True, check=True)
        full, bare = json.loads(done.stdout)
        return full, bare

    def parts(self) -> dict[str, Part]:
        """Each part of the work, by its name in the table."""
        folding = [*self.plain, *(entry.title for entry in self.entries)]
        return {
            "all that a worker does": self._prepare,
            "  reading": self.feeds,
            "    decoding, repair": self._mended,
            "    cut, hashes": lambda: [cut.hashes(document, found, b"") for document, found in self._cuts()],
            "    sanitising": lambda: [
                html.sanitize(markup, partial(urls.link, base), partial(urls.join, base)) for markup, base in self.texts
            ],
            "  plain text": lambda: [
                html.beginning(entry.content or entry.summary, prepare.COMPARED) for entry in self.entries
            ],
            "  folding": lambda: list(map(text.fold, folding)),
            "  canonical links": lambda: [urls.single_page(entry.link) for entry in self.entries if entry.link],
            "  filing": lambda: [categorize.decide(self.guide, subject, SOURCE) for subject in self.subjects],
            "    rules": lambda: [list(self.guide.rulebook.hits(subject)) for subject in self.subjects],
        }

    def renderings(self) -> dict[str, Part]:
        """Each format of a feed of 100 entries."""
        entries = [_published(number, entry) for number, entry in enumerate(self.entries[:RENDERED])]
        meta = FeedMeta("tech", "urn:feed", "Feed", "http://site.example", "zh-Hans", NOW, {"tech": "科技"})
        formats = {"atom": xmlfeeds.atom_entry, "rss": xmlfeeds.rss_item, "json": jsonfeed.item}
        parts: dict[str, Part] = {f"  {name}": partial(_each, write, meta, entries) for name, write in formats.items()}
        self.documents_made = publish.render(meta, entries).documents
        return parts | {"  all, once more": partial(publish.render, meta, entries)}

    def packings(self) -> dict[str, Packing]:
        """Ways to compress what is published: as it is done, and as the standard library would."""
        return {
            "  deflate 6, as published": lambda content: bytes(deflate.gzip_compress(content, 6)),
            "  zlib 6": lambda content: gzip.compress(content, 6, mtime=0),
            "  zlib 4": lambda content: gzip.compress(content, 4, mtime=0),
        }

    def packed(self, pack: Packing) -> int:
        """The bytes of a feed's three formats, compressed."""
        return sum(len(pack(content)) for content in self.documents_made.values())

    def _prepare(self) -> None:
        for body, url in zip(self.bodies, self.addresses, strict=True):
            prepare.document(body, None, url, SOURCE, self.tools, b"")

    def _mended(self) -> list[str]:
        return [repair.wellformed(repair.clean(decoding.decode(body, None).text))[0] for body in self.bodies]

    def _cuts(self) -> list[tuple[bytes, cut.Cut]]:
        return [(document, found) for document in self.documents if (found := cut.cut(document))]


def _each(write: Callable[[FeedMeta, PublishedEntry], bytes], meta: FeedMeta, entries: list[PublishedEntry]) -> None:
    for entry in entries:
        write(meta, entry)


def _texts(document: bytes) -> list[tuple[str, str]]:
    """The texts of a document as its publisher wrote them, each with its entry's link."""
    entries = feedparser.parse(io.BytesIO(document), sanitize_html=False, resolve_relative_uris=False).entries
    details = [(e, detail) for e in entries for detail in (*e.get("content", ()), e.get("summary_detail") or {})]
    return [(detail["value"], entry.get("link", "")) for entry, detail in details if detail.get("value")]


def _published(number: int, said: ParsedEntry) -> PublishedEntry:
    kept = {name: getattr(said, name) for name in _names(ParsedEntry) & _names(PublishedEntry)}
    return published(**kept | {"id": f"urn:entry:{number}", "published": NOW, "updated": NOW})


def _names(kind: type) -> set[str]:
    return {field.name for field in fields(kind)}


def _seconds(part: Part) -> float:
    start = time.process_time()
    part()
    return time.process_time() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--feeds", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    work = Work(arguments.feeds)
    gc.freeze()  # what is kept here would be looked at again and again, as nothing is in a worker
    parts, renderings, packings = work.parts(), work.renderings(), work.packings()
    packed: dict[str, Part] = {name: partial(work.packed, pack) for name, pack in packings.items()}
    least: dict[str, float] = {}
    for _ in range(arguments.rounds):
        full, bare = work.peer()
        taken = {"feedparser with its sanitiser": full, "feedparser bare": bare}
        taken |= {name: _seconds(part) for name, part in (parts | renderings | packed).items()}
        least = {name: min(seconds, least.get(name, seconds)) for name, seconds in taken.items()}
    print(f"{len(work.entries)} entries, least of {arguments.rounds}\n{'':32} {'µs an entry':>12} {'÷ feedparser':>13}")
    for name in ("feedparser with its sanitiser", "feedparser bare", *parts):
        ratio = least[name] / least["feedparser with its sanitiser"]
        print(f"{name:32} {least[name] / len(work.entries) * 1e6:12.1f} {ratio:13.2f}")
    print(f"rendering a feed of {RENDERED}")
    for name in renderings:
        print(f"{name:32} {least[name] / RENDERED * 1e6:12.1f}")
    print("compressing its three formats: ms, bytes")
    for name, pack in packings.items():
        print(f"{name:32} {least[name] * 1e3:12.1f} {work.packed(pack):13}")


if __name__ == "__main__":
    main()
