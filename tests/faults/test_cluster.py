"""The short form of what the fault suite does to several nodes."""

from __future__ import annotations

from tests.faults.outcome import check
from tests.faults.scenarios.cluster import SMALL, run

SECONDS = 3.0


def test_participants_of_a_killed_node_are_back_and_what_was_stored_is_there() -> None:
    check(run(SECONDS, SMALL, slower=20))
