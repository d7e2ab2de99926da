"""Redirects: which are remembered, and when they are forgotten."""

from __future__ import annotations

from tests.rawserver import RESET, Script
from tests.rig.stage import HOUR, Host, Story, case, document, feed, status, to

PERMANENT = ("301", "308")
TEMPORARY = ("302", "303", "307")


@case(PERMANENT)
def a_permanent_redirect_is_remembered_after_two_documents(host: Host) -> Story:
    script = {"/301": to("301 Moved", "/new-301"), "/308": to("308 Moved", "/new-308")}
    script |= {"/new-301": feed(1), "/new-308": feed(2)}
    seen = yield script
    assert sorted(seen.targets) == ["/301", "/308", "/new-301", "/new-308"]
    assert [row["current_url"] for row in seen.rows] == [host.url("/301"), host.url("/308")], "not after one"
    seen = yield script
    assert sorted(seen.targets) == ["/301", "/308", "/new-301", "/new-308"]
    assert [row["current_url"] for row in seen.rows] == [host.url("/new-301"), host.url("/new-308")]
    assert [row["url"] for row in seen.rows] == [host.url("/301"), host.url("/308")], (
        "the configuration is the editor's"
    )
    seen = yield script
    assert sorted(seen.targets) == ["/new-301", "/new-308"]


@case()
def a_document_that_did_not_change_counts_as_read(host: Host) -> Story:
    script = {"/feed": to("301 Moved", "/new"), "/new": feed(ETag='"1"')}
    yield script
    seen = yield script | {"/new": status("304 Not Modified")}
    assert [request.header("If-None-Match") for request in seen.requests] == [None, b'"1"']
    assert seen.row["current_url"] == host.url("/new")


@case()
def a_target_that_never_sent_a_document_is_not_remembered(host: Host) -> Story:
    """What the old address' validators mean to another one nobody knows: the first time it is asked for all."""
    yield feed(ETag='"old"')
    script = {"/feed": to("301 Moved", "/new"), "/new": status("304 Not Modified")}
    seen = yield script
    assert [request.header("If-None-Match") for request in seen.requests] == [b'"old"', None]
    assert seen.status == "failing"
    for _ in range(2):
        seen = yield script
        assert seen.targets[0] == "/feed"
        assert seen.row["current_url"] == host.url("/feed")


@case()
def where_a_redirect_leads_elsewhere_all_is_asked_for(host: Host) -> Story:
    """Two addresses may well give the same date, and a 304 of the second one would hide what it has."""
    date = "Mon, 23 Nov 2026 00:00:00 GMT"
    for number in range(3):
        there = f"/{number}"
        script = {"/feed": to("302 Elsewhere", there)}
        script[there] = lambda asked, number=number: (
            status("304 Not Modified") if asked.header("If-Modified-Since") else feed(number, Last_Modified=date)
        )
        seen = yield script
        assert len(seen.entries) == number + 1
    assert (yield script).requests[-1].header("If-Modified-Since") == date.encode()


@case(TEMPORARY)
def a_temporary_redirect_is_never_remembered(host: Host) -> Story:
    script = {f"/{code}": to(f"{code} Elsewhere", f"/new-{code}") for code in TEMPORARY}
    script |= {f"/new-{code}": feed(code) for code in TEMPORARY}
    for _ in range(6):
        seen = yield script
        assert sorted(seen.targets) == sorted(script)
        assert [row["current_url"] for row in seen.rows] == [host.url(f"/{code}") for code in TEMPORARY]


@case()
def a_mixed_chain_is_remembered_to_its_first_temporary_hop(host: Host) -> Story:
    script = {
        "/feed": to("301 Moved", "/a"),
        "/a": to("308 Moved", "/b"),
        "/b": to("302 Found", "/c"),
        "/c": to("301 Moved", "/d"),
        "/d": feed(),
    }
    assert (yield script).targets == ["/feed", "/a", "/b", "/c", "/d"]
    seen = yield script
    assert seen.row["current_url"] == host.url("/b")
    for _ in range(3):
        seen = yield script
        assert seen.targets == ["/b", "/c", "/d"]
        assert seen.row["current_url"] == host.url("/b")


@case()
def a_move_to_what_is_no_feed_is_never_remembered(host: Host) -> Story:
    script = {"/feed": to("301 Moved", "/parked"), "/parked": document("<html><body>domain for sale</body></html>")}
    for _ in range(3):
        seen = yield script
        assert seen.targets == ["/feed", "/parked"]
        assert (seen.status, seen.row["current_url"]) == ("failing", host.url("/feed"))


@case()
def a_target_that_changes_begins_anew(host: Host) -> Story:
    news = {f"/{k}": feed(k) for k in range(3)}
    for k in range(3):
        seen = yield {"/feed": to("301 Moved", f"/{k}")} | news
        assert seen.row["current_url"] == host.url("/feed")
    seen = yield {"/feed": to("301 Moved", "/2")} | news
    assert seen.row["current_url"] == host.url("/2")


@case()
def a_move_that_is_taken_back_is_forgotten(host: Host) -> Story:
    moved = {"/feed": to("301 Moved", "/new"), "/new": feed()}
    yield moved
    yield {"/feed": feed()}
    seen = yield moved
    assert seen.row["current_url"] == host.url("/feed")


@case()
def a_remembered_address_that_dies_is_given_up_for_the_configured_one(host: Host) -> Story:
    moved = {"/feed": to("301 Moved", "/new"), "/new": feed(ETag='"new"')}
    yield moved
    yield moved
    dead: dict[str, Script] = {"/feed": feed(), "/new": [RESET]}
    assert (yield dead).targets == ["/new"]
    assert (yield dead).targets == ["/new"]
    seen = yield dead
    assert seen.targets == ["/new"]
    assert seen.row["current_url"] == host.url("/feed"), "after the third time"
    seen = yield dead
    assert seen.targets == ["/feed"]
    assert seen.conditions == (None, None), "what the other address gave means nothing here"
    assert (seen.status, seen.wait) == ("ok", HOUR)


@case()
def a_move_to_another_machine_is_remembered_too(host: Host) -> Story:
    there = host.neighbour.url("/feed")
    host.neighbour.scripts = {"/feed": feed()}
    for _ in range(2):
        seen = yield to("301 Moved", there)
    assert seen.row["current_url"] == there
    seen = yield to("301 Moved", there)
    assert seen.requests == []


@case(headers={"Accept-Language": "zh-HK", "X-Api-Key": "for one machine"})
def what_is_said_to_every_machine_is_said_after_a_move_too(host: Host) -> Story:
    host.neighbour.scripts = {"/feed": feed()}
    for _ in range(4):
        yield to("301 Moved", host.neighbour.url("/feed"))
    assert len(host.neighbour.requests) == 4
    for request in host.neighbour.requests:
        assert request.header("Accept-Language") == b"zh-HK"
        assert request.header("X-Api-Key") is None
