"""The short form of what the fault suite does to a participant's network."""

from __future__ import annotations

import pytest

from tests.faults.outcome import check
from tests.faults.scenarios.network import run

SECONDS = 4.0


@pytest.mark.parametrize("way", ["drop", "stall"])
def test_a_participant_whose_network_was_cut_comes_back_as_who_they_were(way: str) -> None:
    check(run(SECONDS, way, slower=10))
