"""Varies faces as webcams do: light, sharpness, noise, compression, and what hides a part of them.

Everything works on one grey face of uint8 with OpenCV and takes about 70 microseconds on one core, so that
a thread beside the training keeps up with it. `views` varies how a face lies.
"""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np

from models.train.settings import Settings
from models.train.views import Face, Random, random_view, render

SMALLEST_SIDE = 18
"""Faces are shrunk to at least this many pixels, and enlarged again."""

MASKED = 0.3
"""How many of the cut-out faces lose all below the nose or mouth, as behind a mask or a hand."""


class Lighting(Protocol):
    """The limits of random light, as `Settings` has them."""

    @property
    def light(self) -> float: ...  # noqa: D102

    @property
    def contrast(self) -> float: ...  # noqa: D102


def vary(face: Face, settings: Settings, random: Random) -> Face:
    """A new image of the same face: (48, 48) uint8 to the same, the given one untouched."""
    return corrupt(render(face, random_view(settings, random), face.shape[0]), settings, random)


def corrupt(face: Face, settings: Settings, random: Random) -> Face:
    """The same view of a face in other light, perhaps partly hidden, perhaps with corruptions."""
    varied = lit(face, settings, random)
    if random.random() < settings.cutout_rate:
        varied = cut_out(varied, random)
    for change in (blurred, shrunk, dimmed, noisy, compressed):
        if random.random() < settings.corruption_rate:
            varied = change(varied, random)
    return varied


def lit(face: Face, settings: Lighting, random: Random) -> Face:
    """Another exposure, contrast and gamma, as one table over the grey values."""
    contrast = np.exp(random.uniform(-settings.contrast, settings.contrast))
    gamma = np.exp(random.uniform(-settings.contrast, settings.contrast))
    center = 128 + random.uniform(-settings.light, settings.light) * 128
    grey = 255 * np.linspace(0, 1, 256) ** gamma
    table = np.clip((grey - 128) * contrast + center, 0, 255).astype(np.uint8)
    return np.asarray(table[face], np.uint8)


def blurred(face: Face, random: Random) -> Face:
    """Out of focus."""
    return np.asarray(cv2.GaussianBlur(face, (0, 0), random.uniform(0.4, 1.4)), np.uint8)


def shrunk(face: Face, random: Random) -> Face:
    """As a small face enlarged, in half of the cases out of a JPEG."""
    side, small = face.shape[0], int(random.integers(SMALLEST_SIDE, face.shape[0]))
    reduced = np.asarray(cv2.resize(face, (small, small), interpolation=cv2.INTER_AREA), np.uint8)
    if random.random() < 0.5:
        reduced = _jpeg(reduced, int(random.integers(70, 95)))
    return np.asarray(cv2.resize(reduced, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)


def dimmed(face: Face, random: Random) -> Face:
    """With little light: a tenth to a half of it."""
    return np.asarray(face * np.float32(np.exp(random.uniform(np.log(0.1), np.log(0.5)))), np.uint8)


def noisy(face: Face, random: Random) -> Face:
    """As a sensor in the dark."""
    noise = random.standard_normal(face.shape, np.float32) * random.uniform(2, 24)
    return np.clip(face + noise, 0, 255).astype(np.uint8)


def compressed(face: Face, random: Random) -> Face:
    """Through a JPEG of low quality."""
    return _jpeg(face, int(random.integers(15, 70)))


def cut_out(face: Face, random: Random) -> Face:
    """Cutout (DeVries and Taylor 2017, arXiv 1708.04552): an even patch over up to a quarter of the face.

    Or one over all below the nose or the mouth, as of a mask.
    """
    side = face.shape[0]
    result = face.copy()
    if random.random() < MASKED:
        result[random.integers(side * 5 // 9, side * 8 // 9) :] = random.integers(0, 256)
        return result
    height, width = random.integers(side // 6, side // 2, 2)
    top, left = random.integers(0, side - height), random.integers(0, side - width)
    result[top : top + height, left : left + width] = random.integers(0, 256)
    return result


def _jpeg(face: Face, quality: int) -> Face:
    encoded = cv2.imencode(".jpg", face, (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)
