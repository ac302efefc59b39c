"""Starts and stops the recordings of rooms, and sets their markers."""

from __future__ import annotations

from functools import partial
from typing import Any

from webapp.errors import BadRequestError, RoomClosedError
from webapp.rooms.clock_sync import now_ms
from webapp.rooms.membership import Membership
from webapp.rooms.room import Room
from webapp.rooms.settings import MAX_LABEL_LENGTH
from webapp.store.client import Store
from webapp.store.records import MarkerRecord, marker_key
from webapp.store.repairs import Repairs
from webapp.store.repositories.markers import MarkerRepository
from webapp.store.repositories.recordings import RecordingRepository
from webapp.store.sample_writer import SampleWriter
from webapp.store.text_checks import check_text

MARKER_TOLERANCE_MS = 10_000.0
"""How far the clock of whoever sets a marker may be from the server's."""


class RecordingControl:
    """The recordings of all rooms.

    Any thread may call it. A room's turn (see `Room`) orders the changes of its recording; the room's lock is
    never held while the store is asked.
    """

    def __init__(self, store: Store, writer: SampleWriter, repairs: Repairs, membership: Membership) -> None:
        self._store = store
        self._writer = writer
        self._repairs = repairs
        self._membership = membership

    def start(self, room: Room) -> None:
        """Record everybody from now on; does nothing if a recording is running.

        Raises:
            RoomClosedError: the room is closed.
        """
        self._repairs.settle()
        with room.turn:
            room.check_open()
            if room.recording is not None:
                return
            at_ms = now_ms()

            def cancel() -> None:
                self._store.call(RecordingRepository.cancel_recording, room.code, at_ms)

            recording = self._repairs.ask(cancel, RecordingRepository.start_recording, room.code, at_ms)
            with room.lock:
                for participant in room.participants.values():
                    participant.next_frame = 0
                room.recording, room.last_recorded_ms = recording, at_ms
        self._membership.announce_recording(room)

    def stop(self, room: Room) -> None:
        """Stop; what was recorded stays."""
        self._repairs.settle()
        with room.turn:
            self.stop_in_turn(room)

    def stop_in_turn(self, room: Room) -> None:
        """As `stop`, within the room's turn: later samples are held until the store has stopped."""
        recording, at_ms = room.recording, now_ms()
        if recording is None:
            return
        with room.lock:
            room.stopping_ms = at_ms
        try:
            resume = partial(self._resume, room, recording.id)
            self._repairs.ask(resume, RecordingRepository.stop_recording, recording.id, at_ms)
            with room.lock:
                room.recording = None
                room.held.clear()
        finally:
            with room.lock:
                room.stopping_ms, held, room.held = None, room.held, []
            self._writer.put(room.code, held)
        self._membership.announce_recording(room)

    def add_marker(self, room: Room, label: object, at_ms: float | None, source: str) -> MarkerRecord:
        """Mark an event, now or at a time; one that is set twice with its time counts once.

        Raises:
            BadRequestError: the label is missing or too long, or the room did not exist at that time.
            RoomClosedError: the room is closed.
        """
        text = check_text("label", label, MAX_LABEL_LENGTH)
        received_ms = now_ms()
        marker = MarkerRecord(
            room=room.code,
            at_ms=received_ms if at_ms is None else at_ms,
            label=text,
            source=source,
            time_ms=at_ms,
            received_ms=received_ms,
            key=marker_key(source, "", text, at_ms),
        )
        room.check_open()
        _check_time(room, marker.at_ms)
        self._repairs.settle()

        def cancel() -> None:
            self._store.call(MarkerRepository.cancel_marker, marker)

        kept = self._repairs.ask(cancel, MarkerRepository.add_marker, marker)
        if kept is None:
            raise RoomClosedError("This room is closed; ask the person who runs it.")
        if kept.is_new:
            with room.lock:
                room.add_marker(kept.marker)
            for outlet in self._membership.outlets:
                outlet.marker(room, kept.marker)
        return kept.marker

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

    def _resume(self, room: Room, recording_id: int) -> None:
        with room.turn:
            if room.recording is not None and room.recording.id == recording_id:
                self._store.call(RecordingRepository.stop_recording, recording_id, None)


def _check_time(room: Room, at_ms: float) -> None:
    """Make sure that a room existed at a marker's time, as far as clocks agree.

    Raises:
        BadRequestError: it did not.
    """
    if at_ms < room.record.created_ms - MARKER_TOLERANCE_MS:
        raise BadRequestError("time is before this room was made; check the time and its zone.")
    if not at_ms <= now_ms() + MARKER_TOLERANCE_MS:
        raise BadRequestError("time is in the future; check the time and its zone, or leave it out for now.")
