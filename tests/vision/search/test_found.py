from __future__ import annotations

import numpy as np

from webapp.protocol import Pose, Region
from webapp.vision.search.found import FoundFace, FoundFaces


def face(x: float, y: float, width: float, score: float) -> FoundFace:
    return FoundFace(
        corners=np.array([[x, y], [x + width, y + width]], np.float32),
        region=Region(x, y, width, 0.0),
        score=score,
        landmarks="{}",
        pose=Pose(0, 0, 0),
        crop=np.zeros((48, 48), np.uint8),
    )


def nose(of: FoundFace) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.asarray(of.corners.mean(axis=0), np.float32)


def admitted(faces: FoundFaces, *offered: FoundFace) -> list[FoundFace]:
    """The faces that are left when these were offered in turn."""
    for each in offered:
        if faces.admits(each.score, nose(each)):
            faces.add(each, nose(each))
    return list(faces)


LARGE_DOUBTFUL, LARGE_CLEAR = face(0, 0, 1000, 0.55), face(0, 0, 1000, 0.95)
SMALL_CLEAR, SMALL_DOUBTFUL = face(600, 500, 44, 0.9), face(600, 500, 44, 0.7)


def test_faces_come_from_left_to_right() -> None:
    right, left = face(500, 0, 50, 0.9), face(10, 0, 50, 0.9)
    assert admitted(FoundFaces(), right, left) == [left, right]


def test_in_a_frame_the_first_face_in_a_place_stays() -> None:
    assert admitted(FoundFaces(), LARGE_DOUBTFUL, SMALL_CLEAR) == [LARGE_DOUBTFUL]


def test_in_a_photograph_a_doubtful_face_gives_way_to_a_clear_one_within_it() -> None:
    assert admitted(FoundFaces(replace=True), LARGE_DOUBTFUL, SMALL_CLEAR) == [SMALL_CLEAR]


def test_in_a_photograph_a_clear_face_stays_and_a_doubtful_one_gives_way_to_no_other() -> None:
    assert admitted(FoundFaces(replace=True), LARGE_CLEAR, SMALL_CLEAR) == [LARGE_CLEAR]
    assert admitted(FoundFaces(replace=True), LARGE_DOUBTFUL, SMALL_DOUBTFUL) == [LARGE_DOUBTFUL]


def test_what_a_clear_face_surrounds_is_not_looked_at_again() -> None:
    for replace in (False, True):
        faces = FoundFaces(replace)
        faces.add(LARGE_CLEAR, nose(LARGE_CLEAR))
        assert faces.hide(nose(SMALL_CLEAR)) and not faces.hide(np.array([2000.0, 10.0]))
