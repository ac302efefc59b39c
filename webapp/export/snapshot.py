"""A room as one snapshot of the database has it, for its export."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

from sqlalchemy import Connection, exists, func, select

from webapp.store import models
from webapp.store.mapping import BOX_COLUMNS, POSE_COLUMNS, marker_of
from webapp.store.records import MarkerRecord

MAX_ROWS = 1000

MARKER_REACH_MS = 1000.0
"""A marker belongs to no frame that is further away."""

T = TypeVar("T")
Closable: TypeAlias = Generator[T, None, None]
"""Closed by its reader: an export that is aborted must leave no cursor open."""

NUMBERS = {
    **dict.fromkeys(BOX_COLUMNS, 2),
    "score": 4,
    **dict.fromkeys(POSE_COLUMNS, 2),
    **dict.fromkeys(models.probability_columns("raw"), 6),
    "valence": 6,
    **dict.fromkeys(models.probability_columns("smooth"), 6),
    **dict.fromkeys(models.probability_columns("relative"), 6),
}
"""The numbers of a face in the order of the export, and how many decimals each gets."""

SELECTED = (
    *("participant_id", "frame", "timestamp_ms", "face_id", "received_ms", "captured_ms"),
    *("clock_offset_ms", "width", "height", "model", *NUMBERS),
)
"""The columns of a sample, in the order in which `RoomSnapshot.samples` gives them."""

_SAMPLE = models.Sample.__table__

_UNINDEXED_TIME = _SAMPLE.c.timestamp_ms + 0
"""For queries about one participant: SQLite would else take the index over time, and read what all the others
have in a recording."""


class Recording(NamedTuple):
    """A recording of the room: `number` counts from 1, `end_ms` is its stop, or its last sample so far."""

    number: int
    id: int
    started_ms: float
    stopped_ms: float | None
    end_ms: float | None
    early: int
    """Its samples of frames that were captured before it began; earlier versions of Mien kept them."""

    def seconds_at(self, at_ms: float) -> float:
        """The time since its start, in seconds."""
        return round((at_ms - self.started_ms) / 1000, 4)

    @property
    def span_s(self) -> float:
        """How long it was (so far), in seconds; never 0."""
        return max((self.end_ms or self.started_ms) - self.started_ms, 1.0) / 1000


class RoomSnapshot:
    """Reads a room from a connection that sees one snapshot; one thread at a time may use it.

    `marked` has its markers in the order of time, each with the recording that was running then;
    `all_markers` has those that a host deleted, too. `rows` and
    `rows_of_recording` count the samples that were read, by participant and by recording.
    """

    def __init__(self, connection: Connection, code: str) -> None:
        self._connection = connection.execution_options(yield_per=MAX_ROWS)
        self.room = connection.execute(select(models.Room.__table__).where(models.Room.code == code)).one()
        self.recordings = self._recordings(code)
        markers = select(models.Marker.__table__).where(models.Marker.room == code)
        self.all_markers = [
            marker_of(row)
            for row in connection.execute(markers.order_by(models.Marker.at_ms, models.Marker.id)).all()
        ]
        self.markers = [marker for marker in self.all_markers if marker.deleted_ms is None]
        self.marked = [(self._recording_at(marker.at_ms), marker) for marker in self.markers]
        people = select(models.Participant.__table__).where(models.Participant.room == code)
        self.participants = connection.execute(people.order_by(models.Participant.consented_ms)).all()
        self.aliases = {one.id: one.alias for one in self.participants}
        self.labels: dict[str, str | None] = {one.id: one.participant_label for one in self.participants}
        self.rows: Counter[str] = Counter()
        self.rows_of_recording: Counter[int] = Counter()

    def samples(self, recording: Recording) -> Closable[Sequence[Any]]:
        """The samples of a recording in the order of time, with the columns `SELECTED`."""
        found = self._connection.execute(
            select(*(_SAMPLE.c[name] for name in SELECTED))
            .where(_SAMPLE.c.recording_id == recording.id, _SAMPLE.c.timestamp_ms >= recording.started_ms)
            .order_by(_SAMPLE.c.timestamp_ms, _SAMPLE.c.id)
        )
        with found:
            for sample in found:
                self.rows[sample[0]] += 1
                self.rows_of_recording[recording.id] += 1
                yield sample

    def samples_of(self, recording: Recording, participant_id: str) -> Closable[Sequence[Any]]:
        """A participant's samples in a recording, in the order of frames, with the columns `SELECTED`.

        They may be read twice, so who reads them counts them in `rows` and `rows_of_recording`.
        """
        found = self._connection.execute(
            select(*(_SAMPLE.c[name] for name in SELECTED))
            .where(
                _SAMPLE.c.participant_id == participant_id,
                _SAMPLE.c.recording_id == recording.id,
                recording.started_ms <= _UNINDEXED_TIME,
            )
            .order_by(_SAMPLE.c.frame, _SAMPLE.c.face_id)
        )
        with found:
            yield from found

    def participants_of(self, recording: Recording) -> set[str]:
        """Who has samples in a recording; takes no longer with more of them."""
        columns = _SAMPLE.c
        has_samples = exists().where(
            columns.participant_id == models.Participant.id,
            columns.recording_id == recording.id,
            recording.started_ms <= _UNINDEXED_TIME,
        )
        found = select(models.Participant.id).where(models.Participant.room == self.room.code, has_samples)
        return set(self._connection.execute(found).scalars().all())

    def markers_of(self, recording: Recording) -> list[MarkerRecord]:
        """The markers of a recording, in the order of time."""
        return [marker for marked, marker in self.marked if marked is recording]

    def nearest_frames(
        self, recording: Recording, at_ms: float, participant_id: str | None = None
    ) -> list[tuple[str, int]]:
        """The participants with a frame around a time, or this one alone, with the number of the nearest."""
        columns = _SAMPLE.c
        near = select(columns.participant_id, columns.frame, columns.timestamp_ms).where(
            columns.recording_id == recording.id,
            columns.timestamp_ms >= recording.started_ms,
            columns.timestamp_ms.between(at_ms - MARKER_REACH_MS, at_ms + MARKER_REACH_MS),
        )
        if participant_id is not None:
            near = near.where(columns.participant_id == participant_id)
        around = self._connection.execute(near).all()
        nearest_last = sorted(around, key=lambda row: -abs(row.timestamp_ms - at_ms))
        return list({row.participant_id: row.frame for row in nearest_last}.items())

    def _recording_at(self, at_ms: float) -> Recording | None:
        """The recording that was running at a time."""
        now_ms = 1000 * time.time()
        for recording in self.recordings:
            stopped_ms = now_ms if recording.stopped_ms is None else recording.stopped_ms
            if recording.started_ms <= at_ms <= stopped_ms:
                return recording
        return None

    def _recordings(self, code: str) -> list[Recording]:
        of_recording = models.Sample.recording_id == models.Recording.id
        last = select(func.max(models.Sample.timestamp_ms)).where(of_recording)
        early = (
            select(func.count())
            .select_from(models.Sample)
            .where(of_recording, models.Sample.timestamp_ms < models.Recording.started_ms)
        )
        found = self._connection.execute(
            select(
                models.Recording.id,
                models.Recording.started_ms,
                models.Recording.stopped_ms,
                func.coalesce(models.Recording.stopped_ms, last.scalar_subquery()),
                early.scalar_subquery(),
            )
            .where(models.Recording.room == code)
            .order_by(models.Recording.id)
        ).all()
        return [Recording(number, *row) for number, row in enumerate(found, 1)]
