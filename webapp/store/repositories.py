"""All that the store can be asked. Runs in its process, on one thread but for exports and passwords."""

from __future__ import annotations

import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, NullPool, Select, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.security import check_password_hash, generate_password_hash

from webapp.export.export_slots import ExportSlots
from webapp.export.zip import write_export
from webapp.store import models
from webapp.store.database import allow_long, migrate, open_database
from webapp.store.mapping import (
    marker_of,
    participant_of,
    recording_of,
    room_of,
    row_of,
    row_of_sample,
)
from webapp.store.records import (
    HostRecord,
    KeyRecord,
    MarkerRecord,
    ParticipantRecord,
    RecordingRecord,
    RoomRecord,
    SampleRecord,
    SavedRoom,
)
from webapp.store.wal import WalTruncation

MARKERS_SHOWN = 20
"""A board shows the last ones of a room."""

MAX_ROWS = 5000

Record = TypeVar("Record")

STAMP_BYTES = 24

BEING_DELETED_MS = -1.0
"""In place of the time when a room was closed: it is deleted, and its data are about to be."""

_IS_KEPT = func.coalesce(models.Room.closed_ms, 0.0) != BEING_DELETED_MS

NO_PASSWORD = generate_password_hash("")
"""Checked where there is no such host, so that the answer takes as long."""


def new_stamp() -> str:
    """What a host's sessions carry from now on."""
    return secrets.token_urlsafe(STAMP_BYTES)


class Archive:
    """The database behind plain functions; what travels in and out are records."""

    def __init__(self, url: str) -> None:
        self._engine = open_database(url)
        self._session = sessionmaker(self._engine).begin
        self._ready = False
        self._wal = WalTruncation(self._engine)
        self._exports = ExportSlots()
        self._export_engine = open_database(url, NullPool)  # an export never takes a join's connection
        self._preparing = threading.Lock()

    def prepare(self) -> None:
        """Bring the tables up to date, once; every request begins with it."""
        if not self._ready:
            with self._preparing:
                if not self._ready:
                    migrate(self._engine)
                    self._wal.truncate()  # what was deleted before a crash may still be in it
                    self._ready = True

    def close(self) -> None:
        """Let go of the database."""
        self._exports.close_all()
        self._wal.close()
        self._export_engine.dispose()
        self._engine.dispose()

    # Rooms

    def load_rooms(self) -> list[SavedRoom]:
        """All rooms, in the order in which they were made. Takes as long as there are rooms, not samples."""
        with self._session() as session:
            rooms = session.scalars(
                select(models.Room).where(_IS_KEPT).order_by(models.Room.created_ms)
            ).all()
            in_order = select(models.Participant).order_by(models.Participant.consented_ms)
            participants = _by_room(session, in_order, participant_of)
            markers = _by_room(session, _last_markers(), marker_of)
            running = select(models.Recording).where(models.Recording.stopped_ms.is_(None))
            recordings = {room: last for room, (*_, last) in _by_room(session, running, recording_of).items()}
            return [
                SavedRoom(
                    room=room_of(room),
                    participants=tuple(participants[room.code]),
                    recording=recordings.get(room.code),
                    markers=tuple(markers[room.code]),
                    next_frames=_next_frames(session, recordings.get(room.code)),
                )
                for room in rooms
            ]

    def has_room(self, code: str) -> bool:
        """Whether there is a room with this code whose deletion has not begun."""
        with self._session() as session:
            return (
                session.scalar(select(models.Room.code).where(_IS_KEPT, models.Room.code == code)) is not None
            )

    def add_room(self, room: RoomRecord) -> None:
        """Keep a new room."""
        self._insert(models.Room, row_of(room))

    def close_room(self, code: str, at_ms: float | None) -> None:
        """Nobody may join from now on, or may again where the time is None."""
        with self._session() as session:
            session.execute(update(models.Room).where(models.Room.code == code).values(closed_ms=at_ms))

    def begin_room_deletion(self, code: str) -> None:
        """Delete a room for everybody, at once; `delete_samples` and `delete_room` then delete its data.

        A recording of hours takes many seconds to delete: others are answered between its portions.
        """
        with self._session() as session:
            session.execute(
                update(models.Room).where(models.Room.code == code).values(closed_ms=BEING_DELETED_MS)
            )
        self._exports.close_room(code)

    def begun_room_deletions(self) -> list[str]:
        """The rooms whose deletion has begun and not ended."""
        with self._session() as session:
            return list(session.scalars(select(models.Room.code).where(~_IS_KEPT)))

    def delete_samples(self, code: str, limit: int) -> int:
        """Delete samples of a room, so many at most; how many."""
        some = (
            select(models.Sample.id)
            .join(models.Recording, models.Recording.id == models.Sample.recording_id)
            .where(models.Recording.room == code)
            .limit(limit)
        )
        with self._session() as session:
            return (
                session.connection().execute(delete(models.Sample).where(models.Sample.id.in_(some))).rowcount
            )

    def delete_room(self, code: str) -> None:
        """Delete a room with all that was recorded in it."""
        with self._session() as session:
            allow_long(session.connection())
            session.execute(delete(models.Room).where(models.Room.code == code))
        self._exports.close_room(code)
        self._wal.truncate()

    def add_marker(self, marker: MarkerRecord) -> bool:
        """Keep an event; whether it is new, as one that is sent twice counts once."""
        with self._session() as session:
            if session.scalar(select(models.Marker.id).where(*_is_marker(marker))) is not None:
                return False
            session.execute(insert(models.Marker).values(row_of(marker)))
            return True

    def delete_marker(self, marker: MarkerRecord) -> None:
        """Take an event back."""
        with self._session() as session:
            session.execute(delete(models.Marker).where(*_is_marker(marker)))
        self._wal.truncate()

    # Participants

    def add_participant(self, participant: ParticipantRecord) -> None:
        """Keep a consent."""
        self._insert(models.Participant, row_of(participant))

    def update_participant(self, participant: ParticipantRecord) -> None:
        """Keep what changed of a participant."""
        row = row_of(participant)
        with self._session() as session:
            session.execute(
                update(models.Participant).where(models.Participant.id == participant.id).values(row)
            )

    def delete_participant(self, participant_id: str) -> None:
        """Delete a participant with all that was recorded of them."""
        with self._session() as session:
            allow_long(session.connection())
            session.execute(delete(models.Participant).where(models.Participant.id == participant_id))
        self._wal.truncate()

    def has_participant(self, participant_id: str) -> bool:
        """Whether there is a participant with this id."""
        with self._session() as session:
            return session.get(models.Participant, participant_id) is not None

    # Recordings

    def start_recording(self, room: str, at_ms: float) -> RecordingRecord:
        """Begin a recording."""
        with self._session() as session:
            recording = models.Recording(room=room, started_ms=at_ms)
            session.add(recording)
            session.flush()
            return recording_of(recording)

    def cancel_recording(self, room: str, started_ms: float) -> None:
        """Take a start back that failed for who asked for it."""
        with self._session() as session:
            session.execute(
                delete(models.Recording).where(
                    models.Recording.room == room, models.Recording.started_ms == started_ms
                )
            )

    def stop_recording(self, recording_id: int, at_ms: float | None) -> None:
        """End a recording, or go on with it where the time is None."""
        with self._session() as session:
            session.execute(
                update(models.Recording).where(models.Recording.id == recording_id).values(stopped_ms=at_ms)
            )

    def add_samples(self, samples: Sequence[SampleRecord]) -> list[bool]:
        """Keep samples; one that is there already is kept once.

        For each sample: whether it is kept. It is not where its participant or its recording is gone.
        """
        with self._session() as session:
            people = _present(session, models.Participant.id, {one.participant_id for one in samples})
            recordings = _present(session, models.Recording.id, {one.recording_id for one in samples})
            kept = [one.participant_id in people and one.recording_id in recordings for one in samples]
            rows = [row_of_sample(one) for one, is_kept in zip(samples, kept, strict=True) if is_kept]
            if rows:
                session.execute(self._insert_new_samples(), rows)
            return kept

    def last_sample_id(self) -> int:
        """The id of the newest sample of all; 0 where there is none."""
        with self._session() as session:
            return session.scalar(select(func.max(models.Sample.id))) or 0

    def count_samples(self, code: str) -> int:
        """The samples of a room, counted one by one."""
        with self._session() as session:
            counted = session.scalar(
                select(func.count())
                .select_from(models.Sample)
                .join(models.Recording, models.Recording.id == models.Sample.recording_id)
                .where(models.Recording.room == code)
            )
            return counted or 0

    def samples_of(self, participant_ids: Sequence[str], last_id: int) -> dict[str, int]:
        """How many samples up to the id `last_id` each participant has, if any.

        Takes the longer the more samples they have: ask for few participants at a time.
        """
        table = models.Sample
        with self._session() as session:
            counted = session.execute(
                select(table.participant_id, func.count().label("samples"))
                .where(table.participant_id.in_(participant_ids), table.id <= last_id)
                .group_by(table.participant_id)
            )
            return {row.participant_id: row.samples for row in counted}

    def _insert_new_samples(self) -> Any:  # noqa: ANN401 - one of two dialects' own Insert
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        return dialect.insert(models.Sample.__table__).on_conflict_do_nothing()

    # Exports

    def open_export(self, code: str, about: Mapping[str, Any], form: str) -> str | None:
        """Begin an export of a room, which `read_export` gives piece by piece; None while there are too many.

        While the log waits for running exports to end, no other begins: it might wait for ever.
        """
        if self._wal.is_pending and len(self._exports):
            return None
        return self._exports.open(code, write_export(self._export_engine, code, about, form))

    def read_export(self, export_id: str) -> bytes | None:
        """The next piece of a ZIP file, or None after the last.

        Raises:
            StoreError: there is no such export (any more).
        """
        return self._exports.read(export_id)

    def close_export(self, export_id: str) -> None:
        """Break an export off, or forget one that ended."""
        self._exports.close(export_id)

    # Hosts

    def hosts(self) -> list[HostRecord]:
        """All hosts."""
        with self._session() as session:
            return [_host_of(host) for host in session.scalars(select(models.Host).order_by(models.Host.id))]

    def add_host(self, name: str, password: str) -> HostRecord | None:
        """A new host, or None where the name is taken."""
        host = models.Host(
            name=name,
            password_hash=generate_password_hash(password),  # before the session: it takes long
            created_ms=1000 * time.time(),
            stamp=new_stamp(),
        )
        try:
            with self._session() as session:
                session.add(host)
                session.flush()
                return _host_of(host)
        except IntegrityError:
            return None

    def set_password(self, host_id: int, password: str) -> HostRecord | None:
        """Give a host another password and stamp; None where there is no such host."""
        return self._update_host(host_id, password_hash=generate_password_hash(password))

    def renew_stamp(self, host_id: int) -> HostRecord | None:
        """Give a host another stamp, which ends their sessions; None where there is no such host."""
        return self._update_host(host_id)

    def check_password(self, name: str, password: str) -> HostRecord | None:
        """The host with this name and password, or None; takes as long where there is no such host."""
        with self._session() as session:
            host = session.scalar(select(models.Host).where(models.Host.name == name))
            expected, record = (host.password_hash, _host_of(host)) if host else (NO_PASSWORD, None)
        is_right = check_password_hash(expected, password)
        return record if is_right else None

    def delete_host(self, host_id: int) -> None:
        """Delete a host and their keys; rooms stay."""
        with self._session() as session:
            session.execute(delete(models.Host).where(models.Host.id == host_id))
        self._wal.truncate()

    def api_keys(self) -> list[KeyRecord]:
        """The keys of all hosts."""
        with self._session() as session:
            return [_key_of(key) for key in session.scalars(select(models.ApiKey).order_by(models.ApiKey.id))]

    def add_key(self, host_id: int, name: str, secret_hash: str) -> KeyRecord:
        """Keep a key for programs."""
        with self._session() as session:
            key = models.ApiKey(
                host_id=host_id, name=name, secret_hash=secret_hash, created_ms=1000 * time.time()
            )
            session.add(key)
            session.flush()
            return _key_of(key)

    def delete_key(self, host_id: int, key_id: int) -> None:
        """Make a key of a host useless."""
        with self._session() as session:
            session.execute(
                delete(models.ApiKey).where(models.ApiKey.id == key_id, models.ApiKey.host_id == host_id)
            )
        self._wal.truncate()

    def _update_host(self, host_id: int, **values: str) -> HostRecord | None:
        with self._session() as session:
            host = session.get(models.Host, host_id)
            if host is None:
                return None
            for name, value in {**values, "stamp": new_stamp()}.items():
                setattr(host, name, value)
            session.flush()
            return _host_of(host)

    # Inside

    def _insert(self, model: type[models.Base], row: Mapping[str, Any]) -> None:
        with self._session() as session:
            session.execute(insert(model).values(row))


def _host_of(host: models.Host) -> HostRecord:
    return HostRecord(host.id, host.name, host.created_ms, host.stamp)


def _key_of(key: models.ApiKey) -> KeyRecord:
    return KeyRecord(key.id, key.host_id, key.name, key.secret_hash, key.created_ms)


def _by_room(
    session: Session, statement: Select[Any], read: Callable[[Any], Record]
) -> defaultdict[str, list[Record]]:
    """Records of all rooms, by the codes of their rooms."""
    found: defaultdict[str, list[Record]] = defaultdict(list)
    for row in session.scalars(statement, execution_options={"yield_per": MAX_ROWS}):
        found[row.room].append(read(row))
    return found


def _last_markers() -> Select[Any]:
    """The markers that boards show, in the order in which they were set."""
    number = func.row_number().over(partition_by=models.Marker.room, order_by=models.Marker.id.desc())
    numbered = select(models.Marker.id, number.label("number")).subquery()
    last = select(numbered.c.id).where(numbered.c.number <= MARKERS_SHOWN)
    return select(models.Marker).where(models.Marker.id.in_(last)).order_by(models.Marker.id)


def _is_marker(marker: MarkerRecord) -> tuple[ColumnElement[bool], ...]:
    columns = (models.Marker.room, models.Marker.at_ms, models.Marker.label, models.Marker.source)
    values = (marker.room, marker.at_ms, marker.label, marker.source)
    return tuple(column == value for column, value in zip(columns, values, strict=True))


def _present(session: Session, column: Any, wanted: set[Any]) -> set[Any]:  # noqa: ANN401 - any key
    return set(session.scalars(select(column).where(column.in_(wanted))))


def _next_frames(session: Session, recording: RecordingRecord | None) -> dict[str, int]:
    """The next frame of each participant, found at the end of the index: not a sample is counted."""
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
