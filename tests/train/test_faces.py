from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.train import faces
from models.train.data import UNKNOWN
from models.train.faces import aligned_faces, crop_face, read_training_faces
from tests.train.data_files import astronaut_face, noise, votes, write_sheets
from webapp.protocol import LABELS


def test_a_face_is_cut_upright_and_a_picture_without_one_stays_as_it_is(tmp_path: Path) -> None:
    face, nothing = astronaut_face(), np.full((48, 48), 128, np.uint8)
    crops, found = aligned_faces(np.stack([face, nothing]), tmp_path, processes=1)
    assert found.tolist() == [True, False]
    assert np.array_equal(crops[1], nothing)
    assert not np.array_equal(crops[0], face)


def test_a_mirrored_face_is_cut_as_the_mirror_image() -> None:
    crop, _ = crop_face(astronaut_face())
    mirrored, found = crop_face(np.ascontiguousarray(astronaut_face()[:, ::-1]))
    assert found
    assert np.corrcoef(mirrored[:, ::-1].ravel(), crop.ravel())[0, 1] > 0.97


def test_the_second_reading_comes_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = noise(3)
    first, _ = aligned_faces(images, tmp_path, processes=1)
    monkeypatch.setattr(faces, "_crop_all", lambda *arguments: pytest.fail("faces were cut again"))
    assert np.array_equal(aligned_faces(images, tmp_path)[0], first)


def test_other_images_are_not_taken_from_the_cache(tmp_path: Path) -> None:
    aligned_faces(noise(3, seed=1), tmp_path, processes=1)
    aligned_faces(noise(3, seed=2), tmp_path, processes=1)
    assert len(list(tmp_path.glob("*.npz"))) == 2


def test_unlabelled_faces_follow_those_of_the_training_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faces, "FACE_CACHE", tmp_path / "cache")
    lines = [
        ("sheet-00.png", tile, split, label, tile, *votes(happiness=9))
        for tile, (split, label) in enumerate((("train", "happy"), ("validation", "sad")))
    ]
    data = write_sheets(tmp_path, dict(enumerate(noise(2, seed=3))), lines)
    unlabelled = tmp_path / "unlabelled"
    unlabelled.mkdir()
    sheet = np.zeros((96, 32 * 96), np.uint8)
    sheet[:, :96] = np.kron(noise(1, seed=2)[0], np.ones((2, 2), np.uint8))
    cv2.imwrite(str(unlabelled / "sheet-00.png"), sheet)
    both = read_training_faces(data, unlabelled)
    assert both.labels.tolist() == [LABELS.index("happy"), UNKNOWN]
    assert np.array_equal(both.images[1], noise(1, seed=2)[0])
    assert len(read_training_faces(data, None)) == 1
    final = read_training_faces(data, unlabelled, final=True)
    assert final.labels.tolist() == [LABELS.index("happy"), UNKNOWN, LABELS.index("sad")]
