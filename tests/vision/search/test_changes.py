from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.vision.images import FACE, astronaut, shipped
from webapp.protocol import Region
from webapp.vision.search.changes import MARGIN_INTERVAL_S, RECHECK_S, SEARCHES, SceneChanges
from webapp.vision.search.tiles import tile

SIZES = [(640, 480), (480, 640), (1920, 1080), (320, 240)]


def scene(width: int = 640, height: int = 480) -> NDArray[np.uint8]:
    """A wall with a cup, as a camera that stands still sees it."""
    return np.asarray(cv2.resize(shipped("coffee"), (width, height)), np.uint8)


def with_face(frame: NDArray[np.uint8], x: int, y: int, side: int) -> NDArray[np.uint8]:
    """A face of so many pixels in this corner."""
    left, top, width, height = (int(value) for value in FACE)
    face = astronaut()[top : top + height, left : left + width]
    changed = frame.copy()
    changed[y : y + side, x : x + side] = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    return changed


def noisy(frame: NDArray[np.uint8], seed: int, deviation: float = 10.0) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).normal(0, deviation, frame.shape)
    return np.clip(frame + noise, 0, 255).astype(np.uint8)


def watched(frame: NDArray[np.uint8], *regions: Region) -> SceneChanges:
    """Where this has been searched often enough."""
    changes = SceneChanges()
    assert all(searched(changes, frame, 0.0, *regions) for _ in range(SEARCHES))
    return changes


def searched(changes: SceneChanges, frame: NDArray[np.uint8], t: float, *regions: Region) -> bool:
    changes.see(frame, regions, t)
    return changes.is_due("whole")


@pytest.mark.parametrize("size", SIZES)
def test_a_still_scene_is_searched_a_few_times_and_then_now_and_then(size: tuple[int, int]) -> None:
    changes, frame = SceneChanges(), scene(*size)
    due = [number / 10 for number in range(91) if searched(changes, frame, number / 10)]
    assert due == pytest.approx([*(number / 10 for number in range(SEARCHES)), RECHECK_S, 2 * RECHECK_S])


def test_noise_and_compression_are_no_change() -> None:
    changes = watched(noisy(scene(), 1))
    assert not any(searched(changes, noisy(scene(), seed), 0.1) for seed in range(2, 8))
    encoded = cv2.imencode(".jpg", scene(), (cv2.IMWRITE_JPEG_QUALITY, 40))[1]
    assert not searched(changes, np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8), 0.1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("place", [(0, 0), (0.4, 0.3), (0.93, 0.93)])
def test_a_small_face_that_appears_is_a_change_wherever_it_is(
    size: tuple[int, int], place: tuple[float, float]
) -> None:
    frame = scene(*size)
    changes = watched(frame)
    x, y, side = round(place[0] * size[0]), round(place[1] * size[1]), round(max(size) / 32)
    due = [searched(changes, with_face(frame, x, y, side), 0.1 * number) for number in range(1, 7)]
    assert due == [True] * SEARCHES + [False] * (6 - SEARCHES)


TILES = [tile(640, 480, number) for number in range(6)]


def test_tiles_are_searched_in_turn_and_then_only_the_one_that_changed() -> None:
    changes, frame = SceneChanges(), scene()
    found = []
    for number in range(6 * SEARCHES + 2):
        changes.see(frame, (), 0.05 * number)
        found.append(changes.next_tile(TILES))
    assert found == [*TILES * SEARCHES, None, None]
    changes.see(with_face(frame, 10, 10, 24), (), 1.0)
    assert [changes.next_tile(TILES) for _ in range(SEARCHES + 1)] == [TILES[0]] * SEARCHES + [None]


def test_a_tile_in_which_somebody_appears_does_not_wait_for_those_that_always_change() -> None:
    changes = SceneChanges()
    for number in range(40):
        frame = with_face(scene(), 400 + 4 * number % 160, 300, 60)  # somebody walks below on the right
        changes.see(frame, (), 0.05 * number)
        changes.next_tile(TILES)
    changes.see(with_face(frame, 10, 10, 24), (), 2.0)
    assert changes.next_tile(TILES) == TILES[0]


def test_every_tile_has_its_turn_while_one_changes_all_the_time() -> None:
    changes, taken = SceneChanges(), []
    for number in range(60):
        frame = with_face(scene(), 10 + 8 * number % 120, 10, 60)
        changes.see(frame, (), 0.1 * number)
        taken.append(changes.next_tile(TILES))
    assert all(taken.count(each) >= SEARCHES for each in TILES)
    assert taken.count(TILES[0]) > 30


def test_what_is_searched_in_different_ways_is_remembered_apart() -> None:
    changes = watched(scene())
    assert not changes.is_due("whole")
    assert [changes.is_due("second look", searches=1) for _ in range(3)] == [True, False, False]


def test_a_tracked_face_may_move_and_one_that_comes_beside_it_is_a_change() -> None:
    frame, tracked = scene(), Region(0.3, 0.35, 0.25, 0.4)
    changes = watched(with_face(frame, 140, 170, 100), tracked)
    assert not searched(changes, with_face(frame, 146, 175, 100), 0.1, tracked)
    both = with_face(with_face(frame, 146, 175, 100), 300, 200, 60)
    assert searched(changes, both, 0.2, tracked)


def test_what_moves_with_a_tracked_face_counts_for_little() -> None:
    """Its hair, or somebody behind it: 20 pixels beside a region of 160."""
    frame, tracked = with_face(scene(), 140, 170, 100), Region(0.3, 0.35, 0.25, 0.0)
    beside = with_face(frame, 92, 170, 20)
    changes = watched(frame, tracked)
    due = [searched(changes, beside, 0.1 * number, tracked) for number in range(1, 12)]
    assert due == [0.1 * number == MARGIN_INTERVAL_S for number in range(1, 12)]
    changes = watched(frame, tracked)
    assert searched(changes, with_face(frame, 62, 170, 20), 0.1, tracked)


def test_a_face_that_has_left_its_region_uncovers_what_was_behind_it() -> None:
    frame = scene()
    changes = watched(with_face(frame, 140, 170, 100), Region(0.3, 0.35, 0.25, 0.0))
    assert searched(changes, with_face(frame, 440, 170, 100), 0.1, Region(0.77, 0.35, 0.25, 0.0))


TRACKED = Region(0.3, 0.35, 0.25, 0.0)
"""Of a face of 100 pixels with its corner at (140, 170)."""


def visited(changes: SceneChanges, t: float) -> None:
    """Somebody comes, is found and tracked, and is searched around until nothing changes."""
    assert searched(changes, with_face(scene(), 140, 170, 100), t)
    for number in range(1, 10):
        searched(changes, with_face(scene(), 140 + number, 170, 100), t + 0.1 * number, TRACKED)


def test_a_scene_that_was_there_before_is_not_searched_again_until_it_is_due() -> None:
    changes = watched(scene())
    visited(changes, 1.0)
    due = [t / 10 for t in range(20, 80) if searched(changes, noisy(scene(), 1), t / 10)]
    assert due == [2.0 + RECHECK_S]


def test_a_scene_that_was_searched_less_often_before_is_searched_again() -> None:
    changes = SceneChanges()
    assert searched(changes, scene(), 0.0)
    visited(changes, 1.0)
    assert [searched(changes, scene(), 2.0 + t) for t in (0.0, 0.1, 0.2, 0.3)] == [True, True, True, False]


def test_a_scene_with_a_face_is_searched_again_when_it_is_seen_again() -> None:
    """As in pictures that take turns: the face is found in each, so it is looked for in each."""
    changes, pictures = SceneChanges(), [with_face(scene(), x, 170, 100) for x in (140, 440)]
    for number in range(12):
        shown = pictures[number % 2]
        assert searched(changes, shown, float(number))
        for step in range(1, 10):
            searched(changes, shown, number + 0.1 * step, Region(0.3 + 0.47 * (number % 2), 0.35, 0.25, 0.0))


def test_a_tile_before_which_somebody_passed_is_not_searched_again() -> None:
    changes = SceneChanges()
    for number in range(60):
        changes.see(scene(), (), 0.05 * number)
        changes.next_tile(TILES)
    changes.see(with_face(scene(), 140, 170, 100), (), 2.0)
    assert changes.next_tile(TILES) is not None
    changes.see(with_face(scene(), 140, 170, 100), (TRACKED,), 2.1)
    changes.see(scene(), (), 2.5)
    assert changes.next_tile(TILES) is None


def test_where_nobody_was_found_is_known_as_soon_as_everybody_has_left() -> None:
    changes, face = SceneChanges(), with_face(scene(), 140, 170, 100)
    changes.see(scene(), (), 0.0)
    assert changes.is_due("second look", searches=1)
    changes.see(face, (TRACKED,), 1.0)
    assert not changes.is_empty("second look")
    changes.see(scene(), (TRACKED,), 6.0)
    assert changes.is_empty("second look")
    changes.see(scene(), (), 6.1)
    assert not changes.is_due("second look", searches=1)


def test_a_scene_in_which_a_second_look_found_somebody_is_not_empty() -> None:
    changes, face = SceneChanges(), with_face(scene(), 140, 170, 100)
    changes.see(face, (), 0.0)
    assert changes.is_due("second look", searches=1)
    changes.see(face, (TRACKED,), 0.1)
    assert not changes.is_empty("second look")


def test_slow_changes_add_up() -> None:
    frame = scene()
    changes = watched(frame)
    darker = [np.asarray(frame * np.float32(1 - 0.01 * step), np.uint8) for step in range(20)]
    due = [searched(changes, one, 0.02 * step) for step, one in enumerate(darker)]
    assert not due[1] and any(due[2:])


def test_a_frame_of_another_size_and_an_earlier_time_are_searched() -> None:
    changes = watched(scene())
    assert searched(changes, scene(480, 640), 0.1)
    assert searched(changes, scene(480, 640), -1.0)
