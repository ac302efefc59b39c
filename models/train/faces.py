"""Crops the faces of a data set as the server crops a webcam's, and keeps the result for the next run."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from models.train.data import FaceSet, read_split, read_unlabelled
from webapp.protocol import Region
from webapp.vision.align import align
from webapp.vision.landmarks import FaceLandmarker
from webapp.vision.regions import region_from_landmarks

DEFAULT_DATA = Path("../shared/data/fer2013plus")
FACE_CACHE = Path("build/faces")

ENLARGED_SIDE = 144
MARGIN = 24
REGION_SCALE = 1.3
MIN_SCORE = 0.5
"""`webapp.vision.align` says where these figures come from."""

PROBES = 8

Crop = tuple[NDArray[np.uint8], bool]
Mapper = Callable[[NDArray[np.uint8]], Iterable[Crop]]


def read_aligned(data: Path, split: str) -> FaceSet:
    """Read a split and crop its faces, or take them from the cache."""
    faces = read_split(data, split)
    crops, _ = aligned_faces(faces.images, FACE_CACHE)
    return FaceSet(crops, faces.labels, faces.votes)


def read_training_faces(data: Path, unlabelled: Path | None, final: bool = False) -> FaceSet:
    """The aligned faces of `train`, then those of a folder of unlabelled ones, if one is given.

    A `final` training, whose schedule an earlier one has fixed, learns from the faces of `validation` too.
    """
    faces = read_aligned(data, "train")
    if unlabelled is not None:
        faces = faces.joined(read_unlabelled(unlabelled))
    return faces.joined(read_aligned(data, "validation")) if final else faces


def aligned_faces(
    images: NDArray[np.uint8], cache_folder: Path, processes: int | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Crop every face upright where the face mesh finds it, and leave it as it is elsewhere.

    Args:
        images: (n, 48, 48) uint8, grey.
        cache_folder: where the result is kept, under a name made of the images and the code that crops.
        processes: how many to use; one a core if None.

    Returns:
        (n, 48, 48) uint8 crops, and (n,) bool, true where the face was found.
    """
    path = cache_folder / f"aligned-{_fingerprint(images)}.npz"
    if not path.is_file():
        cache_folder.mkdir(parents=True, exist_ok=True)
        crops, found = _crop_all(images, processes or os.cpu_count() or 1)
        partial = path.with_suffix(f".{os.getpid()}.npz")
        np.savez(partial, crops=crops, found=found)
        partial.replace(path)
    with np.load(path) as kept:
        return kept["crops"], kept["found"]


def crop_face(image: NDArray[np.uint8]) -> Crop:
    """The aligned crop of one (48, 48) grey face and true, or the face itself and false."""
    large = cv2.resize(image, (ENLARGED_SIDE, ENLARGED_SIDE), interpolation=cv2.INTER_CUBIC)
    framed = cv2.copyMakeBorder(large, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REPLICATE)
    frame = np.asarray(cv2.cvtColor(framed, cv2.COLOR_GRAY2BGR), np.uint8)
    center = frame.shape[0] / 2
    landmarker = _landmarker()
    first = landmarker.landmarks(frame, Region(center, center, ENLARGED_SIDE * REGION_SCALE, 0.0))
    second = landmarker.landmarks(frame, region_from_landmarks(first.points))
    if second.presence <= MIN_SCORE:
        return image, False
    return align(frame, second.points), True


@cache
def _landmarker() -> FaceLandmarker:
    cv2.setNumThreads(1)
    return FaceLandmarker()


def _crop_all(images: NDArray[np.uint8], processes: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    with _mapper(processes) as mapper:
        cropped = list(tqdm(mapper(images), total=len(images), desc="aligning faces", unit="face"))
    return np.stack([crop for crop, _ in cropped]), np.array([found for _, found in cropped])


@contextmanager
def _mapper(processes: int) -> Iterator[Mapper]:
    """Maps `crop_face` over images in this process, or in several."""
    if processes == 1:
        yield lambda images: map(crop_face, images)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield lambda images: pool.imap(crop_face, images, chunksize=64)


def _fingerprint(images: NDArray[np.uint8]) -> str:
    """Names the images and how this version of the code crops faces, seen in a few of them."""
    digest = hashlib.sha256(np.ascontiguousarray(images).tobytes())
    for image in images[:PROBES]:
        digest.update(crop_face(image)[0].tobytes())
    return digest.hexdigest()[:16]
