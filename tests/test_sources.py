"""`aggregator sources`: each command as a real process, with real servers on loopback."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time

import pytest
import yaml

from aggregator import folder
from tests.feedserver import Answer
from tests.instance import item, rss

PAGE = (
    "<html><head><link rel=alternate type=application/rss+xml href=/one.xml title=文章>"
    '<link rel="alternate" type="application/atom+xml" href="/two.xml" title="Comments"></head><body>x</body></html>'
)
LIST = """<?xml version="1.0"?><opml version="1.1"><body>
<outline text="科技"><outline text="A & B" xmlUrl="http://a.example/feed"/></outline>
<outline text="科技新闻"><outline text="C" xmlUrl="https://c.example/feed"/></outline>
<outline text="杂"><outline text="D" xmlUrl="https://d.example/feed"/>
<outline text="A 2" xmlUrl="https://www.a.example/feed/"/><outline text="E" xmlUrl="ftp://bob:sesame@e.example/"/></outline>
</body></opml>"""


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def listed(instance):
    return yaml.safe_load((instance.config / "sources.yaml").read_text("utf-8"))["sources"]


def on_terminal(instance, *arguments, answer=""):
    """Run a command on a terminal, where a person types `answer`: its exit code, and all that the terminal showed."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "aggregator", *arguments, "--config", str(instance.config)]
    environ = os.environ | {"TERM": "xterm-256color", "COLUMNS": "200"}
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=instance.folder, env=environ, start_new_session=True
    )
    os.close(theirs)
    os.write(ours, answer.encode())
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # the terminal's other end is closed: the process has ended
        pass
    finally:
        os.close(ours)
    return process.wait(30), shown.decode()


# ---------------------------------------------------------------------------------------------- list


def test_list_shows_every_source_before_and_after_the_first_poll(instance, feeds):
    feeds["/a.xml"] = rss(item(1))
    off = {"name": "C", "url": feeds.url("/c.xml"), "enabled": False}
    b = {"name": "B", "url": feeds.url("/b.xml")}
    instance.configure([{"name": "甲", "url": feeds.url("/a.xml"), "category": ["tech", "ai"]}, b, off])
    before = lines(instance.command("sources", "list", "--json"))
    assert [(row["name"], row["status"]) for row in before] == [("甲", "new"), ("B", "new"), ("C", "disabled")]
    instance.poll()
    after = lines(instance.command("sources", "list", "--json"))
    assert after[0] == {
        "name": "甲",
        "url": feeds.url("/a.xml"),
        "categories": ["tech", "ai"],
        "status": "ok",
        "reason": "",
    }
    assert "404" in after[1]["reason"]
    said = instance.command("sources", "list").stdout.splitlines()
    assert said[0] == f"ok        甲  {feeds.url('/a.xml')}  [tech, ai]"
    assert said[1].startswith("failing   B")


# ---------------------------------------------------------------------------------------------- test


def test_test_says_what_is_there_and_touches_no_store(instance, feeds):
    feeds["/a.xml"] = rss(item(1, "人工智能的故事"), item(2, date=None), item(3, date="Sun, 22 Nov 2026 06:00:00 GMT"))
    instance.configure([{"name": "甲", "url": feeds.url("/a.xml"), "category": "tech"}])
    said = instance.command("sources", "test", "甲").stdout
    assert f"甲  {feeds.url('/a.xml')}\n" in said
    assert "RSS 2.0, utf-8; entries: 3 (2 with date, 3 with link, 3 with title, 3 with text)" in said
    assert "newest 2026-11-22T08:00:00Z, oldest 2026-11-22T06:00:00Z" in said
    assert "problem: 1 entry has no usable date" in said
    assert "would be filed as: tech 3, ai 1" in said
    assert "人工智能的故事  ← tech (source), ai (rule 1: 人工智能)" in said
    assert not instance.data.exists()
    assert "If-None-Match" not in feeds.asked[-1][1]


def test_test_takes_addresses_and_works_beside_a_daemon(instance, feeds):
    feeds["/a.xml"] = rss(*(item(n, date=f"Sun, 22 Nov 2026 0{n}:00:00 GMT") for n in range(4)))
    instance.configure([])
    with folder.hold(instance.data, "run"):
        (row,) = lines(instance.command("sources", "test", feeds.url("/a.xml"), "--json"))
    assert (row["format"], row["entries"], row["with_date"], row["rhythm"]) == ("RSS 2.0", 4, 4, 3600)
    assert (row["newest"], row["filed"]) == ("2026-11-22T03:00:00Z", {"other": 4})
    assert row["samples"][0] == {"title": "Story 0", "categories": []}


def test_test_uses_the_sources_own_headers_and_follows_its_moves(instance, feeds):
    feeds["/old"] = Answer(b"", status=301, headers={"Location": "/new"})
    feeds["/new"] = rss(item(1))
    instance.configure([{"name": "A", "url": feeds.url("/old"), "headers": {"X-Key": "k"}}])
    assert f"change its url to {feeds.url('/new')}" in instance.command("sources", "test", feeds.url("/old")).stdout
    assert feeds.asked[0][1]["X-Key"] == "k"


def test_one_that_fails_does_not_hide_the_others_and_the_exit_code_tells(instance, feeds):
    feeds["/a.xml"] = rss(item(1))
    feeds["/page"] = Answer(b"<html><body>x</body></html>", "text/html")
    off = {"name": "Off", "url": feeds.url("/off"), "enabled": False}
    names = {"A": "/a.xml", "B": "/b.xml", "P": "/page"}
    instance.configure([*({"name": name, "url": feeds.url(path)} for name, path in names.items()), off])
    done = instance.command("sources", "test", "--all", "--json", code=1)
    found = {row["name"]: row for row in lines(done)}
    assert found.keys() == {"A", "B", "P"}
    assert found["A"]["entries"] == 1
    assert "404" in found["B"]["error"]
    assert "a page, not a feed" in found["P"]["error"]
    assert "2 of 3 could not be read" in done.stderr
    assert feeds.count("/off") == 0


def test_a_refused_address_names_the_setting_and_the_network_to_add(instance, feeds):
    feeds["/a.xml"] = rss(item(1))
    instance.configure([{"name": "A", "url": feeds.url("/a.xml")}], fetch={"allow_networks": []})
    said = instance.command("sources", "test", "A", code=1).stdout
    assert "127.0.0.1 is at 127.0.0.1, which is not public" in said
    assert "add 127.0.0.1/32 to fetch.allow_networks" in said
    assert feeds.asked == []


def test_the_hosts_gap_is_kept(instance, feeds):
    for n in range(3):
        feeds[f"/{n}"] = rss(item(n))
    sources = [{"name": f"S{n}", "url": feeds.url(f"/{n}")} for n in range(3)]
    instance.configure(sources, fetch={"host_gap": "300ms"})
    started = time.monotonic()
    instance.command("sources", "test", "--all")
    assert time.monotonic() - started > 0.6


@pytest.mark.parametrize(("arguments", "said"), [((), "give --all"), (("甲乙",), "did you mean 甲乙丙?")])
def test_test_without_a_known_source_says_what_to_give(instance, arguments, said):
    instance.configure([{"name": "甲乙丙", "url": "http://a.example/"}])
    assert said in instance.command("sources", "test", *arguments, code=2).stderr


# ---------------------------------------------------------------------------------------------- add


def test_an_added_feed_is_polled_by_the_running_daemon(instance, feeds):
    feeds["/a.xml"] = rss(item(1, "人工智能的发布"), title="少数派: 周刊")
    instance.configure([{"name": "Old", "url": "http://127.0.0.1:9/"}])
    path = instance.config / "sources.yaml"
    before = path.read_bytes()
    instance.start()
    done = instance.command("sources", "add", feeds.url("/a.xml"), "--category", "科技")
    assert "entries: 1" in done.stdout
    assert path.read_bytes() == before + (
        f"- name: '少数派: 周刊'\n  url: {feeds.url('/a.xml')}\n  category: tech\n  language: zh-Hans\n".encode()
    )
    instance.wait_for(lambda: "人工智能的发布".encode() in instance.get("/feeds/tech.atom")[2])


def test_a_pages_only_feed_is_added_and_a_move_is_followed(instance, feeds):
    feeds["/page"] = Answer(PAGE.partition('<link rel="')[0].encode(), "text/html")
    feeds["/one.xml"] = Answer(b"", status=308, headers={"Location": "/moved.xml"})
    feeds["/moved.xml"] = rss(item(1))
    instance.configure([])
    instance.command("sources", "add", feeds.url("/page"), "--name", "我的")
    assert listed(instance) == [{"name": "我的", "url": feeds.url("/moved.xml")}]


def test_of_several_feeds_a_person_chooses_and_a_script_gets_the_list(instance, feeds):
    feeds["/page"] = Answer(PAGE.encode(), "text/html")
    feeds["/two.xml"] = rss(item(1), title="Two")
    instance.configure([])
    done = instance.command("sources", "add", feeds.url("/page"), code=2)
    assert f"1  {feeds.url('/one.xml')}  文章" in done.stderr
    assert f"2  {feeds.url('/two.xml')}  Comments" in done.stderr
    assert listed(instance) == []
    code, shown = on_terminal(instance, "sources", "add", feeds.url("/page"), answer="3\n2\n")
    assert code == 0, shown
    assert [source["name"] for source in listed(instance)] == ["Two"]


def test_what_is_a_source_already_is_refused_and_named(instance, feeds):
    feeds["/a.xml"] = rss(item(1), title="甲")
    instance.configure([{"name": "甲", "url": "https://www.a.example/feed/"}])
    before = (instance.config / "sources.yaml").read_bytes()
    done = instance.command("sources", "add", "http://a.example/feed", code=1)
    assert "is a source already: 甲 (https://www.a.example/feed/)" in done.stderr
    done = instance.command("sources", "add", feeds.url("/a.xml"), code=1)
    assert (
        "the name 甲 is taken by the source at https://www.a.example/feed/: give another one with --name" in done.stderr
    )
    assert (instance.config / "sources.yaml").read_bytes() == before


def test_a_page_without_feeds_and_a_silent_host_are_refused_with_the_reason(instance, feeds):
    feeds["/page"] = Answer(b"<html><body>x</body></html>", "text/html")
    instance.configure([])
    said = instance.command("sources", "add", feeds.url("/page"), code=1).stderr
    assert f"{feeds.url('/page')} cannot be added" in said
    assert said.endswith(
        " cannot be added: this is a page, not a feed, and it names none; no other address was tried\n"
    )
    assert "404" in instance.command("sources", "add", feeds.url("/none"), code=1).stderr
    assert [path for path, _ in feeds.asked] == ["/page", "/none"]
    assert listed(instance) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ftp://a.example/",), "is not a web address"),
        (("http://a.example/", "--category", "teck"), "did you mean tech?"),
        (("http://bob:sesame@a.example/feed",), "http://a.example/feed cannot be a source"),
    ],
)
def test_add_says_what_is_wrong_with_what_was_given(instance, arguments, said):
    instance.configure([])
    assert said in instance.command("sources", "add", *arguments, code=2).stderr


# ---------------------------------------------------------------------------------------------- import, export


def test_an_import_says_what_became_of_every_outline(instance):
    instance.configure([{"name": "旧", "url": "http://d.example/feed/"}])
    path = instance.config / "sources.yaml"
    before = path.read_bytes()
    (instance.folder / "list.opml").write_text(LIST, "utf-8")
    tried = instance.command("sources", "import", "list.opml", "--map", "科技新闻=tech", "--dry-run").stdout
    assert "would be added: 2 (0 without a category); duplicates: 2; invalid: 1" in tried
    assert path.read_bytes() == before
    said = instance.command("sources", "import", "list.opml", "--map", "科技新闻=tech").stdout
    assert "invalid: E  ftp://e.example/: its address is not a web address" in said
    assert "duplicate: D  https://d.example/feed: it is the source 旧" in said
    assert "duplicate: A 2  https://www.a.example/feed/: it is the source A & B" in said
    assert "\nadded: 2 (0 without a category); duplicates: 2; invalid: 1" in said
    assert path.read_bytes().startswith(before)
    assert listed(instance)[1:] == [
        {"name": "A & B", "url": "http://a.example/feed", "category": "tech"},
        {"name": "C", "url": "https://c.example/feed", "category": "tech"},
    ]
    assert "added: 0 " in instance.command("sources", "import", "list.opml").stdout


def test_an_import_into_nothing_begins_the_file_and_names_folders_that_are_no_category(instance):
    instance.configure([])
    (instance.config / "sources.yaml").unlink()
    (instance.folder / "list.opml").write_text(LIST, "utf-8")
    said = instance.command("sources", "import", "list.opml").stdout
    assert "without a category: 1 in the folder 杂; to file what is in it: --map '杂=TERM'" in said
    assert "added: 3 (2 without a category)" in said
    assert len(listed(instance)) == 3


def test_an_export_imports_into_the_same_sources(instance):
    sources = [
        {"name": "A & <B>: c", "url": "http://a.example/?x=1&y=2", "category": ["tech", "finance"]},
        {"name": "no", "url": "http://b.example/", "language": "zh-Hant"},
    ]
    instance.configure(sources)
    exported = instance.command("sources", "export").stdout
    instance.command("sources", "export", "out.opml")
    assert (instance.folder / "out.opml").read_text("utf-8") == exported
    instance.configure([])
    instance.command("sources", "import", "out.opml")
    assert sorted(listed(instance), key=str) == sorted(sources, key=str)
    assert instance.command("sources", "export").stdout == exported


def test_a_key_from_a_variable_is_in_no_list_and_its_source_is_known_again(instance, monkeypatch):
    monkeypatch.setenv("KEY", "sesame")
    instance.configure([{"name": "A", "url": "http://a.example/?key=${KEY}"}])
    exported = instance.command("sources", "export", "out.opml")
    assert "${KEY}" in (instance.folder / "out.opml").read_text("utf-8")
    done = instance.command("sources", "import", "out.opml")
    assert "added: 0 (0 without a category); duplicates: 1" in done.stdout
    refused = instance.command("sources", "add", "http://a.example/?key=sesame", "--name", "B", code=1)
    said = [exported, done, refused, instance.command("sources", "list")]
    assert "sesame" not in "".join(each.stdout + each.stderr for each in said).replace("?key=sesame is a source", "")
    assert len(listed(instance)) == 1


@pytest.mark.parametrize(
    ("content", "arguments", "code", "said"),
    [
        ("<html>x</html>", (), 1, "is it an OPML list?"),
        (LIST, ("--map", "科技新闻"), 2, "write FOLDER=TERM"),
        (LIST, ("--map", "科技新闻=x"), 2, "there is no category x"),
    ],
)
def test_an_import_says_what_is_wrong_with_what_was_given(instance, content, arguments, code, said):
    instance.configure([])
    (instance.folder / "list.opml").write_text(content, "utf-8")
    assert said in instance.command("sources", "import", "list.opml", *arguments, code=code).stderr


def test_a_long_list_is_imported_in_seconds_with_a_bar_on_a_terminal(instance):
    instance.configure([])
    outlines = "".join(f'<outline text="名字 {n}" xmlUrl="https://s{n}.example/feed"/>\n' for n in range(1500))
    (instance.folder / "list.opml").write_text(f"<opml><body>{outlines}</body></opml>", "utf-8")
    started = time.monotonic()
    code, shown = on_terminal(instance, "sources", "import", "list.opml")
    assert time.monotonic() - started < 5
    assert code == 0, shown
    assert "Importing" in shown
    assert "added: 1500" in shown
    assert len(listed(instance)) == 1500
