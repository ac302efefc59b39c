"""A laboratory's own images: a folder with a subfolder for each expression, and perhaps groups to compare.

Subfolders are named as in LABELS or by the nouns, such as `anger`; others are refused, so that no image is
left out by a slip. `groups.csv` in the folder, if it is there, has the columns `image` (the path in the
folder) and `group` (such as an age band); images that it does not name are in no group.

Each image goes through all that the server does. One no larger than a crop, such as FER2013's, is put into a
frame first, as in `frames`; of several faces in an image the largest counts.
"""

from __future__ import annotations

import csv
import multiprocessing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from models.train.data import DataError
from models.train.frames import SURROUND, find_faces, framed
from webapp.protocol import LABELS
from webapp.vision.align import CROP_SIZE
from webapp.vision.search.found import FoundFace

NOUNS = {"anger": "angry", "happiness": "happy", "sadness": "sad", "surprised": "surprise", "fearful": "fear"}
"""Other names of LABELS that a subfolder may have."""

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
GROUPS = "groups.csv"

LARGEST_CROP = 128
"""Images of at most this many pixels a side are faces and nothing else."""

MAX_SIDE = 1280
"""Larger images are shrunk to this, as a camera would send them."""

QUALITY = 92


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFolder:
    """The images of a folder, their (n,) labels as indices into LABELS, and a group's name each, or ""."""

    paths: tuple[Path, ...]
    labels: NDArray[np.int64]
    groups: tuple[str, ...]


def read_folder(folder: Path) -> LabelledFolder:
    """List the images of a folder.

    Raises:
        DataError: the folder has no images or a subfolder of another name, or groups.csv names other images.
    """
    subfolders = sorted(path for path in folder.glob("*") if path.is_dir()) if folder.is_dir() else []
    listed = [
        (path, _label(subfolder))
        for subfolder in subfolders
        for path in sorted(subfolder.rglob("*"))
        if path.suffix.lower() in SUFFIXES
    ]
    if not listed:
        raise DataError(
            f"{folder} has no images; expected a subfolder for each expression: {', '.join(LABELS)}."
        )
    paths = tuple(path for path, _ in listed)
    groups = _read_groups(folder, paths)
    return LabelledFolder(paths, np.array([label for _, label in listed], np.int64), groups)


def crop_images(paths: tuple[Path, ...]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """What the server would classify of each image.

    Returns:
        (n, 48, 48) uint8 crops, even grey where no face was found, and (n,) bool, true where one was.
    """
    with multiprocessing.get_context("spawn").Pool() as pool:
        crops = list(
            tqdm(pool.imap(_crop, paths, chunksize=4), total=len(paths), desc="images", unit="image")
        )
    missing = np.full((CROP_SIZE, CROP_SIZE), SURROUND, np.uint8)
    return (
        np.stack([missing if crop is None else crop for crop in crops]),
        np.array([crop is not None for crop in crops]),
    )


def _label(subfolder: Path) -> int:
    name = subfolder.name.lower()
    name = NOUNS.get(name, name)
    if name not in LABELS:
        raise DataError(f"{subfolder} is no expression; expected subfolders named {', '.join(LABELS)}.")
    return LABELS.index(name)


def _read_groups(folder: Path, paths: tuple[Path, ...]) -> tuple[str, ...]:
    file = folder / GROUPS
    if not file.is_file():
        return ("",) * len(paths)
    with file.open(newline="") as opened:
        reader = csv.DictReader(opened)
        if missing := {"image", "group"} - set(reader.fieldnames or ()):
            raise DataError(f"{file} lacks the column {min(missing)!r}; it needs image and group.")
        groups = {row["image"]: row["group"] for row in reader}
    names = [path.relative_to(folder).as_posix() for path in paths]
    if unknown := set(groups) - set(names):
        raise DataError(f"{file} names {min(unknown)!r}, which is not among the images of {folder}.")
    return tuple(groups.get(name, "") for name in names)


def _crop(path: Path) -> NDArray[np.uint8] | None:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise DataError(f"{path} is no image that OpenCV reads.")
    encoded = cv2.imencode(
        ".jpg", as_frame(np.asarray(image, np.uint8)), (cv2.IMWRITE_JPEG_QUALITY, QUALITY)
    )[1]
    found = find_faces(bytes(encoded))
    return max(found, key=_size).crop if found else None


def as_frame(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An image as a camera would send it: a crop in a frame, a large image shrunk, others as they are."""
    height, width = image.shape[:2]
    if max(height, width) <= LARGEST_CROP:
        return framed(_squared(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)))
    scale = MAX_SIDE / max(height, width)
    if scale >= 1:
        return image
    size = (round(width * scale), round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _squared(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A gray image in the center of a square, so that its face is not stretched."""
    height, width = image.shape
    side = max(height, width)
    squared = np.full((side, side), SURROUND, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    squared[top : top + height, left : left + width] = image
    return squared


def _size(face: FoundFace) -> float:
    return float((face.corners[1] - face.corners[0]).prod())
