"""The payloads between the server and a vision worker: jobs one way, analyses or problems the other.

Both are plain data, read field by field and checked. A worker decodes files from anyone, so the server trusts
its replies no more than it trusts a browser: a reply that is not exactly one of these raises a LinkError. All
numbers are big-endian.

    job       | detect, second look, mirror ?, tile i32 (-1: none), regions u8, max bytes, max pixels u32
              | per region: x, y, size, roll f64 | image |
    analysis  | 'A' | width, height u32, faces u8, 4 stages f64 | faces |
    face      | box 4, region 4, score, pose 3, probabilities 7 f64, n u32 | n bytes of landmarks as JSON |
    problem   | 'P' | index of its class in PROBLEMS u8 | message, UTF-8 |
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

from webapp.errors import BadFrameError, FrameError, LinkError, TooLargeError, UnavailableError
from webapp.protocol import (
    LABELS,
    LANDMARK_NAMES,
    MAX_SIDE,
    WORKER_STAGES,
    Analysis,
    Box,
    Face,
    ImageLimits,
    Job,
    Pose,
    Region,
)

JOB = struct.Struct("!3?iBII")
REGION = struct.Struct("!4d")
NO_TILE = -1
MAX_REGIONS = 255

ANALYSIS = struct.Struct(f"!cIIB{len(WORKER_STAGES)}d")
FACE = struct.Struct(f"!12d{len(LABELS)}dI")
PROBLEM = struct.Struct("!cB")
IS_ANALYSIS, IS_PROBLEM = b"A", b"P"
MAX_FACES = 255

PROBLEMS: Sequence[type[FrameError]] = (BadFrameError, TooLargeError, UnavailableError)
"""What a worker may reply instead of an analysis."""

MAX_COORDINATE = 1e7
MAX_PROBABILITY = 1.001
"""A softmax in single precision may come out a little over 1."""

MAX_PROBLEM_BYTES = 2_000
MAX_LANDMARKS_BYTES = 20_000
"""The 170 points of a face take some 2,500."""

MAX_REPLY_BYTES = ANALYSIS.size + MAX_FACES * (FACE.size + MAX_LANDMARKS_BYTES)

DIGITS = b"0123456789-"
LINE_POINTS = (17, 17, 11, 11, 22, 21, 21, 37)
"""The number of points in each line of LANDMARK_NAMES."""

LANDMARKS_WITHOUT_DIGITS = "{{{}}}".format(
    ",".join(
        f'"{name}":[{",".join(["[.,.]"] * points)}]'
        for name, points in zip(LANDMARK_NAMES, LINE_POINTS, strict=True)
    )
).encode()
"""What remains of the landmarks of a face when DIGITS are removed."""

Outcome = Analysis | FrameError


def pack_job(job: Job) -> bytes:
    """The payload of a job. Only the first MAX_REGIONS regions are sent."""
    regions = job.regions[:MAX_REGIONS]
    tile = NO_TILE if job.tile is None else job.tile
    header = JOB.pack(job.detect, job.second_look, job.mirror, tile, len(regions), *job.limits)
    return b"".join([header, *(REGION.pack(*region) for region in regions), job.image])


def unpack_job(payload: bytes) -> Job:
    """The reverse of `pack_job`."""
    detect, second_look, mirror, tile, count, *limits = JOB.unpack_from(payload)
    image_at = JOB.size + count * REGION.size
    regions = tuple(map(Region._make, REGION.iter_unpack(payload[JOB.size : image_at])))
    searched_tile = None if tile == NO_TILE else tile
    image = payload[image_at:]
    return Job(image, regions, detect, searched_tile, second_look, mirror, ImageLimits(*limits))


def pack_outcome(outcome: Outcome) -> bytes:
    """The payload of a reply. Only the first MAX_FACES faces, from the left, are sent."""
    if isinstance(outcome, FrameError):
        index = next(i for i, problem in enumerate(PROBLEMS) if isinstance(outcome, problem))
        return PROBLEM.pack(IS_PROBLEM, index) + str(outcome).encode()[:MAX_PROBLEM_BYTES]
    faces = outcome.faces[:MAX_FACES]
    stages = (outcome.timing_ms[stage] for stage in WORKER_STAGES)
    parts = [ANALYSIS.pack(IS_ANALYSIS, outcome.width, outcome.height, len(faces), *stages)]
    for face in faces:
        landmarks = face.landmarks.encode()
        rates = (face.raw_probabilities[label] for label in LABELS)
        parts.append(FACE.pack(*face.box, *face.region, face.score, *face.pose, *rates, len(landmarks)))
        parts.append(landmarks)
    return b"".join(parts)


def unpack_outcome(payload: bytes) -> Outcome:
    """The reverse of `pack_outcome`, for a payload from an untrusted process.

    Raises:
        LinkError: the payload is neither an analysis nor a problem, or a value in it is out of range.
    """
    try:
        if payload[:1] == IS_PROBLEM:
            return _problem(payload)
        if payload[:1] == IS_ANALYSIS:
            return _analysis(payload)
    except (struct.error, ValueError) as error:  # UnicodeDecodeError is a ValueError
        raise LinkError(f"A reply of {len(payload):,} bytes cannot be read: {error}.") from None
    raise LinkError(f"A reply of {len(payload):,} bytes is neither an analysis nor a problem.")


def _problem(payload: bytes) -> FrameError:
    _, index = PROBLEM.unpack_from(payload)
    message = payload[PROBLEM.size :]
    _check(index < len(PROBLEMS) and len(message) <= MAX_PROBLEM_BYTES, "problem")
    problem: FrameError = PROBLEMS[index](message.decode())
    return problem


def _analysis(payload: bytes) -> Analysis:
    _, width, height, count, *stages = ANALYSIS.unpack_from(payload)
    _check(0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE, "size")
    _check(min(stages) >= 0 and math.isfinite(sum(stages)), "timing")
    faces, position = [], ANALYSIS.size
    for _ in range(count):
        face, position = _face(payload, position)
        faces.append(face)
    _check(position == len(payload), "length")
    return Analysis(width, height, tuple(faces), dict(zip(WORKER_STAGES, stages, strict=True)))


def _face(payload: bytes, start: int) -> tuple[Face, int]:
    """The face that begins there, and where it ends."""
    *numbers, length = FACE.unpack_from(payload, start)
    rates = numbers[12:]
    # The length of the numbers as one vector: infinite or not a number where one of them is.
    _check(math.hypot(*numbers) < MAX_COORDINATE, "number")
    _check(0 <= numbers[8] <= 1 and min(rates) >= 0 and max(rates) <= MAX_PROBABILITY, "score or probability")
    landmarks_at = start + FACE.size
    end = landmarks_at + length
    probabilities = dict(zip(LABELS, rates))  # noqa: B905 - strict costs time; FACE has a rate for each label
    face = Face(
        Box._make(numbers[:4]),
        Region._make(numbers[4:8]),
        numbers[8],
        _landmarks(payload[landmarks_at:end]),
        Pose._make(numbers[9:12]),
        probabilities,
        probabilities,
    )
    return face, end


def _landmarks(json: bytes) -> str:
    """Landmarks as they are passed on to browsers: the named lines with their points, and nothing else.

    Checks every byte but the digits of the numbers, which would take longer (9 us) than all the rest.
    """
    _check(len(json) <= MAX_LANDMARKS_BYTES, "length of landmarks")
    _check(json.translate(None, DIGITS) == LANDMARKS_WITHOUT_DIGITS, "set of landmarks")
    return json.decode()


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise LinkError(f"A reply has an invalid {what}.")
