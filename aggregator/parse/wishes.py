"""How often a feed document wants to be fetched: ttl, sy:updatePeriod, skipHours, skipDays."""

from __future__ import annotations

import re
from datetime import timedelta

from aggregator.models import Wishes

# RSS 1.0 Syndication module: the period, divided by updateFrequency.
_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}
_LONGEST_TTL = 366 * 24 * 60  # minutes; more is no wish but a mistake

# Each of them ends where another one of its kind begins, so that what is never closed is looked through once.
_TTL = re.compile(rb"<ttl[^<>]*>\s*(\d{1,7})\s*</ttl\s*>", re.IGNORECASE)
_PERIOD = re.compile(rb"<(?:[\w.-]+:)?updatePeriod[^<>]*>\s*([a-z]{1,10})\s*<", re.IGNORECASE)
_FREQUENCY = re.compile(rb"<(?:[\w.-]+:)?updateFrequency[^<>]*>\s*(\d{1,6})\s*<", re.IGNORECASE)
_SKIP_HOURS = re.compile(rb"<skipHours[^<>]*>((?>(?:[^<]|<(?!/?skipHours))*))", re.IGNORECASE)
_SKIP_DAYS = re.compile(rb"<skipDays[^<>]*>((?>(?:[^<]|<(?!/?skipDays))*))", re.IGNORECASE)
_HOUR = re.compile(rb"<hour[^<>]*>\s*(\d{1,2})\s*</hour\s*>", re.IGNORECASE)
_DAY = re.compile(rb"<day[^<>]*>\s*([a-z]{3})[a-z]*\s*</day\s*>", re.IGNORECASE)
_DAYS = (b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun")


# Each takes all that is left where it has no end.
_COMMENT = re.compile(rb"<!--(?>(?:[^-]+|-(?!->))*)(?:-->|\Z)")
_SECTION = re.compile(rb"<!\[CDATA\[((?>(?:[^\]]+|\](?!\]>))*))(?:\]\]>|\Z)")


def read(head: bytes) -> Wishes:
    """The wishes of a document, best given without its entries. What is absurd is not wished, nor what stands in a
    comment or in somebody's text."""
    if b"<!" in head:
        head = _SECTION.sub(lambda section: section[1].replace(b"<", b" "), _COMMENT.sub(b"", head))
    return Wishes(_ttl(head), _skip_hours(head), _skip_days(head))


def _ttl(head: bytes) -> timedelta | None:
    if (said := _TTL.search(head)) and 0 < int(said[1]) <= _LONGEST_TTL:
        return timedelta(minutes=int(said[1]))
    said = _PERIOD.search(head)
    period = _PERIODS.get(said[1].lower().decode()) if said else None
    frequency = int(times[1]) if (times := _FREQUENCY.search(head)) else 1
    return period / frequency if period and frequency else period


def _skip_hours(head: bytes) -> frozenset[int]:
    if b"kipHours" not in head and b"kiphours" not in head:
        return frozenset()
    listed = b" ".join(_SKIP_HOURS.findall(head))
    hours = frozenset(int(hour) % 24 for hour in _HOUR.findall(listed) if int(hour) <= 24)  # RSS 0.91 counts to 24
    return hours if len(hours) < 24 else frozenset()


def _skip_days(head: bytes) -> frozenset[int]:
    if b"kipDays" not in head and b"kipdays" not in head:
        return frozenset()
    listed = b" ".join(_SKIP_DAYS.findall(head))
    days = frozenset(_DAYS.index(day.lower()) for day in _DAY.findall(listed) if day.lower() in _DAYS)
    return days if len(days) < 7 else frozenset()
