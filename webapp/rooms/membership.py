"""Who is in which room: people join, come back, leave, are sent away, and are told what concerns them.

What must outlast the server goes to the store first; where that fails, nothing has changed and a `StoreError`
says so.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from webapp.errors import NotJoinedError
from webapp.rooms.baseline import BaselineTaking
from webapp.rooms.clock_sync import now_ms
from webapp.rooms.room import Participant, Room
from webapp.store.client import Store
from webapp.store.records import MarkerRecord, SampleRecord, hash_secret
from webapp.store.repositories import Archive
from webapp.store.sample_writer import Writer

Tell = Callable[[str, str, dict[str, Any]], None]
"""Sends an event to a connection: its id, the event's name, its data."""


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


class People:
    """Everybody in the rooms of this server; `changes` is held while people or rooms change."""

    def __init__(self, store: Store, writer: Writer, changes: threading.RLock) -> None:
        self._store = store
        self._writer = writer
        self._changes = changes
        self._joined: dict[str, tuple[Room, Participant]] = {}
        self.tell: Tell = lambda connection, event, data: None
        self.outlets: list[Outlet] = []

    def join(self, connection: str, room: Room, alias: object, consent: object, resume: object) -> Joined:
        """Bring a person into a room, or back into it.

        Raises:
            RoomClosedError, ConsentRequiredError, RoomFullError: they may not join.
        """
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

    def present(self) -> dict[str, Participant]:
        """Everybody in a room now, by connection."""
        return {connection: participant for connection, (_, participant) in self._joined.items()}

    def leave(self, connection: str) -> None:
        """A connection ended, or goes to another room; its participant may come back."""
        found = self._joined.pop(connection, None)
        if found is not None and found[1].connection == connection:
            participant = found[1]
            participant.connection, participant.away_s = None, time.monotonic()
            participant.taking = participant.seen = None

    def quit(self, connection: str) -> None:
        """A participant leaves for good; what was recorded stays."""
        _, participant = self.joined(connection)
        self._set_left(participant, now_ms())
        self.leave(connection)

    def erase(self, connection: str) -> None:
        """A participant leaves, and all that was recorded of them is deleted."""
        room, participant = self.joined(connection)
        self.delete(room, participant, "erased")

    def remove(self, room: Room, participant: Participant) -> None:
        """Send a person away; what was recorded stays."""
        self._set_left(participant, now_ms())
        self._part(participant, "removed")

    def delete(self, room: Room, participant: Participant, reason: str = "removed") -> None:
        """Send a person away and delete all that was recorded of them."""
        with self._changes:
            self._writer.forget([participant.record.id])
            self._store.call(Archive.delete_participant, participant.record.id)
            room.participants.pop(participant.record.id, None)
            self._part(participant, reason)
            stored = self._store.call(Archive.count_samples, room.code)
            self._writer.count_stored(room.code, stored)

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

    def part_all(self, room: Room, reason: str) -> None:
        """Send everybody in the room away; what becomes of their data is the caller's."""
        for participant in list(room.participants.values()):
            self._part(participant, reason)

    def tell_recording(self, room: Room) -> None:
        """Tell everybody in the room whether they are recorded."""
        for participant in room.participants.values():
            if participant.connection is not None:
                self.tell(participant.connection, "recording", {"on": room.recording is not None})

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
