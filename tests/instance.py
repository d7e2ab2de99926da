"""One aggregator in a folder of its own, driven as a person does: by its files and its command, as real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests import forks

# Only sources and rules file here: what words of the lexicon are in a test's titles does not matter.
CATEGORIES: list[dict[str, Any]] = [
    {"term": "tech", "label": "科技", "labels": {"en": "Technology", "zh-Hant": "科技"}, "threshold": "none"},
    {
        "term": "ai",
        "label": "人工智能",
        "parent": "tech",
        "threshold": "none",
        "rules": [{"any": ["人工智能"], "in": "title"}],
    },
    {"term": "finance", "label": "财经", "threshold": "none"},
]


class Instance:
    """`configure` writes the YAML, `command` runs `aggregator …` to its end, `start` runs the daemon."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config"
        self.data = folder / "data"
        held = hold_port()
        self.port: int = held.getsockname()[1]
        weakref.finalize(self, held.close)
        self.process: subprocess.Popen[str] | None = None
        self.lines: list[str] = []

    def configure(
        self,
        sources: Sequence[Mapping[str, Any]],
        categories: Sequence[Mapping[str, Any]] = CATEGORIES,
        **settings: Any,
    ) -> None:
        """Write the three files. Loopback is allowed and hosts get no gap, unless `settings` say otherwise."""
        self.config.mkdir(exist_ok=True)
        fetch = {"allow_networks": ["127.0.0.0/8"], "host_gap": "0s", "per_host": 8} | settings.pop("fetch", {})
        everything = {"listen": f"127.0.0.1:{self.port}", "fetch": fetch, **settings}
        self._write("sources.yaml", {"sources": [dict(source) for source in sources]})
        self._write("categories.yaml", {"categories": [dict(category) for category in categories]})
        self._write("aggregator.yaml", everything)

    def _write(self, name: str, content: Any) -> None:
        temporary = self.config / f".{name}"
        temporary.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), "utf-8")
        temporary.replace(self.config / name)

    @property
    def folders(self) -> list[str]:
        """The options that name this instance's folders."""
        return ["--config", str(self.config), "--data", str(self.data)]

    def arguments(self, *arguments: str) -> list[str]:
        """A command line that starts `aggregator …` as a person does."""
        return [sys.executable, "-m", "aggregator", *arguments, *self.folders]

    def command(self, *arguments: str, code: int = 0, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; fails unless it exits with `code`."""
        done = forks.run([*arguments, *self.folders], self.folder, timeout)
        assert done.returncode == code, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def poll(self, *arguments: str, code: int = 0) -> str:
        """One tick; what it printed."""
        return self.command("poll", *arguments, code=code).stdout

    def export(self, what: str) -> list[dict[str, Any]]:
        """The rows of `export sources|entries|stories`."""
        return [json.loads(line) for line in self.command("export", what).stdout.splitlines()]

    def feed(self, name: str) -> bytes:
        """A published file, as it lies in the folder."""
        return (self.data / "public" / "feeds" / name).read_bytes()

    def start(self, wait: bool = True) -> subprocess.Popen[str]:
        """Start the daemon; with `wait`, until it says that it is ready."""
        environ = os.environ | {"PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            self.arguments("run"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env=environ,
        )
        threading.Thread(target=self._collect, args=(self.process,), daemon=True).start()
        if wait:
            self.wait_for(lambda: self.get("/readyz")[0] == 200)
        return self.process

    def _collect(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            self.lines.extend(process.stdout)

    def stop(self, number: signal.Signals = signal.SIGTERM, timeout: float = 10) -> int | None:
        """End the daemon with a signal; its exit code, None where none ran."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.process = None

    def get(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> tuple[int, Any, bytes]:
        """One request to the daemon, redirects not followed: status, headers, body (0 while nothing answers)."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", headers=dict(headers or {}), method=method
        )
        try:
            with _opener.open(request, timeout=10) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()
        except OSError:
            return 0, {}, b""

    def wait_for(self, true: Callable[[], bool], timeout: float = 30) -> None:
        """Wait until a condition holds; fails with the daemon's output when it does not in time."""
        until = time.monotonic() + timeout
        while not true():
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"the daemon ended with {self.process.returncode}:\n{''.join(self.lines)}")
            if time.monotonic() > until:
                raise AssertionError(f"it did not become true in {timeout} s; the daemon said:\n{''.join(self.lines)}")
            time.sleep(0.02)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))


def hold_port() -> socket.socket:
    """A port on loopback that is ours while the socket is open, and on which one server of ours may listen.

    Bound with SO_REUSEADDR and not listening: Linux gives such a port to no bind to port 0 and to no connection that
    goes out, and yet lets a server with SO_REUSEADDR, as asyncio's are, have it. A port that is merely found free may
    be another process's before the server starts.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("0.0.0.0", 0))
    return held


def rss(*items: str, title: str = "A feed", link: str = "http://example.org/") -> str:
    """An RSS document of these items."""
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>'
        f"<title>{title}</title><link>{link}</link><description>d</description>{''.join(items)}</channel></rss>"
    )


def item(
    number: int | str,
    title: str | None = None,
    link: str | None = None,
    date: str | None = "Sun, 22 Nov 2026 08:00:00 GMT",
    text: str = "text",
) -> str:
    """An RSS item with a guid that is no permalink."""
    when = f"<pubDate>{date}</pubDate>" if date else ""
    return (
        f"<item><title>{title or f'Story {number}'}</title><link>{link or f'http://example.org/{number}'}</link>"
        f'<guid isPermaLink="false">guid-{number}</guid>{when}<description>{text} {number}</description></item>'
    )
