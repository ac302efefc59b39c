"""Long recordings, made in the database without anybody in front of a camera."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice

from webapp.export.store_process import Repositories
from webapp.store.records import MarkerRecord, ParticipantRecord, RoomRecord, SampleRecord

PARTICIPANTS = 30
RATE_PER_S = 5
START_MS = 1_780_000_000_000.0
MARKER_INTERVAL_S = 10
BATCH = 3000


def add_recording(url: str, code: str, seconds: int) -> int:
    """Put a room with a recording of thirty people into a database; how many samples it has."""
    archive = Repositories(url)
    archive.database.prepare()
    archive.rooms.add_room(RoomRecord(code, "Long", "Text", {}, START_MS))
    people = [f"{code[:8]}{number:04d}" for number in range(PARTICIPANTS)]
    for number, person in enumerate(people):
        archive.rooms.add_participant(
            ParticipantRecord(person, code, f"P{number}", person, "version", START_MS)
        )
    recording = archive.recordings.start_recording(code, START_MS)
    for second in range(0, seconds, MARKER_INTERVAL_S):
        archive.markers.add_marker(MarkerRecord(code, START_MS + 1000 * second, f"Marker {second}", "api"))
    samples, added = _samples(recording.id, people, seconds), 0
    while batch := list(islice(samples, BATCH)):
        archive.recordings.add_samples(batch)
        added += len(batch)
    archive.recordings.stop_recording(recording.id, START_MS + 1000 * seconds)
    archive.close()
    return added


def _samples(recording: int, people: list[str], seconds: int) -> Iterator[SampleRecord]:
    chance = random.Random(0)
    for frame in range(seconds * RATE_PER_S):
        for person in people:
            at_ms = START_MS + 1000 * frame / RATE_PER_S + chance.uniform(0, 150)
            yield _sample(recording, person, frame, at_ms, chance)


def _sample(recording: int, person: str, frame: int, at_ms: float, chance: random.Random) -> SampleRecord:
    weights = [chance.random() for _ in range(7)]
    probabilities = tuple(weight / sum(weights) for weight in weights)
    return SampleRecord(
        recording_id=recording,
        participant_id=person,
        frame=frame,
        timestamp_ms=at_ms,
        received_ms=at_ms + 20,
        captured_ms=at_ms - 7,
        clock_offset_ms=7.0,
        width=640,
        height=480,
        model="0123456789ab",
        face_id=1,
        box=(chance.uniform(0, 400), chance.uniform(0, 300), 120.5, 130.5),
        score=chance.random(),
        pose=(chance.uniform(-20, 20), chance.uniform(-20, 20), chance.uniform(-20, 20)),
        raw=probabilities,
        smooth=probabilities,
        relative=probabilities,
        valence=chance.uniform(-1, 1),
    )
