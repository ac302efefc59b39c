"""The participants' pages: a code to type, and a room's information, consent and live view."""

from __future__ import annotations

from contextlib import suppress

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.accounts.join_limits import WrongCodes
from webapp.errors import NoSuchRoomError, RoomError, StoreError
from webapp.protocol import MAX_IMAGE_BYTES
from webapp.rooms.room import normal_code
from webapp.rooms.service import RoomService
from webapp.web.authentication import current_host
from webapp.web.pages.view_models import RoomView
from webapp.web.problems import status_of

Page = str | Response | tuple[str, int]


def create_room_pages(room_service: RoomService) -> Blueprint:
    """All routes under /r."""
    pages = Blueprint("room", __name__, url_prefix="/r")
    wrong_codes = WrongCodes()

    @pages.errorhandler(RoomError)
    @pages.errorhandler(StoreError)
    def show_problem(error: RoomError | StoreError) -> Page:
        return render_template("room/code.html", error=error), status_of(error)

    @pages.before_request
    def refuse_guesses() -> None:
        """The pages say who is signed in, and so whether a key or token is right."""
        with suppress(StoreError):
            current_host()

    @pages.get("")
    def ask_code() -> Page:
        code = normal_code(request.args.get("code"))
        return redirect(url_for("room.show", code=code)) if code else render_template("room/code.html")

    @pages.get("/<code>")
    def show(code: str) -> Page:
        try:
            room = RoomView.of(room_service.room(code))
        except NoSuchRoomError as error:
            wrong_codes.refuse(request.remote_addr or "", error)
        return render_template("room/room.html", room=room, max_image_bytes=MAX_IMAGE_BYTES)

    return pages
