from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.faces import face, probabilities
from webapp.errors import BadFrameError, FrameError, TooLargeError
from webapp.protocol import (
    LABELS,
    MAX_IMAGE_BYTES,
    MAX_SMOOTHING_S,
    Frame,
    with_probabilities,
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("shown", "valence"),
    [
        ({"happy": 0.7, "angry": 0.1, "sad": 0.2}, 0.5),
        ({"neutral": 1.0}, 0.0),
        ({"fear": 0.9, "happy": 0.1}, -0.8),
        ({"surprise": 0.6, "disgust": 0.4}, -0.4),
    ],
)
def test_valence_is_happy_minus_the_largest_of_the_negative_expressions(
    shown: dict[str, float], valence: float
) -> None:
    everything = {label: shown.get(label, 0.0) for label in LABELS}
    assert replace(face(), probabilities=everything).valence == pytest.approx(valence)


def test_the_named_expression_is_that_of_the_smoothed_probabilities() -> None:
    smoothed = with_probabilities(face(expression="happy"), probabilities("sad", 0.6), face_id=3)
    assert (smoothed.id, smoothed.expression, smoothed.confidence) == (3, "sad", 0.6)
    assert smoothed.raw_probabilities == probabilities("happy")


@given(st.integers(min_value=0), st.floats(allow_nan=False, allow_infinity=False), st.binary(min_size=1))
def test_a_valid_frame_is_taken_as_it_is(seq: int, captured_ms: float, image: bytes) -> None:
    frame = Frame.from_wire({"seq": seq, "captured_ms": captured_ms}, image)
    assert frame == Frame(seq, captured_ms, image)


@pytest.mark.parametrize("smoothing_s", [0, 0.5, MAX_SMOOTHING_S])
def test_a_frame_may_choose_its_smoothing(smoothing_s: float) -> None:
    meta = {"seq": 1, "captured_ms": 0.0, "smoothing_s": smoothing_s}
    assert Frame.from_wire(meta, b"image").smoothing_s == smoothing_s


@pytest.mark.parametrize("smoothing_s", [-0.1, 5.1, float("nan"), "calm", True, []])
def test_any_other_smoothing_is_a_bad_frame(smoothing_s: object) -> None:
    with pytest.raises(BadFrameError, match="smoothing_s must be a number from 0 to 5"):
        Frame.from_wire({"seq": 1, "captured_ms": 0.0, "smoothing_s": smoothing_s}, b"image")


@given(ANYTHING, ANYTHING)
def test_whatever_else_comes_is_a_frame_or_a_problem(meta: object, image: object) -> None:
    try:
        assert isinstance(Frame.from_wire(meta, image), Frame)
    except FrameError as problem:
        assert str(problem)


def test_an_image_with_too_many_bytes_is_too_large() -> None:
    meta = {"seq": 1, "captured_ms": 0.0}
    assert Frame.from_wire(meta, bytes(MAX_IMAGE_BYTES)).image
    with pytest.raises(TooLargeError, match="2,000,001"):
        Frame.from_wire(meta, bytes(MAX_IMAGE_BYTES + 1))


def test_the_models_labels_are_the_contracts() -> None:
    labels = Path(__file__).resolve().parent.parent / "models" / "labels.json"
    assert tuple(json.loads(labels.read_text())) == LABELS


def test_what_is_said_of_a_wrong_meta_is_short_however_long_its_keys_are() -> None:
    with pytest.raises(BadFrameError) as refused:
        Frame.from_wire({"x" * 1_000_000: 1}, b"image")
    assert len(str(refused.value)) < 300
