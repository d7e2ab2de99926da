"""The real documents of ../shared/corpus/feeds/real over HTTP through the running daemon, and back out of its feeds.

    .venv/bin/python -m tests.bench.corpus [--most 380] [--keep FOLDER]

Each document is a source, spread over the shipped categories. Printed are a table of what became of them, what looks
suspicious in what was stored (each with an example), and what is wrong: an entry that was lost, a feed that does not
parse back to what the log says. Exit code 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import feedparser
import yaml
from lxml import etree

from tests.feedserver import Answer, FeedServer
from tests.instance import Instance

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"

_MEDIA_TYPES = {".json": "application/feed+json", ".atom": "application/atom+xml", ".rss": "application/rss+xml"}
_TITLE = re.compile(r"</?[a-z][^<>]*>|&(?:[a-z]+|#\d+);", re.IGNORECASE)
_COVERAGE = re.compile(r"\s*(?:<p>(?:报道来源 \d+|相关)</p><ul>.*</ul>)?", re.DOTALL)
_MOJIBAKE = re.compile("\ufffd|[\u00c2-\u00f4][\u0080-\u00bf]|锟斤拷")


@dataclass(frozen=True, slots=True)
class Document:
    """One document of the corpus: the name that its source gets, where it lies, and how many entries its index says."""

    name: str
    path: Path
    format: str
    items: int

    @property
    def answer(self) -> Answer:
        """What a server says when asked for it."""
        return Answer(self.path.read_bytes(), _MEDIA_TYPES.get(self.path.suffix, "application/xml"))


@dataclass
class Outcome:
    """What became of the documents: rows as exported, the feeds' rows of the log, the published files, the log."""

    documents: list[Document]
    sources: dict[str, dict[str, Any]]
    entries: list[dict[str, Any]]
    announced: dict[str, list[dict[str, Any]]]
    files: dict[str, bytes]
    lines: list[str]
    seconds: float
    wrong: list[str] = field(default_factory=list)


def documents(corpus: Path) -> list[Document]:
    """The real documents, the smallest first."""
    with (corpus / "feeds" / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        rows = [row for row in csv.DictReader(index, delimiter="\t", quoting=csv.QUOTE_NONE) if row["kind"] == "real"]
    rows.sort(key=lambda row: (int(row["bytes"]), row["file"]))
    return [
        Document(f"{number:03} {row['repo']}", corpus / row["file"], row["format"], int(row["items"]))
        for number, row in enumerate(rows)
    ]


def through_the_daemon(instance: Instance, server: FeedServer, chosen: Sequence[Document], limit: int) -> Outcome:
    """Run the daemon over the documents until everything is published, stop it, and collect what there is."""
    categories = yaml.safe_load((ROOT / "config" / "categories.yaml").read_text("utf-8"))["categories"]
    sources = []
    for number, document in enumerate(chosen):
        server[f"/{number}"] = document.answer
        term = categories[number % len(categories)]["term"]
        sources.append({"name": document.name, "url": server.url(f"/{number}"), "category": term})
    instance.configure(sources, categories, publish={"limit": limit})
    started = time.monotonic()
    instance.start()
    instance.wait_for(lambda: _finished(instance, len(chosen)), timeout=600)
    seconds = time.monotonic() - started
    instance.stop()
    return _collect(instance, list(chosen), limit, seconds)


def _finished(instance: Instance, count: int) -> bool:
    with sqlite3.connect(f"file:{instance.data}/aggregator.db?mode=ro", uri=True) as db:
        polled = db.execute("select count(*) from source where last_poll is not null").fetchone()[0]
        waiting = db.execute("select count(*) from entry where story is null").fetchone()[0]
        dirty = db.execute("select count(*) from feed where changed > rendered").fetchone()[0]
    return polled == count and not waiting and not dirty


def _collect(instance: Instance, chosen: list[Document], limit: int, seconds: float) -> Outcome:
    entries = instance.export("entries")
    folder = instance.data / "public" / "feeds"
    return Outcome(
        documents=chosen,
        sources={row["name"]: row for row in instance.export("sources")},
        entries=entries,
        announced=_announced(instance, {row["id"]: row for row in entries}, limit),
        files={path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix != ".gz"},
        lines=list(instance.lines),
        seconds=seconds,
    )


def _announced(instance: Instance, entries: dict[str, dict[str, Any]], limit: int) -> dict[str, list[dict[str, Any]]]:
    """For each term the entries that its feed must carry, in its order, as the publication log has them."""
    with sqlite3.connect(instance.data / "aggregator.db") as db:
        rows = db.execute(
            "select p.term, e.published_id from publication p join story s on s.id = p.story"
            " join entry e on e.id = s.representative"
            " where p.live = 1 and p.withdrawn_at is null order by p.seq desc"
        ).fetchall()
        announced: dict[str, list[dict[str, Any]]] = {term: [] for (term,) in db.execute("select term from feed")}
    for term, published_id in rows:
        if len(announced[term]) < limit:
            announced[term].append(entries[published_id])
    return announced


# ---------------------------------------------------------------------------------------------- what is wrong


def problems(outcome: Outcome) -> Iterator[str]:
    """What must never be: a bug in the log, a document that lost its entries, a feed that says something else."""
    said = "".join(outcome.lines)
    yield from (f"the log has {word!r}" for word in ("Traceback", "bug:", "cannot be published") if word in said)
    for document in outcome.documents:
        source = outcome.sources[document.name]
        if document.items and not source["entries"]:
            yield f"{document.name}: {document.items} entries came to none ({source['status']}: {source['reason']})"
    for term, expected in sorted(outcome.announced.items()):
        yield from _differences(term, expected, outcome.files)


def _differences(term: str, expected: list[dict[str, Any]], files: dict[str, bytes]) -> Iterator[str]:
    for suffix, read in (("atom", _atom), ("rss", _rss), ("json", _json)):
        found = read(files[f"{term}.{suffix}"])
        if len(found) != len(expected):
            yield f"{term}.{suffix}: {len(found)} entries, the log says {len(expected)}"
        for entry, row in zip(found, expected, strict=False):
            for key, value in _published(row).items():
                if key in entry and not _says(entry[key].strip(), value.strip()):  # feedparser strips what it reads
                    yield f"{term}.{suffix}: {row['id']}: {key} is {entry[key]!r:.200}, stored is {value!r:.200}"


def _says(found: str, stored: str) -> bool:
    """Whether a text is the stored one, perhaps with who else tells it behind it."""
    return found.startswith(stored) and _COVERAGE.fullmatch(found, len(stored)) is not None


def _published(row: dict[str, Any]) -> dict[str, Any]:
    """What subscribers must see of a stored entry. One without a title gets some title."""
    said = {"id": row["id"], "link": row["link"] or "", "published": row["published"]}
    if row["title"]:
        said["title"] = row["title"]
    if row["content"]:
        said["content"] = row["content"]
    return said


def _atom(document: bytes) -> list[dict[str, Any]]:
    return [
        {
            "id": entry.id,
            "link": entry.get("link", ""),
            "title": entry.title,
            "published": entry.published.replace("+00:00", "Z"),
            "content": entry.content[0].value if "content" in entry else "",
        }
        for entry in _parsed(document).entries
    ]


def _rss(document: bytes) -> list[dict[str, Any]]:
    return [
        {
            "id": entry.id,
            "link": entry.get("link", ""),
            "title": entry.title,
            "content": entry.content[0].value if "content" in entry else entry.get("summary", ""),
        }
        for entry in _parsed(document).entries
    ]


def _parsed(document: bytes) -> Any:
    etree.fromstring(document, etree.XMLParser(huge_tree=True))  # well-formed, whatever feedparser would forgive
    return feedparser.parse(io.BytesIO(document), sanitize_html=False, resolve_relative_uris=False)


def _json(document: bytes) -> list[dict[str, Any]]:
    return [
        {
            "id": item["id"],
            "link": item.get("url", ""),
            "title": item["title"],
            "published": item["date_published"],
            "content": item["content_html"],
        }
        for item in json.loads(document)["items"]
    ]


# ---------------------------------------------------------------------------------------------- what is suspicious


def suspicions(outcome: Outcome) -> dict[str, list[str]]:
    """Stored entries that a reader would stumble over, by what is odd about them, each as `source: title (link)`."""
    odd: dict[str, list[str]] = {}
    for row in outcome.entries:
        shown = f"{row['source']}: {row['title']!r:.80} ({row['link']})"
        for what, found in (
            ("no link", not row["link"]),
            ("no title", not row["title"]),
            ("no text", not (row["content"] or row["summary"])),
            ("markup in the title", _TITLE.search(row["title"])),
            ("mojibake in the title", _MOJIBAKE.search(row["title"])),
            ("mojibake in the text", _MOJIBAKE.search(row["content"] or row["summary"])),
            ("published when first seen", row["published"] == row["first_seen"]),
            ("no language", not row["language"]),
        ):
            if found:
                odd.setdefault(what, []).append(shown)
    return odd


# ---------------------------------------------------------------------------------------------- the table


def show(outcome: Outcome) -> None:
    """Print what became of the documents."""
    formats = sorted({document.format for document in outcome.documents})
    print(f"{'format':10} {'documents':>9} {'in index':>9} {'stored':>7} {'ok':>5} {'failing':>8} {'empty':>6}")
    for kind in [*formats, "all"]:
        of_kind = [document for document in outcome.documents if kind in (document.format, "all")]
        rows = [outcome.sources[document.name] for document in of_kind]
        print(
            f"{kind:10} {len(of_kind):9} {sum(d.items for d in of_kind):9} {sum(r['entries'] for r in rows):7}"
            f" {sum(r['status'] == 'ok' for r in rows):5} {sum(r['status'] != 'ok' for r in rows):8}"
            f" {sum(not r['entries'] for r in rows):6}"
        )
    for row in outcome.sources.values():
        if row["status"] != "ok":
            print(f"    {row['status']} {row['name']}: {row['reason']}")
    for document in outcome.documents:
        stored = outcome.sources[document.name]["entries"]
        if stored != document.items:
            print(f"    {document.name} ({document.path.name}): {document.items} in the index, {stored} stored")
    ids = {row["id"] for rows in outcome.announced.values() for row in rows}
    left_out = sum("is left out" in line for line in outcome.lines)
    size = sum(map(len, outcome.files.values()))
    copies = sum(bool(row["duplicate_of"]) for row in outcome.entries)
    print(
        f"\n{len(outcome.entries)} entries stored, {copies} of them copies;"
        f" {len(ids)} stories in {len(outcome.files)} documents of {size / 1e6:.1f} MB; left out: {left_out};"
        f" from start to published {outcome.seconds:.1f} s"
    )
    print("\nsuspicious:")
    for what, shown in sorted(suspicions(outcome).items()):
        print(f"{len(shown):6} {what}, like {shown[0]}")


def main() -> int:
    """Print the table, what is suspicious, and what is wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--most", type=int, default=1000, help="how many documents, the smallest first")
    parser.add_argument(
        "--keep", type=Path, help="an empty folder for configuration and data; default: a temporary one"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, FeedServer() as server:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        outcome = through_the_daemon(Instance(folder), server, documents(CORPUS)[: arguments.most], limit=1000)
    show(outcome)
    wrong = list(problems(outcome))
    print(f"\nwrong: {len(wrong)}")
    for problem in wrong:
        print(f"    {problem}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
