"""What can be done with rooms: changes what is in memory and in the store, and tells who must know.

Every change goes to the store first; where that fails, nothing has changed and a `StoreError` says so. Frames
never wait for the store: their samples go to the writer's buffer.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from webapp.baseline import BaselineTaking
from webapp.errors import NoSuchRoomError, NotJoinedError
from webapp.messages import Frame, Result
from webapp.records import MarkerRecord, RoomRecord, SampleRecord, SavedRoom, hash_secret
from webapp.rooms import (
    INFORMATION_LIMIT,
    LABEL_LIMIT,
    NAME_LIMIT,
    Participant,
    Room,
    RoomSettings,
    Seen,
    check_text,
    new_code,
    normal_code,
)
from webapp.samples import Circumstances, relative_probabilities, samples_of, vector
from webapp.store.archive import Archive
from webapp.store.process import Store, export_pieces
from webapp.store.writer import Writer

DAY_MS = 86_400_000.0

Tell = Callable[[str, str, dict[str, Any]], None]
"""Sends an event to a connection: its id, the event's name, its data."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Joined:
    """The answer to who joined; `resume` is the secret that brings the same participant back."""

    room: Room
    participant: Participant
    resume: str


class Outlet(Protocol):
    """Whoever else wants the samples and markers of rooms, such as Lab Streaming Layer."""

    def joined(self, room: Room, participant: Participant) -> None:
        """A participant came, or came back."""

    def samples(self, room: Room, participant: Participant, samples: list[SampleRecord]) -> None:
        """Samples of one frame."""

    def marker(self, room: Room, marker: MarkerRecord) -> None:
        """A marker as it is set."""

    def left(self, participant_id: str) -> None:
        """A participant is gone."""


class Lab:
    """All rooms of this server. `model` is the version of the expression model."""

    def __init__(self, store: Store, writer: Writer, model: str) -> None:
        self._store = store
        self._writer = writer
        self._model = model
        self._rooms: dict[str, Room] | None = None
        self._changes = threading.RLock()
        self._joined: dict[str, tuple[Room, Participant]] = {}
        self.tell: Tell = lambda connection, event, data: None
        self.outlets: list[Outlet] = []

    # Rooms

    def rooms(self) -> dict[str, Room]:
        """All rooms by code, in the order in which they were made.

        Raises:
            StoreError: they are not loaded yet, and cannot be.
        """
        if self._rooms is None:
            with self._changes:
                if self._rooms is None:
                    saved = self._store.call(Archive.load_rooms)
                    self._rooms = {one.room.code: self._restored(one) for one in saved}
        return self._rooms

    def room(self, code: object) -> Room:
        """The room with a code, however it is typed.

        Raises:
            NoSuchRoomError: there is none.
        """
        room = self.rooms().get(normal_code(code))
        if room is None:
            raise NoSuchRoomError("There is no room with this code; check it, or ask the person who runs it.")
        return room

    def create_room(self, name: object, information: object, settings: object) -> Room:
        """A new room.

        Raises:
            BadRequestError: a field is missing or wrong.
        """
        record = RoomRecord(
            code=new_code(self.rooms()),
            name=check_text("name", name, NAME_LIMIT),
            information=check_text("information", information, INFORMATION_LIMIT),
            settings=RoomSettings.from_wire(settings).to_wire(),
            created_ms=now_ms(),
        )
        with self._changes:
            self._store.call(Archive.add_room, record)
            room = self.rooms()[record.code] = Room(record)
        return room

    def close_room(self, room: Room) -> None:
        """Stop recording, send everybody away, and let nobody join."""
        with self._changes:
            if room.record.closed_ms is not None:
                return
            self.stop_recording(room)
            at_ms = now_ms()
            self._store.call(Archive.close_room, room.code, at_ms)
            room.close(at_ms)
            for participant in list(room.participants.values()):
                self._part(participant, "closed")

    def delete_room(self, room: Room) -> None:
        """Delete a room and all that was recorded in it."""
        with self._changes:
            self._writer.forget(room.participants)
            self._store.call(Archive.delete_room, room.code)
            self.rooms().pop(room.code, None)
            for participant in list(room.participants.values()):
                self._part(participant, "deleted")
            logger.info("a room was deleted with all that was recorded in it")

    def delete_old_rooms(self, days: int) -> int:
        """Delete the rooms that were made more than `days` days ago; how many."""
        old = [room for room in self.rooms().values() if now_ms() - room.record.created_ms > days * DAY_MS]
        for room in old:
            self.delete_room(room)
        return len(old)

    # Recording

    def start_recording(self, room: Room) -> None:
        """Record everybody from now on; does nothing where that goes on already.

        Raises:
            RoomClosedError: the room is closed.
        """
        with self._changes:
            room.check_open()
            if room.recording is not None:
                return
            recording = self._store.call(Archive.start_recording, room.code, now_ms())
            for participant in room.participants.values():
                participant.next_frame = 0
            room.recording = recording
            self._tell_all(room)

    def stop_recording(self, room: Room) -> None:
        """Stop; what was recorded stays."""
        with self._changes:
            if room.recording is None:
                return
            recording, room.recording = room.recording, None
            try:
                self._store.call(Archive.stop_recording, recording.id, now_ms())
            except Exception:
                room.recording = recording
                raise
            self._tell_all(room)

    def add_marker(self, room: Room, label: object, at_ms: float | None, source: str) -> MarkerRecord:
        """Mark an event, now or at a time.

        Raises:
            BadRequestError: the label is missing or too long.
        """
        text = check_text("label", label, LABEL_LIMIT)
        marker = MarkerRecord(room.code, now_ms() if at_ms is None else at_ms, text, source)
        with self._changes:
            self._store.call(Archive.add_marker, marker)
            room.markers.append(marker)
        for outlet in self.outlets:
            outlet.marker(room, marker)
        return marker

    def export(self, room: Room, about: dict[str, Any], form: str) -> Iterator[bytes]:
        """The pieces of a ZIP file with everything of a room.

        Raises:
            StoreError: while pieces are fetched.
        """
        self._writer.flush()
        return export_pieces(self._store, room.code, {**about, "model": self._model}, form)

    def status(self, room: Room) -> dict[str, Any]:
        """The recording as hosts see it."""
        written = self._writer.status(room.code)
        recording = room.recording
        return {
            "state": "started" if recording else "stopped",
            "started_ms": recording.started_ms if recording else None,
            "stored": written.stored,
            "waiting": written.waiting,
            "lost": written.lost,
            "problem": written.problem,
        }

    # Participants

    def join(self, connection: str, code: object, alias: object, consent: object, resume: object) -> Joined:
        """Bring a person into a room, or back into it.

        Raises:
            NoSuchRoomError, RoomClosedError, ConsentRequiredError, RoomFullError: they may not join.
        """
        room = self.room(code)
        with self._changes:
            participant = room.resumed(resume)
            if participant is not None and consent is not False:
                room.check_open()
                self._return(participant)
                secret = str(resume)
            else:
                participant, secret = self._admit(room, alias, consent is True)
            self.leave(connection)
            if participant.connection is not None:
                self._joined.pop(participant.connection, None)
            participant.connection = connection
            self._joined[connection] = (room, participant)
        for outlet in self.outlets:
            outlet.joined(room, participant)
        return Joined(room, participant, secret)

    def joined(self, connection: str) -> tuple[Room, Participant]:
        """Who a connection is, and in which room.

        Raises:
            NotJoinedError: it is in none.
        """
        found = self._joined.get(connection)
        if found is None:
            raise NotJoinedError("Join the room first, then send frames.")
        return found

    def is_joined(self, connection: str) -> bool:
        """Whether a connection is a participant's."""
        return connection in self._joined

    def present(self) -> dict[str, Participant]:
        """Everybody in a room now, by connection."""
        return {connection: participant for connection, (_, participant) in self._joined.items()}

    def leave(self, connection: str) -> None:
        """A connection ended, or goes to another room; its participant may come back."""
        found = self._joined.pop(connection, None)
        if found is not None and found[1].connection == connection:
            participant = found[1]
            participant.connection, participant.away_s, participant.taking = None, time.monotonic(), None

    def quit(self, connection: str) -> None:
        """A participant leaves for good; what was recorded stays."""
        _, participant = self.joined(connection)
        self._set_left(participant, now_ms())
        self.leave(connection)

    def erase(self, connection: str) -> None:
        """A participant leaves, and all that was recorded of them is deleted."""
        room, participant = self.joined(connection)
        self.delete_participant(room, participant, "erased")

    def remove_participant(self, room: Room, participant: Participant) -> None:
        """Send a person away; what was recorded stays."""
        self._set_left(participant, now_ms())
        self._part(participant, "removed")

    def delete_participant(self, room: Room, participant: Participant, reason: str = "removed") -> None:
        """Send a person away and delete all that was recorded of them."""
        with self._changes:
            self._writer.forget([participant.record.id])
            self._store.call(Archive.delete_participant, participant.record.id)
            room.participants.pop(participant.record.id, None)
            self._part(participant, reason)
            stored = self._store.call(Archive.count_samples, room.code)
            self._writer.count_stored(room.code, stored)

    # Frames

    def answered(self, connection: str, frame: Frame, result: Result, received_ms: float) -> Result:
        """Take a finished result of a participant's frame; the same with relative probabilities, if any.

        Raises:
            NotJoinedError: the participant went away in the meantime.
        """
        room, participant = self.joined(connection)
        now_s = time.monotonic()
        participant.count_frame(now_s)
        self._take_baseline(participant, result, now_s)
        result = _with_relatives(result, participant.record.baseline)
        self._record(room, participant, frame, result, received_ms)
        self._see(participant, result, now_s)
        return result

    def begin_baseline(self, connection: str) -> None:
        """A participant looks neutral from now on, for `BASELINE_S`."""
        _, participant = self.joined(connection)
        participant.taking = BaselineTaking(time.monotonic())

    def ask_for_baselines(self, room: Room) -> int:
        """Ask everybody in the room to look neutral; how many."""
        present = [one for one in room.participants.values() if one.connection is not None]
        for participant in present:
            self.tell(str(participant.connection), "baseline", {"state": "asked"})
        return len(present)

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
        self.tell(str(participant.connection), "baseline", {"state": "set" if mean else "failed"})

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
        if recording is None and not self.outlets:
            return
        samples = samples_of(frame, result, given)
        for outlet in self.outlets:
            outlet.samples(room, participant, samples)
        if recording is not None:
            participant.next_frame += 1
            self._writer.put(room.code, samples)

    def _see(self, participant: Participant, result: Result, now_s: float) -> None:
        participant.seen = Seen(
            at_s=now_s,
            latency_ms=result.timing_ms["total"] + (participant.clock.round_trip_ms or 0.0),
            faces=len(result.faces),
            face=max(result.faces, key=lambda face: face.box.width, default=None),
        )

    # Inside

    def _admit(self, room: Room, alias: object, consent: bool) -> tuple[Participant, str]:
        room.check_joinable(consent, time.monotonic())
        secret = secrets.token_urlsafe(32)
        record = room.new_participant(alias, hash_secret(secret), now_ms())
        self._store.call(Archive.add_participant, record)
        participant = room.participants[record.id] = Participant(record)
        return participant, secret

    def _return(self, participant: Participant) -> None:
        if participant.record.left_ms is not None:
            self._set_left(participant, None)

    def _set_left(self, participant: Participant, left_ms: float | None) -> None:
        record = replace(participant.record, left_ms=left_ms)
        self._store.call(Archive.update_participant, record)
        participant.record = record

    def _part(self, participant: Participant, reason: str) -> None:
        connection = participant.connection
        if connection is not None:
            self.leave(connection)
            self.tell(connection, "parted", {"reason": reason})
        for outlet in self.outlets:
            outlet.left(participant.record.id)

    def _tell_all(self, room: Room) -> None:
        for participant in room.participants.values():
            if participant.connection is not None:
                self.tell(participant.connection, "recording", {"on": room.recording is not None})

    def _restored(self, saved: SavedRoom) -> Room:
        room = Room(saved.room)
        room.recording, room.markers = saved.recording, list(saved.markers)
        away_s = time.monotonic()
        for record in saved.participants:
            next_frame = saved.next_frames.get(record.id, 0)
            room.participants[record.id] = Participant(record, away_s=away_s, next_frame=next_frame)
        self._writer.count_stored(room.code, saved.stored)
        return room


def _with_relatives(result: Result, baseline: tuple[float, ...] | None) -> Result:
    """The result whose faces have probabilities relative to a baseline."""
    if baseline is None:
        return result
    faces = tuple(
        replace(face, relative_probabilities=relative_probabilities(face, baseline)) for face in result.faces
    )
    return replace(result, faces=faces)


def now_ms() -> float:
    """The server's wall clock, in milliseconds since 1970."""
    return 1000 * time.time()
