from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from models.train.data import DataError
from models.train.labelled_folder import MAX_SIDE, as_frame, crop_images, read_folder
from tests.train.data_files import astronaut_face
from webapp.protocol import LABELS

HAPPY, SAD = LABELS.index("happy"), LABELS.index("sad")


def photographs(folder: Path, groups: str | None = None) -> Path:
    """A smiling astronaut in colour, her face alone as FER2013 would have it, and an image of nothing."""
    (folder / "happiness").mkdir(parents=True)
    (folder / "sad" / "session1").mkdir(parents=True)
    cv2.imwrite(
        str(folder / "happiness" / "photo.png"), cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
    )
    cv2.imwrite(str(folder / "happiness" / "crop.PNG"), astronaut_face())
    cv2.imwrite(str(folder / "sad" / "session1" / "grey.jpg"), np.full((240, 320, 3), 128, np.uint8))
    (folder / "happiness" / "notes.txt").write_text("no image")
    if groups is not None:
        (folder / "groups.csv").write_text(groups)
    return folder


def test_images_are_labelled_by_their_subfolder_however_deep(tmp_path: Path) -> None:
    images = read_folder(photographs(tmp_path / "lab"))
    names = [path.name for path in images.paths]
    assert dict(zip(names, images.labels.tolist(), strict=True)) == {
        "crop.PNG": HAPPY,
        "photo.png": HAPPY,
        "grey.jpg": SAD,
    }
    assert images.groups == ("", "", "")


def test_groups_are_read_by_the_images_paths(tmp_path: Path) -> None:
    lines = "image,group\nhappiness/photo.png,women\nsad/session1/grey.jpg,men\n"
    images = read_folder(photographs(tmp_path / "lab", lines))
    assert dict(zip((path.name for path in images.paths), images.groups, strict=True)) == {
        "crop.PNG": "",
        "photo.png": "women",
        "grey.jpg": "men",
    }


def test_photographs_and_crops_are_both_found_as_the_server_finds_them(tmp_path: Path) -> None:
    images = read_folder(photographs(tmp_path / "lab"))
    crops, found = crop_images(images.paths)
    by_name = dict(zip((path.name for path in images.paths), found.tolist(), strict=True))
    assert by_name == {"crop.PNG": True, "photo.png": True, "grey.jpg": False}
    assert crops.shape == (3, 48, 48) and crops.dtype == np.uint8


def test_a_large_image_is_shrunk_and_a_usual_one_stays() -> None:
    assert as_frame(np.zeros((3000, 2000, 3), np.uint8)).shape == (MAX_SIDE, round(MAX_SIDE * 2 / 3), 3)
    assert as_frame(np.zeros((480, 640, 3), np.uint8)).shape == (480, 640, 3)


def test_a_crop_that_is_no_square_is_not_stretched() -> None:
    """A circle stays one."""
    image = np.zeros((128, 64, 3), np.uint8)
    cv2.circle(image, (32, 64), 30, (255, 255, 255), -1)
    rows, columns = np.nonzero(as_frame(image)[..., 0] > 200)
    assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=2)


@pytest.mark.parametrize(
    ("groups", "problem"),
    [
        ("image,sex\n", "lacks the column 'group'"),
        ("image,group\nhappiness/other.png,women\n", "names 'happiness/other.png', which is not among"),
    ],
)
def test_groups_that_fit_no_image_are_refused(tmp_path: Path, groups: str, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        read_folder(photographs(tmp_path / "lab", groups))


def test_a_subfolder_that_is_no_expression_is_named(tmp_path: Path) -> None:
    folder = photographs(tmp_path / "lab")
    (folder / "bored").mkdir()
    cv2.imwrite(str(folder / "bored" / "one.png"), astronaut_face())
    with pytest.raises(DataError, match="bored is no expression; expected subfolders named angry"):
        read_folder(folder)


@pytest.mark.parametrize("make", [True, False])
def test_a_folder_without_images_says_what_is_expected(tmp_path: Path, make: bool) -> None:
    folder = tmp_path / "lab"
    if make:
        folder.mkdir()
    with pytest.raises(DataError, match="expected a subfolder for each expression: angry"):
        read_folder(folder)
