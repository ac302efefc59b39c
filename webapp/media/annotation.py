"""Draws faces on images: a box, and a label with the expression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from webapp.protocol import Box, Face, FileFrame

ImageArray = NDArray[np.uint8]

FONT = cv2.FONT_HERSHEY_SIMPLEX
BOX_COLOR = (80, 200, 60)
TEXT_COLOR = (255, 255, 255)
LABEL_COLOR = (40, 90, 20)
"""BGR; white on it has a contrast of 7."""

JPEG_QUALITY = 92

TEXT_HEIGHT_FRACTION = 1 / 45
"""The height of the text over the shorter side of the image."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is drawn of a face."""

    box: Box
    label: str

    @classmethod
    def of(cls, face: Face) -> Overlay:
        """The face's box, its number and its expression."""
        return cls(face.box, f"{face.id}: {face.expression} {100 * face.confidence:.0f}%")


class VideoOverlays:
    """What is to be drawn on a video: the faces of each analyzed frame, by its index."""

    def __init__(self) -> None:
        self.by_index: dict[int, list[Overlay]] = {}

    def add(self, frame: FileFrame) -> None:
        """Keep what was found in a frame."""
        self.by_index[frame.index] = [Overlay.of(face) for face in frame.faces]


def annotate(image: ImageArray, overlays: Sequence[Overlay]) -> ImageArray:
    """A copy of a (height, width, 3) uint8 BGR image with boxes and labels."""
    drawn = image.copy()
    shorter = min(image.shape[:2])
    line = max(1, round(shorter / 300))
    scale = max(0.35, shorter * TEXT_HEIGHT_FRACTION / 22)
    for overlay in overlays:
        left, top, right, bottom = _corners(overlay.box)
        cv2.rectangle(drawn, (left, top), (right, bottom), BOX_COLOR, line, cv2.LINE_AA)
        _write(drawn, overlay.label, (left, top), scale)
    return drawn


def write_jpeg(path: Path, image: ImageArray) -> None:
    """Write a (height, width, 3) uint8 BGR image; the file appears when it is complete.

    Raises:
        OSError: it cannot be written.
    """
    unfinished = path.with_name(f"{path.name}.part")
    try:
        done, content = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
        if not done:
            raise OSError("JPEG takes at most 65,500 pixels each way")
        unfinished.write_bytes(content.tobytes())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _corners(box: Box) -> tuple[int, int, int, int]:
    return round(box.x), round(box.y), round(box.x + box.width), round(box.y + box.height)


def _write(image: ImageArray, text: str, corner: tuple[int, int], scale: float) -> None:
    """Write a label above the box that begins at a corner, or within it at the upper edge of the image."""
    (width, height), descent = cv2.getTextSize(text, FONT, scale, 1)
    x = min(max(0, corner[0]), max(0, image.shape[1] - width))
    y = max(corner[1] - descent, height + descent)
    cv2.rectangle(image, (x, y - height - descent), (x + width, y + descent), LABEL_COLOR, cv2.FILLED)
    cv2.putText(image, text, (x, y), FONT, scale, TEXT_COLOR, max(1, round(scale)), cv2.LINE_AA)
