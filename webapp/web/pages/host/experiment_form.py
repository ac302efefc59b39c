"""The part of the form for a new room that is for experiments and panels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from webapp.rooms.settings import RoomSettings


@dataclass(frozen=True, slots=True)
class ExperimentForm:
    """What its fields hold; `allowed_origins` has one origin a line."""

    allowed_origins: str = ""
    participant_markers: bool = False
    consent_by_experiment: bool = False
    id_parameter: str = ""
    return_url: str = ""
    completion_code: str = ""
    lsl_markers: str = ""

    @classmethod
    def sent(cls, form: Mapping[str, str]) -> ExperimentForm:
        """The fields as they were sent."""
        return cls(
            allowed_origins=form.get("allowed_origins", ""),
            participant_markers=bool(form.get("participant_markers")),
            consent_by_experiment=bool(form.get("consent_by_experiment")),
            id_parameter=form.get("id_parameter", "").strip(),
            return_url=form.get("return_url", "").strip(),
            completion_code=form.get("completion_code", "").strip(),
            lsl_markers=form.get("lsl_markers", "").strip(),
        )

    @classmethod
    def of(cls, settings: RoomSettings) -> ExperimentForm:
        """The fields with the settings of a room."""
        return cls(
            allowed_origins="\n".join(settings.allowed_origins),
            participant_markers=settings.participant_markers,
            consent_by_experiment=settings.consent_by_experiment,
            id_parameter=settings.id_parameter,
            return_url=settings.return_url,
            completion_code=settings.completion_code,
            lsl_markers=settings.lsl_markers,
        )

    @property
    def is_filled(self) -> bool:
        """Whether anything differs from the defaults, so that the fields should be seen."""
        return self != ExperimentForm()

    def settings(self) -> dict[str, Any]:
        """The settings of a room, as they are sent to be checked."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**given, "allowed_origins": self.allowed_origins.split()}
