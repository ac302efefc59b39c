"""Turns the result of a frame into the samples of a recording. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from webapp.protocol import LABELS, Face, Frame, Probabilities, Result, valence
from webapp.rooms.baseline import relative
from webapp.store.records import SampleRecord

EARLIEST_CAPTURE_MS = 5000.0
"""A frame that seems to have been on its way for longer carries a wrong time."""


class Circumstances(NamedTuple):
    """What a sample says beside the frame itself."""

    recording_id: int
    participant_id: str
    frame_number: int
    timestamp_ms: float
    received_ms: float
    clock_offset_ms: float | None
    model: str


def samples_of(frame: Frame, result: Result, given: Circumstances) -> list[SampleRecord]:
    """One sample for each face, or one without a face."""
    faces: tuple[Face | None, ...] = result.faces or (None,)
    return [_sample(frame, result, face, given) for face in faces]


def capture_time_ms(captured_ms: float, offset_ms: float | None, received_ms: float) -> float:
    """When a frame was captured on the server's clock, or when it arrived if that is unknown."""
    if offset_ms is None:
        return received_ms
    estimate_ms = captured_ms + offset_ms
    return estimate_ms if received_ms - EARLIEST_CAPTURE_MS <= estimate_ms <= received_ms else received_ms


def relative_probabilities(face: Face, baseline: tuple[float, ...]) -> Mapping[str, float]:
    """The face's plain probabilities relative to a person's own neutral, by label."""
    return dict(zip(LABELS, relative(vector(face.raw_probabilities), baseline), strict=True))


def vector(probabilities: Probabilities) -> tuple[float, ...]:
    """Probabilities in the order of `LABELS`."""
    return tuple(probabilities[label] for label in LABELS)


def _sample(frame: Frame, result: Result, face: Face | None, given: Circumstances) -> SampleRecord:
    raw = vector(face.raw_probabilities) if face else None
    return SampleRecord(
        recording_id=given.recording_id,
        participant_id=given.participant_id,
        frame=given.frame_number,
        timestamp_ms=given.timestamp_ms,
        received_ms=given.received_ms,
        captured_ms=frame.captured_ms,
        clock_offset_ms=given.clock_offset_ms,
        width=result.width,
        height=result.height,
        model=given.model,
        face_id=face.id if face else 0,
        box=tuple(face.box) if face else None,
        score=face.score if face else None,
        pose=(face.pose.pitch, face.pose.roll, face.pose.yaw) if face else None,
        raw=raw,
        smooth=vector(face.probabilities) if face else None,
        relative=vector(face.relative_probabilities) if face and face.relative_probabilities else None,
        valence=valence(face.raw_probabilities) if face else None,
    )
