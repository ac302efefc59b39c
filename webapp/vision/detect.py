"""Finds faces with Google's BlazeFace (Bazarevsky et al. 2019, arXiv 1907.05047).

The network's input is a square image; its output, for each anchor in each cell of one or two grids, is a
score, and a box and six keypoints relative to the center of the cell, in pixels of its input. There are two
networks: one for the full range of distances, and one for faces so near that they fill the view.

Of the two full-range networks the sparse one is used: it takes 3.5 ms, the dense one 4.3, and at the score
below it finds 98% of single faces of 42 pixels in 640 x 480 (50 frames; the dense one 74%), in groups of up
to five 83% of those of 50 to 75 pixels (245 faces; dense 86%) and nearly all that are larger. It has false
positives (in 44 of 500 images without a face); the face mesh, which runs next on each detection, rejected
all.

The short-range network runs when the other finds nothing, and takes 1.4 ms more: of 400 FER2013 faces
enlarged to 260 pixels in 640 x 480 the first finds 93%, both together 98.5%. Its image is shrunk by area
means, which average out a sensor's noise: of 299 such faces under noise with a standard deviation of 25 it
then finds 99%, but 12% when the image is shrunk by bilinear sampling (the full-range one 63%).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from webapp.protocol import Box
from webapp.vision.model_files import CLOSE_FACE_DETECTOR, FACE_DETECTOR, ModelFile, read_model
from webapp.vision.regions import Detection
from webapp.vision.tflite_model import TFLiteModel

KEYPOINTS = 6

MIN_OVERLAP = 0.3
"""Boxes that overlap more than this (intersection over union) show the same face."""


class DetectorSpec(NamedTuple):
    """One of the networks: its input's `side` in pixels, its `grids` as (cells per side, anchors per cell).

    Below `min_score` false positives pass the face mesh too, and weak boxes displace those of true faces.
    `interpolation` is how OpenCV shrinks an image for it.
    """

    file: ModelFile
    side: int
    grids: tuple[tuple[int, int], ...]
    min_score: float
    interpolation: int

    def centers(self) -> NDArray[np.float32]:
        """(n, 2) float32: the center of each anchor's cell, x and y in pixels of the input."""
        return np.concatenate([self._centers(*grid) for grid in self.grids])

    def _centers(self, cells: int, anchors: int) -> NDArray[np.float32]:
        rows, columns = np.mgrid[:cells, :cells].reshape(2, -1)
        centers = (np.stack([columns, rows], axis=1) + 0.5) * (self.side / cells)
        return np.repeat(centers, anchors, axis=0).astype(np.float32)


FULL_RANGE = DetectorSpec(FACE_DETECTOR, 192, ((48, 1),), 0.4, cv2.INTER_LINEAR)
SHORT_RANGE = DetectorSpec(CLOSE_FACE_DETECTOR, 128, ((16, 2), (8, 6)), 0.5, cv2.INTER_AREA)


class FaceDetector:
    """The loaded network; one thread calls it. `threads` is the number of cores that one run may use."""

    def __init__(self, spec: DetectorSpec = FULL_RANGE, threads: int = 1) -> None:
        self._model = TFLiteModel(read_model(spec.file), threads)
        self._side = spec.side
        self._centers = spec.centers()
        self._min_score = spec.min_score
        self._interpolation = spec.interpolation
        self._canvas = np.zeros((spec.side, spec.side, 3), np.uint8)

    def detect(self, image: NDArray[np.uint8], min_score: float | None = None) -> list[Detection]:
        """Find the faces in a (height, width, 3) BGR image, the most confident first.

        `min_score`, 0 to 1, replaces the default of the network.
        """
        scale = self._feed(image)
        boxes, logits = (output[0] for output in self._model.run())
        likely = np.flatnonzero(logits[:, 0] > _logit(min_score or self._min_score))
        if likely.size == 0:
            return []
        scores = 1 / (1 + np.exp(-logits[likely, 0]))
        merged, merged_scores = non_maximum_suppression(_decode(boxes[likely], self._centers[likely]), scores)
        return [
            _detection(row / scale, float(score)) for row, score in zip(merged, merged_scores, strict=True)
        ]

    def _feed(self, image: NDArray[np.uint8]) -> float:
        """Write the image to the network's input, whole and with its aspect ratio; return its scale there.

        For the full range, bilinear shrinking finds the same faces in good images as area means do, in 0.06
        ms instead of 1.0.
        """
        height, width = image.shape[:2]
        scale: float = self._side / max(height, width)
        inner = (max(1, round(width * scale)), max(1, round(height * scale)))
        self._canvas[inner[1] :] = 0
        self._canvas[:, inner[0] :] = 0
        cv2.resize(image, inner, dst=self._canvas[: inner[1], : inner[0]], interpolation=self._interpolation)
        rgb = cv2.cvtColor(self._canvas, cv2.COLOR_BGR2RGB)
        view = self._model.input_view()[0]
        np.multiply(rgb, np.float32(1 / 127.5), out=view)
        view -= 1
        return scale


def non_maximum_suppression(
    rows: NDArray[np.float32], scores: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weighted non-maximum suppression: merge all detections of a face into their mean, weighted by score.

    Args:
        rows: (n, 16) float32, each left, top, right, bottom, then six keypoints x, y.
        scores: (n,) float32.

    Returns:
        (m, 16) merged rows and the (m,) best score of each, highest first. For two boxes of the same face
        with scores 0.9 and 0.6 that is one row, 0.6 of the way from the second to the first.
    """
    order = np.argsort(-scores, kind="stable")
    rows, scores = rows[order], scores[order]
    overlaps = _overlaps(rows[:, :4]) > MIN_OVERLAP
    left = np.ones(len(rows), bool)
    merged, best = [], []
    while left.any():
        first = int(left.argmax())
        same = overlaps[first] & left
        same[first] = True  # even a box without area, which overlaps nothing
        weights = scores[same, None]
        merged.append((rows[same] * weights).sum(axis=0) / weights.sum())
        best.append(scores[first])
        left &= ~same
    return np.array(merged), np.array(best)


def _overlaps(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """The (n, n) intersections over unions of (n, 4) boxes left, top, right, bottom."""
    low = np.maximum(corners[:, None, :2], corners[None, :, :2])
    high = np.minimum(corners[:, None, 2:], corners[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = np.clip(corners[:, 2:] - corners[:, :2], 0, None).prod(axis=1)
    overlaps: NDArray[np.float32] = shared / np.maximum(areas[:, None] + areas[None] - shared, 1e-6)
    return overlaps


def _decode(raw: NDArray[np.float32], centers: NDArray[np.float32]) -> NDArray[np.float32]:
    """The network's (n, 16) outputs for these anchors as corners and keypoints in pixels of its input."""
    points = raw.reshape(-1, 2 + KEYPOINTS, 2).copy()
    half = points[:, 1] / 2
    points[:, 1] = points[:, 0] + half
    points[:, 0] -= half
    return (points + centers[:, None]).reshape(-1, raw.shape[1])


def _detection(row: NDArray[np.float32], score: float) -> Detection:
    left, top, right, bottom = row[:4].tolist()
    return Detection(Box(left, top, right - left, bottom - top), score, row[4:].reshape(KEYPOINTS, 2))


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability))
