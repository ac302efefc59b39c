"""The files of a data set.

    dataset_description.json  README  participants.tsv  participants.json
    sub-LABEL/beh/sub-LABEL_task-TASK_run-NN_physio.tsv.gz, .json     the main face, resampled
    sub-LABEL/beh/sub-LABEL_task-TASK_run-NN_events.tsv, .json        the markers, if there are any
    sourcedata/sub-LABEL/sub-LABEL_task-TASK_run-NN_samples.csv       every face, as recorded
    sourcedata/markers.csv  sourcedata/participants.csv  sourcedata/room.json

A subject is a participant with samples; a run is a recording.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from webapp.export.archive import Archive
from webapp.export.bids.columns import EVENTS, PARTICIPANTS, physio_sidecar
from webapp.export.bids.run import Run, RunSource
from webapp.export.bids.subjects import subject_labels, task_label
from webapp.export.bids.texts import description, json_text, readme, tsv
from webapp.export.codebook import MARKER_COLUMNS, PARTICIPANT_COLUMNS
from webapp.export.markers import MarkerLabels
from webapp.export.rows import marker_rows, participant_rows, room_json
from webapp.export.snapshot import Closable, Recording, RoomSnapshot


def write_bids(archive: Archive, room: RoomSnapshot, about: Mapping[str, Any]) -> Closable[None]:
    """Write all files; every step of the iterator is a piece."""
    facts = dict(about)
    sources = [_source(room, recording) for recording in room.recordings]
    recorded = {participant_id for source in sources for participant_id in source.participants}
    labels = subject_labels(room.participants, recorded)
    for participant_id, label in labels.items():
        for source in sources:
            if participant_id in source.participants:
                yield from _write_run(archive, room, source, participant_id, label, facts)
    archive.write("dataset_description.json", json_text(description(room, facts)))
    archive.write("README", readme(room, facts))
    archive.write("participants.tsv", tsv(_participants(room, labels)))
    archive.write("participants.json", json_text(PARTICIPANTS))
    archive.write_table("sourcedata/markers.csv", MARKER_COLUMNS, marker_rows(room))
    archive.write_table("sourcedata/participants.csv", PARTICIPANT_COLUMNS, participant_rows(room))
    archive.write("sourcedata/room.json", json.dumps(room_json(room, about), indent=2))
    yield


def _source(room: RoomSnapshot, recording: Recording) -> RunSource:
    return RunSource(recording, MarkerLabels(room, recording), room.participants_of(recording))


def _write_run(
    archive: Archive,
    room: RoomSnapshot,
    source: RunSource,
    participant_id: str,
    subject: str,
    about: dict[str, Any],
) -> Closable[None]:
    """Write the files of a subject's run; every step of the iterator is a piece."""
    task = task_label(room)
    name = f"sub-{subject}_task-{task}_run-{source.recording.number:02d}"
    place = f"sub-{subject}/beh/{name}"
    run = Run(room, source, participant_id)
    yield from run.write_samples(archive, f"sourcedata/sub-{subject}/{name}_samples.csv")
    archive.write(f"{place}_physio.tsv.gz", run.physio)
    archive.write(f"{place}_physio.json", json_text(physio_sidecar(task, about)))
    events = _events(room, source.recording, participant_id)
    if events:
        archive.write(f"{place}_events.tsv", tsv([tuple(EVENTS), *events]))
        archive.write(f"{place}_events.json", json_text(EVENTS))
    yield


def _events(room: RoomSnapshot, recording: Recording, participant_id: str) -> list[tuple[Any, ...]]:
    """The markers of all and the participant's own, as the columns `EVENTS`."""
    return [
        (recording.seconds_at(marker.at_ms), 0, marker.label, marker.source)
        for marker in room.markers_of(recording)
        if marker.participant_id in (None, participant_id)
    ]


def _participants(room: RoomSnapshot, labels: Mapping[str, str]) -> list[tuple[Any, ...]]:
    """The participants with samples, as the columns `PARTICIPANTS`, under their names."""
    present = [one for one in room.participants if room.rows[one.id]]
    return [
        tuple(PARTICIPANTS),
        *(
            (f"sub-{labels[one.id]}", one.id, one.alias, one.participant_label, room.rows[one.id])
            for one in present
        ),
    ]
