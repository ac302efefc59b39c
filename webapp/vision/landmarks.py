"""Finds 468 points on a face with Google's Face Mesh (Kartynnik et al. 2019, arXiv 1907.06724)."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from webapp.protocol import Region
from webapp.vision.crop import bounding_patch, warp_color_crop
from webapp.vision.model_files import FACE_MESH, read_model
from webapp.vision.regions import Detection, region_from_detection, region_matrix
from webapp.vision.tflite_model import TFLiteModel

INPUT_SIDE = 192
POINTS = 468

BLUR = 1.5
"""The standard deviation of the blur against noise, in pixels of the input."""

QUALITY_TEMPERATURE = 10.0
"""The divisor of the logit in `quality`; with 5, faces with a quarter covered had 0.98 and more."""


class Landmarks(NamedTuple):
    """The points of one face.

    `points` is (468, 2) float32 in pixels of the image, `depth` (468,) float32 in the same unit, smaller
    nearer to the camera and 0 near the center of the head. `presence` is the network's own probability that
    there is a face at all, which decisions are based on. `score` says how visible the face is, see `quality`.
    """

    points: NDArray[np.float32]
    depth: NDArray[np.float32]
    presence: float
    score: float


class FaceLandmarker:
    """The loaded network; one thread calls it. `threads` is the number of cores that one run may use."""

    def __init__(self, threads: int = 1) -> None:
        self._model = TFLiteModel(read_model(FACE_MESH), threads)

    def landmarks(self, image: NDArray[np.uint8], where: Detection | Region, blur: bool = False) -> Landmarks:
        """Find the points of the face at `where`, a detection or a region predicted from the last frame.

        Args:
            image: (height, width, 3) uint8, BGR.
            where: the face; its region may extend beyond the edge of the image.
            blur: whether to blur the face first, against noise.
        """
        region = region_from_detection(where) if isinstance(where, Detection) else where
        matrix = region_matrix(region, INPUT_SIDE)
        patch, from_patch = bounding_patch(image, matrix, INPUT_SIDE, margin=1)
        rgb = warp_color_crop(patch, from_patch, INPUT_SIDE)
        if blur:
            rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), BLUR), np.uint8)
        np.multiply(rgb, np.float32(1 / 255), out=self._model.input_view()[0])
        mesh, logit = self._model.run()
        return _in_image(mesh.reshape(POINTS, 3), matrix, region.size / INPUT_SIDE, float(logit.item()))


def _in_image(
    mesh: NDArray[np.float32], matrix: NDArray[np.float64], scale: float, logit: float
) -> Landmarks:
    """The mesh, in pixels of the network's input, mapped back to the image."""
    points = mesh[:, :2] @ matrix[:, :2].T.astype(np.float32) + matrix[:, 2].astype(np.float32)
    return Landmarks(points, mesh[:, 2] * scale, _probability(logit), quality(logit))


def quality(logit: float) -> float:
    """How visible a face is, 0 to 1, from the logit of the mesh's presence: the sigmoid of a fraction of it.

    A clear face has a logit of 30 to 45, for which the plain sigmoid is 1.0, as for any above 10. Two
    portraits have 0.96 and 0.99; with the lower quarter covered 0.87 and 0.95, with nearly half of it 0.71
    and 0.82; blurred by 6% of the face's width 0.75 and 0.69. At the threshold of `presence` it is 0.5.
    """
    return _probability(logit / QUALITY_TEMPERATURE)


def _probability(logit: float) -> float:
    return 1 / (1 + math.exp(-max(logit, -100.0)))  # exp(1000) is an error
