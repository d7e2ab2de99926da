"""What a poll's outcome leaves in the source's row. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from aggregator import dedupe, fetch, parse, schedule
from aggregator.models import Place, PollSettings, PublishSettings, Source, SourceState, Validators, Visit

# Some servers answer 304 for ever; so now and then the document is asked for without conditions.
VALIDATORS_KEPT = timedelta(days=8)

MOVED_POLLS = 2  # polls in which the target of a permanent redirect was read, after which it is asked directly
MOVED_FAILURES = 3  # failures there after which the configured address is tried again


def request(source: Source, state: SourceState, now: datetime) -> fetch.Request:
    """The request of a poll, wherever the source has moved. Headers and credentials are for the configured address."""
    fresh = state.fetched is not None and now - state.fetched < VALIDATORS_KEPT
    validators = state.validators if fresh else Validators()
    return fetch.Request(
        state.place.current_url,
        validators,
        headers=source.headers,
        username=source.username,
        password=source.password,
        validated=state.validated,
        home=source.url,
        digest=state.digest.removeprefix(parse.VERSION),
    )


def success(
    source: Source,
    state: SourceState,
    settings: PollSettings,
    answer: fetch.Fetched | fetch.NotModified,
    now: datetime,
    waited: timedelta,
    late: timedelta,
    complete: bool = True,
) -> Visit:
    """The visit of a poll that brought a document, or the news that it has not changed. The interval counts from the
    request, which went out so long after `now` as the poll had `waited`; what the server asks for from its answer,
    which came so `late`. `complete`: all that there was to read in it has been read, by this release's rules; of any
    other the server must send all again.
    """
    lifetime, retry_after = (wait + late if wait else None for wait in (answer.lifetime, answer.retry_after))
    interval = schedule.interval(source, settings, state.rhythm)
    return Visit(
        source=state.id,
        status="ok",
        reason="",
        failures=0,
        polled=now,
        next_poll=schedule.next_poll(now, interval, (lifetime, retry_after), 0, state.wishes, waited),
        not_before=_not_before(now, retry_after),
        place=_place(state, answer.permanent_url),
        validators=answer.validators if complete else Validators(),
        validated=answer.url if answer.url != state.validated else None,
        fetched=now if isinstance(answer, fetch.Fetched) else None,
        digest=_digest(answer, complete),
    )


def _not_before(now: datetime, retry_after: timedelta | None) -> datetime | None:
    """Until when the source is left alone whoever wants it polled."""
    return now + min(retry_after, schedule.LONGEST) if retry_after else None


def _digest(answer: fetch.Fetched | fetch.NotModified, complete: bool) -> bytes | None:
    """By what the document is known when it comes again; what cannot be, or is to be read again, by nothing."""
    if isinstance(answer, fetch.NotModified):
        return None
    return parse.VERSION + answer.digest if answer.digest and complete else b""


def _place(state: SourceState, permanent_url: str | None) -> Place:
    """Where to poll next time, given where this poll's chain of permanent redirects led (RFC 9110, section 15.4.9)."""
    current = state.place.current_url
    if permanent_url is None or permanent_url == current:
        return Place(current)
    polls = state.place.moved_polls + 1 if permanent_url == state.place.moved_to else 1
    return Place(permanent_url) if polls >= MOVED_POLLS else Place(current, permanent_url, polls)


def failure(
    source: Source,
    state: SourceState,
    settings: PollSettings,
    now: datetime,
    waited: timedelta,
    reason: str,
    status: str = "failing",
    asked: timedelta | None = None,
    is_busy: bool = False,
) -> Visit:
    """The visit of a poll that failed. Validators stay as they were: they belong to the last document that was read,
    unless that was at a place which is given up.

    A server that `is_busy` and names a time is asked again at that time, however often it has been. With any other
    failure the time that it names lengthens the wait only.
    """
    failures = state.failures + 1
    interval = schedule.interval(source, settings, state.rhythm)
    times = 1 if is_busy and asked is not None and asked >= interval else failures
    lost = failures >= MOVED_FAILURES and state.place.current_url != state.url
    return Visit(
        source=state.id,
        status=status,
        reason=reason,
        failures=failures,
        polled=now,
        next_poll=schedule.next_poll(now, interval, [asked], times, state.wishes, waited),
        not_before=_not_before(now, asked),
        place=Place(state.url) if lost else None,
        validators=Validators() if lost else None,
    )


def horizon(state: SourceState, settings: PublishSettings, now: datetime) -> dedupe.Horizon:
    """How far back the entries of this poll are announced.

    Of a source added later, what is old when it is first read is a back issue. Afterwards what is older than the last
    reading should have been seen then.
    """
    if state.parsed is not None:
        return dedupe.Horizon(seen=state.parsed - settings.backfill)
    return dedupe.Horizon() if state.founding else dedupe.Horizon(back_issues=now - settings.backfill)
