"""Which stories a feed carries."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aggregator import curate
from aggregator.models import PublishSettings
from tests.builders import DAY, NOW, story


def seqs(stories):
    return [row.seq for row in stories]


@given(st.permutations(range(1, 8)))
def test_the_latest_rows_of_the_log_come_first_whatever_order_they_are_handed_in(order):
    chosen = curate.select([story(seq) for seq in order], PublishSettings(limit=3), NOW)
    assert seqs(chosen) == [7, 6, 5]


def test_a_story_older_than_max_age_is_left_out():
    rows = [story(1, published=NOW - 3 * DAY), story(2, published=NOW - DAY)]
    assert seqs(curate.select(rows, PublishSettings(max_age=2 * DAY), NOW)) == [2]


def test_ages_count_from_the_feeds_last_change():
    rows = [story(1, published=NOW - 3 * DAY)]
    assert seqs(curate.select(rows, PublishSettings(max_age=2 * DAY), NOW - 2 * DAY)) == [1]


def test_max_age_does_not_bring_back_what_the_limit_dropped():
    rows = [story(1, published=NOW), story(2, published=NOW - 9 * DAY)]
    assert seqs(curate.select(rows, PublishSettings(limit=1, max_age=DAY), NOW)) == []
