"""The start page's loop moves, repeats, is small, and has a still for people who want less motion."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.browser import sample_loop


def test_the_loop_and_its_still_are_small_and_of_one_size() -> None:
    loop, still = (sample_loop.IMAGES / name for name in ("live-loop.avif", "live-still.webp"))
    assert loop.stat().st_size <= sample_loop.MAX_LOOP_BYTES
    assert still.stat().st_size <= 20_000
    with Image.open(loop) as moving, Image.open(still) as standing:
        assert moving.size == standing.size == sample_loop.SIZE
        assert getattr(moving, "n_frames", 1) == sample_loop.PERIOD_S * sample_loop.FRAMES_PER_S
        assert getattr(standing, "n_frames", 1) == 1


def test_the_loop_gets_poorer_until_it_is_small_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2, 60, 80, 3), np.uint8)
    frames = [Image.fromarray(frame) for frame in noise]
    good = sample_loop.small_loop(frames)
    monkeypatch.setattr(sample_loop, "MAX_LOOP_BYTES", len(good) - 1)
    assert len(sample_loop.small_loop(frames)) < len(good)
    monkeypatch.setattr(sample_loop, "MAX_LOOP_BYTES", 100)
    with pytest.raises(sample_loop.TooLargeError, match="expected at most 100"):
        sample_loop.small_loop(frames)
