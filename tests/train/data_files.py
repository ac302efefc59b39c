"""Writes tiny data sets in the two public formats, of faces that the test knows."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from matplotlib import get_data_path
from numpy.typing import NDArray

from models.train.data import FACE_SIDE, TILES_PER_ROW, VOTES, FaceSet

Images = NDArray[np.uint8]

SHEET_COLUMNS = ("sheet", "tile", "split", "fer2013", "row", *VOTES)


def noise(count: int, seed: int = 1) -> Images:
    """Images that are all different."""
    return np.random.default_rng(seed).integers(0, 256, (count, FACE_SIDE, FACE_SIDE), np.uint8)


def astronaut_face() -> Images:
    """A real face as FER2013 would have it: 48 x 48, grey, loosely cut."""
    image = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2GRAY)[60:180, 165:285]
    return np.asarray(cv2.resize(image, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def serious_face() -> Images:
    """Another, not smiling: Grace Hopper, as Matplotlib ships her portrait by the US Navy (public domain)."""
    file = f"{get_data_path()}/sample_data/grace_hopper.jpg"
    image = np.asarray(cv2.imread(file, cv2.IMREAD_GRAYSCALE))[105:345, 140:380]
    return np.asarray(cv2.resize(image, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def votes(**counts: int) -> list[int]:
    return [counts.get(name, 0) for name in VOTES]


def light_and_dark(count: int) -> FaceSet:
    """Dark faces that are angry and light ones that are happy; a small network learns that at once."""
    labels = np.tile([0, 3], count // 2)
    images = (noise(count) // 4 + np.where(labels == 3, 180, 10)[:, None, None]).astype(np.uint8)
    counts = np.array([votes(happiness=9) if label == 3 else votes(anger=9) for label in labels], np.float32)
    return FaceSet(images, labels.astype(np.int64), counts)


def write_sheets(
    folder: Path, tiles: dict[int, NDArray[np.uint8]], lines: Sequence[Sequence[object]]
) -> Path:
    """One sheet, `sheet-00.png`, with these tiles, and `labels.csv` with these lines."""
    rows = max(tiles) // TILES_PER_ROW + 1
    sheet = np.zeros((rows * FACE_SIDE, TILES_PER_ROW * FACE_SIDE), np.uint8)
    for tile, image in tiles.items():
        row, column = divmod(tile, TILES_PER_ROW)
        sheet[row * FACE_SIDE : (row + 1) * FACE_SIDE, column * FACE_SIDE : (column + 1) * FACE_SIDE] = image
    cv2.imwrite(str(folder / "sheet-00.png"), sheet)
    _write_csv(folder / "labels.csv", [SHEET_COLUMNS, *lines])
    return folder


def write_fer2013(folder: Path, images: Images, emotions: Sequence[int], usages: Sequence[str]) -> Path:
    """Kaggle's file."""
    lines = [
        (emotion, " ".join(map(str, image.ravel())), usage)
        for image, emotion, usage in zip(images, emotions, usages, strict=True)
    ]
    _write_csv(folder / "fer2013.csv", [("emotion", "pixels", "Usage"), *lines])
    return folder / "fer2013.csv"


def write_fer_plus(
    folder: Path, usages: Sequence[str], names: Sequence[str], counts: list[list[int]]
) -> None:
    """Microsoft's file; a line without a name says that the image shows no face."""
    lines = [(usage, name, *row) for usage, name, row in zip(usages, names, counts, strict=True)]
    _write_csv(folder / "fer2013new.csv", [("Usage", "Image name", *VOTES), *lines])


def _write_csv(path: Path, lines: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(lines)
