"""The short form of what the fault suite does to processes."""

from __future__ import annotations

from tests.faults.outcome import check
from tests.faults.recording import SLOW_MACHINE
from tests.faults.scenarios.workers_and_store import run

SECONDS = 9.0


def test_killed_and_frozen_workers_and_a_killed_store_cost_no_connection_and_no_sample() -> None:
    check(run(SECONDS, SLOW_MACHINE))
