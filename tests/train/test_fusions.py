from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.train.fusion_scores import Fused, delays, fuse, measure, named
from models.train.fusions import (
    BEFORE,
    FUSIONS,
    SERVED,
    SINGLE,
    Fusion,
    Observation,
    Observed,
    by_pose,
    by_sharpness,
    by_size,
)
from tests.helpers.faces import face, probabilities
from webapp.analysis.tracker import Tracker
from webapp.protocol import LABELS

RATE = 10
HAPPY, SAD = LABELS.index("happy"), LABELS.index("sad")


def seen(expression: str, score: float = 0.95, track: int = 1) -> Observation:
    return Observation(track, probabilities(expression, 0.8), score, sharpness=0.6, width=100, yaw=0.0)


def clean(expression: str) -> list[float]:
    return list(probabilities(expression, 0.8).values())


def happy_then_sad(*frames: Observation | None) -> Observed:
    return Observed((HAPPY, SAD), (clean("happy"), clean("sad")), frames)


def expressions(fusion: Fusion, *frames: Observation | None) -> list[str]:
    return [LABELS[index] if index >= 0 else "" for index in named(fusion.fuse(frames, RATE))]


def test_the_served_way_is_what_the_tracker_does() -> None:
    random, tracker = np.random.default_rng(1), Tracker(SERVED.smoothing_s)
    frames = [
        seen(str(random.choice(LABELS)), random.random()) if random.random() < 0.8 else None
        for _ in range(30)
    ]
    ours = SERVED.fuse(frames, RATE)
    for number, (row, frame) in enumerate(zip(ours, frames, strict=True)):
        if frame is None:
            continue
        found = replace(face(score=frame.score), raw_probabilities=frame.raw)
        (shown,) = tracker.update([found], number / RATE)
        assert row.tolist() == pytest.approx([shown.probabilities[label] for label in LABELS])


@pytest.mark.parametrize("fusion", FUSIONS, ids=lambda fusion: fusion.title)
def test_a_steady_face_keeps_its_name_and_a_new_track_starts_anew(fusion: Fusion) -> None:
    frames = [seen("happy"), None, seen("happy"), seen("sad", track=2)]
    assert expressions(fusion, *frames) == ["happy", "", "happy", "sad"]


def test_ways_differ_in_what_a_poor_frame_does() -> None:
    frames = [*[seen("happy")] * 5, seen("sad", score=0.5)]
    assert expressions(SINGLE, *frames)[-1] == "sad"
    assert expressions(BEFORE, *frames, frames[-1])[-1] == "sad"
    assert expressions(SERVED, *frames, frames[-1])[-1] == "happy"


@pytest.mark.parametrize(
    ("quality", "poor"),
    [(by_sharpness, {"sharpness": 0.1}), (by_size, {"width": 10}), (by_pose, {"yaw": -50})],
)
def test_a_quality_is_low_where_little_is_seen(quality: object, poor: dict[str, float]) -> None:
    assert callable(quality)
    clear = Observation(1, {}, score=0.95, sharpness=0.6, width=100, yaw=5)
    values = {"score": 0.95, "sharpness": 0.6, "width": 100.0, "yaw": 5.0} | poor
    assert quality(Observation(1, {}, **values)) < 0.2 < quality(clear)


def test_measures_of_a_sequence_that_is_named_right_but_for_one_frame() -> None:
    frames = [*[seen("happy")] * 3, seen("fear"), *[seen("happy")] * 2, None, *[seen("sad")] * 3]
    figures = measure(fuse([happy_then_sad(*frames)], 6, SINGLE, RATE), np.full(7, 1 / 7))
    assert figures.recall == pytest.approx(5 / 6)
    assert figures.accuracy == pytest.approx(5 / 6 / 7)
    assert figures.as_clean == pytest.approx(8 / 9)
    assert figures.flicker == pytest.approx(2 / 5 * RATE)
    assert figures.delay_ms == pytest.approx(100)  # its first frame is lost
    assert figures.distance == pytest.approx((0.8 - 0.2 / 6) / 6)


def test_a_delay_is_counted_only_where_the_name_is_to_change() -> None:
    steady = Observed((HAPPY, SAD), (clean("happy"), clean("happy")), [seen("happy")] * 8)
    never = happy_then_sad(*[seen("happy")] * 4, *[None] * 4)
    change = happy_then_sad(*[seen("happy")] * 4, *[seen("sad")] * 4)
    fused: Fused = fuse([steady, never, change, change], 4, BEFORE, RATE)
    assert np.isnan(delays(fused)).tolist() == [True, True, False, False]
    assert delays(fused.take(np.array([2]))).tolist() == delays(fused)[2:3].tolist() == [1.0]
