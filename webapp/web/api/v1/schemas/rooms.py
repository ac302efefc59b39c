"""Rooms: what programs send and get."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from webapp.rooms.information import LANGUAGES, MAX_INFORMATION_LENGTH
from webapp.rooms.settings import MAX_MARKER_LABELS, MAX_NAME_LENGTH
from webapp.web.api.v1.schemas.base import RequestModel, ResponseModel


def text(limit: int, least: int = 1) -> dict[str, int]:
    """The length of a text, for the description alone: the rooms check it after blanks are stripped."""
    return {"minLength": least, "maxLength": limit}


class NewRoomSettings(RequestModel):
    """The settings of a new room; those that are left out have their defaults."""

    model_config = ConfigDict(extra="forbid")

    max_participants: int = Field(default=30, json_schema_extra={"minimum": 1, "maximum": 200})
    show_results: bool = Field(
        default=True, description="Whether participants see what their own face shows."
    )
    marker_labels: list[str] = Field(
        default=["Start", "Stimulus", "Response", "End"],
        description="For the dashboard's number keys.",
        json_schema_extra={"maxItems": MAX_MARKER_LABELS},
    )
    video: bool = Field(
        default=False, description="Whether hosts see the frames of those who consented to that."
    )
    language: str = Field(default="", description=f"Of `information`: {', '.join(LANGUAGES)}, or empty.")
    allowed_origins: list[str] = Field(default=[], description="Of the pages that may embed the room.")
    participant_markers: bool = Field(default=False, description="Whether participants may set markers.")
    consent_by_experiment: bool = Field(
        default=False, description="Whether a page that embeds the room may take the consent itself."
    )
    id_parameter: str = Field(
        default="", description="The parameter of the link with a participant's id, besides `pid`."
    )
    return_url: str = Field(default="", description="Where participants go at the end.")
    completion_code: str = Field(default="", description="What participants get at the end.")
    lsl_markers: str = Field(
        default="", description="The name of a Lab Streaming Layer stream whose markers are recorded."
    )


class NewRoom(RequestModel):
    """A room to be created."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "Pilot",
                "information": "We record which expressions your face shows while you watch a film.",
                "settings": {"max_participants": 20, "marker_labels": ["Film begins", "Film ends"]},
            }
        }
    )

    name: str = Field(json_schema_extra={**text(MAX_NAME_LENGTH)})
    information: str = Field(
        description="What participants read before they consent, in Markdown.",
        json_schema_extra={**text(MAX_INFORMATION_LENGTH)},
    )
    information_translations: dict[str, str] | None = Field(
        default=None, description="The same text in other languages, by their codes."
    )
    settings: NewRoomSettings = NewRoomSettings()


class RoomCopy(RequestModel):
    """A copy to be made of a room."""

    name: str | None = Field(default=None, description="The room's own name if it is left out.")


class RecordingChange(RequestModel):
    """Whether to record."""

    state: Literal["started", "stopped"]


class ExportQuery(RequestModel):
    """How to export."""

    format: Literal["csv", "parquet"] = "csv"


class RoomCreated(ResponseModel):
    """A new room."""

    code: str = Field(examples=["ABCD2345"])
    join_url: str = Field(description="Where participants join it.")


class RoomSettingsShown(ResponseModel):
    """The settings of a room."""

    max_participants: int
    show_results: bool
    marker_labels: list[str]
    video: bool
    language: str
    allowed_origins: list[str]
    participant_markers: bool
    consent_by_experiment: bool
    id_parameter: str
    return_url: str
    completion_code: str
    lsl_markers: str


class RecordingStatus(ResponseModel):
    """The recording of a room, and its samples: in the database, on their way to it, and lost."""

    state: Literal["started", "stopped"]
    started_ms: float | None = Field(description="Milliseconds since 1970, UTC.")
    stored: int
    waiting: int
    lost: int
    problem: str | None


class SampleCounts(ResponseModel):
    """The samples of a room: in the database, on their way to it, and lost."""

    stored: int
    waiting: int
    lost: int


class ParticipantShown(ResponseModel):
    """A participant of a room."""

    id: str
    alias: str
    connected: bool
    consented: str = Field(description="ISO 8601.")
    baseline: bool = Field(description="Whether a neutral baseline was recorded.")
    consent_language: str | None
    consent_source: str | None = Field(description="Who asked for the consent: participant or experiment.")
    participant_label: str | None = Field(description="The id that a panel or an experiment gave.")


class RoomShown(ResponseModel):
    """A room."""

    code: str
    name: str
    state: Literal["open", "closed"]
    created: str = Field(description="ISO 8601.")
    settings: RoomSettingsShown
    recording: RecordingStatus
    samples: SampleCounts
    participants: list[ParticipantShown]


class RoomWithTexts(RoomShown):
    """A room with what its participants read before they consent."""

    information: str
    information_translations: dict[str, str]


class RoomList(ResponseModel):
    """All rooms."""

    rooms: list[RoomShown]


class RecordingChanged(ResponseModel):
    """The recording after a change."""

    recording: RecordingStatus


class BaselinesAsked(ResponseModel):
    """How many people were asked for a neutral baseline."""

    asked: int


class Deleted(ResponseModel):
    """Something was deleted."""

    deleted: Literal[True] = True


class Removed(ResponseModel):
    """Somebody was removed."""

    removed: Literal[True] = True
