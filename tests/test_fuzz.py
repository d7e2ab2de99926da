"""Five minutes of coverage-guided fuzzing for each of the two doors through which the world's bytes come in."""

from __future__ import annotations

import subprocess
import sys

import pytest

SECONDS = 300


@pytest.mark.full
@pytest.mark.parametrize("target", ["parse", "sanitize"])
def test_no_input_breaks_it(target: str) -> None:
    pytest.importorskip("atheris", reason="there is no atheris for this Python")
    command = [sys.executable, "-m", "tests.fuzz", target, "--seconds", str(SECONDS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS + 120, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
