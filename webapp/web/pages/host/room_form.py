"""The form for a new room: what its fields hold, and how its text will look to participants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from flask import render_template
from flask_babel import gettext as _
from markupsafe import Markup

from webapp.errors import BadRequestError
from webapp.rooms.information import (
    MAX_INFORMATION_LENGTH,
    first_placeholder,
    with_video_notice,
    without_video_notice,
)
from webapp.rooms.room import Room
from webapp.rooms.settings import RoomSettings
from webapp.store.text_checks import check_text
from webapp.web.catalogues import LANGUAGES
from webapp.web.languages import tag_of
from webapp.web.markdown import render_information
from webapp.web.pages.host.experiment_form import ExperimentForm

TRANSLATION = "translation-"
"""Begins the name of the field of a translation; its language follows."""


FIELDS = frozenset(
    {"name", "information", "max_participants", "marker_labels"}
    | {"allowed_origins", "id_parameter", "completion_code", "return_url", "lsl_markers"}
)
"""Those that are marked where what is in them cannot be used; translations have names of their own."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A text as participants will see it; `placeholder` is the first that is left from the example."""

    name: str
    tag: str
    html: Markup
    placeholder: str | None


@dataclass(frozen=True, slots=True)
class RoomForm:
    """What the form for a new room has in its fields: the defaults, or what was sent and refused."""

    name: str
    information: str
    language: str
    max_participants: str
    marker_labels: str
    show_results: bool
    video: bool
    translations: Mapping[str, str] = field(default_factory=dict)
    experiment: ExperimentForm = ExperimentForm()

    @classmethod
    def empty(cls, language: str) -> RoomForm:
        """The form before anything is typed, with examples of its texts in the page's language."""
        default = RoomSettings()
        return cls(
            name="",
            information=render_template("dashboard/information.html").strip(),
            language=language,
            max_participants=str(default.max_participants),
            marker_labels="\n".join((_("Start"), _("Stimulus"), _("Response"), _("End"))),
            show_results=True,
            video=False,
        )

    @classmethod
    def copy_of(cls, room: Room, name: str) -> RoomForm:
        """The form with everything that a room has, under another name."""
        settings = room.settings
        return cls(
            name=name,
            information=without_video_notice(room.record.information),
            language=settings.language,
            max_participants=str(settings.max_participants),
            marker_labels="\n".join(settings.marker_labels),
            show_results=settings.show_results,
            video=settings.video,
            translations={
                language: without_video_notice(text)
                for language, text in room.record.information_translations.items()
            },
            experiment=ExperimentForm.of(settings),
        )

    @classmethod
    def sent(cls, form: Mapping[str, str]) -> RoomForm:
        """The form as it was sent, without a translation into the language of the text itself."""
        language = form.get("language", "")
        translations = {
            code: form[f"{TRANSLATION}{code}"]
            for code in LANGUAGES
            if code != language and f"{TRANSLATION}{code}" in form
        }
        return cls(
            name=form.get("name", ""),
            information=form.get("information", ""),
            language=language if language in LANGUAGES else "",
            max_participants=form.get("max_participants") or str(RoomSettings().max_participants),
            marker_labels=form.get("marker_labels", ""),
            show_results=bool(form.get("show_results")),
            video=bool(form.get("video")),
            translations=translations,
            experiment=ExperimentForm.sent(form),
        )

    def with_language(self, language: str) -> RoomForm:
        """The form with a field for the text in one more language."""
        if language not in LANGUAGES or language == self.language:
            return self
        return replace(self, translations={language: "", **self.translations})

    def missing_languages(self) -> list[str]:
        """The languages that have no field yet."""
        return [code for code in LANGUAGES if code != self.language and code not in self.translations]

    def given_translations(self) -> dict[str, str]:
        """The translations with a text in them."""
        return {language: text for language, text in self.translations.items() if text.strip()}

    def previews(self) -> list[Preview]:
        """The text in each language, with the notice of a room with video.

        Raises:
            BadRequestError: one is too long for a room, or has a character that cannot be stored.
        """
        texts = [(self.language, self.information), *self.given_translations().items()]
        checked = [
            (language, check_text("information", text, MAX_INFORMATION_LENGTH, required=False))
            for language, text in texts
        ]
        return [_preview(language, text, self.video) for language, text in checked]


def field_of(error: BadRequestError | None) -> str:
    """The name of the field that an error is about; empty if it is about none of them."""
    name, _dot, language = error.field.partition(".") if error else ("", "", "")
    if name == "information_translations":
        return f"{TRANSLATION}{language}"
    if name == "A label of a marker":
        return "marker_labels"
    return name if name in FIELDS else ""


def _preview(language: str, text: str, video: bool) -> Preview:
    shown = with_video_notice(text, language) if video else text
    return Preview(
        LANGUAGES.get(language, ""), tag_of(language), render_information(shown), first_placeholder(text)
    )
