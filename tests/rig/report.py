"""How polite the rounds were, told from the log of the hosts: what a publisher would see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from tests.rawserver import Received
from tests.rig.stage import FORCED, GAP, ROUNDS, Play

Row = tuple[int, str, Received]

# Field names that a publisher has no reason to see.
TELLTALE = ("cookie", "referer", "from", "x-forwarded-for", "via", "dnt", "sec-fetch-mode", "upgrade-insecure-requests")


def lines(play: Play) -> Iterator[str]:
    """The report, for people."""
    yield "round        at  sources asked  requests  conditional  hosts"
    for number, since in enumerate(ROUNDS, 1):
        rows = [row for row in play.log if row[0] == number]
        conditional = sum(_is_conditional(request) for _, _, request in rows)
        hosts = len({case for _, case, _ in rows})
        forced = " (--all)" if number == FORCED else ""
        hours = since.total_seconds() / 3600
        asked = play.rounds[number - 1].output.splitlines()[-1].split()[0]
        yield f"{number:5}  {hours:6.1f} h  {asked:>13}  {len(rows):8}  {conditional:11}  {hosts:5}{forced}"
    yield ""
    yield f"smallest gap between two requests to one host: {1000 * min(gaps(play.log)):.0f} ms (host_gap: {GAP})"
    yield f"most requests at once to one host: {max(host.server.most_at_once for _, host in play.actors.values())}"
    agents = Counter(request.header("User-Agent") or b"none" for _, _, request in play.log)
    yield from (f"User-Agent: {agent.decode()} ({count} requests)" for agent, count in agents.items())
    found = list(offences(play.log))
    yield f"offences: {len(found)}"
    yield from (f"  {offence}" for offence in found)


def gaps(log: Sequence[Row]) -> list[float]:
    """The seconds between the starts of two requests to one host in one round."""
    times: dict[tuple[int, str], list[float]] = {}
    for number, case, request in log:
        times.setdefault((number, case), []).append(request.at)
    return [later - earlier for at in times.values() for earlier, later in pairwise(sorted(at))]


def offences(log: Iterable[Row]) -> Iterator[str]:
    """Each thing in the log that a publisher could complain of, whichever case it is in."""
    for number, case, request in log:
        names = [name for name, _ in request.fields]
        if not request.line.startswith("GET ") or not request.line.endswith(" HTTP/1.1"):
            yield f"round {number}, {case}: {request.line}"
        if repeated := [name for name, count in Counter(names).items() if count > 1]:
            yield f"round {number}, {case}: {repeated} more than once"
        if telling := set(names).intersection(TELLTALE):
            yield f"round {number}, {case}: tells {sorted(telling)}"
        if not (request.header("User-Agent") or b"").startswith(b"aggregator/"):
            yield f"round {number}, {case}: User-Agent {request.header('User-Agent')!r}"
        if b"gzip" not in (request.header("Accept-Encoding") or b""):
            yield f"round {number}, {case}: offers no compression"


def _is_conditional(request: Received) -> bool:
    return any(name in ("if-none-match", "if-modified-since") for name, _ in request.fields)
