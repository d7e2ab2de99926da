"""What `make`, `.ci/run` and the systemd unit do. Debian's programs are stand-ins that tell what was asked."""

from __future__ import annotations

import configparser
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
UNIT = ROOT / "contrib" / "aggregator.service"
ENVIRONMENT = ".venv/bin/python"


class Clone:
    """A folder with the Makefile, and stand-ins for the programs of the machine that come before the real ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = folder / "programs"
        self.programs.mkdir()
        for name in ("Makefile", "pyproject.toml"):
            shutil.copy(ROOT / name, folder)

    def program(self, name: str, script: str) -> Path:
        """Put a shell script on PATH under this name."""
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def user(self, number: int) -> None:
        self.program("id", f"echo {number}")

    def python(self, version: str, ensurepip: bool) -> Path:
        """A Python of this version. Without ensurepip it gets it as soon as apt-get has been there."""
        has_pip = "true" if ensurepip else f"test -e {shlex.quote(str(self.folder / 'installed'))}"
        return self.program(
            f"python{version}",
            f"""case "$*" in
            *ensurepip*) {has_pip} ;;
            *version_info*) echo {version} ;;
            "-m venv"*) exec {shlex.quote(sys.executable)} -m venv --without-pip .venv ;;
            *) exit 9 ;;
            esac""",
        )

    def apt_get(self, succeeds: bool = True) -> None:
        self.program("apt-get", f'echo "$@" >> asked; {"touch installed" if succeeds else "exit 100"}')

    @property
    def asked_of_apt(self) -> list[str]:
        asked = self.folder / "asked"
        return asked.read_text().splitlines() if asked.exists() else []

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run make here, as if from a shell of its own."""
        environ = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
        environ |= {"PATH": f"{self.programs}:{os.environ['PATH']}"}
        return subprocess.run(
            ["make", *arguments], cwd=self.folder, env=environ, capture_output=True, text=True, timeout=60, check=False
        )


@pytest.fixture
def clone(tmp_path):
    if shutil.which("make") is None:
        pytest.skip("needs make (apt-get install make)")
    return Clone(tmp_path)


# ---------------------------------------------------------------------------------------------- making the environment


def test_without_ensurepip_an_ordinary_user_is_told_what_to_install(clone):
    clone.user(1000)
    clone.apt_get()
    done = clone.make(ENVIRONMENT, f"PYTHON={clone.python('3.98', ensurepip=False)}")
    assert done.returncode == 2
    assert "    apt-get update && apt-get install --yes python3.98-venv\n" in done.stderr
    assert clone.asked_of_apt == []
    assert not (clone.folder / ".venv").exists()


def test_without_ensurepip_root_gets_it_installed_and_the_environment_is_made(clone):
    clone.user(0)
    clone.apt_get()
    done = clone.make(ENVIRONMENT, f"PYTHON={clone.python('3.98', ensurepip=False)}")
    assert (done.returncode, done.stderr) == (0, "")
    assert clone.asked_of_apt == ["update", "install --yes python3.98-venv"]
    assert (clone.folder / ENVIRONMENT).exists()


def test_the_system_python_gets_the_package_without_a_number(clone):
    system = Path("/usr/bin/python3")
    if not system.exists():
        pytest.skip("needs /usr/bin/python3 (apt-get install python3)")
    said = subprocess.run([system, "-V"], capture_output=True, text=True, check=True).stdout
    version = ".".join(said.split()[1].split(".")[:2])
    clone.user(1000)
    done = clone.make(ENVIRONMENT, f"PYTHON={clone.python(version, ensurepip=False)}")
    assert "    apt-get update && apt-get install --yes python3-venv\n" in done.stderr


def test_root_is_told_when_apt_does_not_help(clone):
    clone.user(0)
    clone.apt_get(succeeds=False)
    done = clone.make(ENVIRONMENT, f"PYTHON={clone.python('3.98', ensurepip=False)}")
    assert done.returncode == 2
    assert "still has no ensurepip" in done.stderr
    assert not (clone.folder / ".venv").exists()


def test_the_first_python_that_is_new_enough_is_taken(clone):
    broken = clone.program("python-broken", "exit 127")
    old = clone.program("python-old", f'exec {shlex.quote(sys.executable)} -c "raise SystemExit(1)"')
    new = clone.python("3.98", ensurepip=True)
    done = clone.make(ENVIRONMENT, f"PYTHON={broken} {old} {new}")
    assert (done.returncode, done.stdout) == (0, f"Making .venv with {new} (3.98) …\n")


def test_no_python_that_is_new_enough_is_said(clone):
    done = clone.make(ENVIRONMENT, "PYTHON=no-such-python")
    assert done.returncode == 2
    assert "Python 3.11 or later is needed, and none of these is: no-such-python." in done.stderr


def installed(clone: Clone) -> None:
    """As after `make run` and `make test`."""
    (clone.folder / ".venv" / "bin").mkdir(parents=True)
    clone.program("python-done", 'echo "$@" >> did').rename(clone.folder / ENVIRONMENT)
    assert clone.make(".venv/installed-dev").returncode == 0
    (clone.folder / "did").unlink()


def test_an_environment_that_is_up_to_date_is_left_alone(clone):
    installed(clone)
    assert clone.make("test").stdout == ""
    assert clone.make("run").stdout == ""
    assert (clone.folder / "did").read_text() == "-m pytest\n-m aggregator run --config config\n"


def test_a_changed_pyproject_is_installed_before_the_tests_run(clone):
    installed(clone)
    stamp = (clone.folder / ".venv" / "installed-dev").stat().st_mtime
    os.utime(clone.folder / "pyproject.toml", (stamp + 1, stamp + 1))
    assert clone.make("test").returncode == 0
    install, tests = (clone.folder / "did").read_text().splitlines()
    assert install.startswith("-m pip install")
    assert install.endswith("--editable .[dev,subscribers]")
    assert tests == "-m pytest"


def test_what_pip_could_not_install_is_explained(clone):
    installed(clone)
    (clone.folder / ENVIRONMENT).write_text("#!/bin/sh\necho no matching distribution >&2\nexit 1\n")
    (clone.folder / ".venv" / "installed").unlink()
    done = clone.make("run")
    assert done.returncode == 2
    assert "no matching distribution\npip could not install" in done.stderr
    assert "check the network connection" in done.stderr
    assert not (clone.folder / ".venv" / "installed").exists()


# ---------------------------------------------------------------------------------------------- running


def test_run_takes_other_folders(clone):
    installed(clone)
    clone.make("run", "CONFIG=my feeds", "DATA=elsewhere")
    assert (clone.folder / "did").read_text() == "-m aggregator run --config my feeds --data elsewhere\n"


def test_check_ends_with_the_tests(clone):
    commands = clone.make("-n", "check").stdout.splitlines()[-5:]
    assert [command.split()[-1] for command in commands] == [
        "check",
        "--check",
        "mypy",
        ".venv/bin/lint-imports",
        "pytest",
    ]


def test_ci_runs_the_check_from_anywhere_and_gives_its_exit_code(clone):
    (clone.folder / ".ci").mkdir()
    script = shutil.copy(ROOT / ".ci" / "run", clone.folder / ".ci")
    clone.program("newsboat", "")
    clone.program("make", 'pwd; echo "$@"; exit 7')
    environ = {"PATH": f"{clone.programs}:{os.environ['PATH']}", "CI": "true"}
    done = subprocess.run(["bash", script], cwd="/", env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (7, f"{clone.folder.resolve()}\ncheck\n")


# ---------------------------------------------------------------------------------------------- the service


def unit() -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read(UNIT, "utf-8")
    return parser


def test_the_unit_waits_for_readiness_and_watches_the_daemon():
    service = unit()["Service"]
    assert service["Type"] == "notify"
    assert service["WatchdogSec"] == "60s"
    assert service["StateDirectory"] == "aggregator"
    assert service["ProtectSystem"] == "strict"


def test_systemd_accepts_the_unit_and_finds_it_hardened(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze (apt-get install systemd)")
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text("utf-8").replace("/opt/aggregator/bin/aggregator", sys.executable))
    verified = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    hardened = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15", copy]
    assert subprocess.run(hardened, capture_output=True, check=False).returncode == 0
