"""The demo's own folder: a configuration, a data folder and a log, apart from everything that the user has."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from aggregator import errors
from aggregator.demo.publishers import PUBLISHERS, Publisher

_TOP = "# Written by `aggregator demo`. Change it while the demo runs: a saved file counts from the next tick.\n\n"


@dataclass(frozen=True, slots=True)
class Stage:
    """The paths in the demo's folder. The data are beside the configuration, where its commands look for them."""

    folder: Path

    @property
    def config(self) -> Path:
        """The configuration folder."""
        return self.folder / "config"

    @property
    def log(self) -> Path:
        """What the daemon logs."""
        return self.folder / "daemon.log"

    def configure(self, address: str, port: int) -> None:
        """Write the configuration: the publishers at `address` as sources, and a site on `port`."""
        self.config.mkdir(exist_ok=True)
        categories = files("aggregator.demo").joinpath("categories.yaml").read_text("utf-8")
        (self.config / "categories.yaml").write_text(categories, "utf-8")
        self._write("sources", {"sources": [_source(one, address) for one in PUBLISHERS]})
        self._write("aggregator", _settings(address, port))

    def _write(self, name: str, content: dict[str, Any]) -> None:
        text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
        (self.config / f"{name}.yaml").write_text(_TOP + text, "utf-8")


def _source(publisher: Publisher, address: str) -> dict[str, Any]:
    said = {"name": publisher.name, "url": address + publisher.listed, "category": publisher.category}
    filled = {key: value for key, value in said.items() if value is not None}
    return filled | {"language": publisher.language, "every": f"{publisher.every}s"}


def _settings(address: str, port: int) -> dict[str, Any]:
    """All publishers are one host, so that host gets none of the usual manners."""
    fetch = {"allow_networks": ["127.0.0.1/32"], "host_gap": "0s", "per_host": len(PUBLISHERS), "contact": address}
    return {"site": {"title": "演示"}, "listen": f"127.0.0.1:{port}", "fetch": fetch}


@contextmanager
def stage(data: Path | None, keep: bool) -> Iterator[Stage]:
    """A new folder: `data`/demo, or without it a temporary one; removed at the end unless it is to be kept.

    Raises AggregatorError when it is there already, or cannot be made.
    """
    made = Stage(_made(data))
    try:
        yield made
    finally:
        if not keep:
            shutil.rmtree(made.folder)


def _made(data: Path | None) -> Path:
    if data is None:
        return Path(tempfile.mkdtemp(prefix="aggregator-demo-"))
    folder = data.absolute() / "demo"
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        raise errors.AggregatorError(
            f"{folder} exists already: remove it, or name another folder with --data"
        ) from error
    except OSError as error:
        raise errors.AggregatorError(
            f"{folder} cannot be made ({error.strerror}): name another folder with --data"
        ) from error
    return folder


def free_port(wanted: int) -> int:
    """`wanted` where nothing listens on it on loopback, else a port that the system chooses."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise errors.AggregatorError("this machine has no free port left")
