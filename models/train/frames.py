"""Faces as a camera would send them, with and without corruptions, and what the server crops from them.

A face of 48 x 48 pixels is enlarged and put before an even grey, in the center of a frame of 640 x 480.
Other surrounds and sizes were tried on faces of FER2013's validation split, with the model of 68.6%. In
parts of the first 1,200 and of the other 2,378 labelled faces, whose given crops reach 69.6% and 68.1%:

    surround, side of the face         found           accuracy
    even grey, 240 (this one)          98.0%  97.6%    67.1%  65.9%
    the face's mean grey, 240          98.3%  97.6%    68.8%  66.3%
    the face's mean grey, 280                 97.7%           66.7%
    its border, blurred, 240           97.8%  97.3%    68.4%  65.6%
    its border, blurred, 280                  97.4%           66.2%
    its border repeated, 240           95.8%           67.3%

Of 400 faces, even grey finds 96 to 99% between 120 and 320 pixels; a mirrored border, at 240, 95%. The
three best surrounds find as many faces, and their order in accuracy changes with the sample, so the
plainest stayed. Most of what is lost against the given crops are faces that are not found.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from functools import cache, partial

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from webapp.config import Settings
from webapp.protocol import Job
from webapp.vision.align import CROP_SIZE
from webapp.vision.headers import read_size
from webapp.vision.pipeline import Pipeline
from webapp.vision.search.found import FoundFace
from webapp.vision.search.tiles import tile_count

Frame = NDArray[np.uint8]

WIDTH, HEIGHT = 640, 480
FACE_SIDE = 240
SMALL_SIDE = 26
"""FER2013's crops are a little wider than the face: this makes faces of about 24 pixels."""

SURROUND = 110
QUALITY, LOW_QUALITY = 85, 20
TILES = tile_count(WIDTH, HEIGHT)


def framed(face: Frame, side: int = FACE_SIDE) -> Frame:
    """The (48, 48) grey face in the center of a (480, 640, 3) frame."""
    frame = np.full((HEIGHT, WIDTH), SURROUND, np.uint8)
    top, left = (HEIGHT - side) // 2, (WIDTH - side) // 2
    how = cv2.INTER_CUBIC if side > face.shape[0] else cv2.INTER_AREA
    frame[top : top + side, left : left + side] = cv2.resize(face, (side, side), interpolation=how)
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR), np.uint8)


def clean(face: Frame, random: np.random.Generator) -> Frame:
    """Without corruption."""
    return framed(face)


def dark(face: Frame, random: np.random.Generator) -> Frame:
    """A fifth of the light, and the noise of a sensor that strains."""
    return _noisy(framed(face).astype(np.float32) * 0.2, 3.0, random)


def noisy(face: Frame, random: np.random.Generator) -> Frame:
    """Noise with a standard deviation of 25 grey values."""
    return _noisy(framed(face).astype(np.float32), 25.0, random)


def blurred(face: Frame, random: np.random.Generator) -> Frame:
    """Out of focus, by a 40th of the face."""
    return np.asarray(cv2.GaussianBlur(framed(face), (0, 0), FACE_SIDE / 40), np.uint8)


def small(face: Frame, random: np.random.Generator) -> Frame:
    """Far away, 24 pixels wide."""
    return framed(face, SMALL_SIDE)


def rotated(face: Frame, random: np.random.Generator) -> Frame:
    """Rotated by 20 degrees, one way or the other."""
    matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), random.choice((-20, 20)), 1.0)
    edge = (SURROUND, SURROUND, SURROUND)
    return np.asarray(cv2.warpAffine(framed(face), matrix, (WIDTH, HEIGHT), borderValue=edge), np.uint8)


def partly_hidden(face: Frame, random: np.random.Generator) -> Frame:
    """The lower third behind something even."""
    hidden = face.copy()
    hidden[2 * face.shape[0] // 3 :] = random.integers(0, 256)
    return framed(hidden)


Corruption = Callable[[Frame, np.random.Generator], Frame]

CORRUPTIONS: dict[str, Corruption] = {
    "dark": dark,
    "noise": noisy,
    "blur": blurred,
    "JPEG of quality 20": clean,
    "24-pixel faces": small,
    "rotated 20 degrees": rotated,
    "lower third covered": partly_hidden,
}


def crop_by_server(
    faces: NDArray[np.uint8], corruption: str | None
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """What the server would classify of each face, through frame, JPEG, detection, landmarks and alignment.

    Args:
        faces: (n, 48, 48) uint8 grey.
        corruption: one of CORRUPTIONS, or None.

    Returns:
        (n, 48, 48) uint8 crops, even grey where no face was found, and (n,) bool, true where one was.
    """
    with multiprocessing.get_context("spawn").Pool() as pool:
        work = pool.imap(partial(_crop, corruption=corruption), enumerate(faces), chunksize=16)
        cropped = list(tqdm(work, total=len(faces), desc=corruption or "end to end", unit="frame"))
    missing = np.full((CROP_SIZE, CROP_SIZE), SURROUND, np.uint8)
    crops = np.stack([missing if crop is None else crop for crop in cropped])
    return crops, np.array([crop is not None for crop in cropped])


def _crop(numbered: tuple[int, Frame], corruption: str | None) -> Frame | None:
    number, face = numbered
    frame = (CORRUPTIONS[corruption] if corruption else clean)(face, np.random.default_rng(number))
    quality = LOW_QUALITY if corruption == "JPEG of quality 20" else QUALITY
    image = bytes(cv2.imencode(".jpg", frame, (cv2.IMWRITE_JPEG_QUALITY, quality))[1])
    found = find_faces(image)
    return min(found, key=_distance_from_center).crop if found else None


def find_faces(image: bytes) -> list[FoundFace]:
    """The faces that the server finds in an encoded image, or else in the tiles of a live view."""
    return load_pipeline().find(Job(image)) or _in_tiles(image)


def _in_tiles(image: bytes) -> list[FoundFace]:
    """The faces that tiled detection finds; in live view each frame searches one tile."""
    tiles = tile_count(*read_size(image))
    jobs = [Job(image, detect=False, tile=number, second_look=False) for number in range(tiles)]
    return [face for job in jobs for face in load_pipeline().find(job)]


def _distance_from_center(face: FoundFace) -> float:
    return float(np.linalg.norm(face.corners.mean(axis=0) - (WIDTH / 2, HEIGHT / 2)))


@cache
def load_pipeline() -> Pipeline:
    """The server's pipeline, one a process."""
    return Pipeline("litert", Settings().model_path)


def _noisy(frame: NDArray[np.float32], deviation: float, random: np.random.Generator) -> Frame:
    noise = random.standard_normal(frame.shape[:2], np.float32)[..., None] * deviation
    return np.clip(frame + noise, 0, 255).astype(np.uint8)
