"""Where we do not go, who is not told what, and how long we wait."""

from __future__ import annotations

import base64
import re

from tests.rawserver import CLOSE, HANG, Pause, Received, Script, Step, reply
from tests.rig.stage import DEADLINE, Host, Story, case, document, feed, status, to

# Spellings of addresses that `allow_networks` does not have; {port} is where somebody would answer.
SPELLINGS = (
    "http://127.2.0.1:{port}/",
    "http://0x7f.2.1:{port}/",
    "http://2130837505:{port}/",
    "http://0177.02.0.01:{port}/",
    "http://[::ffff:127.2.0.1]:{port}/",
    "http://[::127.2.0.1]:{port}/",
    "http://[64:ff9b::127.2.0.1]:{port}/",
    "http://[2002:7f02:1::]:{port}/",
    "http://user:word@127.2.0.1:{port}/",
    "http://1②7.2.0.1:{port}/",
    "http://localhost:{port}/",
)


@case([str(number) for number in range(len(SPELLINGS))], every="30d")
def no_redirect_leads_into_a_private_network(host: Host) -> Story:
    port = host.forbidden[0].port
    seen = yield {f"/{n}": to("302 Found", place.format(port=port).encode()) for n, place in enumerate(SPELLINGS)}
    assert len(seen.requests) == len(SPELLINGS)
    assert {row["status"] for row in seen.rows} == {"failing"}
    assert all(re.search("not public|cannot be (?:used|asked)", row["reason"]) for row in seen.rows)
    assert sum(server.connections for server in host.forbidden) == 0


# This machine, private, shared, link-local, multicast, unspecified, broadcast.
PRIVATE = (
    "127.2.0.1",
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[fe80::1]",
    "[fd00::1]",
    "[ff02::1]",
)


@case(PRIVATE, address="http://{path}/feed", every="30d")
def a_private_address_of_the_configuration_is_refused(host: Host) -> Story:
    seen = yield {}
    assert {row["status"] for row in seen.rows} == {"failing"}
    assert all("fetch.allow_networks" in row["reason"] for row in seen.rows)


@case(address="http://localhost:{port}/feed", every="30d")
def a_name_is_judged_by_the_address_that_it_has(host: Host) -> Story:
    seen = yield {}
    assert seen.status == "failing"
    assert "localhost is at 127.0.0.1" in seen.reason


@case()
def the_last_of_many_hops_is_checked_as_well(host: Host) -> Story:
    inside = host.forbidden[0]
    chain = {f"/{n}": to("301 Moved", f"/{n + 1}") for n in range(5)}
    seen = yield {"/feed": to("301 Moved", "/0")} | chain | {"/5": to("307 Elsewhere", inside.url("/"))}
    assert len(seen.requests) == 7
    assert "not public" in seen.reason
    assert inside.connections == 0


SCHEMES = (
    "file:///etc/passwd",
    "ftp://127.1.1.1/",
    "gopher://127.1.1.1/",
    "data:text/xml,<rss/>",
    "javascript:0",
    "//",
)


@case([str(number) for number in range(len(SCHEMES))], every="30d")
def only_http_and_https_are_followed(host: Host) -> Story:
    seen = yield {f"/{number}": to("302 Found", place) for number, place in enumerate(SCHEMES)}
    assert {row["status"] for row in seen.rows} == {"failing"}
    assert len(seen.requests) == len(SCHEMES)


@case(["ten", "eleven"], every="30d")
def ten_hops_are_followed_and_no_more(host: Host) -> Story:
    chain = {f"/{n}": to("302 Found", f"/{n + 1}") for n in range(1, 12)}
    seen = yield chain | {"/eleven": to("302 Found", "/2"), "/ten": to("302 Found", "/3"), "/12": feed()}
    assert [row["status"] for row in seen.rows] == ["ok", "failing"]
    assert "10 redirects" in seen.rows[1]["reason"]


@case(["itself", "two"], every="30d")
def a_circle_of_redirects_is_noticed(host: Host) -> Story:
    circle = {"/two": to("302 Found", "/a"), "/a": to("301 Moved", "/b"), "/b": to("307 Elsewhere", "/a")}
    seen = yield {"/itself": to("301 Moved", "/itself")} | circle
    assert sorted(seen.targets) == ["/a", "/b", "/itself", "/two"]
    assert all("circle" in row["reason"] for row in seen.rows)


# ------------------------------------------------------------------------------------------------ credentials

SECRETS = ("aladdin", "sesame-öffne-dich", "key-of-the-source", "in-the-location")
LOGIN = b"Basic " + base64.b64encode("aladdin:sesame-öffne-dich".encode())


@case(
    ["stays", "leaves", "moves", "denied", "breaks"],
    username="aladdin",
    password="sesame-öffne-dich",
    headers={"X-Api-Key": "key-of-the-source"},
)
def credentials_stay_with_their_host_and_are_never_shown(host: Host) -> Story:
    """That they are shown nowhere is looked for by tests/test_rig.py, in everything that all rounds said."""
    away = host.neighbour.url("/away").replace("//", "//user:in-the-location@")
    host.neighbour.scripts = {"/away": feed("away")}
    script: dict[str, Script] = {
        "/stays": to("302 Found", "/home"),
        "/home": feed("home"),
        "/leaves": to("302 Found", away),
        "/moves": to("301 Moved", away),
        "/denied": status("401 Unauthorized", WWW_Authenticate='Basic realm="sesame-öffne-dich"'.encode()),
        "/breaks": [b"HTTP/1.1 200 aladdin:sesame\r\nX-Api-Key key-of-the-source\r\n\r\n", CLOSE],
    }
    for _ in range(4):
        seen = yield script
        assert all(request.header("Authorization") == LOGIN for request in seen.requests)
        assert all(request.header("X-Api-Key") == b"key-of-the-source" for request in seen.requests)
        assert host.neighbour.requests
        assert not any(_tells_a_secret(request) for request in host.neighbour.requests)
    (moved,) = [row for row in seen.rows if row["name"].endswith("moves")]
    assert moved["current_url"] == host.neighbour.url("/away")


def _tells_a_secret(request: Received) -> bool:
    return b"Authorization" in request.head or b"Api-Key" in request.head


# ------------------------------------------------------------------------------------------------ time and headers


def drip(_: Received) -> list[Step]:
    """An answer that comes one byte at a time, each well within any timeout between two bytes."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n"
    return [head, *(step for _ in range(10000) for step in (b" ", Pause(0.1)))]


@case(["body", "head"], every="30d")
def a_slow_drip_ends_at_the_deadline(host: Host) -> Story:
    slow_head: list[Step] = [
        b"HTTP/1.1 200 OK\r\n",
        *(step for n in range(1000) for step in (b"X-%d: x\r\n" % n, Pause(0.1))),
    ]
    seen = yield {"/body": drip, "/head": slow_head}
    assert all(f"within {DEADLINE.seconds} s" in row["reason"] for row in seen.rows)


@case(every="30d")
def silence_ends_at_the_deadline(host: Host) -> Story:
    seen = yield [HANG]
    assert f"within {DEADLINE.seconds} s" in seen.reason


def headers(*lines: bytes) -> list[Step]:
    """A document below these header lines."""
    return [b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"Content-Length: 0", b"", b""]), CLOSE]


@case(["one", "many", "endless", "folded"], every="30d")
def header_fields_have_limits(host: Host) -> Story:
    def endless(_: Received) -> list[Step]:
        return [b"HTTP/1.1 200 OK\r\n", *([b"X-Field: " + b"x" * 1000 + b"\r\n"] * 1_000_000)]

    seen = yield {
        "/one": headers(b"X: " + b"x" * 20_000),
        "/many": headers(*(b"X-%d: %s" % (n, b"x" * 1000) for n in range(100))),
        "/endless": endless,
        "/folded": headers(b"X: x", *([b" " + b"x" * 1000] * 100)),
    }
    assert {row["name"]: row["status"] for row in seen.rows} == dict.fromkeys(seen.case.names, "failing")


GARBAGE = {
    "no-status": b"\r\n\r\n",
    "no-number": b"HTTP/1.1 OK\r\n\r\n",
    "big-number": b"HTTP/1.1 99999 What\r\n\r\n",
    "negative": b"HTTP/1.1 -200 What\r\n\r\n",
    "html": b"<html><body>hello</body></html>",
    "ssh": b"SSH-2.0-OpenSSH_9.6\r\n",
    "version": b"HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n",
    "binary": bytes(range(256)) * 8,
    "nothing": b"",
    "two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "bad-length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
    "bad-chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
    "forged": b"HTTP/1.1 500 Oh\x1b[31m\rno\r\n\r\n",
    "nul": b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n",
}


@case(list(GARBAGE), every="30d")
def garbage_instead_of_http_is_a_failure(host: Host) -> Story:
    seen = yield {f"/{name}": [answer, CLOSE] for name, answer in GARBAGE.items()}
    assert {row["name"]: row["status"] for row in seen.rows} == dict.fromkeys(seen.case.names, "failing")
    assert all(row["reason"].isprintable() and row["reason"] for row in seen.rows)


@case(["length", "chunks", "reset"], every="1h")
def a_truncated_body_is_not_taken_for_the_document(host: Host) -> Story:
    whole = feed(1, 2, 3)[0]
    assert isinstance(whole, bytes)
    head, _, body = whole.partition(b"\r\n\r\n")
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(body), body)
    seen = yield {"/length": [head + b"\r\n\r\n" + body[:200], CLOSE], "/chunks": [chunked, CLOSE], "/reset": [CLOSE]}
    assert [row["status"] for row in seen.rows] == ["failing"] * 3
    assert seen.entries == []
    seen = yield dict.fromkeys(("/length", "/chunks", "/reset"), feed(1, 2, 3))
    assert len(seen.entries) == 9


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
CARELESS = {
    "twice": b"HTTP/1.1 200 OK\r\nContent-Length: %(length)d\r\nContent-Length: %(length)d\r\n\r\n%(body)s",
    "many": b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 2000 + b"Content-Length: %(length)d\r\n\r\n%(body)s",
    "feeds": b"HTTP/1.1 200\nX Y: z\nContent-Length : %(length)d\n\n%(body)s",
    "chunks": CHUNKED + b"\r\n%(length)x ;a=b\r\n%(body)s\n0\r\nX: y\r\n\r\n",
    "both": CHUNKED + b"Content-Length: 3\r\n\r\n%(length)x\r\n%(body)s\r\n0\r\n\r\n",
}


@case(list(CARELESS), every="30d")
def careless_http_whose_meaning_is_plain_is_read(host: Host) -> Story:
    body = b"<rss><channel><item><title>x</title></item></channel></rss>"
    script: dict[str, Script] = {
        f"/{name}": [answer % {b"length": len(body), b"body": body}] for name, answer in CARELESS.items()
    }
    seen = yield script
    assert {row["name"]: row["status"] for row in seen.rows} == dict.fromkeys(seen.case.names, "ok")
    assert seen.titles == ["x"] * len(CARELESS)


@case()
def a_body_after_its_end_is_ignored(host: Host) -> Story:
    seen = yield [
        reply(body=b"<rss><channel><item><title>x</title></item></channel></rss>") + b"HTTP/1.1 200 OK\r\n\r\n"
    ]
    assert seen.titles == ["x"]
    assert (yield document("<rss><channel/></rss>")).status == "ok"
