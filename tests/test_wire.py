"""Answers read from bytes, however they arrive. tests/test_fetch.py and tests/rig have the same over real sockets."""

from __future__ import annotations

import gzip

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.fetch import decoding, wire

LIMIT = 100_000
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def read(data: bytes, *cuts: int, ends: bool = False) -> wire.Answer | None:
    """The answer in these bytes, which arrive cut at these places."""
    reader = wire.Reader(LIMIT)
    at = 0
    for cut in (*sorted(cuts), len(data)):
        answer = reader.feed(data[at:cut])
        if answer is not None:
            return answer
        at = cut
    return reader.end() if ends else None


def body(data: bytes, ends: bool = False) -> bytes:
    answer = read(data, ends=ends)
    assert answer is not None
    return answer.body


ANSWERS = {
    "plain": (PLAIN, b"hello", True),
    "closes": (b"HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 5\r\n\r\nhello", b"hello", False),
    "old": (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello", False),
    "old, kept": (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n\r\nhello", b"hello", True),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", b"hello", True),
    "bare line feeds": (b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", b"hello", True),
    "white space": (b"HTTP/1.1 200 OK\r\nContent-Length \t:\t 5 \r\n\r\nhello", b"hello", True),
    "a length twice": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-length: 5, 5\r\n\r\nhello", b"hello", True),
    "an odd name": (b"HTTP/1.1 200 OK\r\nX Y: z\r\n\xe7\xa7\x91: z\r\nContent-Length: 5\r\n\r\nhello", b"hello", True),
    "many fields": (b"HTTP/1.1 200 OK\r\n%sContent-Length: 5\r\n\r\nhello" % (b"X-A: b\r\n" * 5000), b"hello", True),
    "chunks": (CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", b"hello", True),
    "careless chunks": (CHUNKED + b"02 ;a=b\r\nhe\r\n 3;\nllo\n000\n\n", b"hello", True),
    "trailers": (CHUNKED + b"5\r\nhello\r\n0\r\nETag: x\r\nX: y\r\n\r\n", b"hello", True),
    "chunks and a length": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"hello",
        False,
    ),
    "identity": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello", b"hello", False),
    "interim": (b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 100 Go\r\n\r\n" + PLAIN, b"hello", True),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b"", True),
    "folded": (b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\tc\r\nContent-Length: 5\r\n\r\nhello", b"hello", True),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_the_same_wherever_it_is_cut(name: str) -> None:
    data, expected, keeps_open = ANSWERS[name]
    for cut in range(len(data)) if len(data) < 1000 else (10, 20_000, len(data) - 7):
        answer = read(data, cut)
        assert answer is not None
        assert (answer.status in (200, 304), answer.body, answer.keeps_open) == (True, expected, keeps_open)
    piecemeal = read(data, *range(len(data)))
    assert piecemeal is not None
    assert piecemeal.body == expected
    assert len(data) > 1000 or read(data[:-1]) is None


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_a_connection_with_more_on_it_than_the_answer_is_not_used_again(name: str) -> None:
    answer = read(ANSWERS[name][0] + b"HTTP/1.1 200 OK\r\n\r\n")
    assert answer is not None
    assert (answer.body, answer.keeps_open) == (ANSWERS[name][1], False)


@pytest.mark.parametrize(
    ("rest", "keeps_open"),
    [
        (b"Content-Length: 5\r\n\r\nhello", True),
        (b"Content-Length: 6\r\n\r\nhello", False),
        (b"Content-Length: 5, 6\r\n\r\nhello", False),
        (b"Content-Length: 500000\r\n\r\nhello", False),
        (b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", True),
        (b"Transfer-Encoding: chunked\r\n\r\nzz", False),
        (b"\r\nhello", False),
    ],
)
def test_a_body_that_nobody_wants_is_not_waited_for(rest: bytes, keeps_open: bool) -> None:
    answer = read(b"HTTP/1.1 302 Found\r\nLocation: /\r\n" + rest)
    assert answer is not None
    assert (answer.status, answer.body, answer.keeps_open) == (302, b"", keeps_open)


def test_fields_keep_their_bytes_and_their_order() -> None:
    answer = read(b"HTTP/1.1 304 x\r\nEtag: \xe7\xa7\x91\r\nX: 1\r\nx: \xff2\r\nY: a\r\n b\r\n\r\n")
    assert answer is not None
    assert answer.fields["ETAG"].encode() == b"\xe7\xa7\x91"
    assert [value.encode("utf-8", "surrogateescape") for value in answer.fields.getall("X")] == [b"1", b"\xff2"]
    assert answer.fields["Y"] == "a b"


@pytest.mark.parametrize("ends", [b"0\r\n", b"0\r\nETag: x\r\n", b"0\n"])
def test_after_the_last_chunk_the_connection_may_end(ends: bytes) -> None:
    data = CHUNKED + b"5\r\nhello\r\n" + ends
    assert read(data) is None
    assert body(data, ends=True) == b"hello"


def test_without_a_length_the_end_of_the_connection_is_that_of_the_document() -> None:
    assert body(b"HTTP/1.1 200 OK\r\n\r\nhello", ends=True) == b"hello"
    assert body(b"HTTP/1.1 200 OK\r\n\r\n", ends=True) == b""


@pytest.mark.parametrize(
    "data",
    [b"", b"HTTP/1.1 200 OK\r\nContent-", PLAIN[:-1], CHUNKED, CHUNKED + b"5\r\nhel", CHUNKED + b"5\r\nhello\r\n"],
)
def test_any_other_end_of_the_connection_breaks_the_answer_off(data: bytes) -> None:
    with pytest.raises(wire.ClosedError) as caught:
        read(data, ends=True)
    assert caught.value.has_begun == (b"\r\n\r\n" in data)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\rB: c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n" % (b"9" * 30),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
        CHUNKED + b"-5\r\n",
        CHUNKED + b"0x5\r\n",
        CHUNKED + b"\r\n",
        CHUNKED + b"5\r\nhello, and more\r\n",
        CHUNKED + b"1" * 20_000,
        CHUNKED + b"1\r\n<\r\n" * 100_001,
        CHUNKED + b"0\r\n" + b"X: y\r\n" * 20_000,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 17_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000,
        b"HTTP/1.1 102 Wait\r\n\r\n" * 102,
    ],
)
def test_what_cannot_be_understood_is_no_answer(data: bytes) -> None:
    with pytest.raises(wire.BrokenAnswerError) as caught:
        wire.Reader(10 * LIMIT).feed(data)
    assert not isinstance(caught.value, wire.ClosedError)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n",
        CHUNKED + b"186a1\r\n",
        CHUNKED + b"fffffffffffffff\r\n",
        CHUNKED + b"c350\r\n%s\r\n" % (b"<" * 50_000) * 3,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"<" * 100_001,
    ],
)
def test_a_document_over_the_limit_is_not_read(data: bytes) -> None:
    with pytest.raises(decoding.TooLargeError):
        read(data)


def test_a_request_is_written_with_its_fields_as_they_are() -> None:
    written = wire.request("e.org:8080", "/a?b", wire.Fields({"If-None-Match": '"caf\udce9 科"'}))
    assert written == b'GET /a?b HTTP/1.1\r\nHost: e.org:8080\r\nIf-None-Match: "caf\xe9 \xe7\xa7\x91"\r\n\r\n'


@pytest.mark.parametrize(("name", "value"), [("X", "a\r\nY: b"), ("X", "a\0"), ("X:", "a"), ("", "a"), ("é", "a")])
def test_a_field_that_would_write_another_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="header field"):
        wire.request("e.org", "/", wire.Fields({name: value}))


# ------------------------------------------------------------------------------------------------ beside h11

LINES = st.sampled_from(
    [
        b"Content-Length: 5",
        b"Content-Length: 6",
        b"content-length: 5",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: gzip",
        b"Connection: close",
        b"Connection: keep-alive",
        b"X: \xff\t y ",
        b" folded",
        b"X : y",
        b"no colon",
        b"Y:",
    ]
)
BODIES = st.sampled_from(
    [b"", b"hello", b"hello!", b"5\r\nhello\r\n0\r\n\r\n", b"5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\n", b"5\r\nhello\r\n"]
)
STARTS = st.sampled_from(
    [b"HTTP/1.1 200 OK", b"HTTP/1.0 200 OK", b"HTTP/1.1 200", b"HTTP/1.1 203 ", b"HTTP/2 200 OK", b"HTTP/1.1 20 OK"]
)


def by_h11(data: bytes) -> bytes:
    """The document in these bytes, as h11 reads them. Raises h11.RemoteProtocolError."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "e.org")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    connection.receive_data(b"")
    found = bytearray()
    while not isinstance(event := connection.next_event(), h11.EndOfMessage):
        if event is h11.NEED_DATA or isinstance(event, h11.ConnectionClosed):
            raise h11.RemoteProtocolError("an end too soon")
        if isinstance(event, h11.Data):
            found += event.data
    return bytes(found)


@given(STARTS, st.lists(LINES, max_size=4), BODIES)
def test_what_h11_understands_we_understand_the_same(start: bytes, lines: list[bytes], rest: bytes) -> None:
    data = b"\r\n".join([start, *lines, b"", rest])
    try:
        expected = by_h11(data)
    except h11.RemoteProtocolError:
        return
    assert body(data, ends=True) == expected


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=3), st.booleans())
def test_random_bytes_are_an_answer_or_an_error_of_ours(noise: bytes, cuts: list[int], ends: bool) -> None:
    for data in (noise, b"HTTP/1.1 200 OK\r\n" + noise, CHUNKED + noise, gzip.compress(noise)):
        try:
            answer = read(data, *cuts, ends=ends)
        except (wire.BrokenAnswerError, decoding.TooLargeError):
            continue
        assert answer is None or answer.status >= 100
