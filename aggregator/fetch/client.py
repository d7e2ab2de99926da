"""`Fetcher.get`: one conditional GET through redirects, under one deadline, its failures told in one sentence each."""

from __future__ import annotations

import asyncio
import base64
import http
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from hashlib import blake2b
from types import TracebackType
from typing import Self

import yarl

from aggregator import __version__, errors, models
from aggregator.fetch import addresses, answers, connections, decoding, guard, hosts, wire

_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.1"
)

_PERMANENT = (301, 308)
_TEMPORARY = (302, 303, 307)
_MAX_HOPS = 10

# Bytes of a document at the most of which a digest is made, in the event loop: some 4 ms.
_DIGESTED = 4 * 1024 * 1024

# What may come out of a body in the event loop, in bytes: 2 ms. More is decoded in a thread.
_INLINE = 1024 * 1024

# Header fields of a source that are no secret, and so go to every host of a chain.
_OPEN_FIELDS = frozenset({"accept", "accept-language", "user-agent"})

# Header fields that a source cannot set: they belong to the connection, or to what this module decides.
_OWN_FIELDS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "range",
        "referer",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask for. `headers` and the login are sent to the origin of `home` only, and never shown; without `home`
    that of `url`.

    `validators` are of the document at the address `validated`, without it of that at `url`. `digest` is that of the
    last document.
    """

    url: str = field(repr=False)
    validators: models.Validators = field(default_factory=models.Validators)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    validated: str | None = field(default=None, repr=False)
    home: str | None = field(default=None, repr=False)
    digest: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document. `url` is where it was in the end; `permanent_url` is where the permanent redirects at the start of
    the chain lead, None without any; `lifetime` is how long the server asks the document to be taken as fresh,
    `retry_after` how long not to be asked again.

    `digest` stands for the bytes that were transferred, and what was said of them; empty for very many. `repeated`: it
    is the digest of the request, and the body is left undecoded and empty.
    """

    url: str
    permanent_url: str | None
    status: int
    body: bytes = field(repr=False)
    content_type: str | None
    validators: models.Validators
    lifetime: timedelta | None
    retry_after: timedelta | None
    digest: bytes
    repeated: bool


@dataclass(frozen=True, slots=True)
class NotModified:
    """The document is still what it was. A validator that the answer left out is the one that was sent: a 304 need not
    repeat Last-Modified (RFC 9110, section 15.4.5)."""

    url: str
    permanent_url: str | None
    validators: models.Validators
    lifetime: timedelta | None
    retry_after: timedelta | None


@dataclass(slots=True)
class _Trip:
    """One `get` on its way: where it is, what is left of its time in seconds, and the longest wait that an answer has
    asked for."""

    request: Request
    now: datetime
    home: yarl.URL
    login: str | None
    url: yarl.URL
    seconds: float
    permanent_url: str | None = None
    only_permanent: bool = True
    visited: set[str] = field(default_factory=set)
    retry_after: timedelta | None = None

    def begun(self, fields: wire.Fields) -> None:
        """An answer comes with these header fields. What it asks for counts whatever becomes of it: a redirect is
        followed, a body may break off or be too large."""
        asked = answers.retry_after(fields, self.now)
        if asked is not None:
            self.retry_after = max(asked, self.retry_after or asked)


def _both(one: Callable[[], None], other: Callable[[], None]) -> None:
    one()
    other()


def user_agent(contact: str) -> str:
    """Product, version and where to complain: `aggregator/1.2.3 (+https://example.com/about)`."""
    return f"aggregator/{__version__} (+{contact})" if contact else f"aggregator/{__version__}"


class Fetcher:
    """Gets documents, as many at once as `settings` allow. An async context manager, of one event loop.

    `look_up` finds the addresses of names instead of the system's resolver; the guard judges what it finds.
    """

    def __init__(self, settings: models.FetchSettings, user_agent: str, look_up: guard.LookUp = guard.look_up) -> None:
        self._settings = settings
        self._user_agent = user_agent
        self._guard = guard.Guard(settings.allow_networks)
        self._connections = connections.Connections(self._guard, look_up)
        self._gates = hosts.Gates(settings.concurrency, settings.per_host, settings.host_gap)

    def adopt(self, settings: models.FetchSettings, user_agent: str) -> None:
        """Other settings, from the next request on."""
        if settings.allow_networks != self._settings.allow_networks:
            self._guard = guard.Guard(settings.allow_networks)
            self._connections.adopt(self._guard)
        self._settings = settings
        self._user_agent = user_agent
        self._gates.adopt(settings.concurrency, settings.per_host, settings.host_gap)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connections.close()

    async def get(self, request: Request, now: datetime) -> Fetched | NotModified:
        """The document, or that it is not modified. `now` is the wall clock, for the dates that an answer names.

        Waiting for a turn at a host does not count towards the deadline. Raises NetworkError, StatusError or
        RefusedError; their texts name hosts, never a path, a query or a credential.
        """
        async with self.holding(request, now) as answer:
            return answer

    @asynccontextmanager
    async def holding(
        self, request: Request, now: datetime, sent: Callable[[], None] = lambda: None
    ) -> AsyncIterator[Fetched | NotModified]:
        """As `get`, for as long as the answer is worked on: it counts among those that are fetched at once, so that
        nobody fetches faster than he can read. `sent` is called when a request goes out."""
        trip = self._set_out(request, now)
        loop = asyncio.get_running_loop()
        result = None
        while result is None:
            async with self._gates.turn(trip.url.raw_host or "") as turn:
                started = loop.time()
                try:
                    result = await self._hop(trip, partial(_both, turn.sent, sent))
                except errors.FetchError as error:
                    error.retry_after = trip.retry_after
                    raise
                trip.seconds -= loop.time() - started
                if result is not None:
                    turn.end()
                    yield result

    def _set_out(self, request: Request, now: datetime) -> _Trip:
        try:
            url, home = addresses.parse(request.url), addresses.parse(request.home or request.url)
        except addresses.UnusableAddressError as error:
            raise errors.RefusedError(f"the source's address cannot be used: {error}") from error
        login = addresses.userinfo(request.url)
        if request.username is not None:
            login = request.username, request.password or ""
        return _Trip(
            request=request,
            now=now,
            home=home,
            login=_basic(*login) if login else None,
            url=url,
            seconds=self._settings.deadline.total_seconds(),
            visited={str(url)},
        )

    async def _hop(self, trip: _Trip, sent: Callable[[], None]) -> Fetched | NotModified | None:
        """One request and what its answer means; None when there is another to make: it was a redirect, which the trip
        has followed, or the connection was an old one that the server had closed meanwhile (RFC 9112, section 9.3.1).
        """
        host = trip.url.raw_host or ""
        try:
            request = wire.request(trip.url.raw_authority, trip.url.raw_path_qs, self._fields(trip))
            async with asyncio.timeout(trip.seconds):
                answer = await self._connections.exchange(trip.url, request, self._settings.max_body, sent, trip.begun)
                return await self._judge(trip, answer)
        except connections.StaleError:
            return None
        except TimeoutError as error:
            limit = self._settings.deadline.total_seconds()
            raise errors.NetworkError(f"{host} was not done within {limit:g} s (fetch.deadline)") from error
        except decoding.DamagedError as error:
            raise errors.NetworkError(f"{host} sent a document that {error}") from error
        except decoding.TooLargeError as error:
            raise errors.RefusedError(
                f"{host} sent a document of over {self._settings.max_body} bytes (fetch.max_body)"
            ) from error
        except wire.BrokenAnswerError as error:
            raise errors.NetworkError(f"{host} {error}") from error
        except guard.ForbiddenError as error:
            raise self._refusal(host, error) from error
        except (OSError, ValueError) as error:
            raise _failure(host, error) from error

    def _fields(self, trip: _Trip) -> wire.Fields:
        """The request header fields of a hop."""
        fields = wire.Fields({"Accept": _ACCEPT, "User-Agent": self._user_agent, "Accept-Encoding": decoding.ACCEPTED})
        at_home = addresses.is_home(trip.url, trip.home)
        for name, value in trip.request.headers.items():
            plain = name.lower()
            if plain in _OPEN_FIELDS or (at_home and plain not in _OWN_FIELDS):
                fields[name] = value
        if at_home and trip.login is not None:
            fields["Authorization"] = trip.login
        fields.update(_conditions(trip))
        return fields

    async def _judge(self, trip: _Trip, answer: wire.Answer) -> Fetched | NotModified | None:
        host, status = trip.url.raw_host, answer.status
        if status in wire.DOCUMENTS:
            return await self._document(trip, answer)
        if status == 304 and _conditions(trip):
            return _not_modified(trip, answer.fields)
        if status in _PERMANENT or status in _TEMPORARY:
            location = answer.fields.get("Location", "")
            if not location:
                raise errors.StatusError(f"{host} answered {status} without an address to go to", status)
            _follow(trip, status, location)
            return None
        is_elsewhere = len(trip.visited) > 1
        raise errors.StatusError(f"{host} answered {_status_line(status)}", status, is_elsewhere=is_elsewhere)

    async def _document(self, trip: _Trip, answer: wire.Answer) -> Fetched:
        content_type = answer.fields.get("Content-Type")
        encodings = answer.fields.getall("Content-Encoding", ())
        digest = _digest(answer.body, content_type, encodings)
        repeated = digest != b"" and digest == trip.request.digest
        body = b"" if repeated else await self._decoded(answer.body, decoding.codings(encodings))
        return Fetched(
            url=str(trip.url),
            permanent_url=trip.permanent_url,
            status=answer.status,
            body=body,
            content_type=content_type,
            validators=answers.validators(answer.fields),
            lifetime=answers.lifetime(answer.fields, trip.now),
            retry_after=trip.retry_after,
            digest=digest,
            repeated=repeated,
        )

    async def _decoded(self, body: bytes, applied: list[str]) -> bytes:
        try:
            return decoding.decode(body, applied, min(_INLINE, self._settings.max_body))
        except decoding.TooLargeError:
            return await asyncio.to_thread(decoding.decode, body, applied, self._settings.max_body)

    def _refusal(self, host: str, error: guard.ForbiddenError) -> errors.RefusedError:
        networks = {str(network): None for address in error.addresses for network in self._guard.missing(address)}
        return errors.RefusedError(
            f"{host} is at {error}, which is not public; to allow it, add {', '.join(networks)} to fetch.allow_networks"
        )


def _failure(host: str, error: OSError | ValueError) -> errors.FetchError:
    """What it is for us that no connection could be made."""
    if isinstance(error, socket.gaierror):
        return errors.NetworkError(f"the name {host} cannot be looked up: {error.strerror or 'no answer'}")
    if isinstance(error, ssl.SSLCertVerificationError):
        return errors.NetworkError(f"the certificate of {host} is not valid: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "the handshake failed").lower().replace("_", " ")
        return errors.NetworkError(f"no secure connection to {host}: {reason}")
    if isinstance(error, OSError):
        reason = os.strerror(error.errno) if error.errno else "no connection"
        return errors.NetworkError(f"{host} cannot be reached: {reason}")
    return errors.RefusedError(f"{host} cannot be asked: its address or a header field of the source is malformed")


def _digest(transferred: bytes, content_type: str | None, encodings: Sequence[str]) -> bytes:
    """16 bytes that are the same for what decodes to the same document."""
    if len(transferred) > _DIGESTED:
        return b""
    made = blake2b(repr((content_type, *encodings)).encode("utf-8", "replace"), digest_size=16, person=b"transferred")
    made.update(transferred)
    return made.digest()


def _status_line(status: int) -> str:
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _basic(username: str, password: str) -> str:
    """HTTP Basic in UTF-8 (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def _conditions(trip: _Trip) -> Mapping[str, str]:
    """What makes the request of this hop conditional: validators say nothing to an address that gave none of them (RFC
    9110, section 8.8), as where a redirect leads elsewhere than the last time. It could answer 304 for what it never
    sent.
    """
    known = str(trip.url) == (trip.request.validated or str(addresses.parse(trip.request.url)))
    return answers.conditions(trip.request.validators) if known else {}


def _not_modified(trip: _Trip, fields: wire.Fields) -> NotModified:
    sent, came = trip.request.validators, answers.validators(fields)
    return NotModified(
        url=str(trip.url),
        permanent_url=trip.permanent_url,
        validators=models.Validators(came.etag or sent.etag, came.last_modified or sent.last_modified),
        lifetime=answers.lifetime(fields, trip.now),
        retry_after=trip.retry_after,
    )


def _follow(trip: _Trip, status: int, location: str) -> None:
    """Move the trip to where a redirect leads, or refuse to."""
    host = trip.url.raw_host
    if len(trip.visited) > _MAX_HOPS:
        raise errors.RefusedError(f"{host} redirects once more after {_MAX_HOPS} redirects")
    try:
        url = addresses.follow(trip.url, location)
    except addresses.UnusableAddressError as error:
        raise errors.RefusedError(f"{host} redirects to an address that cannot be used: {error}") from error
    if str(url) in trip.visited:
        raise errors.RefusedError(f"{host} redirects in a circle")
    trip.url = url
    trip.visited.add(str(url))
    trip.only_permanent = trip.only_permanent and status in _PERMANENT
    if trip.only_permanent:
        trip.permanent_url = str(url)
