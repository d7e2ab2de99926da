"""Fixtures: a real HTTP server on loopback, an instance of the command in a folder; and the loopback guard."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.feedserver import FeedServer
from tests.instance import Instance

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
CORPUS, PORTAL = SHARED / "corpus", SHARED / "reference" / "portal-article.txt"


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail any test whose process connects to another machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not ipaddress.ip_address(address[0]).is_loopback:
            pytest.fail(f"a test connected to {address[0]}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def corpus() -> Path:
    """The folder of real data; a test that needs it is skipped where it is missing."""
    if not CORPUS.is_dir():
        pytest.skip("needs ../shared/corpus, which is not here")
    return CORPUS


@pytest.fixture
def portal() -> str:
    """The page of a portal as its reader copies it, with all that stands around the article; a test that needs it is
    skipped where it is missing."""
    if not PORTAL.exists():
        pytest.skip("needs ../shared/reference, which is not here")
    return PORTAL.read_text("utf-8")


@pytest.fixture
def feeds() -> Iterator[FeedServer]:
    """A real HTTP server that serves what a test puts into it."""
    with FeedServer() as server:
        yield server


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    """A configuration and data folder of its own, and the `aggregator` command on them."""
    made = Instance(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def newsboat() -> str:
    """The path of newsboat."""
    import shutil

    found = shutil.which("newsboat")
    if found is None:
        pytest.skip("needs Debian's newsboat (apt-get install newsboat)")
    return found


# Each change is tested with the same examples, however busy the machine; `make full` looks for new ones.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("searching", deadline=None)


def pytest_configure(config: pytest.Config) -> None:
    """Choose how Hypothesis finds its examples."""
    settings.load_profile("searching" if "full" in (config.getoption("-m") or "") else "steady")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave long replays and fuzzing to `make full`."""
    if "full" in (config.getoption("-m") or ""):
        return
    skip = pytest.mark.skip(reason="long: run by `make full`")
    for item in items:
        if "full" in item.keywords:
            item.add_marker(skip)
