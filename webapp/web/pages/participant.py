"""The participants' pages: a code to type, and a room's information, consent and live view."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from webapp.errors import NoSuchRoomError, RoomError, StoreError
from webapp.protocol import MAX_IMAGE_BYTES
from webapp.rooms.room import normal_code
from webapp.web.authentication import current_host
from webapp.web.catalogues import LANGUAGES
from webapp.web.context import services
from webapp.web.languages import current_language, tag_of
from webapp.web.markdown import render_information
from webapp.web.pages.view_models import RoomView
from webapp.web.problems import page_text, status_of


@dataclass(frozen=True, slots=True)
class ConsentText:
    """The information of a room in one language, or in an unnamed one; one of several `is_shown`."""

    language: str
    tag: str
    name: str
    html: Markup
    is_shown: bool


Page = str | Response | tuple[str, int]

blueprint = Blueprint("room", __name__, url_prefix="/r")


@blueprint.errorhandler(RoomError)
@blueprint.errorhandler(StoreError)
def show_problem(error: RoomError | StoreError) -> Page:
    """The form for a code: what was typed, and why it leads nowhere."""
    typed = (request.view_args or {}).get("code", "")
    return _code_form(typed, page_text(error), isinstance(error, NoSuchRoomError)), status_of(error)


@blueprint.before_request
def refuse_guesses() -> None:
    """Refuse who tries too many keys: the pages say who is signed in, and so whether one is right."""
    with suppress(StoreError):
        current_host()


@blueprint.get("")
def ask_code() -> Page:
    """The form for a code; with a code, on to its room."""
    typed = request.args.get("code", "")
    code = normal_code(typed)
    if code.isalnum():
        return redirect(url_for("room.show", code=code))
    return (
        (_code_form(typed, _("A code has letters and digits only."), is_wrong=True), 400)
        if typed
        else _code_form()
    )


@blueprint.get("/<code>")
def show(code: str) -> Page:
    """A room's page."""
    try:
        room = RoomView.of(services().rooms.room(code))
    except NoSuchRoomError as error:
        services().wrong_codes.refuse(request.remote_addr or "", error)
    return render_template(
        "room/room.html",
        room=room,
        texts=_consent_texts(room),
        max_image_bytes=MAX_IMAGE_BYTES,
    )


def _consent_texts(room: RoomView) -> list[ConsentText]:
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


def _code_form(code: str = "", error: str = "", is_wrong: bool = False) -> str:
    """The form for a code; its field is marked if what was typed `is_wrong`."""
    return render_template("room/code.html", code=code, error=error, is_wrong=is_wrong)
