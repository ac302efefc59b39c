"""All that the store can be asked. Runs in the store's process, on one thread but for `read_export`."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.security import check_password_hash, generate_password_hash

from webapp.export.zip import write_export
from webapp.store import models
from webapp.store.database import migrate, open_database
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
    hash_secret,
)

NO_PASSWORD = generate_password_hash("")
"""Checked where there is no such host, so that the answer takes as long."""


class Archive:
    """The database behind plain functions; what travels in and out are records."""

    def __init__(self, url: str) -> None:
        self._engine = open_database(url)
        self._session = sessionmaker(self._engine).begin
        self._ready = False
        self._exports: dict[int, Iterator[bytes]] = {}
        self._export_ids = itertools.count(1)

    def prepare(self) -> None:
        """Bring the tables up to date, once; every request begins with it."""
        if not self._ready:
            migrate(self._engine)
            self._ready = True

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    # Rooms

    def load_rooms(self) -> list[SavedRoom]:
        """All rooms, in the order in which they were made."""
        with self._session() as session:
            rooms = session.scalars(select(models.Room).order_by(models.Room.created_ms)).all()
            return [self._saved(session, room) for room in rooms]

    def add_room(self, room: RoomRecord) -> None:
        """Keep a new room."""
        self._insert(models.Room, row_of(room))

    def close_room(self, code: str, at_ms: float) -> None:
        """Nobody may join from now on."""
        with self._session() as session:
            session.execute(update(models.Room).where(models.Room.code == code).values(closed_ms=at_ms))

    def delete_room(self, code: str) -> None:
        """Delete a room with all that was recorded in it."""
        with self._session() as session:
            session.execute(delete(models.Room).where(models.Room.code == code))

    def add_marker(self, marker: MarkerRecord) -> None:
        """Keep an event."""
        self._insert(models.Marker, row_of(marker))

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
            session.execute(delete(models.Participant).where(models.Participant.id == participant_id))

    # Recordings

    def start_recording(self, room: str, at_ms: float) -> RecordingRecord:
        """Begin a recording."""
        with self._session() as session:
            recording = models.Recording(room=room, started_ms=at_ms)
            session.add(recording)
            session.flush()
            return recording_of(recording)

    def stop_recording(self, recording_id: int, at_ms: float) -> None:
        """End a recording."""
        with self._session() as session:
            session.execute(
                update(models.Recording).where(models.Recording.id == recording_id).values(stopped_ms=at_ms)
            )

    def add_samples(self, samples: Sequence[SampleRecord]) -> None:
        """Keep samples; those that are there already, or whose participant is not, are left out."""
        with self._session() as session:
            wanted = {sample.participant_id for sample in samples}
            known = select(models.Participant.id).where(models.Participant.id.in_(wanted))
            present = set(session.scalars(known))
            recordings = set(session.scalars(select(models.Recording.id)))
            rows = [
                row_of_sample(sample)
                for sample in samples
                if sample.participant_id in present and sample.recording_id in recordings
            ]
            if rows:
                session.execute(self._insert_new_samples(), rows)

    def count_samples(self, code: str) -> int:
        """The samples of a room."""
        with self._session() as session:
            return _count_samples(session, code)

    def _insert_new_samples(self) -> Any:  # noqa: ANN401 - one of two dialects' own Insert
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        return dialect.insert(models.Sample.__table__).on_conflict_do_nothing()

    # Exports

    def open_export(self, code: str, about: Mapping[str, Any], form: str) -> int:
        """Begin an export of a room; `read_export` gives it piece by piece."""
        export_id = next(self._export_ids)
        self._exports[export_id] = write_export(self._engine, code, about, form)
        return export_id

    def read_export(self, export_id: int) -> bytes | None:
        """The next piece of a ZIP file, or None after the last."""
        piece = next(self._exports[export_id], None)
        if piece is None:
            self.close_export(export_id)
        return piece

    def close_export(self, export_id: int) -> None:
        """Break an export off, or forget one that ended."""
        self._exports.pop(export_id, None)

    # Hosts

    def hosts(self) -> list[HostRecord]:
        """All hosts."""
        with self._session() as session:
            return [
                HostRecord(host.id, host.name, host.created_ms)
                for host in session.scalars(select(models.Host).order_by(models.Host.id))
            ]

    def add_host(self, name: str, password: str) -> HostRecord | None:
        """A new host, or None where the name is taken."""
        with self._session() as session:
            if session.scalar(select(models.Host.id).where(models.Host.name == name)) is not None:
                return None
            host = models.Host(
                name=name, password_hash=generate_password_hash(password), created_ms=1000 * time.time()
            )
            session.add(host)
            session.flush()
            return HostRecord(host.id, host.name, host.created_ms)

    def set_password(self, host_id: int, password: str) -> None:
        """Give a host another password."""
        hashed = generate_password_hash(password)
        with self._session() as session:
            session.execute(update(models.Host).where(models.Host.id == host_id).values(password_hash=hashed))

    def check_password(self, name: str, password: str) -> HostRecord | None:
        """The host with this name and password, or None."""
        with self._session() as session:
            host = session.scalar(select(models.Host).where(models.Host.name == name))
            right = check_password_hash(host.password_hash if host else NO_PASSWORD, password)
            return HostRecord(host.id, host.name, host.created_ms) if host and right else None

    def delete_host(self, host_id: int) -> None:
        """Delete a host and their keys; rooms stay."""
        with self._session() as session:
            session.execute(delete(models.Host).where(models.Host.id == host_id))

    def keys(self, host_id: int) -> list[KeyRecord]:
        """The keys of a host."""
        with self._session() as session:
            found = select(models.ApiKey).where(models.ApiKey.host_id == host_id).order_by(models.ApiKey.id)
            return [
                KeyRecord(key.id, key.host_id, key.name, key.created_ms) for key in session.scalars(found)
            ]

    def add_key(self, host_id: int, name: str, secret: str) -> None:
        """Keep a key for programs, as a hash."""
        self._insert(
            models.ApiKey,
            {
                "host_id": host_id,
                "name": name,
                "secret_hash": hash_secret(secret),
                "created_ms": 1000 * time.time(),
            },
        )

    def delete_key(self, host_id: int, key_id: int) -> None:
        """Make a key of a host useless."""
        with self._session() as session:
            session.execute(
                delete(models.ApiKey).where(models.ApiKey.id == key_id, models.ApiKey.host_id == host_id)
            )

    def host_of_key(self, secret: str) -> HostRecord | None:
        """Whose key it is, or None."""
        with self._session() as session:
            host = session.scalar(
                select(models.Host)
                .join(models.ApiKey, models.ApiKey.host_id == models.Host.id)
                .where(models.ApiKey.secret_hash == hash_secret(secret))
            )
            return HostRecord(host.id, host.name, host.created_ms) if host else None

    # Inside

    def _insert(self, model: type[models.Base], row: Mapping[str, Any]) -> None:
        with self._session() as session:
            session.execute(insert(model).values(row))

    def _saved(self, session: Session, room: models.Room) -> SavedRoom:
        recording = session.scalar(
            select(models.Recording).where(
                models.Recording.room == room.code, models.Recording.stopped_ms.is_(None)
            )
        )
        return SavedRoom(
            room=room_of(room),
            participants=tuple(map(participant_of, _in_room(session, models.Participant, room.code))),
            recording=recording_of(recording) if recording else None,
            markers=tuple(map(marker_of, _in_room(session, models.Marker, room.code))),
            next_frames=_next_frames(session, recording.id) if recording else {},
            stored=_count_samples(session, room.code),
        )


def _in_room(session: Session, model: Any, code: str) -> Sequence[Any]:  # noqa: ANN401 - a model with a room
    found: Sequence[Any] = session.scalars(select(model).where(model.room == code)).all()
    return found


def _next_frames(session: Session, recording_id: int) -> dict[str, int]:
    counted = session.execute(
        select(models.Sample.participant_id, (func.max(models.Sample.frame) + 1).label("following"))
        .where(models.Sample.recording_id == recording_id)
        .group_by(models.Sample.participant_id)
    )
    return {row.participant_id: row.following for row in counted}


def _count_samples(session: Session, code: str) -> int:
    counted = session.scalar(
        select(func.count())
        .select_from(models.Sample)
        .join(models.Recording, models.Recording.id == models.Sample.recording_id)
        .where(models.Recording.room == code)
    )
    return counted or 0
