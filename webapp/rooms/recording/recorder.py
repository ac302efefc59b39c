"""Takes the finished results of participants' frames: baselines, samples, and what hosts see of each.

Frames never wait for the store: their samples go to the writer's buffer.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import NamedTuple

from webapp.protocol import Frame, Result
from webapp.rooms.clock_sync import now_ms
from webapp.rooms.membership import Membership
from webapp.rooms.participant import Participant, Seen, ShownImage
from webapp.rooms.recording.samples import (
    Circumstances,
    capture_time_ms,
    relative_probabilities,
    samples_of,
    vector,
)
from webapp.rooms.room import Room
from webapp.store.records import RecordingRecord, SampleRecord
from webapp.store.sample_writer import SampleWriter

MAX_SHOWN_BYTES = 300_000
"""Our own page sends frames of 20 to 60 kB."""


class Recorder:
    """What a room does with each frame. `model` is the version of the expression model.

    Any thread may call it, for two frames of one participant too: the room's lock gives them their numbers.
    """

    def __init__(self, membership: Membership, writer: SampleWriter, model: str) -> None:
        self._membership = membership
        self._writer = writer
        self._model = model

    def take(self, connection: str, frame: Frame, result: Result, received_ms: float) -> Result:
        """Take a finished result of a participant's frame; the same with relative probabilities, if any.

        Raises:
            NotJoinedError: the participant went away in the meantime.
            NotHereError: another node serves the room by now.
        """
        room, participant = self._membership.joined(connection)
        now_s = time.monotonic()
        participant.count_frame(now_s)
        if participant.baseline.taking is not None:
            self._take_baseline(room, participant, result, now_s)
        result = _with_relatives(result, participant.record.baseline)
        if room.recording is not None or room.ended is not None or self._membership.outlets:
            numbered = _numbered_faces(room, participant, connection, result)
            self._record(room, participant, frame, numbered, received_ms)
        self._see(room, participant, frame, result, now_s)
        if participant.connection != connection:  # nothing is shown of who has left
            participant.seen = None
        return result

    def _take_baseline(self, room: Room, participant: Participant, result: Result, now_s: float) -> None:
        progress = participant.baseline
        with room.lock:
            taking = progress.taking
            if taking is None:
                return
            if not taking.is_over(now_s):
                taking.add([vector(face.raw_probabilities) for face in result.faces])
                return
            mean = progress.finish(now_ms())
            if mean is not None:
                participant.record = replace(participant.record, baseline=mean)
        if mean is not None:
            threading.Thread(target=self._membership.keep, args=(room, participant), daemon=True).start()
        told = {"state": "set"} if mean else {"state": "failed", "reason": progress.failure}
        self._membership.tell(str(participant.connection), "baseline", told)

    def _record(
        self, room: Room, participant: Participant, frame: Frame, result: Result, received_ms: float
    ) -> None:
        offset_ms = participant.clock.offset_ms
        timestamp_ms = capture_time_ms(frame.captured_ms, offset_ms, received_ms)
        numbered = _numbered(room, participant, timestamp_ms, received_ms)
        recording = numbered.recording
        given = Circumstances(
            recording_id=recording.id if recording else 0,
            participant_id=participant.record.id,
            frame_number=numbered.number,
            timestamp_ms=numbered.timestamp_ms,
            received_ms=received_ms,
            clock_offset_ms=offset_ms,
            model=self._model,
        )
        if recording is None and not self._membership.outlets:
            return
        samples = samples_of(frame, result, given)
        for outlet in self._membership.outlets:
            outlet.samples(room, participant, samples)
        if recording is not None:
            self._keep(room, recording, samples, numbered.timestamp_ms)

    def _keep(
        self, room: Room, recording: RecordingRecord, samples: list[SampleRecord], timestamp_ms: float
    ) -> None:
        with room.lock:
            room.guard()  # within the lock: who gives the room up waits for it, then stores what waits
            if room.stopping_ms is not None and timestamp_ms > room.stopping_ms:
                room.held.extend(samples)
                return
            self._writer.put(room.code, samples, room.epoch)
        self._membership.feeds.samples(room, recording, samples)

    def _see(self, room: Room, participant: Participant, frame: Frame, result: Result, now_s: float) -> None:
        participant.seen = Seen(
            at_s=now_s,
            latency_ms=result.timing_ms["total"] + (participant.clock.round_trip_ms or 0.0),
            faces=len(result.faces),
            face=max(result.faces, key=lambda face: face.box.width, default=None),
            image=_shown_image(frame, result) if room.may_show(participant) else None,
        )


def _numbered_faces(room: Room, participant: Participant, connection: str, result: Result) -> Result:
    """The result with the numbers of faces that samples have; see `FaceNumbers`."""
    with room.lock:
        return replace(result, faces=participant.face_numbers.numbered(connection, result.faces))


class _Numbered(NamedTuple):
    """A frame's recording, or None, its number there, and when the camera captured it."""

    recording: RecordingRecord | None
    number: int
    timestamp_ms: float


def _numbered(room: Room, participant: Participant, timestamp_ms: float, received_ms: float) -> _Numbered:
    """Number a frame in its recording; one from before the recording belongs to none.

    A frame that seems older than the recording by no more than the clocks' error counts as its first moment.
    One that was being analyzed when the recording stopped belongs to it.
    """
    with room.lock:
        number, recording = participant.next_frame, room.recording
        if recording is None and room.ended is not None and received_ms <= room.ended[1]:
            recording = room.ended[0]
        if recording is None or timestamp_ms + participant.clock.error_ms < recording.started_ms:
            return _Numbered(None, number, timestamp_ms)
        participant.next_frame += 1
        return _Numbered(recording, number, max(timestamp_ms, recording.started_ms))


def _shown_image(frame: Frame, result: Result) -> ShownImage | None:
    """What hosts see of a frame; None if it is so large that it would delay dashboards."""
    if len(frame.image) > MAX_SHOWN_BYTES:
        return None
    return ShownImage(frame.image, result.width, result.height, tuple(face.box for face in result.faces))


def _with_relatives(result: Result, baseline: tuple[float, ...] | None) -> Result:
    """The result whose faces have probabilities relative to a baseline."""
    if baseline is None:
        return result
    faces = tuple(
        replace(face, relative_probabilities=relative_probabilities(face, baseline)) for face in result.faces
    )
    return replace(result, faces=faces)
