"""Who is in which room: people join, come back, leave, are sent away, and are told what concerns them.

What must outlast the server goes to the store first; where that fails, nothing has changed and a `StoreError`
says so. No lock is held while the store is asked: when it answers, the room may be closed or deleted, and the
connection gone, so that is checked again.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, Protocol

from webapp.errors import CannotResumeError, NotHereError, StoreError
from webapp.rooms.clock_sync import now_ms
from webapp.rooms.feed import Feeds
from webapp.rooms.participant import AWAY_TIMEOUT_S, Participant, clean_label
from webapp.rooms.presence import Presence
from webapp.rooms.room import Room
from webapp.store.client import Store
from webapp.store.records import MarkerRecord, ParticipantRecord, SampleRecord, hash_secret
from webapp.store.repairs import Repairs
from webapp.store.repositories.rooms import RoomRepository
from webapp.store.sample_writer import SampleWriter

Tell = Callable[[str, str, dict[str, Any]], object]
"""Sends an event to a connection: its id, the event's name, its data."""

PART_IS_OVER = (
    "Your earlier part in this room is over: it was removed or deleted. To take part again, consent and join "
    "anew, without the old secret."
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Joined:
    """Who joined; `resume` is the secret that brings the same participant back."""

    room: Room
    participant: Participant
    resume: str
    is_new: bool = True


class _Asked(NamedTuple):
    """What somebody sent who wants to join anew; only `consent` is checked so far."""

    alias: object
    consent: bool
    resume: object
    language: object
    label: object
    consent_source: object


class Outlet(Protocol):
    """Whoever else wants the samples and markers of rooms, such as Lab Streaming Layer.

    Any thread may call it.
    """

    def joined(self, room: Room, participant: Participant) -> None:
        """A participant came, or came back."""

    def samples(self, room: Room, participant: Participant, samples: list[SampleRecord]) -> None:
        """Samples of one frame."""

    def marker(self, room: Room, marker: MarkerRecord) -> None:
        """A marker as it is set."""

    def left(self, participant_id: str) -> None:
        """A participant is gone, for now or for good."""

    def ended(self, room: Room) -> None:
        """A room was closed or deleted; its participants left before."""


class Membership:
    """Everybody in the rooms of this server.

    Any thread may call it. What changes in a room changes under the room's lock, which is not held while the
    store is asked or a connection is told something; a participant's turn orders the writes of their record.
    """

    def __init__(
        self,
        store: Store,
        writer: SampleWriter,
        repairs: Repairs,
        *,
        tell: Tell = lambda connection, event, data: None,
        is_connected: Callable[[str], bool] = lambda connection: True,
        outlets: Iterable[Outlet] = (),
    ) -> None:
        self._store = store
        self._writer = writer
        self._repairs = repairs
        self._presence = Presence(is_connected)
        self.feeds = Feeds()
        self.tell = tell
        self.outlets = tuple(outlets)

    # Joining

    def join(
        self,
        connection: str,
        room: Room,
        alias: object,
        consent: object,
        resume: object,
        language: object = None,
        label: object = None,
        consent_source: object = None,
    ) -> Joined:
        """Bring a person into a room, or back into it; a connection is one participant at a time.

        Who joins anew from a connection that is in the room already stays the same participant, and gets
        another secret. `language` is that of the text that was shown, if it was not the default one. `label`
        is the id that a panel or an experiment gave them, `consent_source` who asked for the consent.

        Raises:
            BadRequestError: the room has no text in this language, or nobody can ask for consent like this.
            RoomClosedError, NoSuchRoomError, ConsentRequiredError, RoomFullError, CannotResumeError: they may
                not join.
            UnavailableError: this connection is about to join already.
            NotJoinedError: the connection ended in the meantime.
        """
        with self._presence.one_join(connection):
            self._repairs.settle()
            back = room.resumed(resume) if consent is not False else None
            here = self._presence.at(connection, room)
            if back is not None:
                joined = self._bring_back(connection, room, back, str(resume))
            elif here is not None and consent is True:
                joined = self._renew(connection, room, here)
            else:
                asked = _Asked(alias, consent is True, resume, language, label, consent_source)
                joined = self._admit(connection, room, asked)
        for outlet in self.outlets:
            outlet.joined(room, joined.participant)
        if joined.participant.connection is None:  # gone again
            self._end_outlets(joined.participant)
        return joined

    def joined(self, connection: str) -> tuple[Room, Participant]:
        """Who a connection is, and in which room.

        Raises:
            NotJoinedError: it is in none.
            NotHereError: another node serves the room by now.
        """
        room, participant = self._presence.joined(connection)
        room.guard()
        return room, participant

    def present(self) -> dict[str, Participant]:
        """Everybody in a room now, by connection."""
        return self._presence.present()

    # Leaving

    def disconnected(self, connection: str) -> None:
        """A connection ended; its participant may come back."""
        self._presence.disconnected(connection)

    def leave(self, connection: str) -> None:
        """A participant leaves; what was recorded stays, and the secret brings them back."""
        self._repairs.settle()
        room, participant = self.joined(connection)
        self._update(room, participant, left_ms=now_ms())
        self.disconnected(connection)
        self._end_outlets(participant)

    def withdraw(self, connection: str) -> None:
        """A participant leaves, and all that was recorded of them is deleted."""
        room, participant = self.joined(connection)
        self.delete(room, participant, "erased")

    def remove(self, room: Room, participant: Participant) -> None:
        """Send a person away for good: their secret brings nobody back. What was recorded stays."""
        self._repairs.settle()
        left_ms = participant.record.left_ms
        self._update(room, participant, left_ms=now_ms() if left_ms is None else left_ms, resume_hash="")
        self._dismiss(participant, "removed")

    def delete(self, room: Room, participant: Participant, reason: str = "removed") -> None:
        """Send a person away and delete all that was recorded of them."""
        self._repairs.settle()
        participant_id = participant.record.id

        def accept_late_deletion() -> None:
            if not self._store.call(RoomRepository.has_participant, participant_id):
                self._drop(room, participant, reason)

        with participant.turn:
            self._repairs.ask(accept_late_deletion, RoomRepository.delete_participant, participant_id)
        self._drop(room, participant, reason)

    def dismiss_all(self, room: Room, reason: str) -> None:
        """Send everybody in a room away that has ended; what becomes of their data is the caller's."""
        for participant in room.participants.values():
            self._dismiss(participant, reason)
        for outlet in self.outlets:
            outlet.ended(room)
        self.feeds.end(room, reason)

    def part_with(self, room: Room) -> None:
        """Everybody in a room goes to another node, where they resume."""
        for participant in room.participants.values():
            if participant.connection is not None:
                self.disconnected(participant.connection)
            self._end_outlets(participant)
        for outlet in self.outlets:
            outlet.ended(room)
        self.feeds.cut(room)

    def end_outlets_of_absent(self, room: Room, now_s: float) -> None:
        """End the streams of those who have been away for so long that their seats are free."""
        for participant in room.participants.values():
            if participant.connection is None and now_s - participant.away_s >= AWAY_TIMEOUT_S:
                self._end_outlets(participant)

    # While they are there

    def announce_recording(self, room: Room) -> None:
        """Tell everybody in the room, and who follows it, whether it is recorded."""
        self.feeds.recording(room)
        self._tell_all(room, "recording", {"on": room.recording is not None})

    def announce_marker(self, room: Room, marker: MarkerRecord) -> None:
        """Let dashboards, outlets and feeds know of a marker; of a participant's own, only feeds."""
        self.feeds.marker(room, "marker", marker)
        if marker.participant_id is not None:
            return
        with room.lock:
            room.add_marker(marker)
        for outlet in self.outlets:
            outlet.marker(room, marker)

    def announce_marker_change(self, room: Room, marker: MarkerRecord) -> None:
        """Let dashboards and feeds know of a marker that was changed or deleted."""
        with room.lock:
            room.replace_marker(marker)
        is_deleted = marker.deleted_ms is not None
        self.feeds.marker(room, "marker_deleted" if is_deleted else "marker_changed", marker)

    def keep(self, room: Room, participant: Participant) -> None:
        """Write a participant as they are now to the store, now or as soon as it can be asked."""
        try:
            self._write(participant)
        except StoreError as error:
            logger.error("a participant's baseline is kept later: %s", error)
            self._repairs.later(partial(self._rewrite, room, participant))

    # Inside: joining

    def _admit(self, connection: str, room: Room, asked: _Asked) -> Joined:
        secret = secrets.token_urlsafe(32)
        record = self._reserve(room, asked, secret)
        participant = Participant(record)
        try:
            self._repairs.ask(lambda: self._undo_join(record.id), RoomRepository.add_participant, record)
            try:
                self._take_in(connection, room, participant)
            except Exception:
                self._repairs.later(lambda: self._undo_join(record.id))
                raise
        except StoreError:
            if room.is_deleted:
                room.check_open()
            raise
        finally:
            with room.lock:
                room.joining.pop(record.id, None)
        return Joined(room, participant, secret)

    def _reserve(self, room: Room, asked: _Asked, secret: str) -> ParticipantRecord:
        with room.lock:
            if isinstance(asked.resume, str) and asked.resume:
                room.check_open()
                raise CannotResumeError(PART_IS_OVER)
            room.check_joinable(asked.consent, time.monotonic())
            record = room.new_participant(
                asked.alias,
                hash_secret(secret),
                now_ms(),
                asked.language,
                label=clean_label(asked.label),
                consent_source=asked.consent_source,
            )
            room.reserve(record)
            return record

    def _take_in(self, connection: str, room: Room, participant: Participant) -> None:
        with room.lock:
            room.guard()
            room.check_open()
            self._presence.seat(connection, room, participant)
            room.add(participant)

    def _undo_join(self, participant_id: str) -> None:
        self._store.call(RoomRepository.delete_participant, participant_id)

    def _bring_back(self, connection: str, room: Room, participant: Participant, secret: str) -> Joined:
        resume_hash = hash_secret(secret)
        with room.lock:
            self._check_return(room, participant, resume_hash)
            if not participant.holds_seat(time.monotonic()):
                room.check_seat(time.monotonic())
                room.reserve(participant.record)
        try:
            if participant.record.left_ms is not None:
                self._update(room, participant, left_ms=None)
            self._return(connection, room, participant, resume_hash)
        finally:
            with room.lock:
                room.joining.pop(participant.record.id, None)
        return Joined(room, participant, secret, is_new=False)

    def _renew(self, connection: str, room: Room, participant: Participant) -> Joined:
        """A new secret for somebody who lost theirs: the reply to a join may get lost."""
        room.check_open()
        secret = secrets.token_urlsafe(32)
        self._update(room, participant, resume_hash=hash_secret(secret))
        self._return(connection, room, participant, hash_secret(secret))
        return Joined(room, participant, secret, is_new=False)

    def _return(self, connection: str, room: Room, participant: Participant, resume_hash: str) -> None:
        with room.lock:
            room.guard()
            self._check_return(room, participant, resume_hash)
            self._presence.seat(connection, room, participant)

    def _check_return(self, room: Room, participant: Participant, resume_hash: str) -> None:
        room.check_open()
        is_here = room.participants.get(participant.record.id) is participant
        if not is_here or participant.record.resume_hash != resume_hash:
            raise CannotResumeError(PART_IS_OVER)

    # Inside: the rest

    def _update(self, room: Room, participant: Participant, **changes: Any) -> None:  # noqa: ANN401 - fields
        """Change a participant's record, first in the store."""
        with participant.turn:
            wanted = replace(participant.record, **changes)
            rewrite = partial(self._rewrite, room, participant)
            self._repairs.ask(rewrite, RoomRepository.update_participant, wanted)
            with room.lock:  # a baseline may have been set meanwhile
                participant.record = replace(participant.record, **changes)

    def _write(self, participant: Participant) -> None:
        with participant.turn:
            self._store.call(RoomRepository.update_participant, participant.record)

    def _rewrite(self, room: Room, participant: Participant) -> None:
        """Write a participant after a failure, unless another node serves the room by now."""
        try:
            room.guard()
        except NotHereError:
            return
        self._write(participant)

    def _drop(self, room: Room, participant: Participant, reason: str) -> None:
        with room.lock:
            room.discard(participant.record.id)
        self._writer.forget([participant.record.id])
        self.feeds.erase(room, participant.record.id)
        self._dismiss(participant, reason)

    def _dismiss(self, participant: Participant, reason: str) -> None:
        connection = participant.connection
        if connection is not None:
            self.disconnected(connection)
            self.tell(connection, "parted", {"reason": reason})
        self._end_outlets(participant)

    def _tell_all(self, room: Room, event: str, data: dict[str, Any]) -> None:
        for connection in [one.connection for one in room.participants.values()]:
            if connection is not None:
                self.tell(connection, event, data)

    def _end_outlets(self, participant: Participant) -> None:
        for outlet in self.outlets:
            outlet.left(participant.record.id)
