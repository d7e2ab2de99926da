"""Processes of the command that start in milliseconds.

Half of a short command's time goes into importing, and the tests run hundreds. A server of forks has imported once:
what it forks are real processes of their own, with their own files, workers, signals and exit codes. How the command
itself starts is tested in tests/test_commands.py, and the daemon is always started as a person starts it.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory

from aggregator import cli

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["aggregator.config", "aggregator.daemon", __name__])


def start(
    arguments: Sequence[str],
    folder: Path,
    stdout: str = os.devnull,
    stderr: str = os.devnull,
    processor: int | None = None,
) -> ForkServerProcess:
    """Start `aggregator …` in a folder, with the environment of this process, its output going into files; with
    `processor`, on that one alone, so that it starts but one worker.
    """
    process = _FORKS.Process(
        target=_run, args=(list(arguments), str(folder), dict(os.environ), (os.devnull, stdout, stderr), processor)
    )
    process.start()
    return process


def run(arguments: Sequence[str], folder: Path, timeout: float) -> subprocess.CompletedProcess[str]:
    """Run `aggregator …` to its end: its output and exit code. Raises TimeoutExpired after `timeout` seconds."""
    with TemporaryDirectory() as temporary:
        out, err = Path(temporary) / "out", Path(temporary) / "err"
        process = start(arguments, folder, str(out), str(err))
        process.join(timeout)
        late = process.exitcode is None
        if late:
            process.kill()
            process.join()
        code = process.exitcode
        process.close()
        said = [path.read_text("utf-8") if path.exists() else "" for path in (out, err)]
        if late:
            raise subprocess.TimeoutExpired(["aggregator", *arguments], timeout, *said)
        return subprocess.CompletedProcess(["aggregator", *arguments], code, *said)


def _run(
    arguments: list[str], folder: str, environ: Mapping[str, str], streams: Sequence[str], processor: int | None
) -> None:
    for number, path in enumerate(streams):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    if processor is not None:
        os.sched_setaffinity(0, {processor})
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    cli.main(arguments, prog_name="aggregator")
