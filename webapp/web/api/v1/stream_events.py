"""The events of a room's stream as JSON: a sample has the names and values of the export's columns."""

from __future__ import annotations

import json
from typing import Any

from webapp.export.codebook import COLUMNS
from webapp.export.rows import sample_row
from webapp.export.snapshot import SELECTED, Recording
from webapp.export.tables import iso
from webapp.rooms.feed import FeedSample, RecordingState
from webapp.store.mapping import row_of_sample
from webapp.store.records import MarkerRecord, RecordingRecord

NOT_YET_KNOWN = "marker"
"""The column that an export fills in afterwards: the frame that is nearest to a marker."""


def wire_event(event_id: str, name: str, data: dict[str, Any]) -> bytes:
    """One event as it is sent; JSON has no line breaks, so it is one line."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"id: {event_id}\nevent: {name}\ndata: {text}\n\n".encode()


def data_of(content: FeedSample | MarkerRecord | RecordingState | None) -> dict[str, Any]:
    """What an event carries."""
    if isinstance(content, FeedSample):
        return sample_data(content)
    if isinstance(content, MarkerRecord):
        return marker_data(content)
    return recording_data(content.recording if content is not None else None)


def sample_data(given: FeedSample) -> dict[str, Any]:
    """A sample by the columns of the export, apart from `NOT_YET_KNOWN`."""
    row = row_of_sample(given.sample)
    recording = given.recording
    of_export = Recording(recording.number, recording.id, recording.started_ms, None, None, 0)
    values = sample_row([row[name] for name in SELECTED], given.alias, of_export, None, given.label)
    return {
        column.name: iso(value) if column.kind == "time" else value
        for column, value in zip(COLUMNS, values, strict=True)
        if column.name != NOT_YET_KNOWN
    }


def marker_data(marker: MarkerRecord) -> dict[str, Any]:
    """A marker; `participant` is null if it holds for everyone."""
    return {
        "id": marker.id,
        "label": marker.label,
        "timestamp": iso(marker.at_ms),
        "source": marker.source,
        "participant": marker.participant_id,
    }


def recording_data(recording: RecordingRecord | None) -> dict[str, Any]:
    """Whether a room records; the recording's number and start are null if it does not."""
    return {
        "state": "started" if recording else "stopped",
        "recording": recording.number if recording else None,
        "started": iso(recording.started_ms) if recording else None,
    }
