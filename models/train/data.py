"""Reads FER2013 with its FER+ votes, from sheets of tiles or from the two public CSV files.

Sheets: a folder with `labels.csv`, whose columns are sheet, tile, split, fer2013 (a label's name, empty where
unknown), row and the ten FER+ vote counts; tile t of a sheet is the 48 x 48 pixels at row t // 64, column
t % 64. CSV: Kaggle's `fer2013.csv` (emotion, pixels, Usage; emotion is an index into LABELS) and Microsoft's
`fer2013new.csv` (Usage, Image name, then the same ten counts), which has the same images in the same order.

Faces without labels, for learning from teachers alone: a folder of images `sheet-*.jpg` or `.png` of aligned
grey faces, 96 x 96 pixels each, 32 a row.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from webapp.protocol import LABELS

FACE_SIDE = 48
TILES_PER_ROW = 64
UNLABELLED_SIDE, UNLABELLED_PER_ROW = 96, 32
EMPTY_SPREAD = 2.0
"""A tile whose grey values vary less, after a last face, is empty."""

UNKNOWN = -1
"""Stands for the label of a face whose FER2013 label is not known."""

VOTES = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF",
)  # fmt: skip
"""The columns of FER+ (Barsoum et al. 2016, arXiv 1608.01041); NF means that there is no face."""

VOTED_EXPRESSIONS = VOTES[:8]

USAGES = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
"""How Kaggle's file names each split."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceSet:
    """Faces of one split, all arrays in the same order.

    `images` is (n, 48, 48) uint8 grey, `labels` (n,) int64 indices into LABELS or UNKNOWN, `votes` (n, 10)
    float32 counts in the order of VOTES, all 0 where nobody voted.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    votes: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.images)

    def joined(self, other: FaceSet) -> FaceSet:
        """These faces, then the other ones."""
        return FaceSet(
            np.concatenate([self.images, other.images]),
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.votes, other.votes]),
        )

    def take(self, indices: NDArray[np.intp]) -> FaceSet:
        """The faces at these positions, or where a mask is true."""
        return FaceSet(self.images[indices], self.labels[indices], self.votes[indices])


class DataError(ValueError):
    """A data file is missing, or is not in the format that the module describes."""


def read_split(source: Path, split: str) -> FaceSet:
    """Read a split from a folder of sheets, or from `fer2013.csv` with `fer2013new.csv` beside it.

    Args:
        source: the folder, or Kaggle's file.
        split: any that the folder's labels.csv names; for Kaggle's file one of USAGES or its own name of it.

    Raises:
        DataError: `source` is neither, or has no such split.
    """
    if (source / "labels.csv").is_file():
        return read_sheets(source, split)
    if source.is_file():
        return read_csv(source, source.with_name("fer2013new.csv"), USAGES.get(split, split))
    raise DataError(f"{source} must be a folder with labels.csv and its sheets, or Kaggle's fer2013.csv.")


def read_sheets(folder: Path, split: str) -> FaceSet:
    """Read one split of a folder of sheets; see the module for its format."""
    with (folder / "labels.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split]
    if not rows:
        raise DataError(f"{folder / 'labels.csv'} has no line of the split {split!r}.")
    sheets = {name: _read_sheet(folder / name) for name in sorted({row["sheet"] for row in rows})}
    images = np.stack([_tile(sheets[row["sheet"]], int(row["tile"])) for row in rows])
    labels = [_label(row["fer2013"], folder) for row in rows]
    votes = [[int(row[name]) for name in VOTES] for row in rows]
    return FaceSet(images, np.array(labels, np.int64), np.array(votes, np.float32))


def read_csv(fer2013: Path, fer_plus: Path, usage: str) -> FaceSet:
    """Read the lines of one `Usage` of the public files; without Microsoft's file there are no votes.

    Faces that Microsoft's file leaves without an image name (no face in the image) are left out, as FER+
    means them to be.
    """
    with fer2013.open(newline="") as file:
        rows = [(index, row) for index, row in enumerate(csv.DictReader(file)) if row["Usage"] == usage]
    if not rows:
        raise DataError(f"{fer2013} has no line of the usage {usage!r}.")
    voted = _read_votes(fer_plus) if fer_plus.is_file() else {}
    kept = [(index, row) for index, row in rows if not voted or index in voted]
    images = np.stack([_pixels(row["pixels"], fer2013, index) for index, row in kept])
    labels = np.array([int(row["emotion"]) for _, row in kept], np.int64)
    nobody = (0.0,) * len(VOTES)
    return FaceSet(images, labels, np.array([voted.get(index, nobody) for index, _ in kept], np.float32))


def read_unlabelled(folder: Path) -> FaceSet:
    """Read a folder of sheets of faces without labels, shrunk to 48 x 48; nobody voted, labels are UNKNOWN.

    Raises:
        DataError: the folder has no sheets.
    """
    paths = sorted(path for path in folder.glob("sheet-*") if path.suffix in (".jpg", ".png"))
    if not paths:
        raise DataError(f"{folder} has no sheets of unlabelled faces, sheet-00.jpg and so on.")
    images = np.stack([face for path in paths for face in _unlabelled_faces(_read_sheet(path))])
    return FaceSet(
        images, np.full(len(images), UNKNOWN, np.int64), np.zeros((len(images), len(VOTES)), np.float32)
    )


def _unlabelled_faces(sheet: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    side = UNLABELLED_SIDE
    rows = len(sheet) // side
    tiles = sheet[: rows * side, : UNLABELLED_PER_ROW * side].reshape(rows, side, UNLABELLED_PER_ROW, side)
    faces = tiles.swapaxes(1, 2).reshape(-1, side, side)
    return [
        np.asarray(cv2.resize(face, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_AREA), np.uint8)
        for face in faces
        if face.std() > EMPTY_SPREAD
    ]


def _read_votes(path: Path) -> dict[int, Sequence[float]]:
    """The votes by position in the file, of all lines that name an image."""
    with path.open(newline="") as file:
        return {
            index: [float(row[name]) for name in VOTES]
            for index, row in enumerate(csv.DictReader(file))
            if row["Image name"]
        }


def _pixels(text: str, path: Path, index: int) -> NDArray[np.uint8]:
    values = np.array(text.split(), np.uint8)
    if values.size != FACE_SIDE**2:
        raise DataError(f"{path}, image {index}: {values.size} pixels, expected {FACE_SIDE**2}.")
    return values.reshape(FACE_SIDE, FACE_SIDE)


def _read_sheet(path: Path) -> NDArray[np.uint8]:
    sheet = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if sheet is None:
        raise DataError(f"{path} is missing or is no image.")
    return np.asarray(sheet, np.uint8)


def _label(name: str, folder: Path) -> int:
    if name and name not in LABELS:
        raise DataError(
            f"{folder / 'labels.csv'} has the label {name!r}, expected one of {', '.join(LABELS)}."
        )
    return LABELS.index(name) if name else UNKNOWN


def _tile(sheet: NDArray[np.uint8], tile: int) -> NDArray[np.uint8]:
    row, column = divmod(tile, TILES_PER_ROW)
    top, left = row * FACE_SIDE, column * FACE_SIDE
    image = sheet[top : top + FACE_SIDE, left : left + FACE_SIDE]
    if image.shape != (FACE_SIDE, FACE_SIDE):
        raise DataError(f"Tile {tile} lies outside its sheet of {sheet.shape[1]} x {sheet.shape[0]} pixels.")
    return image
