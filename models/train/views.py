"""Geometric views of a face: how it lies in its crop, apart from light and corruptions.

A view is kept by its numbers, so that teacher and student can be shown exactly the same geometry
("a good teacher is patient and consistent", Beyer et al. 2022, arXiv 2106.05237).
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

Face = NDArray[np.uint8]
Random = np.random.Generator

VIEW_NUMBERS = 5


class Geometry(Protocol):
    """The limits of random views; `scale` (in the logarithm) and `shift` are fractions of the face's side."""

    @property
    def rotation_degrees(self) -> float: ...  # noqa: D102

    @property
    def scale(self) -> float: ...  # noqa: D102

    @property
    def shift(self) -> float: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class View:
    """One view: rotated and scaled about the center, then shifted by fractions of the side.

    A mirrored view is mirrored before it is rotated.
    """

    rotation_degrees: float = 0.0
    scale: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    mirrored: bool = False

    def as_row(self) -> NDArray[np.float32]:
        """(5,) float32 numbers, from which `from_row` makes the view again."""
        return np.array(astuple(self), np.float32)

    @classmethod
    def from_row(cls, row: NDArray[np.float32]) -> View:
        """The view that `as_row` wrote."""
        rotation, scale, x, y, mirrored = row.tolist()
        return cls(rotation, scale, x, y, mirrored > 0.5)

    def matrix(self, side: int) -> NDArray[np.float64]:
        """The (2, 3) affine map from the face's pixels to the view's, both `side` pixels wide."""
        angle = np.radians(self.rotation_degrees)
        along, across = self.scale * np.cos(angle), self.scale * np.sin(angle)
        linear = np.array([[along, -across], [across, along]])
        if self.mirrored:
            linear[:, 0] *= -1
        center = np.full(2, (side - 1) / 2)
        moved = center + np.array([self.shift_x, self.shift_y]) * side
        return np.hstack([linear, (moved - linear @ center)[:, None]])


UPRIGHT, MIRRORED = View(), View(mirrored=True)


def random_view(limits: Geometry, random: Random) -> View:
    """A view within these limits, mirrored half of the time."""
    return View(
        random.uniform(-limits.rotation_degrees, limits.rotation_degrees),
        float(np.exp(random.uniform(-limits.scale, limits.scale))),
        random.uniform(-limits.shift, limits.shift),
        random.uniform(-limits.shift, limits.shift),
        bool(random.random() < 0.5),
    )


def render(face: Face, view: View, side: int) -> Face:
    """A view of a square grey face as (side, side) uint8; beyond the edge its last pixels repeat."""
    if face.shape[0] != side:
        how = cv2.INTER_AREA if side < face.shape[0] else cv2.INTER_CUBIC
        face = np.asarray(cv2.resize(face, (side, side), interpolation=how), np.uint8)
    if view == UPRIGHT:
        return face
    matrix = view.matrix(side)
    return np.asarray(cv2.warpAffine(face, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE), np.uint8)
