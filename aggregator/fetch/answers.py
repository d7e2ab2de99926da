"""What an answer's header fields mean for the next poll: validators, freshness, Retry-After."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from aggregator import models
from aggregator.fetch.wire import Fields

# Nobody means to keep readers away for over a month; more than a year is a mistake and says nothing at all.
_LONGEST = timedelta(days=31)
_ABSURD = timedelta(days=366)

# A Date further off than this is a server without a clock, not one whose clock is wrong.
_SANE_SKEW = timedelta(days=1)

_DIRECTIVE = re.compile(r'([^\s,=]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,;]*)))?')
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ESCAPE = re.compile(r"\\(?:\\|x([0-9a-f]{2}))")


def validators(fields: Fields) -> models.Validators:
    """The validators of an answer, as they came."""
    return models.Validators(_kept(fields.get("ETag")), _kept(fields.get("Last-Modified")))


def conditions(known: models.Validators) -> Mapping[str, str]:
    """The request header fields that hand validators back (RFC 9110, sections 13.1.2 and 13.1.3)."""
    etag, last_modified = _sent(known.etag), _sent(known.last_modified)
    return ({"If-None-Match": etag} if etag else {}) | ({"If-Modified-Since": last_modified} if last_modified else {})


def _kept(value: str | None) -> str | None:
    r"""The value as text that can be stored and shown: `\xe9` for a byte that is not ASCII, `\\` for a backslash. None
    where it holds control characters, which no request may."""
    if not value or _UNSENDABLE.search(value):
        return None
    if value.isascii() and "\\" not in value:
        return value
    said = value.replace("\\", "\\\\").encode("utf-8", "surrogateescape")
    return said.decode("ascii", "backslashreplace")


def _sent(kept: str | None) -> str | None:
    """The value that `_kept` made this of; None for anything else that cannot be sent."""
    if not kept or _UNSENDABLE.search(kept):
        return None
    if "\\" not in kept:
        return kept
    return _ESCAPE.sub(lambda found: chr(0xDC00 + int(found[1], 16)) if found[1] else "\\", kept)


def lifetime(fields: Fields, now: datetime) -> timedelta | None:
    """How long the answer asks to be taken as fresh from now on (RFC 9111, section 4.2), at most 31 days.

    None where it asks for nothing, forbids it, or says something absurd. s-maxage is for shared caches.
    """
    controls = fields.getall("Cache-Control", ())
    directives = _directives(",".join(controls)) if controls else {}
    if directives.get("no-cache") == "" or "no-store" in directives:  # no-cache="Field" is about that field alone
        return None
    if "max-age" in directives:
        fresh = _seconds(directives["max-age"])
    else:
        fresh = _until(fields.get("Expires"), fields, now)
    if fresh is None or fresh > _ABSURD:
        return None
    age = fields.get("Age", "").partition(",")[0]  # the first of several (RFC 9111, section 5.1)
    remaining = fresh - (_seconds(age) or timedelta())
    return min(remaining, _LONGEST) if remaining > timedelta() else None


def _directives(text: str) -> dict[str, str]:
    """Cache-Control directives by lower-case name; the first of a repeated one counts."""
    found: dict[str, str] = {}
    for name, quoted, token in _DIRECTIVE.findall(text):
        found.setdefault(name.lower(), (quoted or token).strip())
    return found


def retry_after(fields: Fields, now: datetime) -> timedelta | None:
    """How long the server asks to be left alone (RFC 9110, section 10.2.3), at most 31 days.

    None where it does not ask, or where what it asks is unreadable, in the past, or over a year.
    """
    value = fields.get("Retry-After")
    wait = _seconds(value)
    if wait is None:
        wait = _until(value, fields, now)
    return None if wait is None or wait > _ABSURD else min(wait, _LONGEST)


def _seconds(value: str | None) -> timedelta | None:
    """delta-seconds (RFC 9111, section 1.2.2), else None. Eleven digits are absurd; timedelta holds few more."""
    text = (value or "").strip()
    return timedelta(seconds=int(text.lstrip("0")[:11] or "0")) if text.isascii() and text.isdigit() else None


def _until(value: str | None, fields: Fields, now: datetime) -> timedelta | None:
    """The time from the answer's own Date (from `now` without a sane one) to an HTTP-date, None if that is past."""
    then = _date(value)
    if then is None:
        return None
    sent = _date(fields.get("Date"))
    wait = then - (sent if sent and abs(sent - now) <= _SANE_SKEW else now)
    return wait if wait >= timedelta() else None


def _date(value: str | None) -> datetime | None:
    """An HTTP-date in any of its three forms (RFC 9110, section 5.6.7), else None."""
    if not value:
        return None
    try:
        read = email.utils.parsedate_to_datetime(value)
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
