"""A room and the people in it. Pure state: no I/O, and the clock is passed in.

Dictionaries and tuples of a room are replaced, never modified, so that readers need no lock. Wall-clock times
(`_ms`) are milliseconds since 1970; `now_s` is `time.monotonic`.
"""

from __future__ import annotations

import hmac
import re
import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property

from webapp.errors import (
    BadRequestError,
    ConsentRequiredError,
    NoSuchParticipantError,
    NoSuchRoomError,
    RoomClosedError,
    RoomFullError,
)
from webapp.rooms.embedding import filled
from webapp.rooms.information import has_video_notice, version_of
from webapp.rooms.participant import Participant, clean_alias
from webapp.rooms.settings import RoomSettings
from webapp.store.concurrency import Turn
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

MAX_CODE_LENGTH = 32
"""Longer texts are never looked up as codes."""

MARKERS_SHOWN = 20
"""The store has all markers; a dashboard shows the last ones."""


class Room:
    """A room with its people; `joining` has those whom the store does not know yet.

    `markers` has the last ones that were set for everybody, in the order in which they were set.

    `guard` raises a NotHereError once another node may serve the room, `epoch` is its owner's; where
    there are no others they say nothing. A room that another node serves is only in lists, with the
    samples that are `stored_elsewhere`.

    `erased` counts the people whose data were deleted since the server's start.

    While the store is asked to stop the recording at `stopping_ms`, later samples are `held`, and recorded if
    that fails. The last recording `ended` at a time; frames that arrived before it may still be analyzed.

    Any thread may read it. What changes it holds `lock`, for moments and never while the store is asked;
    `turn` lets one change of its recording, its end and its deletion at a time go to the store.
    """

    def __init__(self, record: RoomRecord) -> None:
        self.record = record
        self.settings = RoomSettings.from_wire(record.settings)
        self.participants: dict[str, Participant] = {}
        self.joining: dict[str, ParticipantRecord] = {}
        self.recording: RecordingRecord | None = None
        self.last_recorded_ms: float | None = None
        self.markers: tuple[MarkerRecord, ...] = ()
        self.guard: Callable[[], None] = lambda: None
        self.epoch = 0
        self.stored_elsewhere: int | None = None
        self.erased = 0
        self.is_deleted = False
        self.stopping_ms: float | None = None
        self.ended: tuple[RecordingRecord, float] | None = None
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

    def information_in(self, language: str) -> str:
        """The text that people consent to in a language, or the default one if it is empty.

        Raises:
            BadRequestError: the room has no text in this language.
        """
        if language in self.record.information_translations:
            return self.record.information_translations[language]
        if language in ("", self.settings.language):
            return self.record.information
        raise BadRequestError(
            "language is %(language)s, but this room has its information in: %(languages)s.",
            language=repr(language),
            languages=", ".join(self.languages) or "no language that was named, so leave it out",
        )

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the text that are known, that of the default one first."""
        first = (self.settings.language,) if self.settings.language else ()
        return tuple(dict.fromkeys((*first, *self.record.information_translations)))

    @cached_property
    def _versions_with_video(self) -> frozenset[str]:
        """Those versions of the text that say that the researcher sees the camera."""
        texts = (self.record.information, *self.record.information_translations.values())
        return frozenset(version_of(text) for text in texts if has_video_notice(text))

    @property
    def has_video(self) -> bool:
        """Whether hosts see frames: the settings ask for it, and the text for participants says so."""
        return self.settings.video and has_video_notice(self.record.information)

    def may_show(self, participant: Participant) -> bool:
        """Whether hosts may see the frames of a participant, who consented here to the text that says so."""
        record = participant.record
        return (
            self.has_video
            and record.information_version in self._versions_with_video
            and record.consent_source != "experiment"
        )

    def check_joinable(self, consent: bool, now_s: float) -> None:
        """Make sure that one more person may join.

        Raises:
            NoSuchRoomError, RoomClosedError, ConsentRequiredError, RoomFullError: they may not.
        """
        self.check_open()
        if not consent:
            raise ConsentRequiredError("Joining needs consent: send consent = true once the person gave it.")
        self.check_seat(now_s)

    def check_seat(self, now_s: float) -> None:
        """Make sure that there is a seat for one more.

        Raises:
            RoomFullError: there is none.
        """
        taken = sum(one.holds_seat(now_s) for one in self.participants.values()) + len(self.joining)
        if taken >= self.settings.max_participants:
            raise RoomFullError(
                "All %(count)s places of this room are taken; ask its host.",
                count=self.settings.max_participants,
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

    def check_consent_source(self, source: object) -> str:
        """Who asked a person for consent: `participant`, this server's own page, unless it was an experiment.

        Raises:
            ConsentRequiredError: the room lets no experiment ask.
            BadRequestError: it is neither.
        """
        if source in (None, "participant"):
            return "participant"
        if source != "experiment":
            raise BadRequestError(f"consent_source is {source!r}, but must be participant or experiment.")
        if not self.settings.consent_by_experiment:
            raise ConsentRequiredError(
                "This room asks for consent itself; its setting consent_by_experiment lets experiments ask."
            )
        return "experiment"

    def new_participant(
        self,
        alias: object,
        resume_hash: str,
        now_ms: float,
        language: object = None,
        *,
        label: str = "",
        consent_source: object = None,
    ) -> ParticipantRecord:
        """The record of someone who consents now to the text in a language; not yet among the participants.

        Raises:
            BadRequestError: the room has no text in this language, or nobody can ask for consent like this.
            ConsentRequiredError: the room lets no experiment ask for consent.
        """
        shown = _language(language)
        text = self.information_in(shown)
        return ParticipantRecord(
            id=secrets.token_hex(6),
            room=self.code,
            alias=self._free_alias(clean_alias(alias) or clean_alias(label)),
            resume_hash=resume_hash,
            information_version=version_of(text),
            consented_ms=now_ms,
            consent_language=shown or self.settings.language or None,
            participant_label=label or None,
            consent_source=self.check_consent_source(consent_source),
        )

    def completion(self, record: ParticipantRecord) -> dict[str, str]:
        """What a participant gets at the end: a `return_url` with their id in it, a `code`, or nothing."""
        url = filled(self.settings.return_url, record.participant_label or record.alias)
        given = {"return_url": url, "code": self.settings.completion_code}
        return {name: text for name, text in given.items() if text}

    def reserve(self, record: ParticipantRecord) -> None:
        """Keep a seat and an alias for somebody until the store knows them. Under `lock`."""
        self.joining[record.id] = record

    def add(self, participant: Participant) -> None:
        """Add a participant. Under `lock`."""
        self.joining.pop(participant.record.id, None)
        self.participants = {**self.participants, participant.record.id: participant}

    def discard(self, participant_id: str) -> None:
        """Forget a participant whose data were deleted. Under `lock`."""
        self.erased += 1
        self.participants = {key: one for key, one in self.participants.items() if key != participant_id}

    def add_marker(self, marker: MarkerRecord) -> None:
        """Note a marker among the last ones. Under `lock`."""
        self.markers = (*self.markers, marker)[-MARKERS_SHOWN:]

    def replace_marker(self, marker: MarkerRecord) -> None:
        """Note that a marker was changed or deleted. Under `lock`."""
        changed = (marker if one.id == marker.id else one for one in self.markers)
        self.markers = tuple(one for one in changed if one.deleted_ms is None)

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


def _language(given: object) -> str:
    if given is None or isinstance(given, str):
        return given or ""
    raise BadRequestError(f"language is {given!r}, but must be the code of a language.")


def new_code(taken: Iterable[str]) -> str:
    """A join code that nobody can guess."""
    used = set(taken)
    while True:
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
        if code not in used:
            return code


def is_code(text: str) -> bool:
    """Whether a text, as `normal_code` returns it, may be looked up: short, letters and digits only."""
    return text.isascii() and text.isalnum() and len(text) <= MAX_CODE_LENGTH


def normal_code(given: object) -> str:
    """A code as people type it, without blanks and hyphens, in capitals."""
    return re.sub(r"[\s-]", "", given).upper() if isinstance(given, str) else ""
