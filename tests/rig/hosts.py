"""Manners towards one machine: how many requests at once, and how close together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tests.rawserver import Pause, Received, Step
from tests.rig.stage import GAP, PER_HOST, Host, Seen, Story, case, feed, to


def assert_distance(rounds: Sequence[Seen]) -> None:
    """That requests arrived a gap apart, but for the few that a busy machine held up on their way."""
    times = [sorted(request.at for request in seen.requests) for seen in rounds]
    gaps = sorted(later - earlier for at in times for earlier, later in pairwise(at))
    assert gaps[len(gaps) // 2] > 0.9 * GAP.total_seconds()


@case([str(number) for number in range(8)])
def requests_to_one_host_start_one_after_the_other(host: Host) -> Story:
    script = {f"/{number}": feed(number) for number in range(8)}
    rounds = []
    for _ in range(4):
        rounds.append((yield script))
        assert len(rounds[-1].requests) == 8
    assert_distance(rounds)


@case([str(number) for number in range(5)])
def a_slow_host_is_not_asked_more_at_once(host: Host) -> Story:
    def slowly(request: Received) -> list[Step]:
        return [Pause(0.5), *feed(request.target)]

    seen = yield {f"/{number}": slowly for number in range(5)}
    assert len(seen.requests) == 5
    assert host.server.most_at_once == PER_HOST
    yield {f"/{number}": feed(number) for number in range(5)}


@case()
def redirects_keep_their_distance_too(host: Host) -> Story:
    script = {"/feed": to("302 Found", "/a"), "/a": to("302 Found", "/b"), "/b": feed()}
    rounds = []
    for _ in range(4):
        rounds.append((yield script))
        assert len(rounds[-1].requests) == 3
    assert_distance(rounds)
