"""What travels: browser, `Frame`, client, `Job`, worker, `Analysis`, client, `Result`, browser.

The wire form of a result, as the acknowledgement of a `frame` event and the body of `/api/v1/analyze`:

    {"seq": 7, "width": 640, "height": 480,
     "faces": [{"id": 1, "box": [x, y, width, height], "score": 0.97,
                "landmarks": {"left_eye": [[x, y], ...], ...},
                "pose": {"yaw": deg, "pitch": deg, "roll": deg},
                "expression": "happy", "confidence": 0.93, "valence": 0.9,
                "probabilities": {"angry": 0.01, ...}, "raw_probabilities": {...}}],
     "timing_ms": {"queue": 0.1, "decode": 1.2, ..., "total": 9.8}}

and of a problem: {"seq": 8, "problem": {"code": "busy", "message": "..."}}.

Boxes are [x, y, width, height] and points [x, y], in pixels of the picture as sent (after its EXIF turn),
x to the right, y down. Only the standard library is imported here: both sides of the worker link use it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from webapp.errors import BadFrameError, FrameError, TooLargeError

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""The expressions, in the order of the classifier's outputs; `models/labels.json` says the same."""

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
"""The largest encoded picture; the page sends 15 to 60 kB."""

MAX_IMAGE_PIXELS = 4_000_000
"""The largest picture that is decoded."""

MAX_SMOOTHING_S = 5.0
"""The calmest that a page may ask for."""

WORKER_STAGES = ("decode", "detect", "landmarks", "classify")
STAGES = ("queue", *WORKER_STAGES, "total")

Point = tuple[float, float]
Probabilities = Mapping[str, float]


class Box(NamedTuple):
    """An upright rectangle in pixels; it may reach over the edge of the picture."""

    x: float
    y: float
    width: float
    height: float

    @property
    def center(self) -> tuple[float, float]:
        """The point in its middle, x and y."""
        return self.x + self.width / 2, self.y + self.height / 2


class Region(NamedTuple):
    """A square of side `size` around (`x`, `y`), turned clockwise by `roll` radians, in which a face lies."""

    x: float
    y: float
    size: float
    roll: float

    def scaled(self, factor: float) -> Region:
        """The same square of a picture that is `factor` times as large."""
        return Region(self.x * factor, self.y * factor, self.size * factor, self.roll)


class Pose(NamedTuple):
    """Where the head points, in degrees; all 0 when it faces the camera.

    `yaw` is positive when the person turns to their own left, `pitch` when they look up, `roll` when the
    head tips clockwise in the picture.
    """

    yaw: float
    pitch: float
    roll: float


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a browser's camera, as sent: `image` is the encoded file, `captured_ms` its clock.

    `smoothing_s` is how calm its probabilities are to be, or None for the server's own setting.
    """

    seq: int
    captured_ms: float
    image: bytes
    smoothing_s: float | None = None

    @classmethod
    def from_wire(cls, meta: object, image: object) -> Frame:
        """Check the two arguments of a `frame` event.

        Raises:
            BadFrameError: `meta` is not {"seq": int >= 0, "captured_ms": finite number}, its optional
                "smoothing_s" is no number from 0 to MAX_SMOOTHING_S, or `image` is not a non-empty byte
                string.
            TooLargeError: `image` has more than MAX_IMAGE_BYTES bytes.
        """
        seq = seq_of(meta)
        captured_ms = _finite_number(meta.get("captured_ms")) if isinstance(meta, dict) else None
        if seq is None or captured_ms is None:
            raise BadFrameError(
                'The frame needs a meta object {"seq": whole number from 0, "captured_ms": number}; '
                f"got {_describe(meta)}."
            )
        if not isinstance(image, bytes | bytearray | memoryview):
            raise BadFrameError(
                f"The frame's picture must be binary (JPEG, PNG or WebP); got {_describe(image)}."
            )
        if len(image) == 0:
            raise BadFrameError("The frame's picture is empty; send a JPEG, PNG or WebP file.")
        check_image_bytes(image)
        return cls(seq, captured_ms, bytes(image), _smoothing(meta))


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker gets: an encoded picture, and where to look for faces in it.

    `regions` are where the faces of the frames before should be now, in widths of the picture. `detect` asks
    for a search of the whole picture, `tile` for a closer one of a part of it, whose number may grow for
    ever. Where a face is lost the worker searches the whole picture unasked.
    """

    image: bytes
    regions: tuple[Region, ...] = ()
    detect: bool = True
    tile: int | None = None


@dataclass(frozen=True, slots=True)
class Face:
    """One face in one picture.

    A worker fills everything but `id`, with `probabilities` equal to `raw_probabilities`; `client` gives
    the id and smooths `probabilities`. `score` says how well the face is seen, 0 to 1. `landmarks` are the
    named polylines in JSON, as the wire contract writes them: the server only passes them on, and reading
    and writing their 170 points would be a third of its work on a frame. `region` is where to look for the
    face in the next picture and does not go to the browser.
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

    def to_json(self) -> str:
        """The face as the wire contract writes it."""
        head = {
            "id": self.id,
            "box": [round(value, 1) for value in self.box],
            "score": round(self.score, 4),
        }
        tail = {
            "pose": {name: round(value, 1) for name, value in self.pose._asdict().items()},
            "expression": self.expression,
            "confidence": round(self.confidence, 4),
            "valence": round(self.valence, 4),
            "probabilities": _rounded(self.probabilities),
            "raw_probabilities": _rounded(self.raw_probabilities),
        }
        if self.relative_probabilities is not None:
            tail["relative_probabilities"] = _rounded(self.relative_probabilities)
        return f'{_json(head)[:-1]},"landmarks":{self.landmarks},{_json(tail)[1:]}'


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a worker found in one picture of `width` x `height` pixels, faces from left to right.

    `timing_ms` has the worker's stages: decode, detect, landmarks (with the cutting of faces), classify.
    """

    width: int
    height: int
    faces: tuple[Face, ...]
    timing_ms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to the frame `seq`: an analysis whose faces have ids, and the whole timing."""

    seq: int
    width: int
    height: int
    faces: tuple[Face, ...]
    timing_ms: Mapping[str, float]

    def to_json(self) -> str:
        """The result as the wire contract writes it."""
        faces = ",".join(face.to_json() for face in self.faces)
        timing_ms = _json({stage: round(self.timing_ms[stage], 2) for stage in STAGES})
        size = f'"width":{self.width},"height":{self.height}'
        return f'{{"seq":{self.seq},{size},"faces":[{faces}],"timing_ms":{timing_ms}}}'


def check_image_bytes(image: bytes | bytearray | memoryview) -> None:
    """Refuse an encoded picture of more than MAX_IMAGE_BYTES bytes.

    Raises:
        TooLargeError: it has more.
    """
    if len(image) > MAX_IMAGE_BYTES:
        raise TooLargeError(
            f"The picture has {len(image):,} bytes, at most {MAX_IMAGE_BYTES:,} are taken; "
            "send it smaller or with less quality."
        )


def problem(code: str, message: str) -> dict[str, Any]:
    """A problem as HTTP answers and acknowledgements of events carry it."""
    return {"problem": {"code": code, "message": message}}


def problem_to_wire(seq: int | None, error: FrameError) -> dict[str, Any]:
    """The problem object of the wire contract; `seq` is None where the frame did not say a usable one."""
    return {"seq": seq, **problem(error.code, str(error))}


def seq_of(meta: object) -> int | None:
    """The sequence number in a frame's `meta`, or None where there is no whole number from 0."""
    seq = meta.get("seq") if isinstance(meta, dict) else None
    return seq if isinstance(seq, int) and not isinstance(seq, bool) and seq >= 0 else None


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
    smoothing_s = _finite_number(wanted)
    if smoothing_s is None or not 0 <= smoothing_s <= MAX_SMOOTHING_S:
        raise BadFrameError(f"The frame's smoothing_s must be a number from 0 to {MAX_SMOOTHING_S:g}.")
    return smoothing_s


def _finite_number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= sys.float_info.max else None


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _rounded(probabilities: Probabilities) -> dict[str, float]:
    return {label: round(probabilities[label], 4) for label in LABELS}


def _describe(value: object) -> str:
    if isinstance(value, dict):
        return "an object with " + (", ".join(sorted(map(str, value))[:8]) or "no keys")
    return "nothing" if value is None else f"a {type(value).__name__}"
