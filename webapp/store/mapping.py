"""Records to rows of the tables, and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from webapp.store import models
from webapp.store.records import (
    MarkerChange,
    MarkerRecord,
    ParticipantRecord,
    RecordingRecord,
    RoomRecord,
    SampleRecord,
)

BOX_COLUMNS = ("x", "y", "box_width", "box_height")
POSE_COLUMNS = ("pitch", "roll", "yaw")

VECTORS = {
    "box": BOX_COLUMNS,
    "pose": POSE_COLUMNS,
    **{kind: tuple(models.probability_columns(kind)) for kind in models.PROBABILITY_KINDS},
}
"""The fields of a sample that are several numbers, and the columns that these go to."""


def row_of(record: RoomRecord | ParticipantRecord) -> dict[str, Any]:
    """The columns of a record whose fields are columns."""
    return asdict(record)


def row_of_marker(marker: MarkerRecord) -> dict[str, Any]:
    """The columns of a marker; its `id` is the database's to give."""
    row = asdict(marker)
    del row["id"]
    return {**row, "history": list(row["history"]) or None}


def row_of_sample(sample: SampleRecord) -> dict[str, Any]:
    """The columns of a sample: its vectors spread, and null where it has none."""
    row: dict[str, Any] = {
        name: getattr(sample, name) for name in SampleRecord.__dataclass_fields__ if name not in VECTORS
    }
    for name, columns in VECTORS.items():
        values = getattr(sample, name) or (None,) * len(columns)
        row.update(zip(columns, values, strict=True))
    return row


def room_of(row: models.Room) -> RoomRecord:
    """The reverse of `row_of`."""
    return RoomRecord(
        code=row.code,
        name=row.name,
        information=row.information,
        settings=row.settings,
        created_ms=row.created_ms,
        closed_ms=row.closed_ms,
        information_translations=row.information_translations or {},
    )


def participant_of(row: models.Participant) -> ParticipantRecord:
    """The reverse of `row_of`."""
    return ParticipantRecord(
        id=row.id,
        room=row.room,
        alias=row.alias,
        resume_hash=row.resume_hash,
        information_version=row.information_version,
        consented_ms=row.consented_ms,
        left_ms=row.left_ms,
        baseline=tuple(row.baseline) if row.baseline else None,
        consent_language=row.consent_language,
        participant_label=row.participant_label,
        consent_source=row.consent_source,
    )


def recording_of(row: models.Recording, number: int) -> RecordingRecord:
    """A recording, which has this number in its room."""
    return RecordingRecord(row.id, row.room, row.started_ms, row.stopped_ms, number)


def marker_of(row: Any) -> MarkerRecord:  # noqa: ANN401 - a model, or a row of its table
    """The reverse of `row_of_marker`."""
    return MarkerRecord(
        room=row.room,
        at_ms=row.at_ms,
        label=row.label,
        source=row.source,
        participant_id=row.participant_id,
        time_ms=row.time_ms,
        received_ms=row.received_ms,
        key=row.key,
        id=row.id,
        deleted_ms=row.deleted_ms,
        history=tuple(MarkerChange(**change) for change in row.history or ()),
    )
