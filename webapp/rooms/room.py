"""A room, the people in it, and what they show just now. Pure state: no I/O, the clock comes in.

Dictionaries and tuples of a room are never changed in place but replaced, so that whoever reads them needs no
lock. Wall-clock times (`_ms`) are milliseconds since 1970; `now_s` is `time.monotonic`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from webapp.errors import (
    BadRequestError,
    ConsentRequiredError,
    NoSuchParticipantError,
    NoSuchRoomError,
    RoomClosedError,
    RoomFullError,
)
from webapp.protocol import Box, Face
from webapp.rooms.baseline import BaselineTaking
from webapp.rooms.clock_sync import ClockOffset
from webapp.rooms.concurrency import Turn
from webapp.store.records import (
    MarkerRecord,
    ParticipantRecord,
    RecordingRecord,
    RoomRecord,
    SampleRecord,
    hash_secret,
)

CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without those that look like others; eight of them make 10^11.8 codes."""

CODE_LENGTH = 8
MAX_NAME_LENGTH = 200
MAX_INFORMATION_LENGTH = 20_000
MAX_ALIAS_LENGTH = 30
MAX_LABEL_LENGTH = 200
MAX_MARKER_LABELS = 9

AWAY_TIMEOUT_S = 120.0
"""How long the place of someone whose connection was lost is kept."""

MARKERS_SHOWN = 20
"""The store has all markers; a board shows the last ones."""

RATE_WINDOW_S = 2.0

UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")
"""NUL, which PostgreSQL refuses, and halves of characters (surrogates), which are no text in any encoding."""

VIDEO_NOTICE = (
    "During the session the researcher sees the pictures of your camera live. They are not recorded."
)
"""Ends the information of a room with video; nobody is shown who consented to a text without it."""


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """What a host can choose for a room.

    `max_participants`: people at once. `show_results`: whether participants see what their face shows.
    `marker_labels`: the labels behind the number keys of the board, from 1. `video`: whether hosts see the
    pictures of those who consented to that.
    """

    max_participants: int = 30
    show_results: bool = True
    marker_labels: tuple[str, ...] = ("Start", "Stimulus", "Response", "End")
    video: bool = False

    @classmethod
    def from_wire(cls, given: object) -> RoomSettings:
        """Check settings as a host sent them; what is left out has its default.

        Raises:
            BadRequestError: a setting is unknown or has a value that cannot be used.
        """
        if not isinstance(given, Mapping):
            raise BadRequestError("The settings must be an object.")
        unknown = set(given) - {known.name for known in fields(cls)}
        if unknown:
            raise BadRequestError(f"Unknown setting {sorted(map(str, unknown))[0]!r}.")
        default = cls()
        people = given.get("max_participants", default.max_participants)
        if not isinstance(people, int) or isinstance(people, bool) or not 1 <= people <= 200:
            raise BadRequestError(
                f"max_participants is {people!r}, but must be a whole number from 1 to 200."
            )
        return cls(
            max_participants=people,
            show_results=_flag(given, "show_results", default.show_results),
            marker_labels=_labels(given.get("marker_labels", list(default.marker_labels))),
            video=_flag(given, "video", default.video),
        )

    def to_wire(self) -> dict[str, Any]:
        """The settings as hosts and `room.json` see them."""
        return {
            "max_participants": self.max_participants,
            "show_results": self.show_results,
            "marker_labels": list(self.marker_labels),
            "video": self.video,
        }


@dataclass(frozen=True, slots=True)
class ShownImage:
    """The newest picture of somebody whom hosts may see: a JPEG, PNG or WebP, and the boxes of its faces.

    Boxes are pixels of `width` x `height`. It is in memory only, and given up for the next one.
    """

    image: bytes
    width: int
    height: int
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """The last analysed frame of a participant: `face` is the largest of `faces` faces, if any.

    `picture` is None unless hosts may see it.
    """

    at_s: float
    latency_ms: float
    faces: int
    face: Face | None
    picture: ShownImage | None = None


@dataclass(slots=True)
class Participant:
    """A person in a room; `connection` is None while they are away (since `away_s`).

    Any thread may read it. `record`, `next_frame` and `taking` change under the room's lock, `connection` and
    `away_s` under that of `People`; `turn` keeps the writes of the record to the store in order.
    """

    record: ParticipantRecord
    connection: str | None = None
    away_s: float = 0.0
    next_frame: int = 0
    clock: ClockOffset = field(default_factory=ClockOffset)
    taking: BaselineTaking | None = None
    seen: Seen | None = None
    turn: Turn = field(default_factory=Turn)
    _frames_s: deque[float] = field(default_factory=lambda: deque(maxlen=200))

    def count_frame(self, now_s: float) -> None:
        """Note that a frame was analysed."""
        self._frames_s.append(now_s)

    def frames_per_s(self, now_s: float) -> float:
        """Analysed frames a second of late."""
        return sum(now_s - at_s <= RATE_WINDOW_S for at_s in tuple(self._frames_s)) / RATE_WINDOW_S

    def holds_place(self, now_s: float) -> bool:
        """Whether someone else cannot have their place."""
        if self.record.left_ms is not None:
            return False
        return self.connection is not None or now_s - self.away_s < AWAY_TIMEOUT_S


class Room:
    """A room with its people; `markers` has the last ones, `joining` those whom the store does not know yet.

    While the store is asked to stop the recording at `stopping_ms`, later samples are `held`, and recorded if
    that fails.

    Any thread may read it. What changes it holds `lock`, for moments and never while the store is asked;
    `turn` lets one change of its recording, its end and its deletion at a time go to the store.
    """

    def __init__(self, record: RoomRecord) -> None:
        self.record = record
        self.settings = RoomSettings.from_wire(record.settings)
        self.participants: dict[str, Participant] = {}
        self.joining: dict[str, ParticipantRecord] = {}
        self.recording: RecordingRecord | None = None
        self.markers: tuple[MarkerRecord, ...] = ()
        self.is_deleted = False
        self.stopping_ms: float | None = None
        self.held: list[SampleRecord] = []
        self.lock = threading.RLock()
        self.turn = Turn()

    @property
    def code(self) -> str:
        """The join code."""
        return self.record.code

    @property
    def state(self) -> str:
        """`open` or `closed`."""
        return "open" if self.record.closed_ms is None else "closed"

    @cached_property
    def information_version(self) -> str:
        """Names the text that people consent to: the first digits of its SHA-256."""
        return hashlib.sha256(self.record.information.encode()).hexdigest()[:12]

    @property
    def has_video(self) -> bool:
        """Whether hosts see pictures: the settings ask for it, and the text for participants says so."""
        return self.settings.video and VIDEO_NOTICE in self.record.information

    def may_show(self, participant: Participant) -> bool:
        """Whether hosts may see the pictures of a participant, who consented to the text that says so."""
        return self.has_video and participant.record.information_version == self.information_version

    def check_joinable(self, consent: bool, now_s: float) -> None:
        """Make sure that one more person may join.

        Raises:
            NoSuchRoomError, RoomClosedError, ConsentRequiredError, RoomFullError: they may not.
        """
        self.check_open()
        if not consent:
            raise ConsentRequiredError("Joining needs consent: send consent = true once the person gave it.")
        self.check_place(now_s)

    def check_place(self, now_s: float) -> None:
        """Make sure that there is a place for one more.

        Raises:
            RoomFullError: there is none.
        """
        taken = sum(one.holds_place(now_s) for one in self.participants.values()) + len(self.joining)
        if taken >= self.settings.max_participants:
            raise RoomFullError(
                f"All {self.settings.max_participants} places of this room are taken; ask its host."
            )

    def check_open(self) -> None:
        """Make sure that the room is open.

        Raises:
            NoSuchRoomError, RoomClosedError: it is not.
        """
        if self.is_deleted:
            raise NoSuchRoomError("This room was deleted.")
        if self.record.closed_ms is not None:
            raise RoomClosedError("This room is closed; ask the person who runs it.")

    def new_participant(self, alias: object, resume_hash: str, now_ms: float) -> ParticipantRecord:
        """The record of someone who consents now; not yet among the participants."""
        return ParticipantRecord(
            id=secrets.token_hex(6),
            room=self.code,
            alias=self._free_alias(clean_alias(alias)),
            resume_hash=resume_hash,
            information_version=self.information_version,
            consented_ms=now_ms,
        )

    def reserve(self, record: ParticipantRecord) -> None:
        """Keep a place and an alias for somebody until the store knows them. Under `lock`."""
        self.joining[record.id] = record

    def add(self, participant: Participant) -> None:
        """Take a participant in. Under `lock`."""
        self.joining.pop(participant.record.id, None)
        self.participants = {**self.participants, participant.record.id: participant}

    def discard(self, participant_id: str) -> None:
        """Forget a participant. Under `lock`."""
        self.participants = {key: one for key, one in self.participants.items() if key != participant_id}

    def add_marker(self, marker: MarkerRecord) -> None:
        """Note a marker among the last ones. Under `lock`."""
        self.markers = (*self.markers, marker)[-MARKERS_SHOWN:]

    def resumed(self, secret: object) -> Participant | None:
        """The participant whom a secret brings back."""
        if not isinstance(secret, str):
            return None
        hashed = hash_secret(secret)
        matching = (
            one for one in self.participants.values() if hmac.compare_digest(one.record.resume_hash, hashed)
        )
        return next(matching, None)

    def participant(self, participant_id: str) -> Participant:
        """The participant with an id.

        Raises:
            NoSuchParticipantError: there is none.
        """
        found = self.participants.get(participant_id)
        if found is None:
            raise NoSuchParticipantError("This room has no such participant.")
        return found

    def close(self, at_ms: float) -> None:
        """Let nobody join from now on."""
        self.record = replace(self.record, closed_ms=at_ms)

    def _free_alias(self, alias: str) -> str:
        taken = {one.record.alias for one in self.participants.values()}
        taken |= {one.alias for one in self.joining.values()}
        candidates = [alias] if alias else []
        stem = f"{alias} " if alias else "P"
        first = 2 if alias else 1
        candidates += [f"{stem}{number}" for number in range(first, first + len(taken) + 1)]
        return next(candidate for candidate in candidates if candidate not in taken)


def new_code(taken: Iterable[str]) -> str:
    """A join code that nobody can guess."""
    used = set(taken)
    while True:
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
        if code not in used:
            return code


def normal_code(given: object) -> str:
    """A code as people type it, without blanks and hyphens, in capitals."""
    return re.sub(r"[\s-]", "", given).upper() if isinstance(given, str) else ""


def clean_alias(given: object) -> str:
    """What is left of an alias: letters, digits, blanks, dots and hyphens, beginning with one of the first.

    A spreadsheet takes a text that begins otherwise for a formula.
    """
    text = re.sub(r"[^\w .-]", "", given) if isinstance(given, str) else ""
    return re.sub(r"^\W+", "", text)[:MAX_ALIAS_LENGTH].strip()


def check_text(name: str, given: object, limit: int, required: bool = True) -> str:
    """A text of a request, without blanks around it.

    Raises:
        BadRequestError: it is no text, too long, or missing, or no database can keep it.
    """
    text = given.strip() if isinstance(given, str) else None
    if text is None or len(text) > limit or (required and not text):
        raise BadRequestError(f"{name} must be a text of {1 if required else 0} to {limit:,} characters.")
    unusable = UNSTORABLE.search(text)
    if unusable:
        raise BadRequestError(
            f"{name} has the character U+{ord(unusable.group()):04X}, which cannot be stored; leave it out."
        )
    return text


def with_notices(information: str, settings: RoomSettings) -> str:
    """The text that people consent to: the host's, and what it must say under these settings."""
    if not settings.video or VIDEO_NOTICE in information:
        return information
    return f"{information}\n\n{VIDEO_NOTICE}"


def _flag(given: Mapping[str, Any], name: str, default: bool) -> bool:
    value = given.get(name, default)
    if not isinstance(value, bool):
        raise BadRequestError(f"{name} is {value!r}, but must be true or false.")
    return value


def _labels(given: object) -> tuple[str, ...]:
    if not isinstance(given, list | tuple) or len(given) > MAX_MARKER_LABELS:
        raise BadRequestError(f"marker_labels must be a list of at most {MAX_MARKER_LABELS} texts.")
    return tuple(check_text("A label of a marker", label, MAX_LABEL_LENGTH) for label in given)
