"""The participants' pages: a code to type, and a room's information, consent and live view."""

from __future__ import annotations

from contextlib import suppress

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.errors import NoSuchRoomError, RoomError, StoreError
from webapp.protocol import MAX_IMAGE_BYTES
from webapp.rooms.participant import clean_label
from webapp.rooms.room import Room, normal_code
from webapp.web.authentication import current_host
from webapp.web.context import services
from webapp.web.pages.consent_texts import consent_texts
from webapp.web.pages.view_models import RoomView
from webapp.web.problems import page_headers, page_text, status_of

Page = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]

ID_PARAMETER = "pid"
"""Has a participant's id in every room's link."""

blueprint = Blueprint("room", __name__, url_prefix="/r")


@blueprint.errorhandler(RoomError)
@blueprint.errorhandler(StoreError)
def show_problem(error: RoomError | StoreError) -> Page:
    """The form for a code: what was typed, and why it leads nowhere."""
    typed = (request.view_args or {}).get("code", "")
    page = _code_form(typed, page_text(error), isinstance(error, NoSuchRoomError))
    return page, status_of(error), page_headers(error)


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
        room = services().rooms.room(code)
    except NoSuchRoomError as error:
        services().wrong_codes.refuse(request.remote_addr or "", error)
    view = RoomView.of(room)
    return render_template(
        "room/room.html",
        room=view,
        participant_label=_participant_label(room),
        texts=consent_texts(view),
        max_image_bytes=MAX_IMAGE_BYTES,
    )


def _participant_label(room: Room) -> str:
    """The id that a panel put into the link: under the room's own parameter, or under `pid`."""
    names = (room.settings.id_parameter, ID_PARAMETER)
    return next((label for name in names if name and (label := clean_label(request.args.get(name)))), "")


def _code_form(code: str = "", error: str = "", is_wrong: bool = False) -> str:
    """The form for a code; its field is marked if what was typed `is_wrong`."""
    return render_template("room/code.html", code=code, error=error, is_wrong=is_wrong)
