from __future__ import annotations

import os
import subprocess
import sys

import pytest

from webapp.config import PROJECT_ROOT

SHOW = """
import os, sys, threading
from webapp.jobs.work.main import lower_priority
lower_priority(int(sys.argv[1]))
thread = threading.Thread(target=lambda: print(os.sched_getscheduler(0), os.nice(0)))
thread.start()
thread.join()
"""
"""Prints the policy and the niceness of a thread that is started later, as those of libraries are."""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have niceness alone")
@pytest.mark.parametrize(
    ("niceness", "policy"), [(19, "SCHED_IDLE"), (10, "SCHED_OTHER"), (0, "SCHED_OTHER")]
)
def test_the_lowest_priority_gives_way_to_live_frames_at_once(niceness: int, policy: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", SHOW, str(niceness)],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == [str(getattr(os, policy)), str(niceness)]
