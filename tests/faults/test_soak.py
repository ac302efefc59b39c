"""The short form of the soak test: too short for small leaks, but not for descriptors and restarts."""

from __future__ import annotations

import pytest

from tests.faults.memory import Footprint
from tests.faults.outcome import check
from tests.faults.scenarios.soak import growth_of, run

SECONDS, CAPACITY_S = 20.0, 4.0
GROSS_GROWTH, SLOW_MACHINE_P95_RATIO, SLOW_MACHINE_RESULTS = 0.5, 100.0, 0.2


@pytest.mark.slow
def test_a_steady_load_leaves_no_descriptors_and_restarts_nothing() -> None:
    check(run(SECONDS, GROSS_GROWTH, SLOW_MACHINE_P95_RATIO, SLOW_MACHINE_RESULTS, CAPACITY_S))


def test_growth_counts_from_the_end_of_the_first_sixth() -> None:
    memory_mb = [50.0] * 5 + [100.0] * 20 + [110.0] * 5
    footprints = [Footprint({"server": mb}, {"server": 9}) for mb in memory_mb]
    assert growth_of(footprints) == {"server": pytest.approx(0.1)}
