"""The short form of fuzzing, without coverage; `make faults FAULTS=fuzz` lets atheris search."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faults.fuzz.corpus import seeds
from tests.faults.fuzz.targets import TARGETS

SEEDS = {name: seeds(name) for name in TARGETS}

Changes = list[tuple[int, bytes, int]]

CHANGES = st.lists(
    st.tuples(st.integers(0, 1 << 16), st.binary(max_size=8), st.integers(0, 8)), min_size=1, max_size=6
)
"""Places, what is put there, and how many bytes it replaces."""


def changed(seed: bytes, changes: Changes) -> bytes:
    """A seed after some changes."""
    for place, put, replaced in changes:
        at = place % (len(seed) + 1)
        seed = seed[:at] + put + seed[at + replaced :]
    return seed


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_is_read_or_refused(name: str) -> None:
    for seed in SEEDS[name]:
        TARGETS[name](seed)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_changed_seeds_are_read_or_refused(name: str, data: st.DataObject) -> None:
    seed = data.draw(st.sampled_from(SEEDS[name]))
    TARGETS[name](changed(seed, data.draw(CHANGES)))


@pytest.mark.parametrize("name", TARGETS)
@given(noise=st.binary(max_size=400))
def test_noise_is_read_or_refused(name: str, noise: bytes) -> None:
    TARGETS[name](noise)
