"""How often a feed document wants to be fetched: ttl, sy:updatePeriod, skipHours, skipDays."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

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

_SKIP_HOURS = re.compile(rb"<skipHours[^>]*>(.*?)</skipHours\s*>", re.DOTALL | re.IGNORECASE)
_SKIP_DAYS = re.compile(rb"<skipDays[^>]*>(.*?)</skipDays\s*>", re.DOTALL | re.IGNORECASE)
_HOUR = re.compile(rb"<hour[^>]*>\s*(\d{1,2})\s*</hour\s*>", re.IGNORECASE)
_DAY = re.compile(rb"<day[^>]*>\s*([a-z]{3})[a-z]*\s*</day\s*>", re.IGNORECASE)
_DAYS = (b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun")


def read(feed: Any, document: bytes) -> Wishes:
    """The wishes of a document, given what feedparser read of its head. What is absurd is not wished."""
    return Wishes(_ttl(feed), _skip_hours(document), _skip_days(document))


def _ttl(feed: Any) -> timedelta | None:
    minutes = str(feed.get("ttl") or "").strip()
    if minutes.isascii() and minutes.isdigit() and len(minutes) < 8 and 0 < int(minutes) <= _LONGEST_TTL:
        return timedelta(minutes=int(minutes))
    period = _PERIODS.get(str(feed.get("sy_updateperiod") or "").strip().lower())
    frequency = str(feed.get("sy_updatefrequency") or "1").strip()
    if period is None or not (frequency.isascii() and frequency.isdigit() and int(frequency[:6]) > 0):
        return period
    return period / int(frequency[:6])


def _skip_hours(document: bytes) -> frozenset[int]:
    if b"kipHours" not in document and b"kiphours" not in document:
        return frozenset()
    listed = b" ".join(_SKIP_HOURS.findall(document))
    hours = frozenset(int(hour) % 24 for hour in _HOUR.findall(listed) if int(hour) <= 24)  # RSS 0.91 counts to 24
    return hours if len(hours) < 24 else frozenset()


def _skip_days(document: bytes) -> frozenset[int]:
    if b"kipDays" not in document and b"kipdays" not in document:
        return frozenset()
    listed = b" ".join(_SKIP_DAYS.findall(document))
    days = frozenset(_DAYS.index(day.lower()) for day in _DAY.findall(listed) if day.lower() in _DAYS)
    return days if len(days) < 7 else frozenset()
