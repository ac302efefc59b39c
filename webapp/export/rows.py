"""The rows of an export's tables, and `room.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from webapp.export.codebook import COLUMNS, MARKER_COLUMNS, PARTICIPANT_COLUMNS, codebook
from webapp.export.snapshot import NUMBERS, SELECTED, Recording, RoomSnapshot
from webapp.export.statistics.summary import SUMMARY_COLUMNS
from webapp.export.tables import Row, iso, time_ms
from webapp.store.records import MarkerRecord

DIGITS = tuple(NUMBERS.values())
FIRST_NUMBER = len(SELECTED) - len(NUMBERS)


def sample_row(
    sample: Sequence[Any], alias: str, recording: Recording, marker: str | None, label: str | None
) -> Row:
    """A sample, with the columns `SELECTED`, as the values of `COLUMNS`."""
    participant_id, frame, timestamp_ms, face_id, received_ms, captured_ms, offset_ms, *sizes, model = sample[
        :FIRST_NUMBER
    ]
    return (
        *(participant_id, alias, frame, time_ms(timestamp_ms), recording.seconds_at(timestamp_ms)),
        face_id or None,
        *(
            None if value is None else round(value, digits)
            for value, digits in zip(sample[FIRST_NUMBER:], DIGITS, strict=True)
        ),
        *(time_ms(received_ms), time_ms(captured_ms)),
        None if offset_ms is None else round(offset_ms / 1000, 4),
        *(*sizes, model, recording.number, marker, label),
    )


def marker_rows(snapshot: RoomSnapshot) -> list[Row]:
    """The values of `MARKER_COLUMNS`."""
    return [_marker_row(recording, marker) for recording, marker in snapshot.marked]


def _marker_row(recording: Recording | None, marker: MarkerRecord) -> Row:
    is_lsl = marker.source == "lsl"
    return (
        recording.number if recording else None,
        time_ms(marker.at_ms),
        recording.seconds_at(marker.at_ms) if recording else None,
        marker.label,
        marker.source,
        marker.participant_id,
        None if is_lsl else time_ms(marker.time_ms),
        time_ms(marker.received_ms),
        marker.time_ms / 1000 if is_lsl and marker.time_ms is not None else None,
    )


def participant_rows(snapshot: RoomSnapshot) -> list[Row]:
    """The values of `PARTICIPANT_COLUMNS`, once all samples were read."""
    return [
        (
            *(one.id, one.alias, time_ms(one.consented_ms), one.information_version, time_ms(one.left_ms)),
            *(json.dumps(one.baseline) if one.baseline else None, snapshot.rows[one.id]),
            *(one.consent_language, one.participant_label, one.consent_source),
        )
        for one in snapshot.participants
    ]


def room_json(snapshot: RoomSnapshot, about: Mapping[str, Any]) -> dict[str, Any]:
    """The room, its recordings and the code books, once all samples were read."""
    room = snapshot.room
    return {
        "code": room.code,
        "name": room.name,
        "information": room.information,
        "information_translations": room.information_translations or {},
        "settings": room.settings,
        "created": iso(room.created_ms),
        "closed": iso(room.closed_ms),
        "recordings": [
            {
                "number": recording.number,
                "started": iso(recording.started_ms),
                "stopped": iso(recording.stopped_ms),
                "samples": snapshot.rows_of_recording[recording.id],
                "left_out": recording.early,
            }
            for recording in snapshot.recordings
        ],
        "changed_markers": [_changed_marker(marker) for marker in snapshot.all_markers if marker.history],
        "participants": len(snapshot.participants),
        "samples": snapshot.rows.total(),
        **about,
        "code_book": codebook(COLUMNS),
        "code_book_markers": codebook(MARKER_COLUMNS),
        "code_book_participants": codebook(PARTICIPANT_COLUMNS),
        "code_book_summary": codebook(SUMMARY_COLUMNS),
    }


def _changed_marker(marker: MarkerRecord) -> dict[str, Any]:
    """A marker that a host changed or deleted, with what it was before."""
    return {
        "id": marker.id,
        "label": marker.label,
        "timestamp": iso(marker.at_ms),
        "source": marker.source,
        "participant": marker.participant_id,
        "deleted": iso(marker.deleted_ms),
        "history": [
            {
                "label": earlier.label,
                "timestamp": iso(earlier.at_ms),
                "changed": iso(earlier.changed_ms),
                "by": earlier.by,
            }
            for earlier in marker.history
        ],
    }
