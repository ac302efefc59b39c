from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.faces import probabilities
from webapp.analysis.quality import MIN_QUALITY
from webapp.analysis.smoothing import (
    DEADBAND,
    MIN_PROBABILITY,
    SmoothedProbabilities,
    mixed,
    pooled,
    variation,
)
from webapp.protocol import LABELS, Probabilities

NEUTRAL, HAPPY = probabilities("neutral"), probabilities("happy")
LIKELY_NEUTRAL, LIKELY_HAPPY = probabilities("neutral", 0.7), probabilities("happy", 0.7)
FRAME_S, SMOOTHING_S = 1 / 15, 0.12
CLEAR, POOR = 1.0, MIN_QUALITY

Frame = tuple[Probabilities, float, float]
"""Raw probabilities, quality, and the time since the frame before."""

WEIGHTS = st.lists(st.floats(0, 1), min_size=len(LABELS), max_size=len(LABELS)).filter(
    lambda of: sum(of) > 0.01
)
DISTRIBUTIONS = WEIGHTS.map(lambda of: {label: w / sum(of) for label, w in zip(LABELS, of, strict=True)})
FRAMES = st.tuples(DISTRIBUTIONS, st.floats(MIN_QUALITY, 1), st.floats(0, 5))


def after(frames: Iterable[Frame], smoothing_s: float = SMOOTHING_S) -> SmoothedProbabilities:
    """The state after these frames of one face."""
    (raw, quality, _), *rest = frames
    smoothed = SmoothedProbabilities.first(raw, quality)
    for raw, quality, elapsed_s in rest:
        smoothed = smoothed.moved(raw, quality, elapsed_s, smoothing_s)
    return smoothed


def named(shown: Probabilities) -> str:
    return max(shown, key=lambda label: shown[label])


def test_after_one_time_constant_a_change_counts_to_63_percent_less_the_deadband() -> None:
    """In log space: the logarithm of the odds has gone 63% of its way."""
    changed = after([(LIKELY_NEUTRAL, CLEAR, 0), (LIKELY_HAPPY, CLEAR, 0.5)], smoothing_s=0.5)
    whole = math.log(0.7 / 0.05)
    odds = math.log(changed.recent["happy"] / changed.recent["neutral"])
    assert (odds + whole) / (2 * whole) == pytest.approx(1 - math.exp(-1))
    assert variation(changed.shown, changed.recent) == pytest.approx(DEADBAND, abs=0.02)


def test_the_recent_mean_does_not_depend_on_the_frame_rate() -> None:
    recent = [
        after([(NEUTRAL, CLEAR, 0), *[(HAPPY, CLEAR, 0.3 / frames)] * frames], 0.4).recent["happy"]
        for frames in (5, 50)
    ]
    assert recent[0] == pytest.approx(recent[1])


def test_small_changes_hardly_show_and_large_ones_show_at_once() -> None:
    little = mixed(NEUTRAL, HAPPY, 0.9 * DEADBAND)
    for raw, low, high in ((little, 0.0, 0.02), (HAPPY, 0.5, 1.0)):
        smoothed = after([(NEUTRAL, CLEAR, 0), *[(raw, CLEAR, FRAME_S)] * 4])
        assert low <= smoothed.shown["happy"] <= high


def test_in_the_end_what_is_shown_is_what_is_seen() -> None:
    assert after([(NEUTRAL, CLEAR, 0), *[(HAPPY, POOR, FRAME_S)] * 200]).shown["happy"] > 0.96


@given(DISTRIBUTIONS, st.floats(0.01, 1), st.floats(MIN_QUALITY, 1))
def test_a_steady_face_converges_to_its_probabilities(
    raw: Probabilities, smoothing_s: float, quality: float
) -> None:
    steady = after([(NEUTRAL, CLEAR, 0), *[(raw, quality, smoothing_s)] * 300], smoothing_s)
    assert variation(steady.recent, raw) < MIN_PROBABILITY * len(LABELS)
    assert variation(steady.shown, steady.recent) < 0.001


@given(st.lists(FRAMES, min_size=1, max_size=20), st.sampled_from([0.0, 0.05, 0.12, 1.0, 5.0]))
def test_probabilities_sum_to_1_whatever_is_seen(frames: list[Frame], smoothing_s: float) -> None:
    smoothed = after(frames, smoothing_s)
    for values in (smoothed.recent, smoothed.shown):
        assert sum(values.values()) == pytest.approx(1)
        assert min(values.values()) >= 0


@given(FRAMES)
def test_the_first_frame_of_a_face_is_shown_as_it_is(frame: Frame) -> None:
    assert after([frame]).shown == frame[0]


@given(st.floats(MIN_QUALITY, 0.9), st.integers(1, 10))
def test_a_poor_frame_moves_the_mean_less_than_a_clear_one(quality: float, clear_frames: int) -> None:
    before = [(LIKELY_NEUTRAL, CLEAR, FRAME_S)] * clear_frames
    moved = [
        variation(after([*before, (LIKELY_HAPPY, of, FRAME_S)]).recent, LIKELY_NEUTRAL)
        for of in (quality, CLEAR)
    ]
    assert 0 < moved[0] < moved[1]


def test_a_blurred_frame_between_clear_ones_changes_no_name_where_a_clear_one_does() -> None:
    steady: list[Frame] = [(LIKELY_NEUTRAL, CLEAR, FRAME_S)] * 10
    for quality, expected in ((POOR, "neutral"), (CLEAR, "happy")):
        odd: list[Frame] = [(HAPPY, quality, FRAME_S)] * 2
        assert named(after([*steady, *odd]).shown) == expected


def test_a_poor_first_frame_is_outweighed_by_the_clear_ones_that_follow() -> None:
    seen: list[Frame] = [(LIKELY_HAPPY, POOR, 0), (LIKELY_NEUTRAL, CLEAR, FRAME_S)]
    assert named(after(seen).shown) == "neutral"


@pytest.mark.parametrize("frames_per_s", [5, 10, 15, 30])
@pytest.mark.parametrize(("quality", "within_s"), [(CLEAR, 0.2), (0.5, 0.3), (POOR, 0.6)])
def test_a_real_change_is_named_in_time_at_any_rate(
    frames_per_s: int, quality: float, within_s: float
) -> None:
    """From clear frames to frames of this quality; the first frame may already be late by one frame."""
    frame_s = 1 / frames_per_s
    steady: list[Frame] = [(LIKELY_NEUTRAL, CLEAR, frame_s)] * frames_per_s
    change: list[Frame] = [(LIKELY_HAPPY, quality, frame_s)] * math.ceil(within_s / frame_s)
    assert named(after([*steady, *change]).shown) == "happy"


@pytest.mark.parametrize("quality", [CLEAR, POOR])
def test_after_a_stall_the_newest_frame_counts_alone(quality: float) -> None:
    stalled = after([(LIKELY_NEUTRAL, CLEAR, 0), (LIKELY_HAPPY, quality, 3.0)])
    assert variation(stalled.recent, LIKELY_HAPPY) < 0.001
    assert named(stalled.shown) == "happy"


def test_a_frame_at_the_time_of_another_changes_nothing() -> None:
    once = after([(LIKELY_NEUTRAL, CLEAR, 0)])
    assert variation(once.moved(HAPPY, CLEAR, 0.0, SMOOTHING_S).shown, LIKELY_NEUTRAL) < 1e-9


@pytest.mark.parametrize("seed", range(5))
def test_a_label_stays_while_two_expressions_are_nearly_as_likely_and_noisy(seed: int) -> None:
    random = np.random.default_rng(seed)
    smoothed, labels = SmoothedProbabilities.first(noisy(random), CLEAR), []
    for _ in range(150):
        smoothed = smoothed.moved(noisy(random), CLEAR, FRAME_S, SMOOTHING_S)
        labels.append(named(smoothed.shown))
    assert sum(before != after for before, after in zip(labels[30:], labels[31:], strict=False)) <= 1


def test_without_smoothing_what_is_shown_is_what_was_seen() -> None:
    assert after([(NEUTRAL, CLEAR, 0), (HAPPY, POOR, 0)], smoothing_s=0.0).shown == HAPPY


def test_a_pool_is_the_normalized_geometric_mean() -> None:
    old, new = probabilities("sad", 0.4), probabilities("fear", 0.7)
    half = {label: math.sqrt(old[label] * new[label]) for label in LABELS}
    assert pooled(old, new, 0.5) == pytest.approx({of: half[of] / sum(half.values()) for of in LABELS})
    assert pooled(old, new, 1.0) == pytest.approx(new)


def test_no_single_frame_rules_an_expression_out() -> None:
    assert NEUTRAL["happy"] == 0
    assert pooled(LIKELY_HAPPY, NEUTRAL, 0.1)["happy"] > 0.5


def test_the_variation_of_two_distributions_is_0_to_1() -> None:
    assert variation(HAPPY, HAPPY) == 0
    assert variation(HAPPY, NEUTRAL) == 1


def noisy(random: np.random.Generator) -> Probabilities:
    """Sad at 0.42 and neutral at 0.47, each with a noise of 0.07."""
    weights = dict.fromkeys(LABELS, 0.022) | {"sad": 0.42, "neutral": 0.47}
    raw = {
        label: max(0.0, weight + random.normal(0, 0.07) * (weight > 0.1)) for label, weight in weights.items()
    }
    return {label: value / sum(raw.values()) for label, value in raw.items()}
