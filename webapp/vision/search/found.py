"""The faces that are found in one image, step by step, before they are classified."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from webapp.protocol import Pose, Region

CLEAR_SCORE = 0.8
"""Beside other faces one with a lower score is looked at again, as is done where no face is found.

In a made video a cup between two people was taken for a face, with scores of 0.54 to 0.77. A face alone in
the image needs no second look.
"""


class FoundFace(NamedTuple):
    """Everything known of a face but its expression, in pixels of the whole image.

    `crop` is the input of the classifier, `corners` (2, 2) float32 the lowest and highest x and y.
    """

    corners: NDArray[np.float32]
    region: Region
    score: float
    landmarks: str
    pose: Pose
    crop: NDArray[np.uint8]

    def surrounds(self, point: NDArray[np.floating[Any]]) -> bool:
        """Whether this point is in it, the nose of another mesh or the center of another detection.

        A small detection within a large face leads the mesh to the same face again: 4 times in 428 images.
        """
        low, high = self.corners
        return bool((low < point).all() and (point < high).all())


class FoundFaces:
    """The faces found so far, each of them once; one thread uses it.

    With `replace`, a face that is not clear gives way to a clear one within it. A photograph is searched from
    coarse to fine, and the mesh sometimes sees a large face, with a score of 0.55, where small ones are.
    """

    def __init__(self, replace: bool = False) -> None:
        self._faces: list[FoundFace] = []
        self._min_hiding_score = CLEAR_SCORE if replace else 0.0

    def __len__(self) -> int:
        return len(self._faces)

    def __iter__(self) -> Iterator[FoundFace]:
        """From left to right."""
        return iter(sorted(self._faces, key=lambda face: float(face.corners[0, 0])))

    def hide(self, point: NDArray[np.floating[Any]]) -> bool:
        """Whether what is found at a point is one of these faces."""
        return any(face.score >= self._min_hiding_score and face.surrounds(point) for face in self._faces)

    def admits(self, score: float, nose: NDArray[np.floating[Any]]) -> bool:
        """Whether a face with this score and the tip of its nose here is none of these, or replaces them."""
        return not self.hide(nose) and (
            score >= self._min_hiding_score or not any(face.surrounds(nose) for face in self._faces)
        )

    def add(self, face: FoundFace, nose: NDArray[np.floating[Any]]) -> None:
        """Add a face that is admitted."""
        self._faces = [other for other in self._faces if not other.surrounds(nose)]
        self._faces.append(face)
