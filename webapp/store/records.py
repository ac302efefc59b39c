"""What is kept of rooms: the rows that travel between the server and its store. Standard library only.

Times are milliseconds since 1970 on the server's clock, unless a name says otherwise. Images are in none of
these records, and no record has a field for one.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """A room as its host made it; `closed_ms` is None while people may join.

    `information_translations` has the information in other languages, by their codes.
    """

    code: str
    name: str
    information: str
    settings: Mapping[str, Any]
    created_ms: float
    closed_ms: float | None = None
    information_translations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ParticipantRecord:
    """A person who consented to the text `information_version` at `consented_ms`.

    `resume_hash` is the SHA-256 of the secret that brings the same person back, or empty where a host removed
    them. `baseline` has the mean neutral logits in the order of `LABELS`, or is None. `consent_language` is
    that of the text that was shown, or None where it is not known. `participant_label` is an experiment's own
    name for the person. `consent_source` is who asked for the consent: `participant` (on our page) or
    `experiment` (on its own); None in records of earlier versions.
    """

    id: str
    room: str
    alias: str
    resume_hash: str
    information_version: str
    consented_ms: float
    left_ms: float | None = None
    baseline: tuple[float, ...] | None = None
    consent_language: str | None = None
    participant_label: str | None = None
    consent_source: str | None = None


@dataclass(frozen=True, slots=True)
class RecordingRecord:
    """One recording of a room, running while `stopped_ms` is None; `id` is the store's.

    `number` counts the recordings of the room from 1.
    """

    id: int
    room: str
    started_ms: float
    stopped_ms: float | None = None
    number: int = 1


@dataclass(frozen=True, slots=True)
class MarkerChange:
    """What a marker was until `changed_ms`, when the host `by` changed or deleted it."""

    at_ms: float
    label: str
    changed_ms: float
    by: str


@dataclass(frozen=True, slots=True)
class MarkerRecord:
    """An event in a room; `source` is `board`, `api`, `participant` or `lsl`.

    `at_ms` is when it happened. `time_ms` is what the sender's own clock said, if it said anything: a
    participant's browser and a program in milliseconds since 1970, an LSL stream on LSL's clock.
    `received_ms` is when it arrived; None in markers of earlier versions. `participant_id` is who sent it.
    `id` is the store's; None before it is stored. `history` has the earlier states, oldest first; the last
    one of a marker with `deleted_ms` is its state when it was deleted.
    """

    room: str
    at_ms: float
    label: str
    source: str
    participant_id: str | None = None
    time_ms: float | None = None
    received_ms: float | None = None
    key: str | None = None
    id: int | None = None
    deleted_ms: float | None = None
    history: tuple[MarkerChange, ...] = ()


@dataclass(frozen=True, slots=True)
class SampleRecord:
    """One face in one analyzed frame of a recording; a frame without a face has one, with `face_id` 0.

    `frame` counts a participant's analyzed frames in a recording from 0. `timestamp_ms` is when the camera
    saw it, as well as the server can tell: `captured_ms` (the participant's clock) plus `clock_offset_ms`
    where that was estimated, else `received_ms`. `box` is x, y, width, height in pixels of a frame of
    `width` x `height`; `pose` is pitch, roll, yaw in degrees. `raw`, `smooth` and `relative` are seven
    probabilities in the order of `LABELS`; `relative` is None without a baseline.
    """

    recording_id: int
    participant_id: str
    frame: int
    timestamp_ms: float
    received_ms: float
    captured_ms: float
    clock_offset_ms: float | None
    width: int
    height: int
    model: str
    face_id: int = 0
    box: tuple[float, ...] | None = None
    score: float | None = None
    pose: tuple[float, ...] | None = None
    raw: tuple[float, ...] | None = None
    smooth: tuple[float, ...] | None = None
    relative: tuple[float, ...] | None = None
    valence: float | None = None


class Owner(NamedTuple):
    """Who serves a room: the `epoch` grows whenever another node takes it; see `webapp.store.nodes`."""

    room: str
    epoch: int


@dataclass(frozen=True, slots=True)
class SavedRoom:
    """Everything that the server must know about a room to continue it after a restart.

    `samples` and `connected` are what the node that serves it last said, where there are several.

    `markers` has the last ones, in the order in which they were set. `next_frames` has the next number of a
    frame for each participant who has some in the running recording. `last_recorded_ms` is when the last
    recording began.
    """

    room: RoomRecord
    participants: tuple[ParticipantRecord, ...]
    recording: RecordingRecord | None
    markers: tuple[MarkerRecord, ...]
    next_frames: Mapping[str, int]
    last_recorded_ms: float | None = None
    samples: int = 0
    connected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostRecord:
    """A researcher with an account; `stamp` is the random text that their sessions carry."""

    id: int
    name: str
    created_ms: float
    stamp: str


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A host's API key, for what its `scopes` name; its secret is kept as a hash only."""

    id: int
    host_id: int
    name: str
    secret_hash: str
    created_ms: float
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """What somebody did, for the activity log.

    `proof` says how `actor` showed who they are: `session`, `token`, `key NAME`, or `server` where nobody
    asked. `action` is such as `create room`; `subject` is what it was done to: half of
    a room's code, the name of a host or a key.
    """

    at_ms: float
    actor: str
    proof: str
    action: str
    subject: str = ""


def hash_secret(secret: str) -> str:
    """SHA-256 as text; enough for secrets that are long and random."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def marker_key(source: str, participant_id: str, label: str, time_ms: float | None) -> str:
    """What stands for a marker as it was sent; one without a time of its own is sent once only."""
    sent = [source, participant_id, label, time_ms] if time_ms is not None else [secrets.token_hex(16)]
    return hash_secret(json.dumps(sent))
