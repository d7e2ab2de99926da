"""When a source that fails is asked again, and when never."""

from __future__ import annotations

import gzip

from tests.rawserver import CLOSE, RESET, Script, reply
from tests.rig.stage import DAY, HOUR, MAX_BODY, START, Host, Story, case, document, feed, http_date, status, to

FAILURES: dict[str, Script] = {
    "403": status("403 Forbidden"),
    "404": status("404 Not Found"),
    "500": status("500 Oh"),
    "closed": [CLOSE],
    "reset": [RESET],
    "no-feed": [reply(body=b"hello")],
}


@case(list(FAILURES))
def the_first_failure_waits_one_interval_and_each_further_one_twice_as_long(host: Host) -> Story:
    script = {f"/{path}": answer for path, answer in FAILURES.items()}
    hours = []
    for number in range(5):
        seen = yield script
        (wait,) = {row["next_poll"] for row in seen.rows}
        hours.append(wait)
        assert {row["status"] for row in seen.rows} == {"failing"}
        assert {row["failures"] for row in seen.rows} == {number + 1}
    moments = (START, START + 2 * HOUR, START + 4 * HOUR, START + 4.5 * HOUR, START + 9 * DAY)
    waits = (HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR)
    assert hours == [
        (moment + wait).isoformat().replace("+00:00", "Z") for moment, wait in zip(moments, waits, strict=True)
    ]
    assert (yield script).requests == [], "six hours later, of sixteen"


@case(address="http://{host}:1/feed")
def nothing_listens(host: Host) -> Story:
    seen = yield {}
    assert (seen.status, seen.wait, seen.row["failures"]) == ("failing", HOUR, 1)


@case(every="20h")
def no_failure_waits_longer_than_a_day(host: Host) -> Story:
    assert (yield status("500 Oh")).wait == 20 * HOUR
    yield status("500 Oh")
    yield status("500 Oh")
    assert (yield status("500 Oh")).wait == DAY
    assert (yield status("500 Oh")).wait == DAY


@case()
def a_source_that_recovers_keeps_its_interval_and_forgets(host: Host) -> Story:
    yield status("500 Oh")
    yield status("500 Oh")
    seen = yield feed()
    assert (seen.status, seen.reason, seen.row["failures"], seen.wait) == ("ok", "", 0, HOUR)
    assert (yield status("500 Oh")).wait == HOUR


@case(["429", "503"])
def retry_after_in_seconds_is_obeyed_even_by_all(host: Host) -> Story:
    script = {f"/{code}": status(f"{code} Busy", Retry_After="36000") for code in (429, 503)}
    assert {row["next_poll"] for row in (yield script).rows} == {"2026-11-22T22:00:00Z"}
    for _ in ("two hours later", "four hours later", "forced by --all"):
        assert (yield script).requests == []
    assert len((yield script).requests) == 2, "nine days later"


@case()
def retry_after_as_a_date_is_obeyed(host: Host) -> Story:
    assert (yield status("429 Slow Down", Retry_After=http_date(START + 5 * HOUR))).wait == 5 * HOUR
    for _ in range(3):
        assert (yield feed()).requests == []


@case()
def a_wait_that_was_asked_for_is_no_back_off(host: Host) -> Story:
    """What the server asks for counts, not how often it has asked."""
    script = status("503 Busy", Retry_After="7000")
    for _ in range(2):
        assert (yield script).wait == 7000 * HOUR / 3600
    assert (yield script).wait == 7000 * HOUR / 3600
    assert (yield script).requests == [], "forced by --all, before the time"


@case()
def retry_after_never_shortens(host: Host) -> Story:
    assert (yield status("503 Busy", Retry_After="1")).wait == HOUR


@case()
def retry_after_of_an_error_does_not_shorten_the_back_off(host: Host) -> Story:
    script = status("500 Oh", Retry_After="7000")
    assert (yield script).wait == 7000 * HOUR / 3600
    assert (yield script).wait == 2 * HOUR
    assert (yield script).wait == 4 * HOUR


ABSURD = (
    "-3600",
    "99999999999",
    "tomorrow",
    "",
    "1e9",
    "Mon, 01 Jan 1990 00:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
)


@case([str(number) for number in range(len(ABSURD))])
def an_absurd_retry_after_is_ignored(host: Host) -> Story:
    script = {f"/{number}": status("503 Busy", Retry_After=said) for number, said in enumerate(ABSURD)}
    seen = yield script
    assert {row["next_poll"] for row in seen.rows} == {"2026-11-22T13:00:00Z"}
    assert {row["status"] for row in seen.rows} == {"failing"}
    assert len((yield script).requests) == len(ABSURD), "two hours later"


@case()
def retry_after_beside_a_document_lengthens_and_is_obeyed_even_by_all(host: Host) -> Story:
    seen = yield feed(Retry_After="18000")
    assert (seen.status, seen.wait) == ("ok", 5 * HOUR)
    for _ in ("two hours later", "four hours later", "forced by --all"):
        assert (yield feed()).requests == []


@case()
def retry_after_beside_a_304_is_obeyed_even_by_all(host: Host) -> Story:
    yield feed(ETag='"1"')
    seen = yield status("304 Not Modified", Retry_After="18000")
    assert (seen.status, seen.wait) == ("ok", 5 * HOUR)
    for _ in ("two hours later", "forced by --all"):
        assert (yield feed()).requests == []


@case()
def a_410_stops_the_source_and_says_so(host: Host) -> Story:
    seen = yield status("410 Gone")
    assert (seen.status, seen.row["next_poll"]) == ("gone", None)
    assert "410" in seen.reason
    assert f"{seen.case.name}: gone" in seen.round.output
    for _ in ("later", "much later", "forced by --all", "next week", "after that"):
        seen = yield feed()
        assert seen.requests == []
        assert seen.status == "gone"


@case()
def a_410_behind_a_redirect_is_a_failure_like_any_other(host: Host) -> Story:
    seen = yield {"/feed": to("302 Elsewhere", "/new"), "/new": status("410 Gone")}
    assert (seen.status, seen.wait) == ("failing", HOUR)
    assert (yield feed()).status == "ok"


@case()
def retry_after_beside_a_document_that_cannot_be_read_lengthens(host: Host) -> Story:
    seen = yield document("<html>maintenance</html>", Retry_After="18000")
    assert (seen.status, seen.wait) == ("failing", 5 * HOUR)


LOST = {
    "broken-off": ({"Content-Length": "100"}, [b"<rss>", CLOSE]),
    "too-large": ({"Content-Length": str(MAX_BODY + 1)}, []),
    "unpacks-to-too-much": ({"Content-Encoding": "gzip"}, [gzip.compress(b" " * (MAX_BODY + 1)), CLOSE]),
    "damaged": ({"Content-Encoding": "gzip"}, [gzip.compress(b"<rss/>")[:-4], CLOSE]),
}


@case(list(LOST))
def retry_after_beside_a_document_that_does_not_come_whole_is_obeyed_even_by_all(host: Host) -> Story:
    script: dict[str, Script] = {}
    for name, (fields, body) in LOST.items():
        head = "".join(f"{key}: {value}\r\n" for key, value in {**fields, "Retry-After": "36000"}.items())
        script[f"/{name}"] = [f"HTTP/1.1 200 OK\r\n{head}\r\n".encode(), *body]
    seen = yield script
    assert {row["status"] for row in seen.rows} == {"failing"}
    assert {row["next_poll"] for row in seen.rows} == {"2026-11-22T22:00:00Z"}
    for _ in ("two hours later", "four hours later", "forced by --all"):
        assert (yield script).requests == []


@case(["to-a-feed", "to-nothing"])
def retry_after_beside_a_redirect_is_obeyed_even_by_all(host: Host) -> Story:
    script = {
        "/to-a-feed": to("302 Elsewhere", "/feed", Retry_After="36000"),
        "/to-nothing": to("301 Moved", "/nothing", Retry_After="36000"),
        "/feed": feed(Retry_After="60"),
    }
    seen = yield script
    assert sorted(row["status"] for row in seen.rows) == ["failing", "ok"]
    assert {row["next_poll"] for row in seen.rows} == {"2026-11-22T22:00:00Z"}
    for _ in ("two hours later", "four hours later", "forced by --all"):
        assert (yield script).requests == []


@case()
def seconds_may_begin_with_noughts(host: Host) -> Story:
    assert (yield status("429 Too Many Requests", Retry_After="0000000018000")).wait == 5 * HOUR


@case(enabled=False)
def a_disabled_source_is_never_asked(host: Host) -> Story:
    for _ in range(6):
        seen = yield feed()
        assert (seen.requests, seen.status) == ([], "disabled")
