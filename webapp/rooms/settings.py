"""What a host chooses for a room: its texts and its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from webapp.errors import BadRequestError
from webapp.rooms.embedding import (
    check_completion_code,
    check_id_parameter,
    check_origins,
    check_return_url,
)
from webapp.rooms.information import check_language
from webapp.store.text_checks import check_text

MAX_NAME_LENGTH = 200
MAX_LABEL_LENGTH = 200
MAX_MARKER_LABELS = 9


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """What a host can choose for a room.

    `max_participants`: people at once. `show_results`: whether participants see what their face shows.
    `marker_labels`: the labels behind the number keys of the dashboard, from 1. `video`: whether hosts see
    the frames of those who consented to that. `language`: that of the information, or empty if not given.

    `allowed_origins`: of the pages that may embed the room. `participant_markers`: whether participants'
    pages may set markers. `consent_by_experiment`: whether an embedding page may take the consent itself.
    `id_parameter`: the parameter of the room's link that has a participant's id, besides `pid`.
    `return_url`, `completion_code`: what participants get at the end; empty if nothing. `lsl_markers`: the
    name of the Lab Streaming Layer stream whose markers the room records; empty if none.
    """

    max_participants: int = 30
    show_results: bool = True
    marker_labels: tuple[str, ...] = ("Start", "Stimulus", "Response", "End")
    video: bool = False
    language: str = ""
    allowed_origins: tuple[str, ...] = ()
    participant_markers: bool = False
    consent_by_experiment: bool = False
    id_parameter: str = ""
    return_url: str = ""
    completion_code: str = ""
    lsl_markers: str = ""

    @classmethod
    def from_wire(cls, given: object) -> RoomSettings:
        """Check settings as a host sent them; a missing setting has its default.

        Raises:
            BadRequestError: a setting is unknown or has an invalid value.
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
                "%(name)s is %(value)s, but must be a whole number from 1 to 200.",
                "max_participants",
                name="max_participants",
                value=repr(people),
            )
        language = given.get("language", default.language)
        return cls(
            max_participants=people,
            show_results=_flag(given, "show_results", default.show_results),
            marker_labels=_labels(given.get("marker_labels", list(default.marker_labels))),
            video=_flag(given, "video", default.video),
            language=check_language("language", language) if language != "" else "",
            allowed_origins=check_origins(given.get("allowed_origins", [])),
            participant_markers=_flag(given, "participant_markers", default.participant_markers),
            consent_by_experiment=_flag(given, "consent_by_experiment", default.consent_by_experiment),
            id_parameter=check_id_parameter(given.get("id_parameter", "")),
            return_url=check_return_url(given.get("return_url", "")),
            completion_code=check_completion_code(given.get("completion_code", "")),
            lsl_markers=_stream_name(given.get("lsl_markers", "")),
        )

    def to_wire(self) -> dict[str, Any]:
        """The settings as hosts and `room.json` see them."""
        return {
            "max_participants": self.max_participants,
            "show_results": self.show_results,
            "marker_labels": list(self.marker_labels),
            "video": self.video,
            "language": self.language,
            "allowed_origins": list(self.allowed_origins),
            "participant_markers": self.participant_markers,
            "consent_by_experiment": self.consent_by_experiment,
            "id_parameter": self.id_parameter,
            "return_url": self.return_url,
            "completion_code": self.completion_code,
            "lsl_markers": self.lsl_markers,
        }


def _flag(given: Mapping[str, Any], name: str, default: bool) -> bool:
    value = given.get(name, default)
    if not isinstance(value, bool):
        raise BadRequestError(f"{name} is {value!r}, but must be true or false.")
    return value


def _stream_name(given: object) -> str:
    return "" if given == "" else check_text("lsl_markers", given, MAX_LABEL_LENGTH)


def _labels(given: object) -> tuple[str, ...]:
    if not isinstance(given, list | tuple) or len(given) > MAX_MARKER_LABELS:
        raise BadRequestError(
            "%(name)s must be a list of at most %(count)s texts.",
            "marker_labels",
            name="marker_labels",
            count=MAX_MARKER_LABELS,
        )
    return tuple(check_text("A label of a marker", label, MAX_LABEL_LENGTH) for label in given)
