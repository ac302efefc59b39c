"""Markers: what programs send and get."""

from __future__ import annotations

from pydantic import Field

from webapp.rooms.settings import MAX_LABEL_LENGTH
from webapp.web.api.v1.schemas.base import RequestModel, ResponseModel
from webapp.web.api.v1.schemas.rooms import text

LABEL_LENGTH = text(MAX_LABEL_LENGTH)


class NewMarker(RequestModel):
    """An event to be marked."""

    label: str = Field(examples=["Film begins"], json_schema_extra={**LABEL_LENGTH})
    time: str | None = Field(
        default=None,
        description="ISO 8601; UTC if it names no zone, and now if it is left out.",
        examples=["2026-05-04T10:11:12.345Z"],
    )
    source: str = Field(
        default="api", description="`board` where a dashboard's key was pressed: of a host's session only."
    )


class MarkerEdit(RequestModel):
    """What to change of a marker; what is left out stays."""

    label: str | None = Field(
        default=None, examples=["Film 2 begins"], json_schema_extra={"maxLength": MAX_LABEL_LENGTH}
    )
    time: str | None = Field(default=None, description="ISO 8601; UTC if it names no zone.")


class MarkersQuery(RequestModel):
    """Which markers to list."""

    after: str = Field(
        default="0",
        description="The `id` of the last marker of the list before.",
        json_schema_extra={"pattern": "^[0-9]+$"},
    )


class EarlierMarker(ResponseModel):
    """What a marker was before it was changed."""

    label: str
    time: str = Field(description="ISO 8601, UTC.")
    changed: str = Field(description="When it was changed; ISO 8601, UTC.")
    by: str = Field(description="The host, and the key where a program did it.")


class MarkerShown(ResponseModel):
    """A marker."""

    id: int
    label: str
    time: str = Field(description="When it happened, on the server's clock; ISO 8601, UTC.")
    source: str = Field(description="`board`, `api`, `participant` or `lsl`.")
    participant: str | None = Field(description="The `id` of the participant who set it.")
    alias: str | None = Field(description="Of that participant.")
    received: str | None = Field(description="When it arrived; null in markers of earlier versions.")
    history: list[EarlierMarker] = Field(description="What it was before, oldest first.")


class MarkerList(ResponseModel):
    """Some markers, as they were set; `more` says whether there are others after them."""

    markers: list[MarkerShown]
    more: bool


class Clock(ResponseModel):
    """The server's clock."""

    now_ms: float = Field(description="Milliseconds since 1970, UTC.")
