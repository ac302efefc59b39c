"""The values that travel between browser, server and workers, and the checks of those that come from outside.

    browser -- Frame --> FrameSession -- Job --> worker -- Analysis --> FrameSession -- Result --> browser

`webapp.codec` writes results and problems as JSON, `webapp.ipc.job_codec` jobs and analyses as bytes. Boxes
are [x, y, width, height] and points [x, y], in pixels of the image as sent (after its EXIF rotation), x to
the right, y down. Only the standard library is imported here: both the server and the workers use it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from webapp.errors import BadFrameError, TooLargeError

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""The expressions, in the order of the classifier's outputs; `models/labels.json` lists the same."""

NEGATIVE_LABELS = ("angry", "disgust", "fear", "sad")

LANDMARK_NAMES = (
    "left_eye",
    "right_eye",
    "left_eyebrow",
    "right_eyebrow",
    "nose",
    "mouth_outer",
    "mouth_inner",
    "face_oval",
)
"""The named polylines of a face; left and right are the person's own."""

MAX_IMAGE_BYTES = 2_000_000
"""The largest encoded image; the page sends 15 to 60 kB."""

MAX_IMAGE_PIXELS = 4_000_000
"""The largest image that is decoded."""

MAX_SIDE = 65_535
"""The longest side of an image that is decoded, in pixels; a JPEG can have no longer one."""

MAX_EVERY = 1_000_000
"""Frames of a video from one that is analyzed to the next; hours have fewer."""

MAX_SMOOTHING_S = 5.0
"""The longest time constant that a page may ask for."""

MAX_SHOWN_KEYS, MAX_SHOWN_CHARACTERS = 8, 100
"""Of what a client sent, in the message that says why it is wrong."""

WORKER_STAGES = ("decode", "detect", "landmarks", "classify")
STAGES = ("queue", *WORKER_STAGES, "total")

Point = tuple[float, float]
Probabilities = Mapping[str, float]


class Box(NamedTuple):
    """An upright rectangle in pixels; it may extend beyond the edge of the image."""

    x: float
    y: float
    width: float
    height: float

    @property
    def center(self) -> tuple[float, float]:
        """Its center, x and y."""
        return self.x + self.width / 2, self.y + self.height / 2


class Region(NamedTuple):
    """A square of side `size` around a face: its center (`x`, `y`), turned clockwise by `roll` radians."""

    x: float
    y: float
    size: float
    roll: float

    def scaled(self, factor: float) -> Region:
        """The same square in an image that is `factor` times as large."""
        return Region(self.x * factor, self.y * factor, self.size * factor, self.roll)


class Pose(NamedTuple):
    """Where the head points, in degrees; all 0 when it faces the camera.

    `yaw` is positive when the person turns to their own left, `pitch` when they look up, `roll` when the
    head tips clockwise in the image.
    """

    yaw: float
    pitch: float
    roll: float


class ImageLimits(NamedTuple):
    """The largest encoded image that is taken, and the largest that is decoded."""

    max_bytes: int
    max_pixels: int


LIVE_LIMITS = ImageLimits(MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS)
"""Those of a camera's frames."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a browser's camera, as sent: `image` is the encoded file.

    `captured_ms` is the time on the browser's clock. `smoothing_s` is the time constant of the probabilities,
    or None for the server's own setting.
    """

    seq: int
    captured_ms: float
    image: bytes
    smoothing_s: float | None = None

    @classmethod
    def of_file(cls, image: bytes, limits: ImageLimits) -> Frame:
        """An image file as the only frame of its stream.

        Raises:
            BadFrameError: it is empty.
            TooLargeError: it has more bytes than the limits allow.
        """
        check_not_empty(image)
        check_image_bytes(image, limits.max_bytes)
        return cls(0, 0.0, image)

    @classmethod
    def from_wire(cls, meta: object, image: object) -> Frame:
        """Check the two arguments of a `frame` event.

        Raises:
            BadFrameError: `meta` is not {"seq": int >= 0, "captured_ms": finite number}, its optional
                "smoothing_s" is not a number from 0 to MAX_SMOOTHING_S, or `image` is not a non-empty byte
                string.
            TooLargeError: `image` has more than MAX_IMAGE_BYTES bytes.
        """
        seq = seq_of(meta)
        captured_ms = finite_number(meta.get("captured_ms")) if isinstance(meta, dict) else None
        if seq is None or captured_ms is None:
            raise BadFrameError(
                'The frame needs a meta object {"seq": whole number from 0, "captured_ms": number}; '
                f"got {_describe(meta)}."
            )
        if not isinstance(image, bytes | bytearray | memoryview):
            raise BadFrameError(
                f"The frame's image must be binary (JPEG, PNG or WebP); got {_describe(image)}."
            )
        check_not_empty(image)
        check_image_bytes(image)
        return cls(seq, captured_ms, bytes(image), _smoothing(meta))


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker gets: an encoded image, and where to find faces in it.

    `regions` are the predicted regions of the tracked faces, in widths of the image. `detect` asks for
    detection in the whole image, `tile` for detection in one tile of it; tile numbers wrap around. If a
    tracked face is lost, the worker runs the detector on the whole image without being asked.

    Two things cost more than a frame may while the workers are busy. `second_look` lets the worker search
    harder where it finds no face, and `mirror` lets it classify the mirror image of an undecided face too.

    `limits` are those of the image. An image with others than a live frame's is a file: a worker analyzes it
    beside live frames and with a lower priority, and searches a large one at several scales.
    """

    image: bytes
    regions: tuple[Region, ...] = ()
    detect: bool = True
    tile: int | None = None
    second_look: bool = True
    mirror: bool = True
    limits: ImageLimits = LIVE_LIMITS

    @property
    def is_file(self) -> bool:
        """Whether the image is a file that somebody sent, not a frame of a camera."""
        return self.limits != LIVE_LIMITS


@dataclass(frozen=True, slots=True)
class Face:
    """One face in one frame.

    A worker sets everything but `id`, with `probabilities` equal to `raw_probabilities`; the tracker assigns
    the id and smooths `probabilities`. `score` says how visible the face is, 0 to 1. `landmarks` are the
    named polylines in the JSON of the wire contract: the server only passes them on, and parsing and writing
    their 170 points would be a third of its work on a frame. `region` is where the face is tracked in the
    next frame; it is not sent to the browser.
    """

    box: Box
    region: Region
    score: float
    landmarks: str
    pose: Pose
    probabilities: Probabilities
    raw_probabilities: Probabilities
    id: int = 0
    relative_probabilities: Probabilities | None = None

    @property
    def expression(self) -> str:
        """The label with the highest (smoothed) probability."""
        return max(self.probabilities, key=lambda label: self.probabilities[label])

    @property
    def confidence(self) -> float:
        """The probability of `expression`, 0 to 1."""
        return self.probabilities[self.expression]

    @property
    def valence(self) -> float:
        """The valence of the (smoothed) probabilities, -1 to 1."""
        return valence(self.probabilities)

    @property
    def polylines(self) -> dict[str, list[Point]]:
        """The `landmarks`, parsed: the points of each named line."""
        return {name: [(x, y) for x, y in line] for name, line in json.loads(self.landmarks).items()}


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a worker found in one image of `width` x `height` pixels, faces from left to right.

    `timing_ms` has the worker's stages: decode, detect, landmarks (including the face crops), classify.
    """

    width: int
    height: int
    faces: tuple[Face, ...]
    timing_ms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class FileFrame:
    """What was found in one frame of a file; an image is a file of one frame.

    `input` is the file as it was named, `index` the number of the decoded frame from 0, `t` its presentation
    time in seconds as the container has it. The faces have ids; those of a video also smoothed probabilities.
    """

    input: str
    index: int
    t: float
    width: int
    height: int
    faces: tuple[Face, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """The result for the frame `seq`: an analysis whose faces have ids, with the timing of all stages."""

    seq: int
    width: int
    height: int
    faces: tuple[Face, ...]
    timing_ms: Mapping[str, float]


def check_not_empty(image: bytes | bytearray | memoryview) -> None:
    """Reject an image without a byte.

    Raises:
        BadFrameError: it has none.
    """
    if len(image) == 0:
        raise BadFrameError("The frame's image is empty; send a JPEG, PNG or WebP file.")


def check_image_bytes(image: bytes | bytearray | memoryview, max_bytes: int = MAX_IMAGE_BYTES) -> None:
    """Reject an encoded image of more than `max_bytes` bytes.

    Raises:
        TooLargeError: it has more.
    """
    if len(image) > max_bytes:
        raise TooLargeError(
            f"The image has {len(image):,} bytes; at most {max_bytes:,} are accepted. "
            "Send a smaller one or lower its quality."
        )


def seq_of(meta: object) -> int | None:
    """The sequence number in a frame's `meta`, or None if that is not a whole number from 0."""
    seq = meta.get("seq") if isinstance(meta, dict) else None
    return seq if isinstance(seq, int) and not isinstance(seq, bool) and seq >= 0 else None


def finite_number(value: object) -> float | None:
    """A number that a client sent, or None if it is none, not finite, or too large for a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= sys.float_info.max else None


def valence(probabilities: Probabilities) -> float:
    """Happy minus the largest of the negative expressions, -1 to 1 (FaceReader's definition)."""
    return probabilities["happy"] - max(probabilities[label] for label in NEGATIVE_LABELS)


def with_probabilities(face: Face, probabilities: Probabilities, face_id: int) -> Face:
    """The same face with its id and smoothed probabilities."""
    return replace(face, id=face_id, probabilities=probabilities)


def _smoothing(meta: object) -> float | None:
    wanted = meta.get("smoothing_s") if isinstance(meta, dict) else None
    if wanted is None:
        return None
    smoothing_s = finite_number(wanted)
    if smoothing_s is None or not 0 <= smoothing_s <= MAX_SMOOTHING_S:
        raise BadFrameError(f"The frame's smoothing_s must be a number from 0 to {MAX_SMOOTHING_S:g}.")
    return smoothing_s


def _describe(value: object) -> str:
    if isinstance(value, dict):
        keys = ", ".join(sorted(map(str, value))[:MAX_SHOWN_KEYS])
        return f"an object with {keys[:MAX_SHOWN_CHARACTERS] or 'no keys'}"
    return "nothing" if value is None else f"a {type(value).__name__}"
