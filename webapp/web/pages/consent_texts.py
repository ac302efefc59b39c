"""The information of a room as people read it before they consent, in each of its languages."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from markupsafe import Markup

from webapp.web.catalogues import LANGUAGES
from webapp.web.languages import current_language, tag_of
from webapp.web.markdown import render_information
from webapp.web.pages.view_models import RoomView


@dataclass(frozen=True, slots=True)
class ConsentText:
    """The information of a room in one language, or in an unnamed one; one of several `is_shown`."""

    language: str
    tag: str
    name: str
    html: Markup
    is_shown: bool


def consent_texts(room: RoomView) -> list[ConsentText]:
    """The information in all languages of a room, that of the page shown if the room has it."""
    texts = {room.information_language: room.information, **room.information_translations}
    wanted = current_language()
    shown = wanted if wanted in texts else room.information_language
    return [
        ConsentText(
            language,
            tag_of(language),
            LANGUAGES.get(language) or _("Original"),
            render_information(text),
            language == shown,
        )
        for language, text in texts.items()
    ]
