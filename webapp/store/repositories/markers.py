"""The markers of rooms; those that a host deleted stay, with their history."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from webapp.store import models
from webapp.store.mapping import marker_of, row_of_marker
from webapp.store.records import MarkerRecord
from webapp.store.repositories.base import Repository
from webapp.store.requests import only_reads

MARKERS_SHOWN = 20
"""A dashboard shows the last ones of a room."""

_IS_KEPT = models.Marker.deleted_ms.is_(None)
_IS_SHOWN = _IS_KEPT & models.Marker.participant_id.is_(None)


class KeptMarker(NamedTuple):
    """A marker as the store has it; it `is_new` unless the same was sent before."""

    marker: MarkerRecord
    is_new: bool


class MarkerRepository(Repository):
    """The markers of all rooms."""

    def add_marker(self, marker: MarkerRecord) -> KeptMarker | None:
        """Keep a marker, once however often it is sent.

        Returns None where its room is closed or deleted, or its participant is gone.
        """
        with self._session() as session:
            if not _may_be_added(session, marker):
                return None
            sent = models.Marker.room == marker.room, models.Marker.key == marker.key
            known = session.scalar(select(models.Marker).where(*sent)) if marker.key else None
            if known is not None:
                return KeptMarker(marker_of(known), is_new=False)
            row = models.Marker(**row_of_marker(marker))
            session.add(row)
            session.flush()
            return KeptMarker(marker_of(row), is_new=True)

    def cancel_marker(self, marker: MarkerRecord) -> None:
        """Undo an addition that failed for its caller; the same marker from an earlier request stays."""
        with self._session() as session:
            session.execute(
                delete(models.Marker).where(
                    models.Marker.room == marker.room,
                    models.Marker.key == marker.key,
                    models.Marker.received_ms == marker.received_ms,
                )
            )
        self._database.wal.truncate()

    @only_reads
    def markers(self, room: str, after_id: int, limit: int) -> list[MarkerRecord]:
        """At most `limit` markers of a room with larger ids than `after_id`, without those deleted."""
        chosen = select(models.Marker).where(
            models.Marker.room == room, models.Marker.id > after_id, _IS_KEPT
        )
        with self._session() as session:
            rows = session.scalars(chosen.order_by(models.Marker.id).limit(limit))
            return [marker_of(row) for row in rows]

    @only_reads
    def marker(self, room: str, marker_id: int) -> MarkerRecord | None:
        """A marker of a room, also one that was deleted; None if there is none with this id."""
        chosen = select(models.Marker).where(models.Marker.room == room, models.Marker.id == marker_id)
        with self._session() as session:
            row = session.scalar(chosen)
            return marker_of(row) if row is not None else None

    def replace_marker(self, before: MarkerRecord, after: MarkerRecord) -> bool:
        """Change a marker that still is as it was `before`; returns whether it was."""
        with self._session() as session:
            row = session.get(models.Marker, before.id, with_for_update=True)
            if row is None or marker_of(row) != before:
                return False
            changed = update(models.Marker).where(models.Marker.id == before.id)
            session.execute(changed.values(row_of_marker(after)))
            return True


def last_markers(room: str | None = None) -> Select[Any]:
    """The markers that dashboards of all rooms, or of one, show, in the order in which they were set.

    Participants' own are not among them.
    """
    number = func.row_number().over(partition_by=models.Marker.room, order_by=models.Marker.id.desc())
    shown = _IS_SHOWN if room is None else _IS_SHOWN & (models.Marker.room == room)
    numbered = select(models.Marker.id, number.label("number")).where(shown).subquery()
    last = select(numbered.c.id).where(numbered.c.number <= MARKERS_SHOWN)
    return select(models.Marker).where(models.Marker.id.in_(last)).order_by(models.Marker.id)


def _may_be_added(session: Session, marker: MarkerRecord) -> bool:
    is_open = models.Room.code == marker.room, models.Room.closed_ms.is_(None)
    if session.scalar(select(models.Room.code).where(*is_open)) is None:
        return False
    return marker.participant_id is None or session.get(models.Participant, marker.participant_id) is not None
