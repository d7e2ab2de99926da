"""Every sentence of our manners and of our safety, against a server that does its worst (tests/rig)."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from aggregator import errors, parse
from tests.instance import Instance, item, rss
from tests.rawserver import Script, reply
from tests.rig import report
from tests.rig.documents import EXPLOSIVE
from tests.rig.network import LOGIN, SECRETS
from tests.rig.stage import CASES, GAP, ROUNDS, Host, Play, Round, hosts, play
from tests.rig.table import TABLE

NOW = "2026-11-22T12:00:00Z"
MEBIBYTE = 1024 * 1024


@pytest.fixture
def host() -> Iterator[Host]:
    with hosts(1, []) as (only,):
        yield only


def alone(instance: Instance, host: Host, script: dict[str, Script]) -> list[dict[str, str]]:
    """Sources at these paths of a host, with the settings that a fresh installation has."""
    host.says(script)
    sources = [{"name": path[1:], "url": host.url(path), "category": "tech"} for path in script]
    instance.configure(sources, fetch={"allow_networks": ["127.1.0.0/16"]})
    return sources


# ------------------------------------------------------------------------------------------------ the table


def test_every_sentence_has_a_case_and_every_case_a_sentence() -> None:
    assert all(TABLE.values())
    assert {case.name for cases in TABLE.values() for case in cases} == set(CASES)


def test_every_case_holds_in_every_round_and_after_every_restart(tmp_path: Path) -> None:
    """One test, since it is the rounds that take time: all cases are told in the same ones."""
    played = play(Instance(tmp_path))
    if played.failures:
        raise ExceptionGroup("cases of tests/rig", list(played.failures.values()))
    for one in played.rounds:
        assert_says_only_its_own_lines(one)
    assert_no_credential_is_shown(played)
    assert_a_publisher_has_nothing_to_complain_of(played)


def assert_says_only_its_own_lines(one: Round) -> None:
    """That a round printed one line for each source, and nothing forged or unprintable."""
    names = tuple(name for case in CASES.values() for name in case.names)
    *lines, last = one.output.splitlines()
    assert last == f"{len(lines)} sources polled"
    assert all(line.isprintable() and line.startswith(names) for line in lines)
    assert len({line.partition(": ")[0] for line in lines}) == len(lines)


def assert_no_credential_is_shown(played: Play) -> None:
    """That none is in anything printed, logged, exported, stored or published."""
    said = "\n".join(f"{one.output}\n{one.sources}" for one in played.rounds)
    for command in (["status"], ["export", "sources"], ["export", "entries"]):
        said += played.instance.command(*command).stdout
    stored = b"".join(path.read_bytes() for path in played.instance.data.rglob("*") if path.is_file())
    for secret in (*SECRETS, LOGIN.decode().removeprefix("Basic ")):
        assert secret not in said
        assert secret.encode() not in stored


def assert_a_publisher_has_nothing_to_complain_of(played: Play) -> None:
    """That the log of the hosts shows good manners, whatever the cases were about; and that the report tells so."""
    assert list(report.offences(played.log)) == []
    gaps = sorted(report.gaps(played.log))
    assert gaps[len(gaps) // 2] > 0.9 * GAP.total_seconds(), "but for what a busy machine holds up on the way"
    table = list(report.lines(played))
    assert "offences: 0" in table
    assert sum(line.lstrip()[:1].isdigit() for line in table) == len(ROUNDS)


# ------------------------------------------------------------------------------------------------ what takes a measure


@pytest.mark.parametrize("name", EXPLOSIVE)
def test_an_explosive_document_ends_in_milliseconds(name: str) -> None:
    started = time.process_time()
    with suppress(errors.ParseError):
        parse.read(EXPLOSIVE[name].encode(), None, "http://example.org/", None)
    assert time.process_time() - started < 0.5


def test_a_bomb_of_150_megabytes_costs_little(instance: Instance, host: Host) -> None:
    packed = gzip.compress(b"<rss>" + b" " * (150 * MEBIBYTE))
    bomb = reply(fields={"Content-Encoding": "gzip"}, body=packed)
    small = {"/feed": [reply(body=rss(item(1)).encode())]}
    alone(instance, host, {**small, "/bomb": small["/feed"]})
    idle, _ = cost_of_a_poll(instance)
    host.says({**small, "/bomb": [bomb]})
    loaded, seconds = cost_of_a_poll(instance)
    assert loaded - idle < 60 * MEBIBYTE
    assert seconds < 5
    assert {row["name"]: row["status"] for row in instance.export("sources")} == {"feed": "ok", "bomb": "failing"}


def cost_of_a_poll(instance: Instance) -> tuple[int, float]:
    """The most memory that `poll --all` itself had in bytes (what is refused reaches no child), and its CPU seconds."""
    before, most = os.times(), 0
    with polling(instance, "--all") as poll:
        while poll.poll() is None:
            with suppress(OSError, StopIteration):
                lines = Path(f"/proc/{poll.pid}/status").read_text().splitlines()
                most = int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
            time.sleep(0.005)
    after = os.times()
    assert poll.returncode == 0
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return most * 1024, used


def polling(instance: Instance, *arguments: str) -> subprocess.Popen[str]:
    """A poll under way."""
    folders = ["--config", str(instance.config), "--data", str(instance.data)]
    return subprocess.Popen(
        [sys.executable, "-m", "aggregator", "poll", *arguments, *folders], stdout=subprocess.PIPE, text=True
    )


def test_a_worker_that_dies_takes_nothing_with_it(instance: Instance, host: Host) -> None:
    slow = "<rss><channel><item " + " ".join(f'a{number}="x"' for number in range(200_000)) + "/></channel></rss>"
    alone(instance, host, {"/good": [reply(body=rss(item(1)).encode())], "/deadly": [reply(body=slow.encode())]})
    with polling(instance, "--now", NOW) as poll:
        assert poll.stdout is not None
        assert "good: ok" in poll.stdout.readline()
        instance.wait_for(lambda: len(host.server.requests) == 2)
        for worker in workers_of(poll.pid):
            os.kill(worker, 9)
        rest = poll.stdout.read()
    assert poll.returncode == 0
    assert "deadly: failing" in rest
    assert "died" in rest
    assert b"Story 1" in instance.feed("tech.atom")


def workers_of(process: int) -> list[int]:
    """The children of a process whose threads started them."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def test_check_and_the_start_ask_for_a_contact(instance: Instance, host: Host) -> None:
    alone(instance, host, {"/feed": [reply(body=rss(item(1)).encode())]})
    assert "fetch.contact is not set" in instance.command("check").stderr
    instance.start()
    assert instance.stop() == 0
    assert any("fetch.contact is not set" in line for line in instance.lines)
