"""What is asked for: validators, and nothing that a publisher has not asked to know."""

from __future__ import annotations

from aggregator import __version__
from tests.instance import item, rss
from tests.rawserver import CLOSE, Received, Script, Step, reply
from tests.rig.stage import CONTACT, Host, Story, case, document, feed, status

# Weak, with quotes where none belong, with blanks, with a comma, with letters beyond ASCII, with a byte that is no
# UTF-8 and with what looks like the escape of one; and no date at all.
ODD_ETAG = 'W/"a "b"", c 科技'.encode() + b' caf\xe9 \\xe9 \\"'
ODD_DATE = "Sunday, the 22nd, 25:61 CST"


def answering(etag: str, body: list[Step]) -> Script:
    """304 to that ETag, else the body."""
    return lambda request: status("304 Not Modified") if request.header("If-None-Match") == etag.encode() else body


@case()
def odd_validators_come_back_byte_for_byte(host: Host) -> Story:
    seen = yield feed(ETag=ODD_ETAG, Last_Modified=ODD_DATE)
    assert seen.conditions == (None, None)
    seen = yield status("304 Not Modified")
    assert seen.conditions == (ODD_ETAG, ODD_DATE.encode())
    assert seen.status == "ok"


@case()
def an_etag_alone_comes_back_alone(host: Host) -> Story:
    yield feed(ETag='"only"')
    assert (yield feed()).conditions == (b'"only"', None)


@case()
def a_date_alone_comes_back_alone(host: Host) -> Story:
    yield feed(Last_Modified="Sun, 22 Nov 2026 08:00:00 GMT")
    assert (yield feed()).conditions == (None, b"Sun, 22 Nov 2026 08:00:00 GMT")


@case()
def validators_are_stored_anew_on_every_200(host: Host) -> Story:
    yield feed(1, ETag='"1"', Last_Modified="one")
    assert (yield feed(1, 2, ETag='"2"')).conditions == (b'"1"', b"one")
    assert (yield feed(1, 2, 3)).conditions == (b'"2"', None)
    assert (yield feed(1, 2, 3)).conditions == (None, None)


@case()
def validators_are_stored_anew_on_every_304(host: Host) -> Story:
    yield feed(ETag='"1"', Last_Modified="one")
    yield status("304 Not Modified", ETag='"2"')
    assert (yield status("304 Not Modified", Last_Modified="three")).conditions == (b'"2"', b"one")
    assert (yield status("304 Not Modified")).conditions == (b'"2"', b"three")


@case()
def validators_of_an_error_are_not_taken(host: Host) -> Story:
    yield feed(ETag='"good"', Last_Modified="good")
    yield status("404 Not Found", ETag='"error"', Last_Modified="error")
    assert (yield status("500 Oh", ETag='"error"')).conditions == (b'"good"', b"good")
    seen = yield feed(ETag='"good"')
    assert seen.conditions == (b'"good"', b"good")


@case()
def validators_of_a_body_that_does_not_parse_are_not_taken(host: Host) -> Story:
    yield document("<html><body>maintenance</body></html>", ETag='"bad"')
    seen = yield feed(ETag='"good"')
    assert seen.conditions == (None, None)
    yield document("{]", ETag='"bad"', Last_Modified="bad")
    assert (yield feed()).conditions == (b'"good"', None)


@case()
def validators_of_a_document_that_is_cut_off_are_not_taken(host: Host) -> Story:
    whole = rss(*(item(number) for number in range(6)))
    seen = yield document(whole[: whole.index("guid-3")], ETag='"cut"')
    assert len(seen.entries) == 4
    seen = yield answering('"cut"', document(whole[: whole.index("guid-3")], ETag='"cut"'))
    assert (seen.status, seen.conditions) == ("ok", (None, None))
    seen = yield answering('"cut"', document(whole, ETag='"whole"'))
    assert (seen.conditions, len(seen.entries)) == ((None, None), 6)
    assert (yield feed()).conditions == (b'"whole"', None)


@case()
def a_validator_is_shown_in_ascii(host: Host) -> Story:
    etag = '"日本\u202e\ufffe\x85"'.encode()
    seen = yield feed(ETag=etag)
    assert seen.row["etag"].isascii()
    assert (yield feed()).conditions == (etag, None)


@case()
def validators_of_a_broken_transfer_are_not_taken(host: Host) -> Story:
    yield feed(ETag='"whole"')
    yield [*feed(ETag='"half"', Content_Length="100000"), CLOSE]
    assert (yield feed()).conditions == (b'"whole"', None)


@case()
def validators_are_dropped_after_eight_days(host: Host) -> Story:
    script = answering('"for ever"', feed(ETag='"for ever"'))
    assert (yield script).conditions == (None, None)
    for _ in ("two hours", "four hours", "half an hour more"):
        assert (yield script).conditions == (b'"for ever"', None)
    assert (yield script).conditions == (None, None), "nine days later"
    assert (yield script).conditions == (b'"for ever"', None), "and from then on again"


@case()
def a_304_that_was_not_asked_for_is_no_document(host: Host) -> Story:
    seen = yield status("304 Not Modified", ETag='"x"')
    assert (seen.status, seen.row["etag"]) == ("failing", None)


@case()
def a_body_behind_a_304_is_nothing(host: Host) -> Story:
    yield feed(ETag='"1"')
    seen = yield [reply("304 Not Modified", {"ETag": '"2"', "Content-Length": "8"}, b"<rss/>\r\n")]
    assert (seen.status, seen.row["etag"]) == ("ok", '"2"')


@case()
def cookies_are_not_kept(host: Host) -> Story:
    seen = yield feed(Set_Cookie="id=1; Max-Age=99999999; Path=/")
    for _ in range(3):
        assert seen.request.header("Cookie") is None
        seen = yield feed(Set_Cookie="id=2; Domain=127.1.0.0")


@case()
def a_redirect_tells_no_referer_and_brings_no_cookie(host: Host) -> Story:
    def script(request: Received) -> list[Step]:
        return status("302 Found", Location="/there", Set_Cookie="seen=1; Path=/")

    seen = yield {"/feed": script, "/there": feed()}
    assert seen.targets == ["/feed", "/there"]
    assert all(request.header("Referer") is request.header("Cookie") is None for request in seen.requests)


@case(["feed?a=1&b&&c=%7e+%E7%A7%91;utm_source=x&q='(,)'"])
def the_query_is_sent_as_it_was_written(host: Host) -> Story:
    target = "/feed?a=1&b&&c=%7e+%E7%A7%91;utm_source=x&q='(,)'"
    seen = yield {target: feed()}
    assert seen.request.target == target
    assert seen.status == "ok"


@case()
def it_only_ever_gets(host: Host) -> Story:
    seen = yield status("405 Method Not Allowed", Allow="POST")
    assert seen.request.line == "GET /feed HTTP/1.1"
    seen = yield {"/feed": status("307 Temporary Redirect", Location="/x"), "/x": status("501 Not Implemented")}
    assert [request.line for request in seen.requests] == ["GET /feed HTTP/1.1", "GET /x HTTP/1.1"]


@case()
def the_user_agent_names_product_version_and_contact(host: Host) -> Story:
    seen = yield feed()
    assert seen.request.header("User-Agent") == f"aggregator/{__version__} (+{CONTACT})".encode()


@case()
def gzip_br_and_zstd_are_offered(host: Host) -> Story:
    seen = yield feed()
    offered = (seen.request.header("Accept-Encoding") or b"").decode().replace(" ", "").split(",")
    assert {"gzip", "br", "zstd"} <= set(offered)


@case()
def what_was_read_is_known_again(host: Host) -> Story:
    """A server without validators sends everything each time: nothing of it is new."""
    seen = yield document(rss(item(1), item(2)))
    assert len(seen.entries) == 2
    for _ in range(3):
        seen = yield document(rss(item(2), item(1)))
        assert len(seen.entries) == 2
