"""Histories of a feed, polled one version after the other: what returns, moves or changes its dress is not new."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest

from tests.bench import replay
from tests.builders import DAY, HOUR, NOW
from tests.instance import item, rss


def history(*documents, every=HOUR):
    return [replay.Version(NOW + every * k, document.encode()) for k, document in enumerate(documents)]


def replayed(folder: Path, *documents: str, every: timedelta = HOUR) -> replay.Outcome:
    outcome = replay.replay(folder, "A", history(*documents, every=every))
    assert outcome.wrong == []
    return outcome


def built(number: int) -> str:
    """The feed's own words, which change with each version."""
    return f"<lastBuildDate>Sun, 22 Nov 2026 {number:02}:30:00 GMT</lastBuildDate>"


def dated(number: int, **said) -> str:
    return item(number, date=f"Sun, 22 Nov 2026 {number:02}:00:00 GMT", **said)


def written(outcome: replay.Outcome) -> list[bool]:
    """For each poll after the first, whether a file was written."""
    return [bool(step.written) for step in outcome.steps[1:]]


def test_what_moves_drops_out_and_comes_back_is_never_new(tmp_path):
    """A reshuffled list, an empty document, a shrunken one, and all of it again."""
    items = [dated(k) for k in range(1, 7)]
    shuffled = random.Random(1).sample(items, 6)
    outcome = replayed(
        tmp_path, rss(*items), rss(built(1), *shuffled), rss(), rss(*items[:2]), rss(built(2), *items[::-1])
    )
    assert [len(step.expected.returned) for step in outcome.steps] == [0, 0, 0, 2, 4]
    assert written(outcome) == [False] * 4
    assert outcome.titles() == [f"Story {k}" for k in (6, 5, 4, 3, 2, 1)]


@pytest.mark.parametrize("dates_move", [False, True])
def test_ids_that_are_random_at_each_poll_make_no_new_entries(tmp_path, dates_move):
    def document(poll):
        day = 21 + poll if dates_move else 21
        entries = (
            f"<item><title>Story {k}</title><link>http://example.org/{k}</link><guid>urn:uuid:{poll}{k}</guid>"
            f"<pubDate>{day} Nov 2026 0{k}:00:00 GMT</pubDate><description>text {k}</description></item>"
            for k in range(5)
        )
        return rss(built(poll), *entries)

    outcome = replayed(tmp_path, *map(document, range(3)))
    assert (len(outcome.entries), written(outcome)) == (5, [False, False])


@pytest.mark.parametrize("date", ["22 Nov 2026 0{}:00:00 GMT", ""])
def test_ids_and_links_that_change_at_each_poll_make_no_new_entries(tmp_path, date):
    """The second and third poll list an entry more each; the fourth has no links at all."""

    def document(poll):
        link = f"<link>http://{poll}.example.org/{{0}}?session={poll}</link>" if poll < 3 else ""
        entries = (
            f"<item><title>Story {k}</title>{link.format(k)}<guid>{poll}-{k}</guid>"
            f"<pubDate>{date.format(k)}</pubDate><description>text {k}</description></item>"
            for k in range(3 + poll)
        )
        return rss(*entries)

    outcome = replay.replay(tmp_path, "A", history(*map(document, range(4))))
    assert sorted(outcome.titles()) == [f"Story {k}" for k in range(6)]
    assert len(outcome.entries) == 6


@pytest.mark.parametrize("date", ["22 Nov 2026 {:02}:00:00 GMT", "22 Nov 2026", ""])
def test_ids_that_count_positions_lose_no_entry(tmp_path, date):
    def document(newest):
        listed = range(newest, newest - 4, -1)
        entries = (
            f"<item><title>Story {k}</title><link>http://example.org/{k}</link><guid>{position}</guid>"
            f"<pubDate>{date.format(k)}</pubDate><description>text</description></item>"
            for position, k in enumerate(listed, 1)
        )
        return rss(*entries)

    outcome = replay.replay(tmp_path, "A", history(*map(document, (4, 5, 6))))
    assert outcome.titles()[:2] == ["Story 6", "Story 5"]
    assert sorted(outcome.titles()) == [f"Story {k}" for k in range(1, 7)]


def test_a_trivial_edit_is_published_and_moves_no_date(tmp_path):
    text = "The bridge over the river was closed because of high water, and traffic goes over the old road."
    outcome = replayed(
        tmp_path,
        rss(dated(1, text=text), dated(2)),
        rss(dated(1, text=text.replace("goes", "is led")), dated(2)),
        rss(dated(1, text=text.replace("closed", "closed for 12 days")), dated(2)),
    )
    assert [(step.changed, step.material, bool(step.written)) for step in outcome.steps[1:]] == [
        (1, 0, True),
        (1, 1, True),
    ]
    assert outcome.titles() == ["Story 2", "Story 1"]


def test_a_text_that_goes_and_comes_back_is_no_edit(tmp_path):
    whole = dated(1, text="All that there is to say of")
    gone = whole.replace("All that there is to say of 1", "")
    outcome = replayed(tmp_path, rss(whole), rss(gone), rss(whole))
    assert written(outcome) == [False, False]


def test_a_title_that_flips_is_one_entry_in_its_place(tmp_path):
    titles = ["One title", "Another title"]
    outcome = replayed(tmp_path, *(rss(dated(1, title=titles[k % 2]), dated(2)) for k in range(3)))
    assert [step.changed for step in outcome.steps[1:]] == [1, 1]
    assert [step.rows for step in outcome.steps] == [4, 0, 0]
    assert outcome.titles() == ["Story 2", "One title"]


def test_dates_that_move_at_each_poll_change_nothing(tmp_path):
    moving = [rss(*(item(k, date=f"Sun, 22 Nov 2026 {h:02}:0{k}:00 GMT") for k in range(5))) for h in (1, 2)]
    outcome = replayed(tmp_path, *moving)
    assert (len(outcome.entries), written(outcome)) == (5, [False])


def test_links_that_name_one_page_in_other_ways_change_nothing(tmp_path):
    links = ["http://example.org/{}?utm_source=1", "https://www.example.org/{}/?utm_source=2", "http://example.org/{}"]
    outcome = replayed(tmp_path, *(rss(*(dated(k, link=link.format(k)) for k in range(3))) for link in links))
    assert (len(outcome.entries), written(outcome)) == (3, [False, False])


def test_an_archive_that_is_issued_again_is_announced_nowhere(tmp_path):
    """The publisher moved: old entries come again with new ids and links, and a new one with them."""
    old = [item(f"new-{k}", f"Story {k}", date=f"0{k + 1} Oct 2026 08:00:00 GMT") for k in range(6)]
    outcome = replayed(tmp_path, rss(dated(1)), rss(dated(2), *old), every=DAY)
    assert outcome.steps[1].back.count(2) == 6
    assert outcome.steps[1].rows == 2
    assert outcome.titles() == ["Story 2", "Story 1"]


def test_a_feed_that_becomes_atom_is_the_same_feed(tmp_path):
    entries = "".join(
        f"<entry><id>tag:example.org,2026:{k}</id><title>Story {k}</title><link href='http://example.org/{k}'/>"
        f"<published>2026-11-22T0{k}:00:00Z</published><updated>2026-11-22T0{k}:30:00Z</updated>"
        f"<content type='html'>&lt;p&gt;text {k}&lt;/p&gt;</content></entry>"
        for k in (1, 2, 3)
    )
    atom = f"<feed xmlns='http://www.w3.org/2005/Atom'><id>urn:a</id><title>A feed</title>{entries}</feed>"
    outcome = replayed(tmp_path, rss(dated(1), dated(2)), atom)
    assert [step.back for step in outcome.steps] == [(0, 0), (0,)]
    assert outcome.titles() == ["Story 3", "Story 2", "Story 1"]


def test_entries_without_ids_that_link_to_one_page_are_all_stored(tmp_path):
    def document(newest):
        entries = (
            f"<item><title>Story {k}</title><link>http://example.org/list</link><description>text</description></item>"
            for k in range(newest, newest - 3, -1)
        )
        return rss(*entries)

    outcome = replay.replay(tmp_path, "A", history(*map(document, (3, 4, 5))))
    assert outcome.titles() == [f"Story {k}" for k in (5, 4, 3, 2, 1)]


# ------------------------------------------------------------------------------------------------- recorded


@pytest.mark.parametrize(
    ("name", "first", "last", "returned"),
    [("en_anthropic_news", 0, 4, 201), ("zh_td_4544cf", 0, 6, 1)],
)
def test_ids_that_return_in_a_recorded_history(corpus, tmp_path, name, first, last, returned):
    outcome = replay.replay(tmp_path, name, replay.recorded(name)[first : last + 1])
    assert outcome.wrong == []
    assert len(outcome.steps[-1].expected.returned) == returned
    assert outcome.steps[-1].returned_as_new == 0


@pytest.mark.full
@pytest.mark.parametrize("name", replay.names())
def test_a_recorded_history(tmp_path, name):
    outcome = replay.replay(tmp_path, name, replay.recorded(name))
    assert outcome.wrong == []


def test_a_site_that_moves_announces_only_what_is_new_there(tmp_path):
    """Other ids, other links, the same articles, and two that had no time to be seen before."""
    at_home = [dated(k) for k in range(1, 9)]
    moved = [
        item(
            f"new-{k}",
            title=f"Story {k}",
            link=f"http://moved.example/p/{k}",
            date=f"Sun, 22 Nov 2026 {k:02}:00:00 GMT",
        )
        for k in range(3, 11)
    ]
    outcome = replay.replay(tmp_path, "A", history(rss(*at_home), rss(*moved)))
    assert outcome.titles() == [f"Story {k}" for k in range(10, 0, -1)]
