"""Which face of a frame is the participant's own.

A camera may see more faces than one: somebody looks over a shoulder, or five people share a webcam. One face
of each frame counts as the participant's, the *main* face: of those in the frame the one with the greatest
weight in its recording (with equal weights the one with the lower number). The weight of a face is

    sum of the areas of its boxes / max(its frames, MIN_FRAMES), rounded to whole square pixels

which is the mean size of a face that was tracked for a while; somebody who passes by close to the camera
weighs less. A face is what one `face_id` of one participant in one recording stands for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from webapp.export.codebook import COLUMN_INDEX
from webapp.export.tables import Row

PARTICIPANT, FACE = COLUMN_INDEX["participant"], COLUMN_INDEX["face_id"]
WIDTH, HEIGHT = COLUMN_INDEX["FaceRectWidth"], COLUMN_INDEX["FaceRectHeight"]

MIN_FRAMES = 25
"""Five seconds at five frames a second: a face that was tracked for less weighs less."""

Weights: TypeAlias = Mapping[tuple[str, int], int]
"""The weight of each face of a recording, by participant and `face_id`."""


def main_face_weights(faces: Iterable[tuple[str, int, float, int]]) -> dict[tuple[str, int], int]:
    """The weights of faces, each given as participant, `face_id`, summed area and number of frames."""
    return {
        (participant_id, face_id): round(area / max(frames, MIN_FRAMES))
        for participant_id, face_id, area, frames in faces
    }


class FaceSizes:
    """Adds up the faces of a recording while its exported rows pass by; one thread uses it."""

    def __init__(self) -> None:
        self._areas: Counter[tuple[str, int]] = Counter()
        self._frames: Counter[tuple[str, int]] = Counter()

    def add(self, row: Row) -> None:
        """Take a row that has a face."""
        face = row[PARTICIPANT], row[FACE]
        self._areas[face] += row[WIDTH] * row[HEIGHT]
        self._frames[face] += 1

    def weights(self) -> Weights:
        """The weights of the faces so far."""
        return main_face_weights((*face, area, self._frames[face]) for face, area in self._areas.items())


def main_face(faces: Sequence[Row], weights: Weights) -> Row:
    """The main one of a frame's exported rows, each of which has a face."""
    if len(faces) == 1:
        return faces[0]
    return max(faces, key=lambda row: (weights.get((row[PARTICIPANT], row[FACE]), 0), -row[FACE]))
