from __future__ import annotations

import numpy as np
import pytest

from models.train.frames import FAULTS, HEIGHT, WIDTH, cut_by_server, framed
from tests.train.data_files import astronaut_face, noise


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_leaves_a_frame_and_is_the_same_each_time(fault: str) -> None:
    first, again = (FAULTS[fault](astronaut_face(), np.random.default_rng(1)) for _ in range(2))
    assert first.shape == (HEIGHT, WIDTH, 3)
    assert first.dtype == np.uint8
    assert (first == again).all()
    if fault != "JPEG of quality 20":  # made when the frame is encoded
        assert (first != framed(astronaut_face())).any()


def test_the_server_cuts_faces_upright_and_finds_none_in_noise() -> None:
    faces = np.stack([astronaut_face(), *noise(1)])
    plain, found = cut_by_server(faces, None)
    turned, _ = cut_by_server(faces, "turned 20 degrees")
    assert found.tolist() == [True, False]
    assert np.corrcoef(plain[0].ravel(), turned[0].ravel())[0, 1] > 0.9
