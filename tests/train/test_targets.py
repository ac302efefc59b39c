from __future__ import annotations

import numpy as np
import pytest

from models.train.data import UNKNOWN, FaceSet
from models.train.targets import label_targets, labels_by_votes, mixed_targets, vote_targets, voted_targets
from tests.train.data_files import noise, votes
from webapp.protocol import LABELS


def test_labels_are_smoothed_and_an_unknown_one_asks_for_nothing() -> None:
    faces = FaceSet(noise(2), np.array([3, UNKNOWN]), np.zeros((2, 10), np.float32))
    rows = label_targets(faces, smoothing=0.7)
    assert rows[0] == pytest.approx([0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1])
    assert rows[1].tolist() == [0] * 7


def test_teachers_answers_are_mixed_in_and_stand_alone_where_nothing_is_known() -> None:
    known = np.array([[1, 0], [0, 0]], np.float32)
    answers = np.array([[0.2, 0.8], [0.3, 0.7]], np.float32)
    mixed = mixed_targets({"label": known}, {"label": answers}, 0.25)["label"]
    assert mixed == pytest.approx(np.array([[0.8, 0.2], [0.3, 0.7]]))


def test_votes_become_parts_without_single_votes_and_without_the_unsure() -> None:
    counts = [votes(neutral=6, sadness=2, fear=1, unknown=1), votes(anger=1, unknown=9), votes(NF=10)]
    rows = vote_targets(FaceSet(noise(3), np.zeros(3, np.int64), np.array(counts, np.float32)))
    assert rows[0] == pytest.approx([0.75, 0, 0, 0.25, 0, 0, 0, 0])
    assert rows[1:].tolist() == [[0] * 8] * 2


def faces_with(labels: list[int], counts: list[list[int]]) -> FaceSet:
    return FaceSet(noise(len(labels)), np.array(labels), np.array(counts, np.float32))


def test_votes_tell_the_label_as_often_as_it_goes_with_them() -> None:
    happy, neutral = votes(happiness=10), votes(happiness=4, neutral=6)
    labels = [LABELS.index("happy")] * 60 + [LABELS.index("neutral")] * 30 + [LABELS.index("happy")] * 10
    rows = labels_by_votes(faces_with(labels, [happy] * 60 + [neutral] * 40))
    assert rows.sum(axis=1) == pytest.approx(np.ones(100))
    assert rows[0, LABELS.index("happy")] > 0.95
    assert rows[-1, LABELS.index("neutral")] == pytest.approx(0.75, abs=0.03)
    assert rows[-1, LABELS.index("happy")] == pytest.approx(0.25, abs=0.03)


def test_faces_without_a_label_teach_nothing_and_are_told_one_all_the_same() -> None:
    labels = [LABELS.index("sad")] * 50 + [UNKNOWN]
    rows = labels_by_votes(faces_with(labels, [votes(sadness=8, fear=2)] * 51))
    assert rows[-1] == pytest.approx(rows[0])
    assert rows[-1, LABELS.index("sad")] > 0.95


def test_a_label_is_smoothed_with_what_others_saw() -> None:
    counts = [votes(sadness=8, fear=2)] * 50 + [votes(fear=7, sadness=3)] * 50
    faces = faces_with([LABELS.index("sad")] * 50 + [LABELS.index("fear")] * 50, counts)
    even, voted = (voted_targets(faces, 0.0, fraction)["label"] for fraction in (0.0, 0.5))
    assert np.array_equal(even, label_targets(faces, 0.0))
    assert voted == pytest.approx((even + labels_by_votes(faces)) / 2, abs=1e-6)


def test_a_face_without_a_label_has_the_target_of_its_votes_alone() -> None:
    labels = [LABELS.index("sad")] * 50 + [UNKNOWN]
    faces = faces_with(labels, [votes(sadness=8, fear=2)] * 51)
    assert voted_targets(faces, 0.1, 0.3)["label"][-1] == pytest.approx(labels_by_votes(faces)[-1])
