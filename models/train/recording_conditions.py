"""How accuracy falls with a face's size, light and pose: `python -m models.train.recording_conditions`.

The limits of static/js/room/readiness.js come from here; docs/experiments.md has the figures. Faces of the
validation split go through frame, JPEG and everything that the server does with it, so a face that is not
found is an error. Light is measured as the page does: over the box of the face, reduced to 32 x 32 pixels.
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from models.train.data import UNKNOWN, FaceSet, read_split
from models.train.faces import DEFAULT_DATA
from models.train.frames import QUALITY, TILES, Frame, framed, load_pipeline
from webapp.protocol import LABELS, Box, Face, Job

FACES = 400
SENSOR_NOISE = 3.0
"""Standard deviation in grey values: what a webcam adds in a dim room."""

LIGHT_SIDE = 32
"""As in static/js/room/light.js."""

Condition = Callable[[Frame], NDArray[np.float32]]


class Seen(NamedTuple):
    """One face as the server saw it; all NaN but `is_right` where it found none."""

    is_right: bool
    height: float
    brightness: float
    contrast: float
    yaw: float
    pitch: float
    roll: float


NOT_SEEN = Seen(False, *[float("nan")] * 6)


def sized(side: int) -> Condition:
    """Farther away: a crop of FER2013 of so many pixels; its face is a little smaller."""
    return lambda face: framed(face, side).astype(np.float32)


def lit(gain: float) -> Condition:
    """With so much of the light; above 1 the camera clips what is too bright."""
    return lambda face: np.clip(framed(face).astype(np.float32) * gain, 0, 255)


def flat(contrast: float) -> Condition:
    """With so much of the contrast, as through a dirty lens or with a bright lamp beside it."""
    return lambda face: 128 + contrast * (framed(face).astype(np.float32) - 128)


AS_IT_IS = "as it is"

CONDITIONS: dict[str, Condition] = {
    AS_IT_IS: sized(240),
    **{f"crop of {side} pixels": sized(side) for side in (120, 80, 64, 48, 40, 32, 26)},
    **{f"light x {gain:g}": lit(gain) for gain in (0.3, 0.2, 0.1, 0.05, 1.5, 2, 3)},
    **{f"contrast x {share:g}": flat(share) for share in (0.3, 0.2, 0.1)},
}

POSES = {"yaw": (0, 10, 20, 30, 40, 90), "pitch": (0, 10, 20, 30, 90), "roll": (0, 10, 20, 30, 90)}
"""Limits of the groups, in degrees either way."""


def see(numbered: tuple[int, tuple[Frame, int]], condition: str) -> Seen:
    """What the server makes of one face under a condition."""
    number, (face, label) = numbered
    noise = np.random.default_rng(number).standard_normal((480, 640, 1)) * SENSOR_NOISE
    frame = np.clip(CONDITIONS[condition](face) + noise, 0, 255).astype(np.uint8)
    image = bytes(cv2.imencode(".jpg", frame, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))[1])
    found = _faces(image)
    if not found:
        return NOT_SEEN
    main = max(found, key=lambda one: one.box.width)
    brightness, contrast = light_of(frame, main.box)
    is_right = main.expression == LABELS[label]
    return Seen(is_right, main.box.height, brightness, contrast, *main.pose)


def light_of(frame: Frame, box: Box) -> tuple[float, float]:
    """Mean and standard deviation of the grey values in a face's box, 0 to 255, as the page measures them."""
    left, top = max(0, round(box.x)), max(0, round(box.y))
    part = frame[top : round(box.y + box.height), left : round(box.x + box.width)]
    if part.size == 0:
        return float("nan"), float("nan")
    grey = cv2.cvtColor(
        cv2.resize(part, (LIGHT_SIDE, LIGHT_SIDE), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY
    )
    return float(grey.mean()), float(grey.std())


def _faces(image: bytes) -> tuple[Face, ...]:
    """As in live view: the frame, and where it shows no face its tiles, of which each frame searches one."""
    pipeline = load_pipeline()
    found = pipeline.analyze(Job(image)).faces
    for number in range(TILES if not found else 0):
        found += pipeline.analyze(Job(image, detect=False, tile=number, second_look=False)).faces
    return found


def chosen_faces(data: Path, count: int) -> list[tuple[Frame, int]]:
    """So many labelled faces of the validation split, evenly spread, with their labels."""
    faces: FaceSet = read_split(data, "validation")
    known = np.flatnonzero(faces.labels != UNKNOWN)
    chosen = known[np.linspace(0, len(known) - 1, min(count, len(known))).astype(int)]
    return [(faces.images[at], int(faces.labels[at])) for at in chosen]


def row(name: str, seen: list[Seen]) -> str:
    """A line of the table: accuracy, faces found, and the medians of what was measured."""
    figures = np.array(seen, float)
    height, brightness, contrast = np.nanmedian(figures[:, 1:4], axis=0)
    found = 1 - np.isnan(figures[:, 1]).mean()
    shares = f"{figures[:, 0].mean():.1%} | {found:.1%}"
    return f"| {name} | {shares} | {height:.0f} | {brightness:.0f} | {contrast:.0f} |"


def pose_rows(seen: list[Seen]) -> list[str]:
    """The accuracy of the faces that are turned so far, of those found."""
    rows = []
    for name, limits in POSES.items():
        degrees = np.abs([getattr(one, name) for one in seen])
        for low, high in zip(limits, limits[1:], strict=False):
            inside = (degrees >= low) & (degrees < high)
            right = np.mean([one.is_right for one, is_in in zip(seen, inside, strict=True) if is_in])
            rows.append(f"| {name} {low} to {high} | {inside.sum()} | {right:.1%} |")
    return rows


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--faces", type=int, default=FACES)
    parser.add_argument("--only", default="", help="conditions whose name contains this; poses always")
    asked = parser.parse_args()
    faces = chosen_faces(asked.data, asked.faces)
    seen: dict[str, list[Seen]] = {}
    print("| condition | accuracy | found | height | brightness | contrast |\n|---|---|---|---|---|---|")
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for name in [name for name in CONDITIONS if name == AS_IT_IS or asked.only in name]:
            work = pool.imap(partial(see, condition=name), enumerate(faces), chunksize=16)
            seen[name] = list(tqdm(work, total=len(faces), desc=name, unit="face"))
            print(row(name, seen[name]), flush=True)
    print("\n| degrees | faces | accuracy |\n|---|---|---|", *pose_rows(seen[AS_IT_IS]), sep="\n")


if __name__ == "__main__":
    main()
