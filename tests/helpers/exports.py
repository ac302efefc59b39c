"""Rooms in a database, and their exports as files, without a server."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from webapp.export.store_process import Repositories
from webapp.export.zip import write_export
from webapp.store.records import MarkerRecord, ParticipantRecord, RoomRecord, SampleRecord

CODE = "ABCD2345"
START_MS = 1_780_000_000_000.0
NEUTRAL = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
HAPPY = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)


def new_archive(url: str, *people: str, code: str = CODE) -> Repositories:
    """A database with a room and its participants, whose aliases are their ids in capitals."""
    archive = Repositories(url)
    archive.database.prepare()
    archive.rooms.add_room(RoomRecord(code, "Room", "Text", {}, START_MS - 1000))
    for one in people:
        add_person(archive, one, code=code)
    return archive


def add_person(archive: Repositories, one: str, alias: str = "", code: str = CODE) -> None:
    archive.rooms.add_participant(ParticipantRecord(one, code, alias or one.upper(), "", "", START_MS - 500))


def add_marker(archive: Repositories, label: str, at_s: float, code: str = CODE) -> None:
    """A marker so many seconds after `START_MS`."""
    archive.markers.add_marker(MarkerRecord(code, START_MS + 1000 * at_s, label, "api"))


def sample(
    person: str,
    frame: int,
    at_s: float,
    shown: Sequence[float] | None = NEUTRAL,
    face_id: int = 1,
    recording: int = 1,
    **changed: Any,
) -> SampleRecord:
    """A face, or none where nothing is `shown`, so many seconds after `START_MS`."""
    at_ms = START_MS + 1000 * at_s
    face: dict[str, Any] = {}
    if shown is not None:
        vector = tuple(shown)
        face = {
            "face_id": face_id,
            "box": (1.0, 2.0, 30.0, 40.0),
            "score": 0.9,
            "pose": (1.0, 2.0, 3.0),
            "raw": vector,
            "smooth": vector,
            "valence": vector[3] - max(vector[0], vector[1], vector[2], vector[4]),
        }
    given: dict[str, Any] = {
        **{"timestamp_ms": at_ms, "received_ms": at_ms + 20, "captured_ms": at_ms - 7},
        **{"clock_offset_ms": 7.0, "width": 640, "height": 480, "model": "0123456789ab"},
        **face,
        **changed,
    }
    return SampleRecord(recording, person, frame, **given)


def unzip(pieces: Iterator[bytes]) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def exported(engine: Engine, form: str = "csv", code: str = CODE) -> dict[str, bytes]:
    """The files of an export."""
    return unzip(write_export(engine, code, {}, form))


def save(engine: Engine, path: Path, form: str) -> Path:
    """An export as a ZIP file."""
    path.write_bytes(b"".join(write_export(engine, CODE, {}, form)))
    return path


def rows(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode(), newline="")))
