"""Takes the finished results of participants' frames: baselines, samples, and what hosts see of each.

Frames never wait for the store: their samples go to the writer's buffer.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace

from webapp.protocol import Frame, Result
from webapp.rooms.membership import People
from webapp.rooms.room import Participant, Picture, Room, Seen
from webapp.rooms.samples import Circumstances, relative_probabilities, samples_of, vector
from webapp.store.client import Store
from webapp.store.repositories import Archive
from webapp.store.sample_writer import Writer

LARGEST_SHOWN_BYTES = 300_000
"""Our own page sends pictures of 20 to 60 kB."""

logger = logging.getLogger(__name__)


class Intake:
    """Where a room touches the way of a frame. `model` is the version of the expression model."""

    def __init__(self, people: People, store: Store, writer: Writer, model: str) -> None:
        self._people = people
        self._store = store
        self._writer = writer
        self._model = model

    def take(self, connection: str, frame: Frame, result: Result, received_ms: float) -> Result:
        """Take a finished result of a participant's frame; the same with relative probabilities, if any.

        Raises:
            NotJoinedError: the participant went away in the meantime.
        """
        room, participant = self._people.joined(connection)
        now_s = time.monotonic()
        participant.count_frame(now_s)
        self._take_baseline(participant, result, now_s)
        result = _with_relatives(result, participant.record.baseline)
        self._record(room, participant, frame, result, received_ms)
        self._see(room, participant, frame, result, now_s)
        return result

    def _take_baseline(self, participant: Participant, result: Result, now_s: float) -> None:
        taking = participant.taking
        if taking is None:
            return
        if not taking.is_over(now_s):
            if len(result.faces) == 1:
                taking.add(vector(result.faces[0].raw_probabilities))
            return
        participant.taking = None
        mean = taking.mean()
        if mean is not None:
            participant.record = replace(participant.record, baseline=mean)
            threading.Thread(target=self._keep, args=(participant,), daemon=True).start()
        self._people.tell(str(participant.connection), "baseline", {"state": "set" if mean else "failed"})

    def _keep(self, participant: Participant) -> None:
        """Keep what changed of a participant; a store that fails is tried again with the next change."""
        try:
            self._store.call(Archive.update_participant, participant.record)
        except Exception:
            logger.exception("a participant's baseline could not be kept")

    def _record(
        self, room: Room, participant: Participant, frame: Frame, result: Result, received_ms: float
    ) -> None:
        recording = room.recording
        given = Circumstances(
            recording_id=recording.id if recording else 0,
            participant_id=participant.record.id,
            frame_number=participant.next_frame,
            received_ms=received_ms,
            clock_offset_ms=participant.clock.offset_ms,
            model=self._model,
        )
        if recording is None and not self._people.outlets:
            return
        samples = samples_of(frame, result, given)
        for outlet in self._people.outlets:
            outlet.samples(room, participant, samples)
        if recording is not None:
            participant.next_frame += 1
            self._writer.put(room.code, samples)

    def _see(self, room: Room, participant: Participant, frame: Frame, result: Result, now_s: float) -> None:
        participant.seen = Seen(
            at_s=now_s,
            latency_ms=result.timing_ms["total"] + (participant.clock.round_trip_ms or 0.0),
            faces=len(result.faces),
            face=max(result.faces, key=lambda face: face.box.width, default=None),
            picture=_picture(frame, result) if room.may_show(participant) else None,
        )


def _picture(frame: Frame, result: Result) -> Picture | None:
    """What hosts see of a frame; nothing of one so large that it would hold up the board."""
    if len(frame.image) > LARGEST_SHOWN_BYTES:
        return None
    return Picture(frame.image, result.width, result.height, tuple(face.box for face in result.faces))


def _with_relatives(result: Result, baseline: tuple[float, ...] | None) -> Result:
    """The result whose faces have probabilities relative to a baseline."""
    if baseline is None:
        return result
    faces = tuple(
        replace(face, relative_probabilities=relative_probabilities(face, baseline)) for face in result.faces
    )
    return replace(result, faces=faces)
