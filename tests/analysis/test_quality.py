from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.analysis.quality import CLEAR_SCORE, HIDDEN_SCORE, MIN_QUALITY, frame_quality

SCORES = st.floats(0, 1)


@pytest.mark.parametrize(
    ("score", "expected"),
    [(0.0, MIN_QUALITY), (HIDDEN_SCORE, MIN_QUALITY), (0.7, 0.55), (CLEAR_SCORE, 1.0), (1.0, 1.0)],
)
def test_quality_rises_with_the_score(score: float, expected: float) -> None:
    assert frame_quality(score) == pytest.approx(expected)


@given(SCORES, SCORES)
def test_a_better_score_is_never_a_worse_quality(first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert MIN_QUALITY <= frame_quality(low) <= frame_quality(high) <= 1
