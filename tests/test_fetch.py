"""The fetcher over real sockets: tests/rawserver.py answers, byte by byte."""

from __future__ import annotations

import asyncio
import base64
import gzip
import itertools
import random
import shutil
import socket
import ssl
import subprocess
import sys
import time
import tracemalloc
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, TypeVar

import brotli
import pytest
import uvloop
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator import errors, fetch, models
from aggregator.fetch import addresses, decoding, guard, hosts
from tests import rawserver
from tests.rawserver import CLOSE, HANG, RESET, Pause, reply

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
FEED = "<rss><channel><title>科技</title></channel></rss>".encode()
LOOPBACK = models.FetchSettings(
    allow_networks=(ip_network("127.0.0.0/8"),), host_gap=timedelta(), deadline=timedelta(seconds=5)
)
SENT = models.Validators(etag='W/"a b"', last_modified="yesterday, more or less")

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a test's coroutine; nothing here takes half a minute."""
    return uvloop.run(asyncio.wait_for(work, 30))


async def get(
    url: str,
    validators: models.Validators = models.Validators(),  # noqa: B008
    limits: models.FetchSettings = LOOPBACK,
    **request: Any,
) -> fetch.Fetched | fetch.NotModified:
    async with fetch.Fetcher(limits, "agent/1") as fetcher:
        return await fetcher.get(fetch.Request(url, validators, **request), NOW)


async def fetched(url: str, **more: Any) -> fetch.Fetched:
    result = await get(url, **more)
    assert isinstance(result, fetch.Fetched)
    return result


def once(*script: rawserver.Step, **more: Any) -> fetch.Fetched:
    """What comes of a server that answers so."""

    async def work() -> fetch.Fetched:
        async with rawserver.serve({"/": list(script)}) as server:
            return await fetched(server.url("/"), **more)

    return run(work())


def failure(kind: type[errors.FetchError], *script: rawserver.Step, **more: Any) -> str:
    """The sentence with which a fetch from such a server fails."""
    with pytest.raises(kind) as caught:
        once(*script, **more)
    text = str(caught.value)
    assert type(caught.value) is kind
    assert "\n" not in text
    return text


def mapping(server_status: str, location: str | bytes) -> list[rawserver.Step]:
    return [reply(server_status, {"Location": location})]


# ------------------------------------------------------------------------------------------------ what is asked


def test_a_first_visit_asks_plainly() -> None:
    async def work() -> rawserver.Received:
        async with rawserver.serve({"/feed.xml?a=1&b": [reply(body=FEED)]}) as server:
            result = await fetched(server.url("/feed.xml?a=1&b"))
            assert (result.status, result.body, result.url) == (200, FEED, server.url("/feed.xml?a=1&b"))
            return server.requests[0]

    request = run(work())
    assert request.line == "GET /feed.xml?a=1&b HTTP/1.1"
    assert request.header("User-Agent") == b"agent/1"
    assert request.header("Accept-Encoding") == b"gzip, br, zstd"
    assert b"application/atom+xml" in (request.header("Accept") or b"")
    assert {name for name, _ in request.fields} == {"host", "accept", "user-agent", "accept-encoding"}


def test_the_user_agent_names_product_version_and_contact() -> None:
    assert fetch.user_agent("https://example.com/about").endswith(" (+https://example.com/about)")
    assert fetch.user_agent("").startswith("aggregator/")
    assert "+" not in fetch.user_agent("")


@pytest.mark.parametrize(
    "etag", ['W/"科 技"; x=,'.encode(), b'"caf\xe9"', rb'"\xe9\\ \"', b"\xe9\\xe9\xff", b"\x80" * 200]
)
def test_validators_come_and_go_byte_for_byte(etag: bytes) -> None:
    odd = {"ETag": etag, "Last-Modified": "Sun, 22 Nov 2026 25:61:00 CST"}

    async def work() -> tuple[fetch.Fetched, rawserver.Received]:
        async with rawserver.serve({"/": [reply(fields=odd, body=FEED)]}) as server:
            first = await fetched(server.url("/"))
            await fetched(server.url("/"), validators=first.validators)
            return first, server.requests[1]

    first, second = run(work())
    assert first.validators.etag
    assert first.validators.etag.isprintable(), "it is stored, and shown"
    assert second.header("If-None-Match") == etag
    assert second.header("If-Modified-Since") == b"Sun, 22 Nov 2026 25:61:00 CST"


@pytest.mark.parametrize("etag", [b'"a\x01b"', b'"a\x7fb"', b""])
def test_an_etag_that_cannot_be_sent_back_exactly_is_not_kept(etag: bytes) -> None:
    result = once(reply(fields={"ETag": etag, "Last-Modified": "x"}, body=FEED))
    assert result.validators == models.Validators(None, "x")


def test_a_validator_that_no_request_may_hold_is_not_sent() -> None:
    async def work() -> rawserver.Received:
        async with rawserver.serve({"/": [reply(body=FEED)]}) as server:
            await fetched(server.url("/"), validators=models.Validators('"a\r\nX: y"', "x"))
            return server.requests[0]

    request = run(work())
    assert (request.header("If-None-Match"), request.header("If-Modified-Since")) == (None, b"x")


def test_a_source_may_override_what_is_accepted_but_not_the_connection() -> None:
    given = {"accept": "text/x", "USER-AGENT": "me", "Host": "evil.example", "If-None-Match": "x", "X-Key": "k"}

    async def work() -> rawserver.Received:
        async with rawserver.serve({"/": [reply(body=FEED)]}) as server:
            await fetched(server.url("/"), headers=given)
            assert server.requests[0].header("Host") == f"127.0.0.1:{server.port}".encode()
            return server.requests[0]

    request = run(work())
    assert (request.header("Accept"), request.header("User-Agent")) == (b"text/x", b"me")
    assert (request.header("X-Key"), request.header("If-None-Match")) == (b"k", None)


def test_a_cookie_is_not_taken_and_no_referer_is_told() -> None:
    async def work() -> list[rawserver.Received]:
        answers = {"/": mapping("302 Found", "/b"), "/b": [reply(fields={"Set-Cookie": "a=b; Path=/"}, body=FEED)]}
        async with rawserver.serve(answers) as server, fetch.Fetcher(LOOPBACK, "x") as fetcher:
            for _ in range(2):
                await fetcher.get(fetch.Request(server.url("/")), NOW)
            return server.requests

    requests = run(work())
    assert len(requests) == 4
    assert all(one.header("Cookie") is None and one.header("Referer") is None for one in requests)


def test_what_is_not_ascii_in_a_path_is_percent_encoded_and_nothing_else_is_touched() -> None:
    assert str(addresses.parse("HTTP://EXAMPLE.com./科技/%7e%2f/../a b?q=é|&t=%zz+#x")) == (
        "http://example.com/%E7%A7%91%E6%8A%80/%7e%2f/../a%20b?q=%C3%A9%7C&t=%zz+"
    )
    assert str(addresses.parse("https://例え.jp")) == "https://xn--r8jz45g.jp/"
    assert str(addresses.parse("http://u:p@[::1]:80/")) == "http://[::1]/"


# ------------------------------------------------------------------------------------------------ what is answered


def test_a_304_keeps_each_validator_that_was_sent_and_that_it_does_not_renew() -> None:
    async def work(*script: rawserver.Step) -> fetch.Fetched | fetch.NotModified:
        async with rawserver.serve({"/": list(script)}) as server:
            result = await get(server.url("/"), SENT)
            assert result.url == server.url("/")
            return result

    bare = run(work(reply("304 Not Modified", {"Cache-Control": "max-age=60"})))
    assert isinstance(bare, fetch.NotModified)
    assert (bare.validators, bare.lifetime) == (SENT, timedelta(seconds=60))
    renewed = run(work(reply("304 Not Modified", {"ETag": '"new"'})))
    assert isinstance(renewed, fetch.NotModified)
    assert renewed.validators == models.Validators('"new"', SENT.last_modified)


def test_the_bytes_that_were_fetched_last_are_not_decoded_again_and_the_rest_of_the_answer_counts() -> None:
    def answer(headers: Mapping[str, str], body: bytes) -> list[rawserver.Step]:
        return [reply("200 OK", {"ETag": '"2"', "Cache-Control": "max-age=60", **headers}, body)]

    coded, packed = {"Content-Encoding": "gzip"}, gzip.compress(FEED)
    scripts = {
        "/": answer(coded, packed),
        "/longer": answer(coded, gzip.compress(FEED + b" ")),
        "/uncoded": answer({}, packed),
        "/other-type": answer(coded | {"Content-Type": "text/xml; charset=big5"}, packed),
    }

    async def work() -> dict[str, fetch.Fetched]:
        async with rawserver.serve(scripts) as server:
            first = await fetched(server.url("/"))
            assert first.body == FEED
            return {path: await fetched(server.url(path), digest=first.digest) for path in scripts}

    again = run(work())
    assert [path for path, answer in again.items() if answer.repeated] == ["/"]
    assert {path: answer.body for path, answer in again.items()} == {
        "/": b"",
        "/longer": FEED + b" ",
        "/uncoded": FEED,
        "/other-type": FEED,
    }
    assert (again["/"].validators.etag, again["/"].lifetime) == ('"2"', timedelta(seconds=60))


@pytest.mark.parametrize(
    "excess",
    [
        [reply("304 Not Modified", {"ETag": '"2"', "Content-Length": "5"}, b"hello")],
        [reply("304 Not Modified", {"ETag": '"2"', "Transfer-Encoding": "chunked"}, b"5\r\nhello\r\n0\r\n\r\n")],
        [reply("304 Not Modified", {"ETag": '"2"'})[:-1], b"\nhello"],
        [b'HTTP/1.1 304 Not Modified\nETag: "2"\n\nhello'],
    ],
)
def test_what_comes_after_a_304_does_not_spoil_it(excess: list[rawserver.Step]) -> None:
    async def work() -> list[fetch.Fetched | fetch.NotModified]:
        scripts = {"/": excess, "/next": [reply(body=FEED)]}
        async with rawserver.serve(scripts) as server, fetch.Fetcher(LOOPBACK, "agent/1") as fetcher:
            requests = fetch.Request(server.url("/"), SENT), fetch.Request(server.url("/next"))
            return [await fetcher.get(request, NOW) for request in requests]

    unchanged, document = run(work())
    assert isinstance(unchanged, fetch.NotModified)
    assert unchanged.validators.etag == '"2"'
    assert isinstance(document, fetch.Fetched)
    assert document.body == FEED


def test_a_304_that_was_not_asked_for_is_an_error() -> None:
    assert "304 Not Modified" in failure(errors.StatusError, reply("304 Not Modified"))


@pytest.mark.parametrize(("status", "phrase"), [(204, "No Content"), (206, "Partial"), (300, ""), (404, ""), (799, "")])
def test_any_other_status_is_an_error_with_its_number(status: int, phrase: str) -> None:
    text = failure(errors.StatusError, reply(f"{status} Whatever It Says", body=b"" if status == 204 else b"x"))
    assert f"127.0.0.1 answered {status}" in text
    assert phrase in text


def test_a_203_is_a_document() -> None:
    assert once(reply("203 Changed", {"Content-Type": "text/xml; charset=gbk"}, FEED)).content_type == (
        "text/xml; charset=gbk"
    )


def http_date(offset: timedelta) -> str:
    return format_datetime(NOW + offset, usegmt=True)


HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("fields", "wait"),
    [
        ({}, None),
        ({"Retry-After": "120"}, timedelta(seconds=120)),
        ({"Retry-After": "0"}, timedelta()),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "9" * 5000}, None),
        ({"Retry-After": "31536000"}, timedelta(days=31)),
        ({"Retry-After": http_date(HOUR)}, HOUR),
        ({"Retry-After": http_date(-HOUR)}, None),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, None),
        ({"Retry-After": "Fri, 31 Dec 99999 23:59:59 GMT"}, None),
        # The server's clock is two hours slow: what counts is what it says of its own time.
        ({"Retry-After": http_date(-HOUR), "Date": http_date(-2 * HOUR)}, HOUR),
        ({"Retry-After": http_date(HOUR), "Date": http_date(-300 * DAY)}, HOUR),
        ({"Retry-After": http_date(HOUR), "Date": "today"}, HOUR),
        ({"Retry-After": "Sunday, 22-Nov-26 11:00:00 GMT"}, HOUR),
        ({"Retry-After": "Sun Nov 22 11:00:00 2026"}, HOUR),
    ],
)
def test_retry_after(fields: dict[str, str], wait: timedelta | None) -> None:
    with pytest.raises(errors.StatusError) as caught:
        once(reply("503 Busy", fields))
    assert (caught.value.status, caught.value.retry_after) == (503, wait)


@pytest.mark.parametrize(
    ("fields", "wait"),
    [
        ({}, None),
        ({"Cache-Control": "max-age=600"}, timedelta(minutes=10)),
        ({"Cache-Control": 'public, Max-Age="600" , s-maxage=9'}, timedelta(minutes=10)),
        ({"Cache-Control": "s-maxage=600"}, None),
        ({"Cache-Control": "max-age=600, no-cache"}, None),
        ({"Cache-Control": 'no-cache="Set-Cookie", max-age=600'}, timedelta(minutes=10)),
        ({"Cache-Control": "no-store, max-age=600"}, None),
        ({"Cache-Control": "max-age=600", "Age": "240"}, timedelta(minutes=6)),
        ({"Cache-Control": "max-age=600", "Age": "240, 1"}, timedelta(minutes=6)),
        ({"Cache-Control": "max-age=600", "Age": "601"}, None),
        ({"Cache-Control": "max-age=600", "Age": "nonsense"}, timedelta(minutes=10)),
        ({"Cache-Control": "max-age=0"}, None),
        ({"Cache-Control": "max-age=-1"}, None),
        ({"Cache-Control": "max-age=99999999999999999999"}, None),
        ({"Cache-Control": "max-age=31536000"}, timedelta(days=31)),
        ({"Cache-Control": "max-age=60", "Expires": http_date(HOUR)}, timedelta(minutes=1)),
        ({"Expires": http_date(HOUR)}, HOUR),
        ({"Expires": http_date(HOUR), "Date": http_date(-HOUR)}, 2 * HOUR),
        ({"Expires": http_date(-HOUR)}, None),
        ({"Expires": "0"}, None),
        ({"Expires": http_date(HOUR), "Cache-Control": "no-cache"}, None),
    ],
)
def test_freshness(fields: dict[str, str], wait: timedelta | None) -> None:
    assert once(reply(fields=fields, body=FEED)).lifetime == wait


def test_a_document_may_come_with_a_retry_after() -> None:
    answer = once(reply(fields={"Retry-After": "7200", "Cache-Control": "max-age=60"}, body=FEED))
    assert (answer.lifetime, answer.retry_after) == (timedelta(minutes=1), 2 * HOUR)


# ------------------------------------------------------------------------------------------------ redirects


def test_only_the_permanent_start_of_a_chain_is_reported_as_permanent() -> None:
    answers = {
        "/a": mapping("301 Moved", "/b"),
        "/b": mapping("308 Moved", "//127.0.0.1:{port}/c"),
        "/c": mapping("302 Found", "d?x=1"),
        "/d?x=1": mapping("301 Moved", "/e"),
        "/e": mapping("307 Elsewhere", "/f"),
        "/f": mapping("303 See", "/g"),
        "/g": [reply(body=FEED)],
    }

    async def work(start: str) -> tuple[str | None, str]:
        async with rawserver.serve(answers) as server:
            answers["/b"] = mapping("308 Moved", f"//127.0.0.1:{server.port}/c")
            result = await fetched(server.url(start))
            base = server.url("")
            return result.permanent_url and result.permanent_url.removeprefix(base), result.url.removeprefix(base)

    assert run(work("/a")) == ("/c", "/g")
    assert run(work("/c")) == (None, "/g")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found"])
def test_validators_go_to_the_address_that_gave_them(status: str) -> None:
    async def work() -> tuple[fetch.Fetched | fetch.NotModified, list[rawserver.Received]]:
        answers = {"/": mapping(status, "/new"), "/new": [reply("304 Not Modified")]}
        async with rawserver.serve(answers) as server:
            return await get(server.url("/"), SENT, validated=server.url("/new")), server.requests

    result, requests = run(work())
    assert isinstance(result, fetch.NotModified)
    assert result.permanent_url == (result.url if status == "301 Moved" else None)
    assert [one.header("If-None-Match") for one in requests] == [None, b'W/"a b"']


@pytest.mark.parametrize(("validated", "first"), [(None, b'W/"a b"'), ("http://127.0.0.1/elsewhere", None)])
def test_an_address_that_gave_no_validators_is_asked_without_conditions(
    validated: str | None, first: bytes | None
) -> None:
    async def work() -> list[rawserver.Received]:
        answers = {"/": mapping("308 Moved", "/a"), "/a": mapping("302 Found", "/b"), "/b": [reply(body=FEED)]}
        async with rawserver.serve(answers) as server:
            await fetched(server.url("/"), validators=SENT, validated=validated)
            return server.requests

    assert [one.header("If-None-Match") for one in run(work())] == [first, None, None]


def test_a_304_from_where_nothing_was_read_yet_is_an_error() -> None:
    async def work() -> None:
        answers = {"/": mapping("301 Moved", "/new"), "/new": [reply("304 Not Modified")]}
        async with rawserver.serve(answers) as server:
            with pytest.raises(errors.StatusError, match="304"):
                await get(server.url("/"), SENT)

    run(work())


def test_a_location_is_taken_as_the_bytes_that_came() -> None:
    async def landing(location: bytes) -> str:
        async with rawserver.serve({"/x/start": mapping("302 Found", location)}) as server:
            with pytest.raises(errors.StatusError):
                await get(server.url("/x/start"))
            return server.requests[-1].target

    assert run(landing("/科技?q=é".encode())) == "/%E7%A7%91%E6%8A%80?q=%C3%A9"
    assert run(landing(b"/caf\xe9")) == "/caf%E9"
    assert run(landing(b"a b%20c")) == "/x/a%20b%20c"
    assert run(landing(b"../top#part")) == "/top"
    assert run(landing(b"?page=2")) == "/x/start?page=2"


def test_ten_hops_are_followed_and_eleven_are_not() -> None:
    answers: dict[str, rawserver.Script] = {f"/{n}": mapping("302 Found", f"/{n + 1}") for n in range(11)}
    answers["/11"] = [reply(body=FEED)]

    async def work(start: str) -> fetch.Fetched:
        async with rawserver.serve(answers) as server:
            return await fetched(server.url(start))

    assert run(work("/1")).body == FEED
    with pytest.raises(errors.RefusedError, match="10 redirects"):
        run(work("/0"))


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("/", "circle"),
        ("#again", "circle"),
        ("file:///etc/passwd", "scheme"),
        ("ftp://127.0.0.1/", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("http://", "circle"),
        ("https://", "no host"),
        ("http://[::1", "malformed"),
        ("http://127.0.0.1:99999/", "malformed"),
        ("http://a\\b/", "malformed"),
    ],
)
def test_a_redirect_that_cannot_be_followed_is_refused(location: str, words: str) -> None:
    assert words in failure(errors.RefusedError, *mapping("302 Found", location))


def test_a_redirect_without_an_address_is_an_error() -> None:
    assert "301" in failure(errors.StatusError, reply("301 Moved"))
    assert "301" in failure(errors.StatusError, *mapping("301 Moved", ""))


def test_a_redirect_body_is_not_read() -> None:
    endless = [reply("302 Found", {"Location": "/next", "Content-Length": "999999999"}), b"x" * 1000, HANG]

    async def work() -> fetch.Fetched:
        async with rawserver.serve({"/": endless, "/next": [reply(body=FEED)]}) as server:
            return await fetched(server.url("/"))

    assert run(work()).body == FEED


# ------------------------------------------------------------------------------------------------ credentials

LOGIN: dict[str, Any] = {"username": "用户", "password": "se:cret", "headers": {"X-Key": "tok", "Accept": "a/b"}}


def test_credentials_are_sent_to_their_own_origin_on_every_hop() -> None:
    async def work() -> list[rawserver.Received]:
        async with rawserver.serve({"/": mapping("302 Found", "/b"), "/b": [reply(body=FEED)]}) as server:
            await fetched(server.url("/"), **LOGIN)
            return server.requests

    expected = b"Basic " + base64.b64encode("用户:se:cret".encode())
    requests = run(work())
    assert [one.header("Authorization") for one in requests] == [expected, expected]
    assert [one.header("X-Key") for one in requests] == [b"tok", b"tok"]


@pytest.mark.parametrize("other", ["127.0.0.1", "127.0.0.2"])
def test_credentials_never_reach_another_host_or_port(other: str) -> None:
    async def work() -> rawserver.Received:
        async with rawserver.serve({"/b": [reply(body=FEED)]}, host=other) as elsewhere:
            target = elsewhere.url("/b").replace("http://", "http://who:pass@")
            async with rawserver.serve({"/": mapping("301 Moved", target)}) as server:
                result = await fetched(server.url("/"), **LOGIN)
                assert result.url == elsewhere.url("/b")
            return elsewhere.requests[0]

    request = run(work())
    assert request.header("Authorization") is None
    assert request.header("X-Key") is None
    assert request.header("Accept") == b"a/b"


@pytest.mark.parametrize(
    ("url", "is_home"),
    [
        ("http://feeds.example/other", True),
        ("http://FEEDS.example.:80/", True),
        ("https://feeds.example/", True),
        ("https://feeds.example:8443/", False),
        ("http://feeds.example:8080/", False),
        ("https://www.feeds.example/", False),
        ("https://feeds.example.evil.example/", False),
    ],
)
def test_the_same_host_with_tls_may_know_what_it_would_be_told_without(url: str, is_home: bool) -> None:
    assert addresses.is_home(addresses.parse(url), addresses.parse("http://feeds.example/feed")) == is_home


def test_what_is_for_a_host_with_tls_is_not_told_without() -> None:
    home = addresses.parse("https://feeds.example/feed")
    assert not addresses.is_home(addresses.parse("http://feeds.example/feed"), home)


def test_after_a_move_credentials_are_for_the_configured_address() -> None:
    async def work() -> tuple[rawserver.Received, rawserver.Received]:
        async with rawserver.serve({"/": [reply(body=FEED)]}) as home:
            scripts = {"/": mapping("302 Found", home.url("/"))}
            async with rawserver.serve(scripts, host="127.0.0.2") as moved:
                await fetched(moved.url("/"), home=home.url("/old"), **LOGIN)
                return moved.requests[0], home.requests[0]

    there, here = run(work())
    assert (there.header("Authorization"), there.header("X-Key"), there.header("Accept")) == (None, None, b"a/b")
    assert (here.header("X-Key"), here.header("Accept")) == (b"tok", b"a/b")
    assert here.header("Authorization") is not None


def test_a_login_in_the_address_is_used_and_not_shown() -> None:
    async def work() -> tuple[fetch.Fetched, rawserver.Received]:
        async with rawserver.serve({"/": [reply(body=FEED)]}) as server:
            result = await fetched(server.url("/").replace("http://", "http://u:p%40@"))
            return result, server.requests[0]

    result, request = run(work())
    assert request.header("Authorization") == b"Basic " + base64.b64encode(b"u:p@")
    assert "@" not in result.url


def test_secrets_are_in_no_repr_and_no_error() -> None:
    request = fetch.Request("http://u:hidden@127.0.0.1/?token=hidden", headers={"K": "hidden"}, password="hidden")
    assert "hidden" not in repr(request)

    async def work() -> str:
        async with rawserver.serve({}) as server:
            with pytest.raises(errors.StatusError) as caught:
                await get(server.url("/hidden?token=hidden"), headers={"K": "hidden"}, password="hidden")
            return repr(caught.value)

    assert "hidden" not in run(work())


def test_a_header_that_would_forge_another_is_refused() -> None:
    text = failure(errors.RefusedError, reply(body=FEED), headers={"X-Key": "a\r\nX-Forged: hidden"})
    assert "hidden" not in text


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """A new self-signed certificate for 127.0.0.1, and a server's context with it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the program openssl")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost"]
    files = ["-keyout", str(key), "-out", str(cert), "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([openssl, "req", "-x509", *options, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context


def test_a_certificate_that_nobody_vouches_for_is_a_network_error(certificate: tuple[Path, ssl.SSLContext]) -> None:
    async def work() -> str:
        async with rawserver.serve({"/": [reply(body=FEED)]}, tls=certificate[1]) as server:
            with pytest.raises(errors.NetworkError) as caught:
                await get(server.url("/"))
            assert server.requests == []
            return str(caught.value)

    assert run(work()) == "the certificate of 127.0.0.1 is not valid: self-signed certificate"


# A process of its own, because the trusted certificates are read when aiohttp is imported.
DOWNGRADE = """
import asyncio, ssl, sys
from tests import rawserver, test_fetch
async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    async with rawserver.serve({"/b": [rawserver.reply(body=b"<rss/>")]}) as plain:
        hop = [rawserver.reply("302 Found", {"Location": plain.url("/b")})]
        async with rawserver.serve({"/": hop}, tls=context) as secure:
            await test_fetch.fetched(secure.url("/"), **test_fetch.LOGIN)
            first, second = secure.requests[0], plain.requests[0]
            print(bool(first.header("Authorization")), second.header("Authorization"), second.header("X-Key"))
asyncio.run(main())
"""


def test_credentials_do_not_follow_from_https_to_http(certificate: tuple[Path, ssl.SSLContext]) -> None:
    cert = certificate[0]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", DOWNGRADE, str(cert), str(cert.parent / "key.pem")],
        env={"SSL_CERT_FILE": str(cert), "PYTHONPATH": str(Path(__file__).parent.parent)},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("True None None\n", "")


# ------------------------------------------------------------------------------------------------ the address guard

NOTHING_ALLOWED = replace(LOOPBACK, allow_networks=())


@asynccontextmanager
async def listener(host: str, greeting: bytes = b"") -> AsyncIterator[tuple[int, list[str]]]:
    """A port, and the list of the addresses that connected to it. It greets, and closes."""
    seen: list[str] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(writer.get_extra_info("peername")[0])
        writer.write(greeting)
        writer.close()

    server = await asyncio.start_server(note, host, 0)
    try:
        yield server.sockets[0].getsockname()[1], seen
    finally:
        await asyncio.sleep(0.02)  # a connection that was made has been accepted by now
        server.close()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "127.1", "0177.0.0.1", "0", "[::ffff:127.0.0.1]"]
)
def test_no_connection_is_made_to_a_forbidden_address_however_it_is_spelt(host: str) -> None:
    async def work() -> tuple[str, list[str]]:
        async with listener("127.0.0.1") as (port, seen):
            with pytest.raises(errors.RefusedError) as caught:
                await get(f"http://{host}:{port}/", limits=NOTHING_ALLOWED)
        return str(caught.value), seen

    text, seen = run(work())
    assert seen == []
    assert "\n" not in text


def test_the_listener_of_these_tests_does_notice_a_connection() -> None:
    async def work() -> list[str]:
        async with listener("127.0.0.1") as (port, seen):
            with pytest.raises(errors.NetworkError):
                await get(f"http://127.0.0.1:{port}/")
        return seen

    assert run(work()) == ["127.0.0.1"]


def test_the_refusal_says_what_to_allow() -> None:
    async def work(url: str) -> str:
        with pytest.raises(errors.RefusedError) as caught:
            await get(url, limits=NOTHING_ALLOWED)
        return str(caught.value)

    text = run(work("http://192.168.1.20/secret"))
    assert "192.168.1.20/32 to fetch.allow_networks" in text
    assert "secret" not in text
    assert "fd00::1/128 to fetch.allow_networks" in run(work("http://[fd00::1]/"))
    assert "64:ff9b::7f00:1/128, 127.0.0.1/32 to" in run(work("http://[64:ff9b::127.0.0.1]/"))


def test_a_redirect_to_a_forbidden_address_is_refused_before_a_byte_is_sent() -> None:
    only_one = replace(LOOPBACK, allow_networks=(ip_network("127.0.0.1/32"),))

    async def work() -> list[str]:
        async with listener("127.0.0.2") as (port, seen):
            hop = mapping("302 Found", f"http://127.0.0.2:{port}/")
            async with rawserver.serve({"/": hop}) as server:
                with pytest.raises(errors.RefusedError, match=r"127\.0\.0\.2/32"):
                    await get(server.url("/"), limits=only_one)
        return seen

    assert run(work()) == []


def names(addresses: list[str]) -> guard.LookUp:
    """A name server: the addresses of every name, as a hostile one may give them; without any, no name exists."""

    async def look_up(_: str, port: int) -> list[guard.Place]:
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (one, port)) for one in addresses]

    return look_up


async def get_by_name(addresses: list[str], port: int, allowed: str) -> fetch.Fetched | fetch.NotModified:
    limits = replace(LOOPBACK, allow_networks=(ip_network(allowed),))
    async with fetch.Fetcher(limits, "x", names(addresses)) as fetcher:
        return await fetcher.get(fetch.Request(f"http://feeds.example:{port}/"), NOW)


def test_of_a_name_with_a_forbidden_and_a_good_address_only_the_good_one_is_used() -> None:
    async def work() -> list[str]:
        async with listener("127.0.0.8") as (port, seen):
            fetched_from = await asyncio.start_server(_say_feed, "127.0.0.9", port)
            for order in (["127.0.0.8", "127.0.0.9"], ["127.0.0.9", "127.0.0.8"]):
                result = await get_by_name(order, port, "127.0.0.9/32")
                assert isinstance(result, fetch.Fetched)
            fetched_from.close()
        return seen

    assert run(work()) == []


async def _say_feed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(reply(body=FEED))
    writer.close()


def test_a_name_with_only_forbidden_addresses_is_refused_with_all_of_them() -> None:
    with pytest.raises(errors.RefusedError, match=r"10\.0\.0\.1/32, 10\.0\.0\.2/32"):
        run(get_by_name(["10.0.0.1", "10.0.0.2"], 80, "127.0.0.9/32"))


def test_a_name_whose_good_address_is_down_is_a_network_error() -> None:
    async def work() -> None:
        async with listener("127.0.0.9") as (port, _):
            pass
        await get_by_name(["10.0.0.1", "127.0.0.9"], port, "127.0.0.9/32")

    with pytest.raises(errors.NetworkError, match="Connection refused"):
        run(work())


FORBIDDEN = """
    0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1
    192.88.99.1 192.168.0.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::7f00:1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:8.8.8.8 64:ff9b::7f00:1 64:ff9b::8.8.8.8
    64:ff9b:1::1 100::1 2001::1 2001:2::1 2001:db8::1 2002:7f00:1:: 2002:808:808:: 3fff::1 fc00::1 fd12::1 fe80::1
    fec0::1 ff02::1 fe80::1%lo 4000::1
"""


@pytest.mark.parametrize("address", FORBIDDEN.split())
def test_forbidden_addresses(address: str) -> None:
    assert guard.Guard(()).missing(ip_address(address))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "fd00::1", "fe80::1%lo"])
def test_an_address_that_hides_no_other_is_allowed_by_itself(address: str) -> None:
    assert guard.Guard([ip_network(address.removesuffix("%lo"))]).missing(ip_address(address)) == []


@pytest.mark.parametrize("address", ["8.8.8.8", "100.128.0.1", "172.32.0.1", "192.0.1.1", "2606:4700::1", "2a00::1"])
def test_public_addresses(address: str) -> None:
    assert guard.Guard(()).missing(ip_address(address)) == []


@pytest.mark.parametrize(
    "address", ["64:ff9b::127.0.0.1", "::ffff:127.0.0.1", "2002:7f00:1::", "2001:0:7f00:1::1", "2001::80ff:fffe"]
)
def test_allowing_a_transition_prefix_does_not_allow_what_hides_in_it(address: str) -> None:
    everything_v6 = guard.Guard((ip_network("::/0"),))
    assert ip_network("127.0.0.1/32") in everything_v6.missing(ip_address(address))
    both = guard.Guard((ip_network("::/0"), ip_network("0.0.0.0/0")))
    assert both.missing(ip_address(address)) == []


@given(st.ip_addresses())
def test_what_the_standard_library_calls_private_is_never_public(address: guard.Address) -> None:
    if guard.is_public(address):
        assert address.is_global
        assert not address.is_multicast


# ------------------------------------------------------------------------------------------------ content codings

CODED = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize("name", CODED)
def test_each_coding_is_undone(name: str) -> None:
    big = FEED * 40_000
    for body in (FEED, big):
        assert once(reply(fields={"Content-Encoding": name.upper()}, body=CODED[name](body))).body == body


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("deflate", raw_deflate(FEED)),
        ("gzip", gzip.compress(FEED[:9], mtime=0) + gzip.compress(FEED[9:], mtime=0)),
        ("gzip", gzip.compress(FEED, mtime=0) + b"trailing garbage"),
        ("gzip", gzip.compress(FEED, mtime=0) + b"\0\0\0\x1f"),
        ("zstd", zstandard.compress(FEED[:9]) + zstandard.compress(FEED[9:])),
        ("zstd", zstandard.compress(FEED) + b"garbage"),
        ("br", brotli.compress(FEED) + b"\n"),
        ("br", brotli.compress(FEED + bytes(300_000)) + b"<!-- from the cache -->" * 9),
        ("gzip, gzip", gzip.compress(gzip.compress(FEED, mtime=0), mtime=0)),
        ("gzip,br", brotli.compress(gzip.compress(FEED, mtime=0))),
        ("identity", FEED),
        ("utf-8", FEED),
        ("gzip", FEED),
        ("br", b"\xef\xbb\xbf \n" + FEED),
        ("br", gzip.compress(FEED, mtime=0)),
        ("none", gzip.compress(FEED, mtime=0)),
        ("", gzip.compress(FEED, mtime=0)),
        ("gzip", gzip.compress(gzip.compress(FEED, mtime=0), mtime=0)),
    ],
)
def test_what_servers_make_of_content_encoding(coding: str, body: bytes) -> None:
    got = once(reply(fields={"Content-Encoding": coding}, body=body)).body
    assert got.removeprefix(b"\xef\xbb\xbf \n").rstrip(b"\0") == FEED


def test_an_empty_body_may_be_called_compressed() -> None:
    assert once(reply(fields={"Content-Encoding": "gzip"})).body == b""


@pytest.mark.parametrize("name", CODED)
def test_a_compressed_body_that_ends_early_is_a_network_error(name: str) -> None:
    packed = CODED[name](random.Random(1).randbytes(5000))
    for cut in (1, 5, len(packed) // 2, len(packed) - 9):
        assert "127.0.0.1" in failure(errors.NetworkError, reply(fields={"Content-Encoding": name}, body=packed[:-cut]))


@pytest.mark.parametrize("name", [*CODED, "snappy"])
def test_a_body_that_is_not_what_its_coding_says_is_a_network_error(name: str) -> None:
    failure(errors.NetworkError, reply(fields={"Content-Encoding": name}, body=b"\xfa\x99 not at all"))


@given(st.sampled_from([*CODED, "nonsense"]), st.binary(max_size=300))
def test_random_bytes_decode_or_are_called_damaged(name: str, body: bytes) -> None:
    with suppress(decoding.DamagedError, decoding.TooLargeError):
        assert len(decoding.decode(body, [name, name], 10_000)) <= 10_000


@given(st.lists(st.sampled_from(list(CODED)), max_size=4), st.binary(max_size=2000))
@settings(deadline=None)
def test_codings_are_undone_in_reverse_order(names: list[str], body: bytes) -> None:
    packed = body = b"<" + body
    for name in names:
        packed = CODED[name](packed)
    assert decoding.decode(packed, names, 10_000) == body


# ------------------------------------------------------------------------------------------------ limits

BOMB_SIZE = 150 * 1024 * 1024


def bomb(name: str) -> bytes:
    """150 MiB of zeros, packed piece by piece."""
    packers: dict[str, Any] = {
        "gzip": zlib.compressobj(wbits=31),
        "deflate": zlib.compressobj(),
        "br": brotli.Compressor(quality=1),
        "zstd": zstandard.ZstdCompressor().compressobj(),
    }
    packer = packers[name]
    pack = packer.process if name == "br" else packer.compress
    piece = bytes(1024 * 1024)
    packed = b"".join(pack(piece) for _ in range(150))
    return packed + (packer.finish() if name == "br" else packer.flush())


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "zstd, gzip"])
def test_a_bomb_is_refused_at_the_limit_for_little_memory_and_time(coding: str) -> None:
    first, *rest = coding.split(", ")
    packed = bomb(first)
    for name in rest:
        packed = CODED[name](packed)
    tracemalloc.start()
    started = time.monotonic()
    try:
        text = failure(errors.RefusedError, reply(fields={"Content-Encoding": coding}, body=packed))
        assert tracemalloc.get_traced_memory()[1] < 60 * 1024 * 1024
        assert time.monotonic() - started < 5
    finally:
        tracemalloc.stop()
    assert "fetch.max_body" in text


def test_a_body_of_exactly_the_limit_is_taken_and_one_byte_more_is_refused() -> None:
    limits = replace(LOOPBACK, max_body=5000)
    for name, pack in {**CODED, "identity": bytes}.items():
        answer = {"Content-Encoding": name}
        assert len(once(reply(fields=answer, body=pack(b"<" * 5000)), limits=limits).body) == 5000
        failure(errors.RefusedError, reply(fields=answer, body=pack(b"<" * 5001)), limits=limits)


def test_a_declared_length_over_the_limit_is_refused_before_reading() -> None:
    started = time.monotonic()
    failure(errors.RefusedError, reply(fields={"Content-Length": str(16 * 1024 * 1024)}), HANG)
    assert time.monotonic() - started < 3


def test_an_endless_body_is_refused_at_the_limit() -> None:
    chunk = b"10000\r\n" + b"<" * 0x10000 + b"\r\n"
    limits = replace(LOOPBACK, max_body=1024 * 1024)
    failure(errors.RefusedError, reply(fields={"Transfer-Encoding": "chunked"}), *([chunk] * 100), HANG, limits=limits)


HURRIED = replace(LOOPBACK, deadline=timedelta(seconds=0.3))
CHUNKED = {"Transfer-Encoding": "chunked"}


@pytest.mark.parametrize(
    "script",
    [
        [HANG],
        [b"HTTP/1.1 200", HANG],
        [step for letter in b"HTTP/1.1 200 OK And So On" for step in (bytes([letter]), Pause(0.02))],
        [b"HTTP/1.1 200 OK\r\n", *(step for _ in range(100) for step in (b"X-A: b\r\n", Pause(0.02)))],
        [b"HTTP/1.1 100 Continue\r\n\r\n", HANG],
        [reply(fields={"Content-Length": "1000"}), *(step for _ in range(100) for step in (b"<", Pause(0.02)))],
        [reply(fields=CHUNKED), *(step for _ in range(100) for step in (b"1\r\n<\r\n", Pause(0.02)))],
    ],
)
def test_one_deadline_ends_silence_and_slow_drip(script: list[rawserver.Step]) -> None:
    started = time.monotonic()
    assert "0.3 s (fetch.deadline)" in failure(errors.NetworkError, *script, limits=HURRIED)
    assert time.monotonic() - started < 2


def test_the_deadline_is_for_all_hops_together() -> None:
    answers: dict[str, rawserver.Script] = {
        f"/{n}": [Pause(0.08), reply("302 Found", {"Location": f"/{n + 1}"})] for n in range(10)
    }

    async def work() -> int:
        async with rawserver.serve(answers) as server:
            with pytest.raises(errors.NetworkError, match="deadline"):
                await get(server.url("/0"), limits=HURRIED)
            return len(server.requests)

    assert run(work()) < 6


def test_header_fields_of_ten_kilobytes_are_taken() -> None:
    result = once(reply(fields={"Content-Security-Policy": "x" * 10_000, "ETag": '"' + "e" * 9000 + '"'}, body=FEED))
    assert len(result.validators.etag or "") == 9002


def test_interim_answers_are_passed_over() -> None:
    early = b'HTTP/1.1 103 Early Hints\r\nETag: "early"\r\n\r\n'
    result = once(b"HTTP/1.1 100 Continue\r\n\r\n" + early * 3 + reply(body=FEED))
    assert (result.body, result.validators.etag) == (FEED, None)


def test_interim_answers_without_end_are_not() -> None:
    endless = [b"HTTP/1.1 102 Processing\r\n\r\n" * 3000] * 50
    began = time.monotonic()
    assert "again and again" in failure(errors.NetworkError, *endless, HANG)
    assert time.monotonic() - began < LOOPBACK.deadline.total_seconds() / 2, "and not at the deadline"


def test_header_fields_without_end_are_not() -> None:
    failure(errors.NetworkError, reply(fields={"X": "x" * 17_000}, body=FEED))
    failure(errors.NetworkError, b"HTTP/1.1 200 OK\r\n", *([b"x" * 10_000] * 100), HANG)
    failure(errors.NetworkError, reply(fields={f"X-{n}": "x" * 7000 for n in range(10)}, body=FEED))


# ------------------------------------------------------------------------------------------------ broken servers


@pytest.mark.parametrize(
    "script",
    [
        [CLOSE],
        [RESET],
        [b"HTTP/1.1 200 OK\r\nContent-Le", CLOSE],
        [reply(fields={"Content-Length": "500"}, body=FEED), CLOSE],
        [reply(fields={"Content-Length": "500"}, body=FEED), RESET],
        [reply(fields=CHUNKED) + b"5\r\n<rss>\r\n", CLOSE],
        [reply(fields=CHUNKED) + b"5\r\n<rs", CLOSE],
        [reply(fields=CHUNKED) + b"zz\r\n<rss>\r\n0\r\n\r\n", CLOSE],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\n<rss>", CLOSE],
        [b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n<rss>", CLOSE],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n<rss>", CLOSE],
        [b"HTTP/1.1 abc OK\r\n\r\n<rss/>", CLOSE],
        [b"<rss/>", CLOSE],
        [b"\0" * 1000, CLOSE],
        [b"SSH-2.0-OpenSSH_9.6\r\n", CLOSE],
        [b"\r\n\r\n\r\n", CLOSE],
        [b"HTTP/1.1 200 OK\r\nA b\r\n\r\n", CLOSE],
        [b"HTTP/1.1 200 OK\r\nETag: a\0b\r\nContent-Length: 0\r\n\r\n", CLOSE],
        [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", HANG],
    ],
)
def test_a_broken_answer_is_an_error_of_ours_in_one_sentence(script: list[rawserver.Step]) -> None:
    with pytest.raises((errors.NetworkError, errors.StatusError)) as caught:
        once(*script, limits=replace(LOOPBACK, deadline=timedelta(seconds=1)))
    assert str(caught.value).startswith("127.0.0.1 ")
    assert len(str(caught.value)) < 120


def test_a_body_up_to_the_close_is_a_document_but_not_up_to_a_reset() -> None:
    head = b"HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\n\r\n"
    assert once(head + FEED, CLOSE).body == FEED
    failure(errors.NetworkError, head + FEED, Pause(0.05), RESET)


@given(st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_random_answers_raise_nothing_but_our_errors(noise: bytes) -> None:
    for script in ([noise, CLOSE], [b"HTTP/1.1 200 OK\r\n" + noise + b"\r\n\r\n" + noise, CLOSE]):
        with suppress(errors.FetchError):
            once(*script)


def test_a_port_that_nobody_listens_on_is_a_network_error() -> None:
    async def work() -> str:
        async with listener("127.0.0.1") as (port, _):
            pass
        with pytest.raises(errors.NetworkError) as caught:
            await get(f"http://127.0.0.1:{port}/?token=x")
        return str(caught.value)

    assert run(work()) == "127.0.0.1 cannot be reached: Connection refused"


def test_plain_http_on_an_https_address_is_a_network_error() -> None:
    async def work() -> str:
        async with listener("127.0.0.1", b"HTTP/1.1 400 Bad Request\r\n\r\n") as (port, _):
            with pytest.raises(errors.NetworkError) as caught:
                await get(f"https://127.0.0.1:{port}/")
        return str(caught.value)

    assert "secure connection to 127.0.0.1" in run(work())


def test_a_name_that_does_not_exist_is_a_network_error() -> None:
    with pytest.raises(errors.NetworkError) as caught:
        run(get_by_name([], 80, "127.0.0.9/32"))
    assert str(caught.value) == "the name feeds.example cannot be looked up: Name or service not known"


def test_a_name_that_cannot_exist_is_refused() -> None:
    with pytest.raises(errors.RefusedError, match="malformed"):
        run(get("http://" + "a" * 70 + ".invalid/"))


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "//127.0.0.1/", "http://", "http://[", "feed.xml", ""])
def test_a_source_with_an_unusable_address_is_refused(url: str) -> None:
    with pytest.raises(errors.RefusedError, match="address cannot be used"):
        run(get(url))


def test_a_request_is_repeated_when_the_server_had_closed_the_idle_connection() -> None:
    async def work() -> int:
        async with rawserver.serve({"/": lambda _: [reply(body=FEED), CLOSE]}) as server:
            async with fetch.Fetcher(LOOPBACK, "x") as fetcher:
                for _ in range(20):
                    await fetcher.get(fetch.Request(server.url("/")), NOW)
            return len(server.requests)

    assert run(work()) == 20


def test_a_request_is_not_repeated_when_a_new_connection_breaks() -> None:
    async def work() -> int:
        async with rawserver.serve({"/": [CLOSE]}) as server:
            with pytest.raises(errors.NetworkError):
                await get(server.url("/"))
            return len(server.requests)

    assert run(work()) == 1


@pytest.mark.parametrize("said", [b"", b"220 mail.example ESMTP\r\n"])
def test_a_server_that_does_not_wait_for_the_request_fails_at_once(said: bytes) -> None:
    async def work() -> None:
        async with listener("127.0.0.1", said) as (port, _):
            for _ in range(5):
                with pytest.raises(errors.NetworkError):
                    await get(f"http://127.0.0.1:{port}/")

    started = time.monotonic()
    run(work())
    assert time.monotonic() - started < LOOPBACK.deadline.total_seconds(), "and not at the deadline"


def test_a_connection_that_is_not_needed_is_closed_soon_and_one_of_a_fetcher_that_is_over_at_once() -> None:
    async def work() -> None:
        async with rawserver.serve({"/": [reply(body=FEED)]}) as server:
            async with fetch.Fetcher(LOOPBACK, "x") as fetcher:
                await fetcher.get(fetch.Request(server.url("/")), NOW)
                assert not server.idle.is_set()
                await asyncio.wait_for(server.idle.wait(), 10)
                await fetcher.get(fetch.Request(server.url("/")), NOW)
                assert not server.idle.is_set()
            await asyncio.wait_for(server.idle.wait(), 1)

    run(work())


def test_connections_are_kept_for_the_next_source_of_a_host() -> None:
    async def work() -> int:
        async with rawserver.serve({"/": [reply(body=FEED)]}) as server, fetch.Fetcher(LOOPBACK, "x") as fetcher:
            for _ in range(5):
                await fetcher.get(fetch.Request(server.url("/")), NOW)
            return server.connections

    assert run(work()) == 1


# ------------------------------------------------------------------------------------------------ manners


async def all_at_once(server: rawserver.Server, paths: list[str], limits: models.FetchSettings) -> None:
    async with fetch.Fetcher(limits, "x") as fetcher:
        await asyncio.gather(*(fetcher.get(fetch.Request(server.url(path)), NOW) for path in paths))


def test_no_host_gets_more_requests_at_once_than_per_host() -> None:
    paths = [f"/{n}" for n in range(8)]

    async def work() -> rawserver.Server:
        async with rawserver.serve({path: [Pause(0.03), reply(body=FEED)] for path in paths}) as server:
            await all_at_once(server, paths, replace(LOOPBACK, per_host=2))
            return server

    server = run(work())
    assert server.most_at_once == 2
    assert sorted(one.target for one in server.requests) == paths  # two that start at once may arrive either way


def test_starts_at_a_host_are_a_gap_apart_redirects_included() -> None:
    answers = {"/a": [reply(body=FEED)], "/b": mapping("302 Found", "/c"), "/c": [reply(body=FEED)]}

    async def work() -> list[float]:
        async with rawserver.serve(answers) as server:
            await all_at_once(server, ["/a", "/b", "/a"], replace(LOOPBACK, host_gap=timedelta(seconds=0.1)))
            return [one.at for one in server.requests]

    times = run(work())
    assert len(times) == 4
    assert all(later - earlier > 0.09 for earlier, later in itertools.pairwise(times))


def test_waiting_for_a_host_does_not_count_towards_the_deadline() -> None:
    async def work() -> int:
        async with rawserver.serve({"/": [reply(body=FEED)]}) as server:
            await all_at_once(server, ["/"] * 4, replace(HURRIED, host_gap=timedelta(seconds=0.2)))
            return len(server.requests)

    assert run(work()) == 4


async def in_order(gates: hosts.Gates, names: list[str], hold: float) -> list[tuple[str, float]]:
    """When each turn began, in seconds from the start."""
    loop = asyncio.get_running_loop()
    started, begun = loop.time(), []

    async def visit(name: str) -> None:
        async with gates.turn(name):
            begun.append((name, loop.time() - started))
            await asyncio.sleep(hold)

    await asyncio.gather(*(visit(name) for name in names))
    return begun


def test_waiting_for_a_gap_occupies_no_slot() -> None:
    gates = hosts.Gates(concurrency=1, per_host=5, gap=timedelta(seconds=0.2))
    begun = run(in_order(gates, ["a", "a", "b", "c"], 0))
    assert [name for name, _ in begun] == ["a", "b", "c", "a"]
    assert begun[2][1] < 0.1


def test_requests_that_queued_for_a_slot_still_start_a_gap_apart() -> None:
    gates = hosts.Gates(concurrency=2, per_host=5, gap=timedelta(seconds=0.1))
    begun = run(in_order(gates, ["x", "y", "a", "a"], 0.15))
    first, second = (at for name, at in begun if name == "a")
    assert second - first > 0.09


def test_the_gap_counts_from_when_the_request_goes_out() -> None:
    async def work() -> float:
        gates = hosts.Gates(concurrency=9, per_host=9, gap=timedelta(seconds=0.1))
        loop = asyncio.get_running_loop()
        async with gates.turn("a") as turn:
            waiting = asyncio.create_task(in_order(gates, ["a"], 0))
            await asyncio.sleep(0.08)
            turn.sent()
            out = loop.time()
            await waiting
        return loop.time() - out

    assert 0.09 < run(work()) < 0.5


def test_other_limits_count_for_those_who_wait_and_for_those_who_come() -> None:
    async def work() -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
        gates = hosts.Gates(concurrency=1, per_host=1, gap=timedelta())
        async with gates.turn("c"):
            waiting = asyncio.create_task(in_order(gates, ["a", "a", "b", "b"], 0.3))
            await asyncio.sleep(0.05)
            gates.adopt(concurrency=9, per_host=2, gap=timedelta())
            wider = await waiting
            gates.adopt(concurrency=2, per_host=2, gap=timedelta(seconds=0.1))
            return wider, await in_order(gates, ["a", "a", "b"], 0.2)

    wider, narrower = run(work())
    assert [at < 0.2 for _, at in wider] == [True] * 4
    assert [at >= 0.19 * turns for turns, (_, at) in enumerate(narrower)] == [True] * 3, "one slot is taken by c"


def test_an_idle_host_is_forgotten_when_its_gap_is_over() -> None:
    async def work(gap: float) -> list[int]:
        gates = hosts.Gates(concurrency=2, per_host=1, gap=timedelta(seconds=gap))
        await in_order(gates, ["a", "b"], 0)
        sizes = [len(gates)]
        await asyncio.sleep(gap * 1.5)
        return [*sizes, len(gates)]

    assert run(work(0)) == [0, 0]
    assert run(work(0.1)) == [2, 0]


def test_a_cancelled_wait_gives_its_turn_back() -> None:
    async def work() -> int:
        gates = hosts.Gates(concurrency=1, per_host=1, gap=timedelta())
        waiting: list[asyncio.Task[Any]] = []
        async with gates.turn("a"):
            waiting = [asyncio.create_task(in_order(gates, ["a", "b"], 0)) for _ in range(3)]
            await asyncio.sleep(0)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        await in_order(gates, ["a", "b"], 0)
        return len(gates)

    assert run(work()) == 0


def test_turns_that_are_cancelled_at_any_moment_leave_all_limits_kept_and_every_slot_free() -> None:
    dice = random.Random(7)

    async def visit(gates: hosts.Gates, name: str, at: Counter[str]) -> None:
        async with gates.turn(name) as turn:
            at.update([name, "all"])
            try:
                try:
                    assert at[name] <= 2
                    assert at["all"] <= 3
                    await asyncio.sleep(dice.random() / 500)
                finally:
                    at[name] -= 1
                turn.end()
                await asyncio.sleep(dice.random() / 500)
            finally:
                at["all"] -= 1

    async def work() -> list[tuple[str, float]]:
        gates, at = hosts.Gates(concurrency=3, per_host=2, gap=timedelta(milliseconds=1)), Counter[str]()
        tasks = []
        for _ in range(300):
            tasks.append(asyncio.create_task(visit(gates, dice.choice("abc"), at)))
            await asyncio.sleep(dice.random() / 1000)
            if dice.random() < 0.2:
                dice.choice(tasks).cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not [task for task in tasks if not task.cancelled() and task.exception()]
        return await in_order(gates, ["a", "b", "c"], 0.2)

    assert all(at < 0.1 for _, at in run(work()))


def test_an_answer_that_is_worked_on_holds_a_slot_but_not_its_host() -> None:
    async def work() -> list[str]:
        seen: list[str] = []
        async with rawserver.serve({path: [reply(body=FEED)] for path in ("/a", "/b", "/c")}) as server:
            async with fetch.Fetcher(replace(LOOPBACK, concurrency=2, per_host=1), "x") as fetcher:
                async with fetcher.holding(fetch.Request(server.url("/a")), NOW):
                    await fetcher.get(fetch.Request(server.url("/b")), NOW)
                    async with fetcher.holding(fetch.Request(server.url("/b")), NOW):
                        third = asyncio.create_task(fetcher.get(fetch.Request(server.url("/c")), NOW))
                        await asyncio.wait([third], timeout=0.1)
                        seen += [one.target for one in server.requests]
                await third
            return [*seen, server.requests[-1].target]

    assert run(work()) == ["/a", "/b", "/b", "/c"]


def test_a_cancelled_fetch_leaves_nothing_behind() -> None:
    async def work() -> None:
        async with rawserver.serve({"/": [HANG]}) as server, fetch.Fetcher(LOOPBACK, "x") as fetcher:
            tasks = [asyncio.create_task(fetcher.get(fetch.Request(server.url("/")), NOW)) for _ in range(3)]
            await asyncio.sleep(0.05)
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(one, asyncio.CancelledError) for one in results)

    run(work())


def test_decoding_a_large_body_does_not_block_the_loop() -> None:
    packed = gzip.compress(FEED * 200_000, 1, mtime=0)

    async def work() -> float:
        async with rawserver.serve({"/": [reply(fields={"Content-Encoding": "gzip"}, body=packed)]}) as server:
            task = asyncio.create_task(fetched(server.url("/")))
            longest, last = 0.0, time.perf_counter()
            while not task.done():
                await asyncio.sleep(0)
                longest, last = max(longest, time.perf_counter() - last), time.perf_counter()
            assert len((await task).body) == len(FEED) * 200_000
            return longest

    assert run(work()) < 0.05
