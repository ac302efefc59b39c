"""Rooms and their participants."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from webapp.store import models
from webapp.store.database import allow_long
from webapp.store.mapping import marker_of, participant_of, recording_of, room_of, row_of
from webapp.store.records import ParticipantRecord, RecordingRecord, RoomRecord, SavedRoom
from webapp.store.repositories.base import Database, Repository
from webapp.store.repositories.markers import last_markers
from webapp.store.requests import only_reads, takes_long

MAX_ROWS = 5000

BEING_DELETED_MS = -1.0
"""Stands for the time at which a room was closed if its deletion has begun and its data are still there."""

_IS_KEPT = func.coalesce(models.Room.closed_ms, 0.0) != BEING_DELETED_MS

_LAST_RECORDED = select(
    models.Recording.room, func.max(models.Recording.started_ms).label("started_ms")
).group_by(models.Recording.room)

Record = TypeVar("Record")


class RoomRepository(Repository):
    """All rooms; `on_deletion` is called with the code of a room whose deletion begins or ends."""

    def __init__(self, database: Database, on_deletion: Callable[[str], None] = lambda code: None) -> None:
        super().__init__(database)
        self._on_deletion = on_deletion

    # Rooms

    @takes_long
    def load_rooms(self) -> list[SavedRoom]:
        """All rooms in the order in which they were created; takes no longer with more samples."""
        with self._session() as session:
            return _saved_rooms(session)

    @takes_long
    def load_room(self, code: str) -> SavedRoom | None:
        """One room, or None where there is none with this code."""
        with self._session() as session:
            return next(iter(_saved_rooms(session, code)), None)

    @only_reads
    def list_rooms(self) -> list[SavedRoom]:
        """All rooms, as lists show them: with what their nodes last said, and without markers."""
        with self._session() as session:
            return _saved_rooms(session, for_lists=True)

    @only_reads
    def rooms_before(self, created_ms: float) -> list[str]:
        """The codes of the rooms that were created before a time."""
        with self._session() as session:
            old = select(models.Room.code).where(_IS_KEPT, models.Room.created_ms < created_ms)
            return list(session.scalars(old))

    @only_reads
    def has_room(self, code: str) -> bool:
        """Whether there is a room with this code whose deletion has not begun."""
        with self._session() as session:
            return (
                session.scalar(select(models.Room.code).where(_IS_KEPT, models.Room.code == code)) is not None
            )

    def add_room(self, room: RoomRecord) -> None:
        """Keep a new room."""
        self._insert(models.Room, row_of(room))

    def close_room(self, code: str, at_ms: float) -> None:
        """Close a room whose deletion has not begun."""
        kept = (models.Room.code == code, _IS_KEPT)
        with self._session() as session:
            session.execute(update(models.Room).where(*kept).values(closed_ms=at_ms))

    def reopen_room(self, code: str, at_ms: float) -> None:
        """Take back that a room was closed at this time; another closing, or its deletion, stays."""
        closed = (models.Room.code == code, models.Room.closed_ms == at_ms)
        with self._session() as session:
            session.execute(update(models.Room).where(*closed).values(closed_ms=None))

    def begin_room_deletion(self, code: str) -> None:
        """Hide a room at once; `delete_samples` and `delete_room` then delete its data.

        A recording of hours takes many seconds to delete: others are answered between its portions.
        """
        with self._session() as session:
            session.execute(
                update(models.Room).where(models.Room.code == code).values(closed_ms=BEING_DELETED_MS)
            )
        self._on_deletion(code)

    @only_reads
    def begun_room_deletions(self) -> list[str]:
        """The rooms whose deletion has begun and not ended."""
        with self._session() as session:
            return list(session.scalars(select(models.Room.code).where(~_IS_KEPT)))

    @takes_long
    def delete_room(self, code: str) -> None:
        """Delete a room with all that was recorded in it."""
        with self._session() as session:
            allow_long(session.connection())
            session.execute(delete(models.Room).where(models.Room.code == code))
        self._on_deletion(code)
        self._database.wal.truncate()

    # Participants

    def add_participant(self, participant: ParticipantRecord) -> None:
        """Keep a participant and their consent."""
        self._insert(models.Participant, row_of(participant))

    def update_participant(self, participant: ParticipantRecord) -> None:
        """Keep what changed about a participant."""
        row = row_of(participant)
        with self._session() as session:
            session.execute(
                update(models.Participant).where(models.Participant.id == participant.id).values(row)
            )

    @takes_long
    def delete_participant(self, participant_id: str) -> None:
        """Delete a participant with all that was recorded of them."""
        with self._session() as session:
            allow_long(session.connection())
            session.execute(delete(models.Participant).where(models.Participant.id == participant_id))
        self._database.wal.truncate()

    @only_reads
    def has_participant(self, participant_id: str) -> bool:
        """Whether there is a participant with this id."""
        with self._session() as session:
            return session.get(models.Participant, participant_id) is not None


def _saved_rooms(session: Session, code: str | None = None, for_lists: bool = False) -> list[SavedRoom]:
    """All rooms, or the one with a code."""
    rooms = select(models.Room).where(_IS_KEPT).order_by(models.Room.created_ms)
    people = select(models.Participant).order_by(models.Participant.consented_ms)
    recorded = _LAST_RECORDED
    if code is not None:
        rooms, people = rooms.where(models.Room.code == code), people.where(models.Participant.room == code)
        recorded = recorded.where(models.Recording.room == code)
    participants = _by_room(session, people, participant_of)
    markers = _by_room(session, last_markers(code), marker_of) if not for_lists else defaultdict(list)
    recordings = _running_recordings(session, code)
    last_recorded = {row.room: row.started_ms for row in session.execute(recorded)}
    owners = {row.room: row for row in session.scalars(select(models.RoomOwner))} if for_lists else {}
    return [
        SavedRoom(
            room=room_of(room),
            participants=tuple(participants[room.code]),
            recording=recordings.get(room.code),
            markers=tuple(markers[room.code]),
            next_frames={} if for_lists else _next_frames(session, recordings.get(room.code)),
            last_recorded_ms=last_recorded.get(room.code),
            **_said_of(owners.get(room.code)),
        )
        for room in session.scalars(rooms).all()
    ]


def _said_of(owner: models.RoomOwner | None) -> dict[str, Any]:
    """What a room's node last said of it."""
    if owner is None:
        return {}
    return {"samples": owner.samples or 0, "connected": tuple(owner.connected or ())}


def _by_room(
    session: Session, statement: Select[Any], read: Callable[[Any], Record]
) -> defaultdict[str, list[Record]]:
    """Records of all rooms, by the codes of their rooms."""
    found: defaultdict[str, list[Record]] = defaultdict(list)
    for row in session.scalars(statement, execution_options={"yield_per": MAX_ROWS}):
        found[row.room].append(read(row))
    return found


def _running_recordings(session: Session, code: str | None = None) -> dict[str, RecordingRecord]:
    """The recording that is running in each room, or in one, with its number there."""
    running = select(models.Recording).where(models.Recording.stopped_ms.is_(None))
    if code is not None:
        running = running.where(models.Recording.room == code)
    last = {row.room: row for row in session.scalars(running.order_by(models.Recording.id))}
    counted = (
        select(models.Recording.room, func.count().label("number"))
        .where(models.Recording.room.in_(last))
        .group_by(models.Recording.room)
    )
    return {row.room: recording_of(last[row.room], row.number) for row in session.execute(counted)}


def _next_frames(session: Session, recording: RecordingRecord | None) -> dict[str, int]:
    """The next frame of each participant, found at the end of the index: no sample is counted."""
    if recording is None:
        return {}
    last = (
        select(func.max(models.Sample.frame))
        .where(
            models.Sample.participant_id == models.Participant.id,
            models.Sample.recording_id == recording.id,
        )
        .scalar_subquery()
    )
    people = select(models.Participant.id, last.label("last")).where(
        models.Participant.room == recording.room
    )
    return {row.id: row.last + 1 for row in session.execute(people) if row.last is not None}
