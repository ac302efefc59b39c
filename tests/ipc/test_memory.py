"""Memory that goes back to the system."""

from __future__ import annotations

import gc
import os
import platform
import subprocess
import sys
from collections.abc import Iterator

import pytest

from webapp.ipc.memory import keep_what_exists

FREED = """
import gc, sys, time
from pathlib import Path
from webapp.ipc import memory
gc.disable()

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

before = resident_mb()
pieces = [bytes([number % 256]) * 100_000 for number in range(1000)]
last = pieces.pop()  # lies behind the others
pieces.append(pieces)  # is garbage that has to be searched for
del pieces
kept = resident_mb() - before
memory.TRIM_INTERVAL_S = 0.1
trimmer = memory.MemoryTrimmer()
trimmer.start()
end_s = time.monotonic() + 30
while resident_mb() - before > 10 and time.monotonic() < end_s:
    time.sleep(0.05)
trimmer.stop()
print(kept, resident_mb() - before)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or platform.libc_ver()[0] != "glibc",
    reason="other C libraries have their own way",
)
def test_a_process_gives_back_what_it_used() -> None:
    run = subprocess.run(
        [sys.executable, "-c", FREED], capture_output=True, text=True, check=True, env=os.environ.copy()
    )
    kept_mb, left_mb = map(float, run.stdout.split())
    assert kept_mb > 50, "or there was nothing to give back"
    assert left_mb < 10


@pytest.fixture
def unfrozen() -> Iterator[None]:
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("unfrozen")
def test_what_exists_at_the_start_takes_no_part_in_the_search_for_garbage() -> None:
    held = [object() for _ in range(10)]
    keep_what_exists()
    assert gc.get_freeze_count() > 10_000, "modules, functions and classes"
    assert not any(one is held for one in gc.get_objects())
    late: list[object] = []
    assert any(one is late for one in gc.get_objects()), "what comes later does"


@pytest.mark.usefixtures("unfrozen")
def test_the_search_begins_where_it_was_off_while_the_process_loaded() -> None:
    gc.disable()
    keep_what_exists()
    is_on = gc.isenabled()
    gc.enable()
    assert is_on
