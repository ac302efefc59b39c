from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.train.data import UNKNOWN, FaceSet
from models.train.teachers import labels_by_votes, taught_targets
from tests.train.data_files import light_and_dark, noise, votes
from tests.train.test_starts import SMALL, kept_run
from webapp.protocol import LABELS


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


def test_votes_sway_what_teachers_say_of_the_label_alone(tmp_path: Path) -> None:
    run, _ = kept_run(tmp_path / "teacher", 1)
    faces = light_and_dark(40)
    settings = replace(SMALL, teachers=(str(run),))
    alone, swayed = (taught_targets(faces, replace(settings, taught_by_votes=share)) for share in (0.0, 0.5))
    assert np.array_equal(alone["votes"], swayed["votes"])
    assert swayed["label"].sum(axis=1) == pytest.approx(np.ones(40), abs=1e-5)
    own = np.arange(40), faces.labels
    assert (swayed["label"][own] > alone["label"][own]).all()
    assert (swayed["label"][own] > 0.5).all()
