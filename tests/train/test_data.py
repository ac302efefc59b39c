from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.train.data import UNKNOWN, VOTES, DataError, read_split, read_unlabelled
from tests.train.data_files import noise, votes, write_fer2013, write_fer_plus, write_sheets
from webapp.protocol import LABELS


def test_a_split_of_sheets_has_the_tiles_labels_and_votes_of_its_lines(tmp_path: Path) -> None:
    first, second, other = noise(3)
    lines = [
        ("sheet-00.png", 1, "train", "disgust", 7, *votes(disgust=6, anger=4)),
        ("sheet-00.png", 66, "train", "", 8, *votes(NF=10)),
        ("sheet-00.png", 2, "validation", "happy", 9, *votes(happiness=10)),
    ]
    faces = read_split(write_sheets(tmp_path, {1: first, 66: second, 2: other}, lines), "train")
    assert np.array_equal(faces.images, [first, second])
    assert faces.labels.tolist() == [LABELS.index("disgust"), UNKNOWN]
    assert faces.votes.tolist() == [votes(disgust=6, anger=4), votes(NF=10)]


def test_the_public_files_give_what_they_hold_without_pictures_that_show_no_face(tmp_path: Path) -> None:
    images = noise(4)
    usages = ["Training", "PublicTest", "Training", "Training"]
    path = write_fer2013(tmp_path, images, [3, 0, 6, 4], usages)
    counts = [votes(happiness=10), votes(anger=10), votes(NF=10), votes(sadness=5, neutral=5)]
    write_fer_plus(tmp_path, usages, ["fer0000000.png", "fer0000001.png", "", "fer0000003.png"], counts)
    train = read_split(path, "train")
    assert np.array_equal(train.images, images[[0, 3]])
    assert [LABELS[label] for label in train.labels] == ["happy", "sad"]
    assert train.votes.tolist() == [counts[0], counts[3]]
    assert np.array_equal(read_split(path, "validation").images, images[[1]])


def test_kaggles_file_alone_has_no_votes(tmp_path: Path) -> None:
    faces = read_split(write_fer2013(tmp_path, noise(2), [1, 2], ["PrivateTest"] * 2), "test")
    assert faces.votes.tolist() == [[0.0] * len(VOTES)] * 2


@pytest.mark.parametrize(
    ("split", "problem"),
    [("training", "no line of the split 'training'"), ("test", "no line of the split 'test'")],
)
def test_a_split_that_is_not_there_is_named(tmp_path: Path, split: str, problem: str) -> None:
    write_sheets(tmp_path, {0: noise(1)[0]}, [("sheet-00.png", 0, "train", "sad", 0, *votes())])
    with pytest.raises(DataError, match=problem):
        read_split(tmp_path, split)


def test_a_folder_without_data_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"labels\.csv and its sheets, or Kaggle's fer2013\.csv"):
        read_split(tmp_path, "train")


def test_a_missing_sheet_is_named(tmp_path: Path) -> None:
    write_sheets(tmp_path, {0: noise(1)[0]}, [("sheet-01.png", 0, "train", "sad", 0, *votes())])
    with pytest.raises(DataError, match=r"sheet-01\.png is missing"):
        read_split(tmp_path, "train")


def test_an_image_of_the_wrong_size_is_named(tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_text("emotion,pixels,Usage\n3,1 2 3,Training\n")
    with pytest.raises(DataError, match="image 0: 3 pixels, expected 2304"):
        read_split(path, "train")


@pytest.mark.parametrize(
    ("tile", "label", "problem"),
    [
        (64, "sad", "Tile 64 lies outside its sheet of 3072 x 48"),
        (0, "bored", "label 'bored', expected one of angry"),
    ],
)
def test_a_line_that_fits_no_sheet_or_label_is_named(
    tmp_path: Path, tile: int, label: str, problem: str
) -> None:
    line = ("sheet-00.png", tile, "train", label, 0, *votes())
    write_sheets(tmp_path, {0: noise(1)[0]}, [line])
    with pytest.raises(DataError, match=problem):
        read_split(tmp_path, "train")


def test_unlabelled_faces_are_read_row_by_row_without_the_empty_tiles(tmp_path: Path) -> None:
    sheet = np.zeros((96, 32 * 96), np.uint8)
    small = noise(2)
    for column, image in enumerate(small):
        sheet[:, 96 * column : 96 * (column + 1)] = np.kron(image, np.ones((2, 2), np.uint8))
    cv2.imwrite(str(tmp_path / "sheet-00.png"), sheet)
    faces = read_unlabelled(tmp_path)
    assert np.array_equal(faces.images, small)
    assert (faces.labels == UNKNOWN).all() and not faces.votes.any()


def test_a_folder_without_unlabelled_faces_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no sheets of unlabelled faces"):
        read_unlabelled(tmp_path)
