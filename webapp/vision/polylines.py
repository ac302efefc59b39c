"""The named polylines of a face, as indices into Google's face mesh.

A closed line ends at the point where it begins. Left and right are the person's own.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import orjson
from numpy.typing import NDArray

from webapp.protocol import LANDMARK_NAMES

_INDICES: Mapping[str, Sequence[int]] = {
    # from the outer corner along the lower lid to the inner one, and back along the upper lid
    "left_eye": [263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466, 263],
    "right_eye": [33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246, 33],
    # from the outer end along the upper edge to the inner one, and back along the lower edge
    "left_eyebrow": [300, 293, 334, 296, 336, 285, 295, 282, 283, 276, 300],
    "right_eyebrow": [70, 63, 105, 66, 107, 55, 65, 52, 53, 46, 70],
    # down the bridge to the tip, then round the wings and under the nostrils back to the tip
    "nose": [168, 6, 197, 195, 5, 4, 45, 220, 115, 48, 64, 98, 97, 2, 326, 327, 294, 278, 344, 440, 275, 4],
    # from the right corner along the lower lip to the left one, and back along the upper lip
    "mouth_outer": [
        *[61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291],
        *[409, 270, 269, 267, 0, 37, 39, 40, 185, 61],
    ],
    "mouth_inner": [
        *[78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308],
        *[415, 310, 311, 312, 13, 82, 81, 80, 191, 78],
    ],
    # from the top of the forehead down the left side to the chin, and up the right side
    "face_oval": [
        *[10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152],
        *[148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109, 10],
    ],
}

POLYLINES: Mapping[str, NDArray[np.intp]] = {
    name: np.array(_INDICES[name], np.intp) for name in LANDMARK_NAMES
}


_ALL_INDICES = np.concatenate(list(POLYLINES.values()))
_ENDS = list(itertools.accumulate(map(len, POLYLINES.values()), initial=0))


def polylines(points: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
    """The polylines of a face with these (468, 2) points: (n, 2) each, in pixels rounded to a tenth."""
    ordered = points[_ALL_INDICES].astype(np.float64).round(1)
    ends = itertools.pairwise(_ENDS)
    return {name: ordered[start:end] for name, (start, end) in zip(POLYLINES, ends, strict=True)}


def polylines_json(points: NDArray[np.float32]) -> str:
    """The same in the JSON of the wire contract."""
    return orjson.dumps(polylines(points), option=orjson.OPT_SERIALIZE_NUMPY).decode()
