"""When a source is next polled."""

from __future__ import annotations

from datetime import timedelta

from aggregator import schedule
from aggregator.models import PollSettings, Source, Wishes
from tests.builders import DAY, HOUR, NOW

SETTINGS = PollSettings()
MINUTE = timedelta(minutes=1)


def source(**said):
    return Source(name="A", url="http://example.org/", **said)


def test_every_is_kept_exactly():
    assert schedule.interval(source(every=10 * MINUTE), SETTINGS, 5 * HOUR) == 10 * MINUTE


def test_an_unknown_rhythm_is_an_hour_and_at_most_a_minute():
    assert HOUR <= schedule.interval(source(), SETTINGS, None) <= HOUR + MINUTE


def test_the_rhythm_is_held_between_floor_and_ceiling():
    assert SETTINGS.floor <= schedule.interval(source(), SETTINGS, MINUTE) <= SETTINGS.floor + MINUTE
    assert SETTINGS.ceiling <= schedule.interval(source(), SETTINGS, 30 * DAY) <= SETTINGS.ceiling + MINUTE


def test_a_quiet_source_is_asked_twice_in_its_rhythm():
    assert 4 * HOUR <= schedule.interval(source(), SETTINGS, 8 * HOUR) <= 4 * HOUR + MINUTE


def test_names_drift_apart_and_stay_where_they_are():
    waits = {schedule.interval(Source(name=str(k), url="http://e.org/"), SETTINGS, None) for k in range(50)}
    assert len(waits) > 20
    assert schedule.interval(source(), SETTINGS, None) == schedule.interval(source(), SETTINGS, None)


def test_the_server_may_only_lengthen():
    assert schedule.next_poll(NOW, HOUR, asked=[MINUTE]) == NOW + HOUR
    assert schedule.next_poll(NOW, HOUR, asked=[3 * HOUR]) == NOW + 3 * HOUR


def test_no_server_asks_for_more_than_a_month():
    assert schedule.next_poll(NOW, HOUR, asked=[4000 * DAY]) == NOW + 31 * DAY


def test_the_interval_counts_from_the_request_and_a_wish_from_the_tick():
    waited = timedelta(seconds=20)
    assert schedule.next_poll(NOW, HOUR, waited=waited) == NOW + HOUR + waited
    assert schedule.next_poll(NOW, HOUR, [2 * HOUR], waited=waited) == NOW + 2 * HOUR
    assert schedule.next_poll(NOW, HOUR, failures=2, waited=waited) == NOW + 2 * HOUR + waited


def test_failures_double_the_wait_from_the_second_on_up_to_a_day():
    waits = [schedule.next_poll(NOW, HOUR, failures=n) - NOW for n in (1, 2, 3, 4, 20, 100)]
    assert waits == [HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, DAY, DAY]


def test_a_failing_source_is_never_tried_more_often_than_its_interval():
    assert schedule.next_poll(NOW, 3 * DAY, failures=5) == NOW + 3 * DAY


def test_the_rhythm_is_the_median_gap():
    assert schedule.rhythm([NOW, NOW - HOUR, NOW - 2 * HOUR, NOW - 9 * DAY]) == HOUR
    assert schedule.rhythm([NOW, NOW - HOUR]) is None
    assert schedule.rhythm([NOW, NOW, NOW]) is None


def test_the_documents_own_ttl_lengthens():
    assert schedule.next_poll(NOW, HOUR, wishes=Wishes(ttl=3 * HOUR)) == NOW + 3 * HOUR
    assert schedule.next_poll(NOW, HOUR, wishes=Wishes(ttl=MINUTE)) == NOW + HOUR


def test_hours_to_be_skipped_are_skipped():
    wishes = Wishes(skip_hours=frozenset({13, 14}))
    assert schedule.next_poll(NOW + 20 * MINUTE, HOUR, wishes=wishes) == NOW + 3 * HOUR


def test_days_to_be_skipped_are_skipped():
    sunday = Wishes(skip_days=frozenset({6}))
    assert schedule.next_poll(NOW, HOUR, wishes=sunday).isoformat() == "2026-11-23T00:00:00+00:00"


def test_wishes_that_leave_no_time_are_none():
    never = Wishes(skip_hours=frozenset(range(24)))
    assert schedule.next_poll(NOW, HOUR, wishes=never) == NOW + HOUR
