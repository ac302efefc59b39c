"""The participants' pages: a code to type, and a room's information, consent and live view."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask_limiter import Limiter
from werkzeug.wrappers import Response

from webapp.errors import RoomError, StoreError
from webapp.protocol import MAX_IMAGE_BYTES
from webapp.rooms.room import normal_code
from webapp.rooms.service import Lab
from webapp.web.pages.view_models import RoomView
from webapp.web.problems import status_of

WRONG_CODES = "20 per minute"

Page = str | Response | tuple[str, int]


def create_room_pages(lab: Lab, limiter: Limiter) -> Blueprint:
    """All routes under /r."""
    pages = Blueprint("room", __name__, url_prefix="/r")

    @pages.errorhandler(RoomError)
    @pages.errorhandler(StoreError)
    def show_problem(error: RoomError | StoreError) -> Page:
        return render_template("room/code.html", error=error), status_of(error)

    @pages.get("")
    def ask_code() -> Page:
        code = normal_code(request.args.get("code"))
        return redirect(url_for("room.show", code=code)) if code else render_template("room/code.html")

    @pages.get("/<code>")
    @limiter.limit(WRONG_CODES, deduct_when=lambda response: response.status_code == 404)
    def show(code: str) -> Page:
        room = RoomView.of(lab.room(code))
        return render_template("room/room.html", room=room, max_image_bytes=MAX_IMAGE_BYTES)

    return pages
