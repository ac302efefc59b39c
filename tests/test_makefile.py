"""What setting up does, tried on copies of the Makefile with stand-ins for Python and npm."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.browser import chromium

ROOT = Path(__file__).resolve().parent.parent

TOOLS = ("sh", "touch", "rm", "mkdir", "cp", "awk", "make", "env", "dirname")

PYTHON = """#!/bin/sh
echo "$@" >> "$LOG"
case "$*" in *venv*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;; esac
"""

NPM = """#!/bin/sh
echo "npm $@" >> "$LOG"
mkdir -p node_modules/socket.io-client/dist
touch node_modules/socket.io-client/dist/socket.io.esm.min.js
"""

LOGGED = '#!/bin/sh\necho "${0##*/} $@" >> "$LOG"\n'

NO_VENV = '#!/bin/sh\ncase "$*" in *venv*) exit 1 ;; esac\n'

TOO_OLD = "#!/bin/sh\nexit 1\n"


class Clone:
    """A folder with what setting up reads, and a PATH of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(str(shutil.which(tool)))
        for pattern in ("Makefile", "package*.json", "*.txt", "pyproject.toml"):
            for path in ROOT.glob(pattern):
                shutil.copy2(path, folder)
        self.log = folder / "log"

    def add(self, name: str, program: str) -> None:
        """Put a program on the PATH."""
        (self.bin / name).write_text(program)
        (self.bin / name).chmod(0o755)

    def set_up(self) -> None:
        """Install everything, with stand-ins for the programs that pip and npm would bring."""
        self.made("setup")
        (self.folder / "node_modules" / ".bin").mkdir()
        for program in (".venv/bin/lint-imports", "node_modules/.bin/tsc"):
            (self.folder / program).write_text(LOGGED)
            (self.folder / program).chmod(0o755)

    def run(self, command: str) -> str:
        """Run a command in the folder; what it had Python and other programs do."""
        self.log.write_text("")
        environment = {"PATH": str(self.bin), "LOG": str(self.log)}
        subprocess.run(shlex.split(command), cwd=self.folder, env=environment, check=True)
        return self.log.read_text()

    def make(self, *targets: str) -> subprocess.CompletedProcess[str]:
        """Run make; `log` then holds what it had Python and npm do in this run."""
        self.log.write_text("")
        environment = {"PATH": str(self.bin), "LOG": str(self.log)}
        return subprocess.run(
            ["make", *targets], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    def made(self, *targets: str) -> str:
        """The same where make must succeed: what Python and npm were asked to do."""
        finished = self.make(*targets)
        assert finished.returncode == 0, finished.stderr
        return self.log.read_text()


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    clone = Clone(tmp_path)
    clone.add("python3", PYTHON)
    clone.add("npm", NPM)
    return clone


def test_run_installs_what_serving_needs_and_no_more(clone: Clone) -> None:
    log = clone.made("run")
    assert "--requirement requirements.txt" in log
    assert "requirements-dev.txt" not in log
    assert log.endswith("wsgi.py\n")
    vendor = {path.name for path in (clone.folder / "static" / "vendor").glob("*.[jc]s*")}
    assert vendor == {"socket.io.esm.min.js"}


def test_a_second_time_nothing_is_set_up_again(clone: Clone) -> None:
    clone.made("run")
    clone.made("test")
    assert clone.made("run") == "wsgi.py\n"
    browser, tests = clone.made("test").splitlines()
    assert browser == "-m tests.browser.chromium" and tests.startswith("-m pytest ")


def test_setup_installs_everything_and_starts_nothing(clone: Clone) -> None:
    log = clone.made("setup")
    assert {"--requirement requirements.txt", "--requirement requirements-dev.txt"} <= set(
        re.findall(r"--requirement \S+", log)
    )
    assert "npm ci --omit=dev" in log and "npm ci --no-audit" in log
    assert log.endswith("-m tests.browser.chromium\n")
    assert "wsgi.py" not in log and "pytest" not in log


def test_check_runs_lint_and_then_the_quick_tests(clone: Clone) -> None:
    clone.set_up()
    lint, check = clone.made("lint"), clone.made("check")
    assert check.startswith(lint)
    assert re.fullmatch(r"-m pytest --quiet .+ -m not \(.+\)\n", check.removeprefix(lint))


def test_before_a_commit_the_commands_of_make_lint_run(clone: Clone) -> None:
    clone.set_up()
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    entries = re.findall(r"^ +entry: (.+)$", hooks, re.MULTILINE)
    assert "".join(map(clone.run, entries)) == clone.made("lint")


@pytest.mark.parametrize("failing", ["run -m pytest", "html", "nothing"])
def test_coverage_is_reported_after_failed_tests_too_and_then_fails(clone: Clone, failing: str) -> None:
    fail = f'case "$*" in *"coverage {failing}"*) exit 1 ;; esac\n'
    clone.add("python3", PYTHON + fail)
    made = clone.make("coverage")
    assert ("coverage html" in clone.log.read_text(), made.returncode != 0) == (True, failing != "nothing")


def test_a_changed_list_of_packages_is_installed(clone: Clone) -> None:
    clone.made("run")
    in_a_minute = time.time() + 60
    os.utime(clone.folder / "requirements.txt", (in_a_minute, in_a_minute))
    log = clone.made("run")
    assert "--requirement requirements.txt" in log
    assert "venv" not in log


def test_without_node_npm_comes_from_a_python_package(clone: Clone) -> None:
    (clone.bin / "npm").unlink()
    made = clone.make("run")
    assert "--requirement requirements-node.txt" in clone.log.read_text()
    assert ".venv/bin/npm ci" in made.stdout


def test_with_node_no_other_is_installed(clone: Clone) -> None:
    assert "requirements-node.txt" not in clone.made("run")


def test_a_newer_or_older_python_beside_the_first_is_found(clone: Clone) -> None:
    clone.add("python3", TOO_OLD)
    clone.add("python3.12", PYTHON)
    assert "-m venv .venv" in clone.made("run")


@pytest.mark.parametrize(
    ("python", "said"), [(TOO_OLD, "needs Python 3.11, 3.12 or 3.13"), (NO_VENV, "apt install python3-venv")]
)
def test_a_python_that_cannot_be_used_is_said_plainly(clone: Clone, python: str, said: str) -> None:
    clone.add("python3", python)
    finished = clone.make("run")
    assert finished.returncode != 0
    assert said in finished.stdout


def test_serve_runs_the_command_that_serves_the_network(clone: Clone) -> None:
    assert clone.made("serve").endswith("-m webapp serve\n")
    assert clone.made("run").endswith("wsgi.py\n")


def test_cluster_runs_the_command_that_starts_all_of_it(clone: Clone) -> None:
    assert clone.made("cluster").endswith("-m webapp cluster\n")


def test_the_command_line_is_installed(clone: Clone) -> None:
    assert "--no-deps --editable ." in clone.made("run")


@pytest.mark.parametrize(("required", "status"), [("1", 1), ("", 0)])
def test_tests_without_a_browser_say_so_and_fail_where_one_is_required(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], required: str, status: int
) -> None:
    monkeypatch.setenv("MIEN_REQUIRE_BROWSER", required)
    monkeypatch.setattr(chromium, "find_chromium", lambda: None)
    monkeypatch.setattr(chromium, "install", lambda: None)
    assert chromium.main() == status
    assert "LEFT OUT" in capsys.readouterr().out
