from __future__ import annotations

import pytest

from tests.helpers.faces import face
from webapp.analysis.tracker import FORGET_AFTER_S, Tracker, distance


def ids(tracker: Tracker, xs: list[float], now_s: float) -> list[int]:
    return [found.id for found in tracker.update([face(x=x) for x in xs], now_s)]


def test_a_face_that_moves_keeps_its_id() -> None:
    tracker = Tracker(smoothing_s=0.0)
    assert [ids(tracker, [100 + 20 * step], 0.1 * step) for step in range(10)] == [[1]] * 10


def test_two_faces_keep_their_ids_when_their_order_in_the_list_changes() -> None:
    tracker = Tracker(smoothing_s=0.0)
    assert ids(tracker, [100, 400], 0.0) == [1, 2]
    assert ids(tracker, [400, 100], 0.1) == [2, 1]


def test_a_newcomer_gets_an_id_that_was_never_used() -> None:
    tracker = Tracker(smoothing_s=0.0)
    assert ids(tracker, [100, 400], 0.0) == [1, 2]
    assert ids(tracker, [400], 0.1) == [2]
    assert ids(tracker, [400, 800], 5.0) == [3, 4]


@pytest.mark.parametrize(("gone_s", "expected"), [(0.5 * FORGET_AFTER_S, [1]), (2 * FORGET_AFTER_S, [2])])
def test_an_id_waits_a_while_for_its_face_to_come_back(gone_s: float, expected: list[int]) -> None:
    tracker = Tracker(smoothing_s=0.0)
    ids(tracker, [100], 0.0)
    ids(tracker, [], 0.1)
    assert ids(tracker, [110], gone_s) == expected


def test_a_stall_without_any_frame_costs_no_id() -> None:
    tracker = Tracker(smoothing_s=0.0)
    assert ids(tracker, [100], 0.0) + ids(tracker, [100], 2.0) == [1, 1]


def test_faces_that_pass_one_another_keep_their_ids() -> None:
    """One walks to the right and one to the left; between two results each moves by half a face."""
    tracker = Tracker(smoothing_s=0.0)
    seen = [ids(tracker, [100 + 40 * step, 500 - 40 * step], 0.1 * step) for step in range(11)]
    assert seen == [[1, 2]] * 11


def test_a_face_is_tracked_to_where_it_is_moving() -> None:
    tracker = Tracker(smoothing_s=0.0)
    for step in range(20):
        tracker.update([face(x=100 + 10 * step)], 0.05 * step, image_width=640)
    (region,) = tracker.regions(1.05)
    assert region.x * 640 == pytest.approx(face(x=310).region.x, abs=2)
    assert region.size * 640 == pytest.approx(face().region.size)


def test_a_lost_face_is_not_tracked() -> None:
    tracker = Tracker(smoothing_s=0.0)
    ids(tracker, [100], 0.0)
    assert len(tracker.regions(0.1)) == 1
    ids(tracker, [], 0.1)
    assert tracker.regions(0.1) == ()


def test_an_overtaken_result_without_a_face_does_not_lose_it() -> None:
    tracker = Tracker(smoothing_s=0.0)
    ids(tracker, [100], 1.0)
    ids(tracker, [], 0.9)
    assert len(tracker.regions(1.1)) == 1


def test_a_frame_that_was_sent_before_a_face_was_found_does_not_lose_it() -> None:
    """Two frames are under way: the second went without the region of the face that the first one shows."""
    tracker = Tracker(smoothing_s=0.0)
    tracker.regions(0.0)
    tracker.regions(0.1)
    ids(tracker, [100], 0.0)
    assert len(tracker.regions(0.2)) == 1
    ids(tracker, [], 0.1)
    assert len(tracker.regions(0.3)) == 1
    ids(tracker, [], 0.2)
    assert tracker.regions(0.4) == ()


def test_a_face_elsewhere_is_another_face() -> None:
    tracker = Tracker(smoothing_s=0.0)
    assert ids(tracker, [100], 0.0) + ids(tracker, [500], 0.1) == [1, 2]


def test_without_smoothing_the_shown_probabilities_are_the_raw_ones() -> None:
    tracker = Tracker(smoothing_s=0.0)
    tracker.update([face(expression="neutral")], 0.0)
    (changed,) = tracker.update([face(expression="fear")], 0.0)
    assert changed.probabilities == changed.raw_probabilities


def test_an_overtaken_result_gets_its_id_but_changes_no_probabilities() -> None:
    tracker = Tracker(smoothing_s=0.3)
    tracker.update([face(expression="happy")], 1.0)
    (late,) = tracker.update([face(expression="angry")], 0.9)
    assert (late.id, late.expression) == (1, "happy")


def test_the_first_frame_of_a_face_is_shown_as_it_is_however_poor() -> None:
    (seen,) = Tracker(smoothing_s=0.3).update([face(expression="fear", score=0.5)], 0.0)
    assert seen.probabilities == seen.raw_probabilities


def test_a_face_that_is_hardly_seen_in_a_frame_is_shown_as_in_the_clear_frames_before() -> None:
    for score, expected in ((0.5, "happy"), (0.95, "angry")):
        tracker = Tracker(smoothing_s=0.12)
        for step in range(5):
            tracker.update([face(expression="happy", score=0.95)], 0.1 * step)
        (seen,) = tracker.update([face(expression="angry", score=score)], 0.5)
        assert seen.expression == expected
        assert seen.raw_probabilities["angry"] == 1


def test_each_face_has_frames_and_qualities_of_its_own() -> None:
    tracker = Tracker(smoothing_s=0.12)
    for step in range(5):
        tracker.update([face(x=100, expression="happy"), face(x=400, expression="sad")], 0.1 * step)
    hidden, clear = face(x=100, expression="fear", score=0.5), face(x=400, expression="fear", score=0.95)
    expressions = {seen.id: seen.expression for seen in tracker.update([clear, hidden], 0.5)}
    assert expressions == {1: "happy", 2: "fear"}


def test_after_frames_without_the_face_the_older_ones_count_less() -> None:
    tracker = Tracker(smoothing_s=0.3)
    for step in range(5):
        tracker.update([face(expression="happy")], 0.1 * step)
    tracker.update([], 0.5)
    (back,) = tracker.update([face(expression="angry")], 1.2)
    assert (back.id, back.expression) == (1, "angry")


def test_the_nearest_pairs_are_matched_first() -> None:
    tracker = Tracker(smoothing_s=0.0)
    assert ids(tracker, [100, 130], 0.0) == [1, 2]
    assert ids(tracker, [128, 160], 0.1) == [2, 3]


def test_a_face_that_passes_behind_another_keeps_its_id() -> None:
    """One walks to the right behind one who stands, hidden for a second and a half."""
    tracker = Tracker(smoothing_s=0.0)
    seen = []
    for step in range(60):
        xs = [300 + 5 * step - 150]
        seen.append(ids(tracker, [300, *xs] if abs(xs[0] - 300) > 75 else [300], 0.05 * step))
    assert [2, 1] not in seen
    assert seen[0] == seen[-1] == [1, 2]
    assert len(seen) - seen.count([1, 2]) == seen.count([1]) == 31


def test_a_face_that_turns_back_behind_another_keeps_its_id() -> None:
    tracker = Tracker(smoothing_s=0.0)
    for step in range(10):
        ids(tracker, [300, 120 + 10 * step], 0.1 * step)
    for step in range(10, 25):
        ids(tracker, [300], 0.1 * step)
    assert ids(tracker, [300, 215], 2.5) == [1, 2]


def test_half_a_face_beside_the_one_before_it_has_the_id_of_the_whole() -> None:
    tracker = Tracker(smoothing_s=0.0)
    ids(tracker, [300, 260], 0.0)
    ids(tracker, [300], 0.1)
    front, half = tracker.update([face(x=300), face(x=255, y=120, width=32)], 0.2)
    assert (front.id, half.id) == (1, 2)


def test_one_face_of_two_that_overlap_is_not_taken_for_the_lost_one() -> None:
    tracker = Tracker(smoothing_s=0.0)
    ids(tracker, [300, 320], 0.0)
    ids(tracker, [300], 0.1)
    assert ids(tracker, [312], 0.2) == [1]


def test_a_covered_face_is_forgotten_when_it_does_not_come_out() -> None:
    tracker = Tracker(smoothing_s=0.0)
    ids(tracker, [300, 320], 0.0)
    for step in range(1, 40):
        ids(tracker, [300], 0.1 * step)
    assert ids(tracker, [300, 380], 4.0) == [1, 3]


def test_the_distance_is_in_face_widths_and_counts_a_change_of_size() -> None:
    assert distance(face(x=0).box, face(x=40).box) == pytest.approx(0.5)
    assert distance(face(x=0, y=0, width=80).box, face(x=-20, y=-20, width=120).box) == pytest.approx(0.4)


def test_a_face_keeps_its_id_when_the_browser_sends_smaller_images() -> None:
    tracker = Tracker(0.25)
    (large,) = tracker.update([face(x=400, y=200, width=160)], 0.0, 640)
    (small,) = tracker.update([face(x=200, y=100, width=80)], 0.1, 320)
    assert small.id == large.id
