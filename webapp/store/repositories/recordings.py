"""Recordings and their samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapp.store import models
from webapp.store.mapping import recording_of, row_of_sample
from webapp.store.records import Owner, RecordingRecord, SampleRecord
from webapp.store.repositories.base import Repository
from webapp.store.requests import only_reads, takes_long


class RecordingRepository(Repository):
    """The recordings of all rooms."""

    def start_recording(self, room: str, at_ms: float) -> RecordingRecord:
        """Begin a recording."""
        with self._session() as session:
            recording = models.Recording(room=room, started_ms=at_ms)
            session.add(recording)
            session.flush()
            earlier = select(func.count()).where(models.Recording.room == room)
            return recording_of(recording, session.scalars(earlier).one())

    def cancel_recording(self, room: str, started_ms: float) -> None:
        """Undo a start that failed for its caller."""
        with self._session() as session:
            session.execute(
                delete(models.Recording).where(
                    models.Recording.room == room, models.Recording.started_ms == started_ms
                )
            )

    def stop_recording(self, recording_id: int, at_ms: float) -> None:
        """End a recording."""
        with self._session() as session:
            session.execute(
                update(models.Recording).where(models.Recording.id == recording_id).values(stopped_ms=at_ms)
            )

    def resume_recording(self, recording_id: int, at_ms: float) -> None:
        """Take back the end of a recording at this time; another end, as of another node, stays."""
        ended = (models.Recording.id == recording_id, models.Recording.stopped_ms == at_ms)
        with self._session() as session:
            session.execute(update(models.Recording).where(*ended).values(stopped_ms=None))

    def add_samples(
        self, samples: Sequence[SampleRecord], owners: Sequence[Owner] | None = None
    ) -> list[bool]:
        """Keep samples, each once however often it is sent.

        `owners` has for each sample who recorded it, where rooms have owners. Returns for each sample whether
        it is kept: it is not if its participant or its recording is gone, or its room has another owner.
        """
        with self._session() as session:
            current = _current_owners(session, {room for room, _ in owners or ()})
            people = _present(session, models.Participant.id, {one.participant_id for one in samples})
            recordings = _present(session, models.Recording.id, {one.recording_id for one in samples})
            kept = [one.participant_id in people and one.recording_id in recordings for one in samples]
            if owners is not None:
                kept = [is_kept and owner in current for is_kept, owner in zip(kept, owners, strict=True)]
            rows = [row_of_sample(one) for one, is_kept in zip(samples, kept, strict=True) if is_kept]
            if rows:
                session.execute(self._insert_new_samples(), rows)
            return kept

    def delete_samples(self, room: str, limit: int) -> int:
        """Delete at most `limit` samples of a room; returns how many were deleted."""
        some = (
            select(models.Sample.id)
            .join(models.Recording, models.Recording.id == models.Sample.recording_id)
            .where(models.Recording.room == room)
            .limit(limit)
        )
        with self._session() as session:
            return (
                session.connection().execute(delete(models.Sample).where(models.Sample.id.in_(some))).rowcount
            )

    @only_reads
    def last_sample_id(self) -> int:
        """The id of the newest sample of all; 0 if there is none."""
        with self._session() as session:
            return session.scalar(select(func.max(models.Sample.id))) or 0

    @takes_long
    def count_samples(self, room: str) -> int:
        """The number of samples of a room, counted one by one."""
        with self._session() as session:
            counted = session.scalar(
                select(func.count())
                .select_from(models.Sample)
                .join(models.Recording, models.Recording.id == models.Sample.recording_id)
                .where(models.Recording.room == room)
            )
            return counted or 0

    @only_reads
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
        dialect = postgresql if self._database.engine.dialect.name == "postgresql" else sqlite
        return dialect.insert(models.Sample.__table__).on_conflict_do_nothing()


def _current_owners(session: Session, rooms: set[str]) -> set[Owner]:
    """The epochs of rooms; nobody else takes one of these rooms before this transaction ends."""
    if not rooms:
        return set()
    table = models.RoomOwner
    chosen = select(table.room, table.epoch).where(table.room.in_(rooms)).order_by(table.room)
    return {Owner(*row) for row in session.execute(chosen.with_for_update(read=True))}


def _present(session: Session, column: Any, wanted: set[Any]) -> set[Any]:  # noqa: ANN401 - any key
    return set(session.scalars(select(column).where(column.in_(wanted))))
