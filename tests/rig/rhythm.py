"""When a source is asked again, while all is well."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from tests.instance import item, rss
from tests.rawserver import Step
from tests.rig.stage import DAY, HOUR, MINUTE, START, Host, Story, case, document, feed, http_date, status

ABSURD = ("99999999999999999999", "-1", "soon", "1e3", "Fri, 31 Dec 9999 23:59:59 GMT", "31622401")


def wishing(head: str) -> list[Step]:
    """A feed whose head says so."""
    return document(rss(item(1)).replace("<description>d</description>", head, 1))


@case()
def every_is_kept_exactly(host: Host) -> Story:
    assert (yield feed()).wait == HOUR
    assert (yield feed()).wait == HOUR


@case(every="5d")
def a_restart_polls_nothing_early(host: Host) -> Story:
    assert (yield feed()).wait == 5 * DAY
    assert (yield feed()).requests == [], "two hours later"
    assert (yield feed()).requests == [], "four hours later"
    assert len((yield feed()).requests) == 1, "forced by --all"
    assert len((yield feed()).requests) == 1, "nine days later"
    assert (yield feed()).requests == []


@case([str(number) for number in range(8)], every=None)
def times_lie_apart_and_a_restart_does_not_gather_them(host: Host) -> Story:
    """What is due is asked in the order and with the gaps of hosts.py; when it is due next stays as far apart."""
    script = {f"/{number}": feed() for number in range(8)}
    first = [row["next_poll"] for row in (yield script).rows]
    assert len(set(first)) > 4
    again = yield script
    assert len({row["next_poll"] for row in again.rows}) > 4


@case(every=None)
def an_unknown_rhythm_is_an_hour_and_a_fixed_minute_at_most(host: Host) -> Story:
    first = (yield feed()).wait
    assert HOUR <= first <= HOUR + MINUTE
    assert (yield feed()).wait == first, "the same for the name, whenever"


@case(every=None)
def a_quiet_source_is_asked_at_its_own_rhythm(host: Host) -> Story:
    dates = [http_date(START - days * DAY) for days in range(4)]
    seen = yield document(rss(*(item(k, date=date) for k, date in enumerate(dates))))
    assert HOUR <= seen.wait <= HOUR + MINUTE, "not known yet when the poll began"
    assert 12 * HOUR <= (yield feed()).wait <= 12 * HOUR + MINUTE


@case(every=None)
def a_busy_source_is_not_asked_below_the_floor(host: Host) -> Story:
    dates = [http_date(START - minutes * MINUTE) for minutes in range(4)]
    yield document(rss(*(item(k, date=date) for k, date in enumerate(dates))))
    assert 30 * MINUTE <= (yield feed()).wait <= 31 * MINUTE


@case(every=None)
def a_sleeping_source_is_not_left_beyond_the_ceiling(host: Host) -> Story:
    dates = [http_date(START - months * 30 * DAY) for months in range(4)]
    yield document(rss(*(item(k, date=date) for k, date in enumerate(dates))))
    assert DAY <= (yield feed()).wait <= DAY + MINUTE


@case()
def max_age_lengthens(host: Host) -> Story:
    assert (yield feed(Cache_Control="public, max-age=10800")).wait == 3 * HOUR
    assert (yield feed()).requests == []
    assert (yield status("304 Not Modified", Cache_Control="max-age=60")).wait == HOUR, "it never shortens"


@case()
def max_age_of_a_304_lengthens(host: Host) -> Story:
    yield feed(ETag='"1"')
    assert (yield status("304 Not Modified", Cache_Control='max-age="18000"')).wait == 5 * HOUR


@case()
def max_age_counts_from_when_the_answer_was_made(host: Host) -> Story:
    assert (yield feed(Cache_Control="max-age=10800", Age="3600")).wait == 2 * HOUR


@case()
def expires_lengthens(host: Host) -> Story:
    assert (yield feed(Expires=http_date(START + 3 * HOUR))).wait == 3 * HOUR


@case()
def expires_counts_on_the_servers_own_clock(host: Host) -> Story:
    seen = yield feed(Date=http_date(START - 5 * HOUR), Expires=http_date(START - 2 * HOUR))
    assert seen.wait == 3 * HOUR


@case()
def no_cache_takes_the_lifetime_back(host: Host) -> Story:
    assert (yield feed(Cache_Control="no-cache, max-age=10800")).wait == HOUR


@case()
def ttl_lengthens(host: Host) -> Story:
    assert (yield wishing("<ttl>180</ttl>")).wait == 3 * HOUR
    assert (yield feed()).requests == []


@case(every="10m")
def update_period_lengthens(host: Host) -> Story:
    space = 'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
    head = f"<sy:updatePeriod {space}>daily</sy:updatePeriod><sy:updateFrequency {space}>12</sy:updateFrequency>"
    assert (yield wishing(head)).wait == 2 * HOUR


@case()
def a_wish_that_comes_without_a_new_entry_counts(host: Host) -> Story:
    yield feed()
    assert (yield wishing("<ttl>300</ttl>")).wait == 5 * HOUR


@case(["max-age", "expires", "ttl", "retry-after", "wait-until"])
def a_wish_holds_for_a_month_at_the_most(host: Host) -> Story:
    seen = yield {
        "/max-age": feed(Cache_Control="max-age=31536000"),
        "/expires": feed(Expires=http_date(START + 200 * DAY)),
        "/ttl": wishing(f"<ttl>{100 * 24 * 60}</ttl>"),
        "/retry-after": status("503 Busy", Retry_After="20000000"),
        "/wait-until": status("429 Too Many", Retry_After=http_date(START + 300 * DAY)),
    }
    assert {row["name"]: row["next_poll"] for row in seen.rows} == dict.fromkeys(
        seen.case.names, (START + 31 * DAY).isoformat().replace("+00:00", "Z")
    )


@case([f"{number}" for number in range(len(ABSURD))])
def absurd_lifetimes_are_ignored(host: Host) -> Story:
    answers: Sequence[list[Step]] = [
        feed(Cache_Control=f"max-age={said}") if number % 2 else feed(Expires=said)
        for number, said in enumerate(ABSURD)
    ]
    seen = yield {f"/{number}": answer for number, answer in enumerate(answers)}
    assert [(row["status"], row["next_poll"]) for row in seen.rows] == [("ok", in_an_hour())] * len(ABSURD)


def in_an_hour() -> str:
    return (START + HOUR).isoformat().replace("+00:00", "Z")


@case()
def hours_to_skip_are_skipped(host: Host) -> Story:
    seen = yield wishing("<skipHours><hour>13</hour><hour>14</hour></skipHours>")
    assert seen.wait == 3 * HOUR, "at 15 o'clock, not at 13"
    assert (yield feed()).requests == [], "at 14 o'clock"
    assert len((yield feed()).requests) == 1


@case()
def hours_to_skip_are_skipped_by_a_poll_that_comes_late(host: Host) -> Story:
    assert (yield wishing("<skipHours><hour>14</hour></skipHours>")).wait == HOUR, "due at 13 o'clock"
    assert (yield feed()).requests == [], "but nobody polled until 14 o'clock"
    assert len((yield feed()).requests) == 1, "at 16 o'clock"


@case()
def hours_to_skip_are_skipped_after_a_failure_too(host: Host) -> Story:
    for _ in range(2):
        yield wishing("<skipHours><hour>17</hour><hour>18</hour></skipHours>")
    assert (yield status("500 Oh")).wait == 3 * HOUR, "failed at 16 o'clock: at 19, not at 17"


@case()
def days_to_skip_are_skipped(host: Host) -> Story:
    assert (yield wishing("<skipDays><day>Sunday</day></skipDays>")).wait == 12 * HOUR
    assert (yield feed()).requests == []


@case(every="10m")
def every_is_never_shortened(host: Host) -> Story:
    seen = yield document(rss(item(1)).replace("<link>", "<ttl>1</ttl><link>", 1), Cache_Control="max-age=1")
    assert seen.wait == timedelta(minutes=10)
