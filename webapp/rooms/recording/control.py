"""Starts and stops the recordings of rooms."""

from __future__ import annotations

from functools import partial
from typing import Any

from webapp.rooms.clock_sync import now_ms
from webapp.rooms.membership import Membership
from webapp.rooms.room import Room
from webapp.store.client import Store
from webapp.store.repairs import Repairs
from webapp.store.repositories.recordings import RecordingRepository
from webapp.store.sample_writer import SampleWriter


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
                room.recording, room.last_recorded_ms, room.ended = recording, at_ms, None
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
            resume = partial(self._resume, room, recording.id, at_ms)
            self._repairs.ask(resume, RecordingRepository.stop_recording, recording.id, at_ms)
            with room.lock:
                room.recording, room.ended = None, (recording, at_ms)
                room.held.clear()
        finally:
            with room.lock:
                room.stopping_ms, held, room.held = None, room.held, []
            self._writer.put(room.code, held, room.epoch)
            self._membership.feeds.samples(room, recording, held)
        self._membership.announce_recording(room)

    def status(self, room: Room) -> dict[str, Any]:
        """The recording as hosts see it."""
        written = self._writer.status(room.code)
        recording = room.recording
        return {
            "state": "started" if recording else "stopped",
            "started_ms": recording.started_ms if recording else None,
            "stored": written.stored if room.stored_elsewhere is None else room.stored_elsewhere,
            "waiting": written.waiting,
            "lost": written.lost,
            "problem": written.problem,
        }

    def _resume(self, room: Room, recording_id: int, at_ms: float) -> None:
        with room.turn:
            if room.recording is not None and room.recording.id == recording_id:
                self._store.call(RecordingRepository.resume_recording, recording_id, at_ms)
