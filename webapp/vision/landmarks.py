"""Finds 468 points on a face with Google's Face Mesh (Kartynnik et al. 2019, arXiv 1907.06724)."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from webapp.protocol import Region
from webapp.vision.crop import part_below, warped
from webapp.vision.model_files import FACE_MESH, read_model
from webapp.vision.regions import Detection, region_from_detection, region_matrix
from webapp.vision.tflite_model import Network

INPUT_SIDE = 192
POINTS = 468

SMOOTHING = 1.5
"""The blur of a smooth look, as a standard deviation in pixels of the input."""


class Landmarks(NamedTuple):
    """The points of one face.

    `points` is (468, 2) float32 in pixels of the picture, `depth` (468,) float32 in the same unit, smaller
    nearer to the camera, 0 about the middle of the head. `score` says how surely there is a face at all.
    """

    points: NDArray[np.float32]
    depth: NDArray[np.float32]
    score: float


class FaceLandmarker:
    """The loaded network; `threads` is the number of cores that one run may take."""

    def __init__(self, threads: int = 1) -> None:
        self._network = Network(read_model(FACE_MESH), threads)

    def landmarks(
        self, image: NDArray[np.uint8], where: Detection | Region, smooth: bool = False
    ) -> Landmarks:
        """Find the points of the face at `where`, a detection or a region known from the frame before.

        Args:
            image: (height, width, 3) uint8, BGR.
            where: the face; its region may reach over the edge of the picture.
            smooth: whether to blur the face before, against noise.
        """
        region = region_from_detection(where) if isinstance(where, Detection) else where
        matrix = region_matrix(region, INPUT_SIDE)
        part, from_part = part_below(image, matrix, INPUT_SIDE, margin=1)
        cut = warped(np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2BGRA), np.uint8), from_part, INPUT_SIDE)
        if smooth:
            cut = np.asarray(cv2.GaussianBlur(cut, (0, 0), SMOOTHING), np.uint8)
        rgb = cv2.cvtColor(cut, cv2.COLOR_BGRA2RGB)
        np.multiply(rgb, np.float32(1 / 255), out=self._network.input_view()[0])
        mesh, logit = self._network.run()
        return _placed(mesh.reshape(POINTS, 3), matrix, region.size / INPUT_SIDE, float(logit.item()))


def _placed(mesh: NDArray[np.float32], matrix: NDArray[np.float64], scale: float, logit: float) -> Landmarks:
    """The mesh, in pixels of the network's input, brought back to the picture."""
    points = mesh[:, :2] @ matrix[:, :2].T.astype(np.float32) + matrix[:, 2].astype(np.float32)
    return Landmarks(points, mesh[:, 2] * scale, _probability(logit))


def _probability(logit: float) -> float:
    return 1 / (1 + math.exp(-max(logit, -100.0)))  # exp(1000) is an error
