from __future__ import annotations

import pytest

from webapp.vision.search.tiles import OVERLAP_FRACTION, tile

SIZES = [(640, 480), (480, 640), (1280, 720), (320, 240), (1, 1), (1, 4000), (4000, 1), (3, 2)]


def test_six_tiles_make_a_camera_picture() -> None:
    tiles = [tile(640, 480, number) for number in range(7)]
    assert tiles[0] == (0, 0, 320)
    assert tiles[5] == (320, 160, 320)
    assert tiles[6] == tiles[0]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_small_square_lies_whole_within_a_tile(width: int, height: int) -> None:
    tiles = [tile(width, height, number) for number in range(12)]
    face = max(width, height) * OVERLAP_FRACTION * 0.9
    steps = [part / 20 for part in range(21)]
    for x in (max(0.0, width - face) * step for step in steps):
        for y in (max(0.0, height - face) * step for step in steps):
            right, low = min(width, x + face), min(height, y + face)
            assert any(
                left <= x and top <= y and right <= left + side and low <= top + side
                for left, top, side in tiles
            )


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_tile_has_pixels(width: int, height: int) -> None:
    for number in range(12):
        x, y, side = tile(width, height, number)
        assert 0 <= x < width and 0 <= y < height and side > 0
