"""A process of a cluster: it is started again when it ends, and stops with all that it started."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.helpers.cluster import is_running
from tests.helpers.waiting import wait_until
from webapp.cli.cluster.child import STEADY_S, Child, Program
from webapp.errors import ClusterError

SETPRIV = shutil.which("setpriv")

pytestmark = pytest.mark.skipif(SETPRIV is None, reason="setpriv is not installed")

WITH_CHILD = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid, flush=True)
time.sleep(600)
"""

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""


class Started:
    """Starts programs of a test, and ends them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.children: list[Child] = []
        self.said: list[str] = []

    def __call__(self, code: str, stop_timeout_s: float = 30.0) -> Child:
        program = Program(
            "one",
            (sys.executable, "-c", code),
            self._folder / "one.log",
            lambda: bool(self.printed()),
            dict(os.environ),
            stop_timeout_s=stop_timeout_s,
        )
        made = Child(program, Path(str(SETPRIV)), self.said.append)
        made.start()
        self.children.append(made)
        return made

    def printed(self) -> str:
        return (self._folder / "one.log").read_text()


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    made = Started(tmp_path)
    yield made
    for one in made.children:
        one.kill()


def test_one_that_ends_is_started_again_after_a_pause_that_grows(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [1000.0]
    clock = SimpleNamespace(monotonic=lambda: now_s[0], sleep=time.sleep)
    monkeypatch.setattr("webapp.cli.cluster.child.time", clock)
    one = started("raise SystemExit(3)")
    for pause_s in (1, 2, 4, 8, 16, 30, 30):
        before = one.pid
        wait_until(lambda before=before: not is_running(before))  # type: ignore[misc]
        assert not one.watch() and f"ended with 3; starting it again in {pause_s} s" in started.said[-1]
        now_s[0] += pause_s - 0.1
        assert not one.watch()
        now_s[0] += 0.2
        assert one.watch() and one.pid != before
    now_s[0] += STEADY_S + 1
    wait_until(lambda: not is_running(one.pid))
    one.watch()
    assert "again in 1 s" in started.said[-1]


def test_what_it_started_ends_before_it_is_started_again(started: Started) -> None:
    one = started(WITH_CHILD)
    wait_until(lambda: one.check_start())
    grandchild = int(started.printed())
    os.kill(one.pid, signal.SIGKILL)
    wait_until(one.watch)
    assert not is_running(grandchild)


def test_one_that_ends_before_it_is_ready_is_told_with_its_last_lines(started: Started) -> None:
    one = started("raise SystemExit('the disk is full')")
    wait_until(lambda: not is_running(one.pid))
    with pytest.raises(ClusterError, match=r"(?s)one ended with 1\..*one\.log.*the disk is full"):
        one.check_start()


def test_one_that_does_not_stop_is_killed(started: Started) -> None:
    one = started(STUBBORN, stop_timeout_s=0.2)
    wait_until(one.check_start)
    one.stop()
    assert not is_running(one.pid) and "does not stop" in started.said[-1]


def test_one_that_is_frozen_stops_in_order(started: Started) -> None:
    one = started("import time; print('ready', flush=True); time.sleep(600)")
    wait_until(one.check_start)
    os.kill(one.pid, signal.SIGSTOP)
    one.stop()
    assert not is_running(one.pid) and started.said == []
