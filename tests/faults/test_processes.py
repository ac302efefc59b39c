"""The short form of what the fault suite does to processes."""

from __future__ import annotations

from tests.faults.outcome import check
from tests.faults.scenarios.workers_and_store import run

SECONDS = 9.0

SLOW_MACHINE_RESULTS, SLOW_MACHINE_ANSWER_MS = 0.01, 30_000
"""How many frames get a result, and how soon, depends on the machine; `make faults` has the true limits."""


def test_killed_and_frozen_workers_and_a_killed_store_cost_no_connection_and_no_sample() -> None:
    check(run(SECONDS, SLOW_MACHINE_RESULTS, SLOW_MACHINE_ANSWER_MS))
