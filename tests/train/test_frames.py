from __future__ import annotations

import numpy as np
import pytest

from models.train.frames import CORRUPTIONS, HEIGHT, WIDTH, crop_by_server, framed
from tests.train.data_files import astronaut_face, noise


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_a_corruption_leaves_a_frame_and_is_the_same_each_time(corruption: str) -> None:
    first, again = (CORRUPTIONS[corruption](astronaut_face(), np.random.default_rng(1)) for _ in range(2))
    assert first.shape == (HEIGHT, WIDTH, 3)
    assert first.dtype == np.uint8
    assert (first == again).all()
    if corruption != "JPEG of quality 20":  # made when the frame is encoded
        assert (first != framed(astronaut_face())).any()


def test_the_server_crops_faces_upright_and_finds_none_in_noise() -> None:
    faces = np.stack([astronaut_face(), *noise(1)])
    plain, found = crop_by_server(faces, None)
    rotated, _ = crop_by_server(faces, "rotated 20 degrees")
    assert found.tolist() == [True, False]
    assert np.corrcoef(plain[0].ravel(), rotated[0].ravel())[0, 1] > 0.9
