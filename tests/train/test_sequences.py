from __future__ import annotations

from dataclasses import astuple, replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.train.data import FaceSet
from models.train.frames import HEIGHT, WIDTH
from models.train.moving_faces import FAULTS, Moment, encoded_frame, moments
from models.train.sequences import (
    FIRST_FRAMES,
    SECOND_FRAMES,
    Plan,
    observe,
    plan,
    read_observed,
    report,
    write_observed,
)
from tests.train.data_files import astronaut_face, noise, serious_face


def decoded(moment: Moment, seed: int = 1) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    image = encoded_frame(astronaut_face(), moment, np.random.default_rng(seed))
    return np.asarray(cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_changes_the_frame_and_is_the_same_each_time(fault: str) -> None:
    moment = Moment(fault=fault, strength=0.5)
    assert decoded(moment).shape == (HEIGHT, WIDTH)
    assert (decoded(moment) == decoded(moment)).all()
    difference = np.abs(decoded(moment).astype(float) - decoded(replace(moment, fault=None)))
    assert difference[HEIGHT // 2 - 100 : HEIGHT // 2 + 100, WIDTH // 2 - 100 : WIDTH // 2 + 100].mean() > 1


def test_a_face_moves_as_its_moment_says() -> None:
    light = decoded(Moment(side=100, shift=(0.5, 0.0))).astype(float) - decoded(Moment(side=100))
    assert np.abs(light[:, : WIDTH // 2 - 55]).max() < 30  # the face left nothing there
    assert np.abs(light[200:280, WIDTH // 2 + 60 : WIDTH // 2 + 90]).mean() > 10


def test_faults_come_in_bouts_and_leave_most_frames_alone_or_are_absent() -> None:
    faults = [moment.fault for moment in islice(moments(np.random.default_rng(3), faulty=True), 2000)]
    assert 0.3 < faults.count(None) / len(faults) < 0.5
    assert set(faults) == {None, *FAULTS}
    stays = [one == other for one, other in zip(faults, faults[1:], strict=False) if one]
    assert 0.5 < sum(stays) / len(stays) < 0.7
    faultless = list(islice(moments(np.random.default_rng(3), faulty=False), 50))
    assert {(moment.fault, moment.side) for moment in faultless} == {(None, Moment().side)}


def test_sequences_pair_each_face_with_one_of_another_label() -> None:
    labels = np.repeat(np.arange(7), 4)
    faces = FaceSet(noise(28), labels, np.zeros((28, 10), np.float32))
    plans = plan(faces, 3, faulty=True)
    assert sorted(of.labels[0] for of in plans) == sorted(np.repeat(np.arange(7), 3).tolist())
    assert all(of.labels[0] != of.labels[1] for of in plans)
    assert len({of.faces[0].tobytes() for of in plans}) == 21
    assert [of.labels for of in plan(faces, 3, faulty=True)] == [of.labels for of in plans]


def test_the_server_names_both_faces_of_a_sequence_and_the_table_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    observed = observe(Plan(0, (astronaut_face(), serious_face()), (3, 6), faulty=False))
    assert len(observed.frames) == FIRST_FRAMES + SECOND_FRAMES
    names = [max(frame.raw, key=lambda of: frame.raw[of]) for frame in observed.frames if frame]
    assert names[:10] == ["happy"] * 10
    assert len(names) > 20
    assert "happy" not in names[-5:]
    both = {True: [observed], False: [observed]}
    write_observed(both, tmp_path / "observed.json")
    kept = read_observed(tmp_path / "observed.json")
    assert [astuple(frame) for frame in kept[True][0].frames if frame] == [
        astuple(frame) for frame in observed.frames if frame
    ]
    report(kept, np.full(7, 1 / 7))
    assert "served less time only, at 10 frames/s" in capsys.readouterr().out
