"""Finds 468 points on a face with Google's Face Mesh (Kartynnik et al. 2019, arXiv 1907.06724)."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from webapp.protocol import Region
from webapp.vision.crop import bounding_patch, warp_crop
from webapp.vision.model_files import FACE_MESH, read_model
from webapp.vision.regions import Detection, region_from_detection, region_matrix
from webapp.vision.tflite_model import TFLiteModel

INPUT_SIDE = 192
POINTS = 468

SMOOTHING = 1.5
"""The blur of a smooth look, as a standard deviation in pixels of the input."""


QUALITY_TEMPERATURE = 10.0
"""What the logit is divided by for `quality`; with 5, faces with a quarter covered had 0.98 and more."""


class Landmarks(NamedTuple):
    """The points of one face.

    `points` is (468, 2) float32 in pixels of the picture, `depth` (468,) float32 in the same unit, smaller
    nearer to the camera, 0 about the middle of the head. `presence` is the network's own probability that
    there is a face at all; decisions rest on it. `score` says how well the face is seen, see `quality`.
    """

    points: NDArray[np.float32]
    depth: NDArray[np.float32]
    presence: float
    score: float


class FaceLandmarker:
    """The loaded network; `threads` is the number of cores that one run may take."""

    def __init__(self, threads: int = 1) -> None:
        self._network = TFLiteModel(read_model(FACE_MESH), threads)

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
        part, from_part = bounding_patch(image, matrix, INPUT_SIDE, margin=1)
        cut = warp_crop(np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2BGRA), np.uint8), from_part, INPUT_SIDE)
        if smooth:
            cut = np.asarray(cv2.GaussianBlur(cut, (0, 0), SMOOTHING), np.uint8)
        rgb = cv2.cvtColor(cut, cv2.COLOR_BGRA2RGB)
        np.multiply(rgb, np.float32(1 / 255), out=self._network.input_view()[0])
        mesh, logit = self._network.run()
        return _placed(mesh.reshape(POINTS, 3), matrix, region.size / INPUT_SIDE, float(logit.item()))


def _placed(mesh: NDArray[np.float32], matrix: NDArray[np.float64], scale: float, logit: float) -> Landmarks:
    """The mesh, in pixels of the network's input, brought back to the picture."""
    points = mesh[:, :2] @ matrix[:, :2].T.astype(np.float32) + matrix[:, 2].astype(np.float32)
    return Landmarks(points, mesh[:, 2] * scale, _probability(logit), quality(logit))


def quality(logit: float) -> float:
    """How well a face is seen, 0 to 1, from the logit of the mesh's presence: the sigmoid of a part of it.

    A clear face has a logit of 30 to 45, which the plain sigmoid makes 1.0 like any other above 10. Two
    portraits have 0.96 and 0.99; with the lower quarter covered 0.87 and 0.95, with nearly half of it 0.71
    and 0.82; blurred by 6% of the face's width 0.75 and 0.69. What is just taken for a face has 0.5.
    """
    return _probability(logit / QUALITY_TEMPERATURE)


def _probability(logit: float) -> float:
    return 1 / (1 + math.exp(-max(logit, -100.0)))  # exp(1000) is an error
