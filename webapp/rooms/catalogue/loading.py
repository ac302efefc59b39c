"""Rooms from what the store has of them, and the counting of their samples, which takes long."""

from __future__ import annotations

import math
from collections.abc import Iterator

from webapp.rooms.clock_sync import now_ms
from webapp.rooms.participant import Participant
from webapp.rooms.room import Room
from webapp.store.client import Store
from webapp.store.records import SavedRoom
from webapp.store.repositories.recordings import RecordingRepository
from webapp.store.sample_writer import SampleWriter

MAX_COUNTED = 10
"""Participants whose samples the store counts at once; it answers others in between."""

MAX_SESSION_MS = 6 * 3_600_000.0
"""Participants who consented longer ago keep no seat over a restart: most end by closing the page, and those
who are still there can come back as long as there are seats."""


def restored(saved: SavedRoom, away_s: float) -> Room:
    """A room as it goes on, with everybody away since `away_s`; seats are kept for a while after that."""
    oldest_ms = now_ms() - MAX_SESSION_MS
    room = Room(saved.room)
    room.recording = saved.recording
    room.last_recorded_ms = saved.last_recorded_ms
    room.markers = saved.markers
    room.participants = {
        record.id: Participant(
            record,
            away_s=away_s if record.consented_ms > oldest_ms else -math.inf,
            next_frame=saved.next_frames.get(record.id, 0),
        )
        for record in saved.participants
    }
    return room


class Counting:
    """Counts what the store had of each participant of a room when it was loaded.

    Any thread may add rooms; one at a time counts.
    """

    def __init__(self, store: Store, writer: SampleWriter) -> None:
        self._store = store
        self._writer = writer
        self._due: list[tuple[Room, tuple[str, ...], int]] = []

    def add(self, room: Room, last_sample_id: int) -> None:
        """Count the samples of a room up to the one with an id."""
        self._due += [(room, ids, last_sample_id) for ids in _portions(room)]

    def drop(self, room: Room) -> None:
        """Do not count a room that is served no more."""
        self._due = [due for due in self._due if due[0] is not room]

    def count(self) -> None:
        """Count, a few participants at a time.

        Raises:
            StoreError: not all are counted; call it again.
        """
        while self._due:
            due = self._due[-1]
            room, participant_ids, last_id = due
            counted = self._store.call(RecordingRepository.samples_of, participant_ids, last_id)
            if due not in self._due:
                continue
            self._due.remove(due)
            for participant_id, samples in counted.items():
                self._writer.add_stored(room.code, participant_id, samples)


def _portions(room: Room) -> Iterator[tuple[str, ...]]:
    """The ids of a room's participants, so many as are counted in one go."""
    ids = tuple(room.participants)
    return (ids[first : first + MAX_COUNTED] for first in range(0, len(ids), MAX_COUNTED))
