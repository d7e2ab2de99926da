"""`aggregator demo`: the real command as a process, what it shows, and that it leaves nothing behind."""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import shlex
import signal
import string
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from xml.parsers import expat

import feedparser
import pytest
import yaml

from aggregator import demo, parse
from aggregator.demo import documents, newsroom, publishers
from aggregator.demo.publishers import PUBLISHERS, Quirk
from tests.instance import Instance

SLOW = publishers.with_quirk(Quirk.SLOW)
BROKEN = publishers.with_quirk(Quirk.PAGE)


class Demo(Instance):
    """The command in an empty folder, which also is its folder for temporary files."""

    def begin(self, *arguments: str) -> None:
        """Start it, without waiting."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "aggregator", "demo", "--port", str(self.port), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env=os.environ | {"TMPDIR": str(self.folder)},
        )
        threading.Thread(target=self._collect, args=(self.process,), daemon=True).start()

    def get_to_know(self) -> None:
        """Wait until it has printed what to look at, and take from there where everything is."""
        self.wait_for(lambda: "Ctrl-C ends" in self.printed)
        self.port = int(re.search(r"Open http://127\.0\.0\.1:(\d+)/", self.printed)[1])
        folder = Path(re.search(r"files are in (\S+)\.\n", self.printed)[1])
        self.config, self.data = folder / "config", folder / "data"

    @property
    def printed(self) -> str:
        return "".join(self.lines)

    def entries(self, term: str) -> list[feedparser.FeedParserDict]:
        """The entries of a feed, as a subscriber gets it."""
        return feedparser.parse(io.BytesIO(self.get(f"/feeds/{term}.atom")[2])).entries

    def daemon(self) -> int:
        """The number of the daemon's process, as soon as it holds its folder."""
        self.wait_for(lambda: any(lock.read_text() for lock in self.folder.glob("*/data/lock")))
        return json.loads(next(self.folder.glob("*/data/lock")).read_text())["pid"]

    def state(self, name: str) -> dict:
        """What `status` says of a source."""
        sources = json.loads(self.command("status", "--json").stdout)["sources"]
        return next(source for source in sources if source["name"] == name)


def runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Two demos that are started at the same time with the same port, and have entries in 科技.

    `took` is how many seconds that needed.
    """
    demos = [Demo(tmp_path_factory.mktemp("demo")) for _ in range(2)]
    demos[1].port = demos[0].port
    began = time.monotonic()
    try:
        for one in demos:
            one.begin()
        for one in demos:
            one.get_to_know()
            one.wait_for(lambda one=one: one.entries("tech") != [])
            one.took = time.monotonic() - began
        yield demos
    finally:
        for one in demos:
            one.stop()


@pytest.fixture
def shown(both):
    """The one that runs to the end."""
    return both[0]


@pytest.fixture
def alone(tmp_path):
    """One that a test starts itself."""
    made = Demo(tmp_path)
    yield made
    made.stop()


def at_the_start() -> newsroom.Newsroom:
    """What the publishers have published when the demo starts, but for the dates."""
    made = newsroom.Newsroom(demo.SEED)
    for minute in range(60):
        made.write(datetime(2026, 11, 22, 8, tzinfo=UTC) + minute * timedelta(minutes=1))
    return made


# ---------------------------------------------------------------------------------------------- the real command


def test_tech_has_entries_within_fifteen_seconds(both):
    assert max(one.took for one in both) < 15


def test_every_publisher_but_the_broken_one_is_read_to_the_letter(shown):
    """GBK that is not declared, ill-formed XML, a JSON Feed, one that moved: what was written is what is stored."""
    shelves = {one: at_the_start().shelves[one.key] for one in PUBLISHERS if one is not BROKEN}
    assert min(map(len, shelves.values())) > 1
    expected = {(one.name, article.title) for one, shelf in shelves.items() for article in shelf}
    shown.wait_for(lambda: expected <= {(entry["source"], entry["title"]) for entry in shown.export("entries")})


def test_a_copy_with_tracking_parameters_is_no_second_story(shown):
    shown.wait_for(lambda: any("utm_source" in entry["link"] for entry in shown.export("entries")))
    by_id = {entry["id"]: entry for entry in shown.export("entries")}
    copies = [entry for entry in by_id.values() if "utm_source" in entry["link"] and entry["story"]]
    assert {by_id[entry["duplicate_of"]]["source"] for entry in copies} == {"星砚科技报"}
    published = {entry.id for entry in shown.entries("all")}
    assert published.isdisjoint(entry["id"] for entry in copies)
    assert published.issuperset(entry["duplicate_of"] for entry in copies)


def test_the_slow_one_delays_no_other(shown):
    """The order of a feed is the order of publication: what was ready at once went before it, though it is younger."""
    feed = []

    def slow_has_come():
        feed[:] = shown.entries("all")
        return any(entry.source.title == SLOW.name for entry in feed)

    shown.wait_for(slow_has_come)
    oldest_first = [entry.source.title for entry in reversed(feed)]
    assert oldest_first.index(SLOW.name) > oldest_first.index("星砚科技报") + 20


def test_new_entries_arrive(shown):
    begun = re.compile(r"\d\d:\d\d:\d\d  ([^:]+): (.+)\n")
    shown.wait_for(lambda: any(begun.match(line) for line in shown.lines))
    title = next(match[2] for match in map(begun.match, shown.lines) if match)
    assert title not in {one.title for shelf in at_the_start().shelves.values() for one in shelf}
    shown.wait_for(lambda: title in {entry.title for entry in shown.entries("all")})


def test_the_broken_one_is_failing_with_a_reason_and_recovers_when_its_address_is_mended(shown):
    shown.wait_for(lambda: shown.state(BROKEN.name)["status"] == "failing")
    reason = shown.state(BROKEN.name)["reason"]
    assert "page, not a feed" in reason
    named = re.search(rf"http://127\.0\.0\.1:\d+{BROKEN.feed}", reason)[0]
    sources = shown.config / "sources.yaml"
    sources.write_text(sources.read_text("utf-8").replace(f"/{BROKEN.key}/rss", f"/{BROKEN.key}/feed"), "utf-8")
    shown.wait_for(lambda: shown.state(BROKEN.name)["status"] == "ok")
    assert shown.state(BROKEN.name)["url"] == named


def test_every_command_that_it_prints_works(shown):
    shown.wait_for(lambda: any("utm_source" in entry["link"] for entry in shown.export("entries")))
    printed = re.findall(r"^    (\S*aggregator .+?)(?: \| .+)?$", shown.printed, re.MULTILINE)
    assert len(printed) == 3
    for line in printed:
        arguments = shlex.split(line)
        assert arguments[-2:] == ["--config", str(shown.config)]
        done = subprocess.run(arguments, capture_output=True, text=True, cwd=shown.folder, timeout=20, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert any(one.name in done.stdout for one in PUBLISHERS), line


def test_two_at_the_same_time_share_nothing_and_ctrl_c_leaves_nothing_of_one(both):
    shown, other = both
    assert shown.port != other.port
    assert sorted("is taken" in one.printed for one in both) == [False, True]
    daemon = other.daemon()
    assert runs(daemon)
    asked = time.monotonic()
    assert other.stop(signal.SIGINT) == 0
    assert time.monotonic() - asked < 5
    assert "Traceback" not in other.printed
    assert list(other.folder.iterdir()) == []
    assert not runs(daemon)
    assert other.get("/readyz")[0] == 0
    assert shown.get("/readyz")[0] == 200


def test_the_daemon_does_not_outlive_a_demo_that_is_killed(alone):
    alone.begin()
    daemon = alone.daemon()
    alone.stop(signal.SIGKILL)
    alone.wait_for(lambda: not runs(daemon))


def test_it_ends_by_itself_and_keeps_its_folder_when_asked_to(alone):
    arguments = ("--data", str(alone.folder / "mine"), "--keep", "--seconds", "0.3")
    alone.begin(*arguments)
    assert alone.process.wait(10) == 0
    kept = alone.folder / "mine" / "demo"
    alone.config, alone.data = kept / "config", kept / "data"
    assert "12 sources, 10 categories, no problem" in alone.command("check").stdout
    alone.begin(*arguments)
    assert alone.process.wait(10) == 1
    alone.process = None
    alone.wait_for(lambda: "mine/demo exists already: remove it" in alone.printed)


# ---------------------------------------------------------------------------------------------- what is written


def written(seed: int, number: int) -> list[newsroom.Article]:
    made = newsroom.Newsroom(seed)
    start = datetime(2026, 11, 22, tzinfo=UTC)
    return [made.write(start + second * timedelta(seconds=4)) for second in range(number)]


def test_the_same_seed_writes_the_same_articles():
    assert written(5, 200) == written(5, 200)
    assert written(5, 200) != written(6, 200)


def test_no_title_comes_twice_in_an_hour():
    originals = [one.title for one in written(demo.SEED, 900) if one.publisher.name != publishers.COPIES]
    assert len(set(originals)) == len(originals)


def test_every_story_uses_the_names_and_numbers_that_it_has():
    names = set(newsroom.blanks({}, Random(0))["en"])
    for story in newsroom.material("stories")["stories"]:
        texts = itertools.chain.from_iterable(story.get(language, ()) for language in newsroom.LANGUAGES)
        used = {blank for text in texts for _, blank, _, _ in string.Formatter().parse(text) if blank}
        assert used - names == set(story["numbers"]), story


def test_a_story_takes_another_company_where_it_needs_two():
    for seed in range(200):
        filled = newsroom.blanks({}, Random(seed))["zh-Hans"]
        assert filled["company"] != filled["rival"]
        assert filled["city"] != filled["town"]


def test_every_telling_has_its_publisher():
    for story in newsroom.material("stories")["stories"]:
        for language in set(story) & set(newsroom.LANGUAGES):
            assert publishers.telling(story["beat"], language).language == language


@pytest.mark.parametrize("publisher", PUBLISHERS, ids=lambda one: one.key)
def test_every_feed_reads_back_to_the_articles_in_it(publisher):
    articles = list(at_the_start().shelves[publisher.key])
    body, media_type = documents.feed(publisher, articles, "http://127.0.0.1:1")
    read = parse.read(body, media_type, f"http://127.0.0.1:1{publisher.feed}", None).entries
    assert [entry.title for entry in read] == [one.title for one in articles]
    assert [entry.link for entry in read] == [f"http://127.0.0.1:1{one.link}" for one in articles]
    assert [entry.published for entry in read] == [one.published for one in articles]


def test_the_blemishes_are_real():
    shelves = at_the_start().shelves
    bodies = {
        quirk: documents.feed(one, list(shelves[one.key]), "http://127.0.0.1:1")
        for quirk in (Quirk.GBK, Quirk.ILL_FORMED)
        for one in [publishers.with_quirk(quirk)]
    }
    for body, _ in bodies.values():
        with pytest.raises(expat.ExpatError):
            expat.ParserCreate().Parse(body, True)
    gbk, media_type = bodies[Quirk.GBK]
    assert b"encoding" not in gbk
    assert "charset" not in media_type
    with pytest.raises(UnicodeDecodeError):
        gbk.decode()


def test_its_categories_are_a_part_of_those_that_ship():
    shipped = yaml.safe_load((Path(__file__).parent.parent / "config" / "categories.yaml").read_text("utf-8"))
    labels = {category["term"]: category["labels"] for category in shipped["categories"]}
    for category in newsroom.material("categories")["categories"]:
        assert labels[category["term"]] == category["labels"]
