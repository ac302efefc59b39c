from __future__ import annotations

import math

import numpy as np
import pytest

from tests.helpers.faces import probabilities
from webapp.analysis.smoothing import DEADBAND, SmoothedProbabilities, mixed, variation
from webapp.protocol import LABELS, Probabilities

NEUTRAL, HAPPY = probabilities("neutral"), probabilities("happy")
FRAME_S = 1 / 15


def test_after_one_time_constant_a_change_counts_to_63_percent_less_the_deadband() -> None:
    changed = SmoothedProbabilities.first(NEUTRAL).moved(HAPPY, 0.5, smoothing_s=0.5)
    assert changed.recent["happy"] == pytest.approx(1 - math.exp(-1))
    assert changed.shown["happy"] == pytest.approx(1 - math.exp(-1) - DEADBAND, abs=0.02)
    assert sum(changed.shown.values()) == pytest.approx(1)


def test_the_recent_mean_does_not_depend_on_the_frame_rate() -> None:
    recent = []
    for frames in (5, 50):
        smoothed = SmoothedProbabilities.first(NEUTRAL)
        for _ in range(frames):
            smoothed = smoothed.moved(HAPPY, 0.5 / frames, smoothing_s=0.4)
        recent.append(smoothed.recent["happy"])
    assert recent[0] == pytest.approx(recent[1])


def test_small_changes_hardly_show_and_large_ones_show_at_once() -> None:
    little = mixed(NEUTRAL, HAPPY, 0.9 * DEADBAND)
    for raw, low, high in ((little, 0.0, 0.02), (HAPPY, 0.5, 1.0)):
        smoothed = SmoothedProbabilities.first(NEUTRAL)
        for _ in range(4):
            smoothed = smoothed.moved(raw, FRAME_S, smoothing_s=0.12)
        assert low <= smoothed.shown["happy"] <= high


def test_in_the_end_what_is_shown_is_what_is_seen() -> None:
    smoothed = SmoothedProbabilities.first(NEUTRAL)
    for _ in range(200):
        smoothed = smoothed.moved(HAPPY, FRAME_S, smoothing_s=0.12)
    assert smoothed.shown["happy"] > 0.98


@pytest.mark.parametrize("seed", range(5))
def test_a_label_stays_while_two_expressions_are_nearly_as_likely_and_noisy(seed: int) -> None:
    random = np.random.default_rng(seed)
    smoothed, labels = SmoothedProbabilities.first(noisy(random)), []
    for _ in range(150):
        smoothed = smoothed.moved(noisy(random), FRAME_S, smoothing_s=0.12)
        labels.append(max(smoothed.shown, key=lambda label: smoothed.shown[label]))
    assert sum(before != after for before, after in zip(labels[30:], labels[31:], strict=False)) <= 1


def test_without_smoothing_what_is_shown_is_what_was_seen() -> None:
    assert SmoothedProbabilities.first(NEUTRAL).moved(HAPPY, 0.0, smoothing_s=0.0).shown == HAPPY


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
