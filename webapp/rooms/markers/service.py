"""Sets, changes and deletes the markers of rooms."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from webapp.errors import (
    BadRequestError,
    ForbiddenError,
    NoSuchMarkerError,
    NotJoinedError,
    RoomClosedError,
)
from webapp.rooms.clock_sync import now_ms
from webapp.rooms.markers.changes import browser_time, changed, check_time, deleted, participants_time
from webapp.rooms.membership import Membership
from webapp.rooms.participant import Participant
from webapp.rooms.room import Room
from webapp.rooms.settings import MAX_LABEL_LENGTH
from webapp.store.client import Store
from webapp.store.records import MarkerRecord, marker_key
from webapp.store.repairs import Repairs
from webapp.store.repositories.markers import MarkerRepository
from webapp.store.text_checks import check_text

MAX_LISTED = 1000
"""Markers that one request lists at most."""

MAX_TRIES = 3
"""How often a change is tried again, as another host has changed the same marker in between."""

CLOCK_WAIT_S = 2.0
"""The server compares its clock with that of a new connection within half a second."""

CLOCK_CHECK_S = 0.05

Change = Callable[[MarkerRecord], MarkerRecord]


class MarkerService:
    """The markers of all rooms.

    Any thread may call it. The store admits each marker once and only while its room is open, and changes
    one only if it still is as it was read; a room's lock is never held while the store is asked.
    """

    def __init__(self, store: Store, repairs: Repairs, membership: Membership) -> None:
        self._store = store
        self._repairs = repairs
        self._membership = membership

    def add(
        self, room: Room, label: object, at_ms: float | None, source: str, time_ms: float | None = None
    ) -> MarkerRecord:
        """Mark an event, now or at a time; one that is set twice with its time counts once.

        `time_ms` is what the sender's own clock said, if that is not `at_ms`.

        Raises:
            BadRequestError: the label is missing or too long, or the room did not exist at that time.
            RoomClosedError: the room is closed.
        """
        text, received_ms = check_text("label", label, MAX_LABEL_LENGTH), now_ms()
        sent_ms = at_ms if time_ms is None else time_ms
        marker = MarkerRecord(
            room=room.code,
            at_ms=received_ms if at_ms is None else at_ms,
            label=text,
            source=source,
            time_ms=sent_ms,
            received_ms=received_ms,
            key=marker_key(source, "", text, sent_ms),
        )
        return self._add(room, marker)

    def add_of_participant(self, connection: str, label: object, sent: object) -> MarkerRecord:
        """Mark an event for the participant of a connection, in their own room alone.

        `sent` is when, by their browser's clock; the same label at the same time counts once.

        Raises:
            BadRequestError: the label or the time is wrong.
            ForbiddenError: the room takes no markers from participants.
            NotJoinedError: the connection is in no room.
            RoomClosedError: the room is closed.
        """
        room, participant = self._membership.joined(connection)
        if not room.settings.participant_markers:
            raise ForbiddenError("This room takes no markers from participants; its host can allow them.")
        text, received_ms = check_text("label", label, MAX_LABEL_LENGTH), now_ms()
        time_ms = browser_time(sent)
        if time_ms is not None:
            _wait_for_clock(participant)
        marker = MarkerRecord(
            room=room.code,
            at_ms=participants_time(participant, time_ms, received_ms),
            label=text,
            source="participant",
            participant_id=participant.record.id,
            time_ms=time_ms,
            received_ms=received_ms,
            key=marker_key("participant", participant.record.id, text, time_ms),
        )
        return self._add(room, marker)

    def markers(self, room: Room, after_id: int = 0) -> list[MarkerRecord]:
        """The markers of a room with ids after one, `MAX_LISTED` at most, as they were set."""
        return self._store.call(MarkerRepository.markers, room.code, after_id, MAX_LISTED)

    def change(self, room: Room, marker_id: int, label: object, at_ms: float | None, by: str) -> MarkerRecord:
        """Give a marker another label or time, where they are not None; what it was stays in its history.

        Raises:
            BadRequestError: the label or the time is wrong, or there is neither.
            NoSuchMarkerError: the room has no such marker.
        """
        if label is None and at_ms is None:
            raise BadRequestError("Send a label, a time, or both: nothing else of a marker can be changed.")
        text = None if label is None else check_text("label", label, MAX_LABEL_LENGTH)
        at = now_ms()
        if at_ms is not None:
            check_time(room.record, at_ms, at)
        return self._change(
            room, marker_id, lambda marker: changed(marker, text, at_ms, changed_ms=at, by=by)
        )

    def delete(self, room: Room, marker_id: int, by: str) -> None:
        """Delete a marker; what it was stays in the history that `room.json` has.

        Raises:
            NoSuchMarkerError: the room has no such marker.
        """
        at_ms = now_ms()
        self._change(room, marker_id, lambda marker: deleted(marker, changed_ms=at_ms, by=by))

    def _add(self, room: Room, marker: MarkerRecord) -> MarkerRecord:
        room.check_open()
        check_time(room.record, marker.at_ms, now_ms())
        self._repairs.settle()

        def cancel() -> None:
            self._store.call(MarkerRepository.cancel_marker, marker)

        kept = self._repairs.ask(cancel, MarkerRepository.add_marker, marker)
        if kept is None:
            room.check_open()
            raise _gone(marker)
        if kept.is_new:
            self._membership.announce_marker(room, kept.marker)
        return kept.marker

    def _change(self, room: Room, marker_id: int, change: Change) -> MarkerRecord:
        self._repairs.settle()
        for _ in range(MAX_TRIES):
            before = self._store.call(MarkerRepository.marker, room.code, marker_id)
            if before is None or before.deleted_ms is not None:
                raise NoSuchMarkerError("This room has no such marker; it may have been deleted.")
            after = change(before)
            undo = partial(self._store.call, MarkerRepository.replace_marker, after, before)
            if self._repairs.ask(undo, MarkerRepository.replace_marker, before, after):
                self._membership.announce_marker_change(room, after)
                return after
        raise BadRequestError("Others change this marker at the same time; look at it again, then retry.")


def _gone(marker: MarkerRecord) -> NotJoinedError | RoomClosedError:
    """Why the store did not take a marker of a room that was open when it was asked."""
    if marker.participant_id is not None:
        return NotJoinedError("This participant has left, and their data were deleted: nothing was marked.")
    return RoomClosedError("This room is closed; ask the person who runs it.")


def _wait_for_clock(participant: Participant) -> None:
    """Wait until the clock of a connection that is new was compared with ours, if it soon is."""
    end_s = time.monotonic() + CLOCK_WAIT_S
    while participant.clock.offset_ms is None and time.monotonic() < end_s:
        time.sleep(CLOCK_CHECK_S)
