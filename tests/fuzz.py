"""Coverage-guided fuzzing of what reads the world's bytes, with atheris.

    .venv/bin/python -m tests.fuzz parse|sanitize [--seconds 300]

Ends with an exit code that is not 0 when an input raised, took over five seconds, broke a promise, or took 2 GB;
the input is then in a file of the temporary folder, which libFuzzer names last.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["aggregator", "feedparser"]):
    from aggregator import errors, html, parse, text, urls

from tests.instance import item, rss

URL = "http://feed.example/feed.xml"
SEEDS = {
    "parse": [
        rss(item(1), item(2, text="&lt;p&gt;x&lt;/p&gt; &amp; &nbsp;")),
        '<?xml version="1.0" encoding="gb2312"?><!DOCTYPE rss [<!ENTITY a "b">]><rss><channel><item>&a;</item>',
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:base="/x/"><entry><id>1</id><updated>2026-11-22</updated>'
        '<title type="xhtml"><div>t</div></title><link href="a"/><content type="html">&lt;b></content></entry></feed>',
        '{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "content_html": "<p>x", "url": "/a"}]}',
    ],
    "sanitize": [
        '<p title="a">x<a href="/y?a=1&amp;b">z</a><img data-src=a.png width=1><table><tr><td>1</table>',
        "<svg><foreignObject><svg></svg><p>x</foreignObject></svg><ul><li>a<li>b</ul>&lt;&#106;avascript:&nbsp;",
    ],
}


def read(data: bytes) -> None:
    """A document raises nothing but ParseError, and what comes out is clean."""
    with contextlib.suppress(errors.ParseError):
        feed = parse.read(data, None, URL, None)
        for entry in feed.entries:
            assert text.one_line(entry.title) == entry.title
            assert text.clean(entry.content) == entry.content
            assert entry.link is None or entry.link.startswith(("http://", "https://"))


def sanitize(data: bytes) -> None:
    """Sanitising sanitised markup changes nothing, and no scheme or element that is not allowed is left."""
    again = partial(html.sanitize, link=partial(urls.link, URL), media=partial(urls.join, URL))
    safe = again(data.decode("utf-8", "surrogateescape"))
    assert again(safe) == safe
    assert not any(name in safe for name in ("<script", "<style", "<iframe", "<form", 'href="javascript'))
    html.plain(safe)
    html.title(safe)


TARGETS: dict[str, Callable[[bytes], None]] = {"parse": read, "sanitize": sanitize}


def main() -> None:
    """Fuzz one target for a while."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=300)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(SEEDS[arguments.target]):
            (Path(folder) / str(number)).write_text(seed, "utf-8")
        limits = [f"-max_total_time={arguments.seconds}", "-timeout=5", "-rss_limit_mb=2048", "-max_len=4096"]
        kept = f"-artifact_prefix={tempfile.gettempdir()}/fuzz-{arguments.target}-"
        atheris.Setup([sys.argv[0], *limits, kept, folder], TARGETS[arguments.target])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
