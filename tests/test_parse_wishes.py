"""How often a document wants to be fetched."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aggregator import parse
from aggregator.models import Wishes

SY = "http://purl.org/rss/1.0/modules/syndication/"


def wishes(inner):
    document = f'<rss version="2.0" xmlns:sy="{SY}"><channel><title>t</title>{inner}</channel></rss>'
    return parse.read(document.encode(), None, "http://e.org/", None).wishes


def test_no_wish():
    assert wishes("") == Wishes()


@pytest.mark.parametrize(
    ("inner", "ttl"),
    [
        ("<ttl>90</ttl>", timedelta(minutes=90)),
        ("<sy:updatePeriod>daily</sy:updatePeriod>", timedelta(days=1)),
        ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>", timedelta(hours=6)),
        ("<ttl>30</ttl><sy:updatePeriod>weekly</sy:updatePeriod>", timedelta(minutes=30)),
        ("<ttl><![CDATA[90]]></ttl>", timedelta(minutes=90)),
        ("<!-- <ttl>1440</ttl> --><ttl>90<!-- min --></ttl>", timedelta(minutes=90)),
        (f'<updatePeriod xmlns="{SY}">daily</updatePeriod>', timedelta(days=1)),
        ("<!-- <ttl>90</ttl> -->", None),
        ("<description><![CDATA[say <ttl>90</ttl>]]></description>", None),
        ("<ttl>0</ttl>", None),
        ("<ttl>soon</ttl>", None),
        ("<ttl>999999999</ttl>", None),
        ("<ttl>-5</ttl>", None),
    ],
)
def test_the_time_to_live(inner, ttl):
    assert wishes(inner).ttl == ttl


def test_hours_and_days_to_skip():
    found = wishes("<skipHours><hour>1</hour><hour>24</hour></skipHours><skipDays><day>Sunday</day></skipDays>")
    assert (found.skip_hours, found.skip_days) == (frozenset({0, 1}), frozenset({6}))


def test_hours_to_skip_that_stand_behind_the_entries_count():
    assert wishes("<item><title>x</title></item><skipHours><hour>3</hour></skipHours>").skip_hours == frozenset({3})


def test_skipping_every_hour_or_day_is_no_wish():
    hours = "".join(f"<hour>{k}</hour>" for k in range(24))
    days = "".join(f"<day>{day}day</day>" for day in ("Mon", "Tues", "Wednes", "Thurs", "Fri", "Satur", "Sun"))
    assert wishes(f"<skipHours>{hours}</skipHours><skipDays>{days}</skipDays>") == Wishes()


def test_a_document_of_which_nothing_is_new_still_says_its_wishes():
    document = b'<rss version="2.0"><channel><title>t</title><ttl>5</ttl><item><title>x</title></item></channel></rss>'
    first = parse.read(document, None, "http://e.org/", None)
    again = parse.read(document, None, "http://e.org/", None, first.hashes)
    assert (again.entries, again.wishes) == ((), Wishes(timedelta(minutes=5)))


def test_a_wish_inside_an_entry_is_none():
    assert wishes("<item><title>x</title><description><![CDATA[<ttl>9999</ttl>]]></description></item>") == Wishes()
