"""Rooms inside experiments: the participant's view in a frame, and the modules that put it there.

docs/embedding.md says how experiments use them.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request, send_from_directory

from webapp.config import PROJECT_ROOT
from webapp.errors import NoSuchRoomError, NotHereError, RoomError, StoreError
from webapp.protocol import MAX_IMAGE_BYTES
from webapp.rooms.room import Room
from webapp.web.context import services
from webapp.web.pages.consent_texts import consent_texts
from webapp.web.pages.view_models import RoomView
from webapp.web.problems import (
    not_here_headers,
    page_headers,
    page_text,
    problem_page,
    room_problem,
    status_of,
)
from webapp.web.security import allow_embedding

Page = str | Response | tuple[str, int, dict[str, str]]

MODULES = PROJECT_ROOT / "static" / "js" / "embed"

MODULE_MAX_AGE_S = 300
"""A new version of the server is in use this soon."""

FOR_ANY_ORIGIN = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}

blueprint = Blueprint("embed", __name__, url_prefix="/embed")


@blueprint.errorhandler(RoomError)
@blueprint.errorhandler(StoreError)
def show_problem(error: RoomError | StoreError) -> Page:
    """What could not be done, as a page of its own, which no other page can embed."""
    return *problem_page(status_of(error), page_text(error)), page_headers(error)


@blueprint.get("/mien.js")
def mien_module() -> Response:
    """The module by which an experiment joins a room."""
    return _module("mien.js")


@blueprint.get("/jspsych-mien.js")
def jspsych_module() -> Response:
    """The extension of jsPsych, and its trial type."""
    return _module("jspsych-mien.js")


@blueprint.get("/<code>")
def show(code: str) -> Response:
    """A participant's view in a frame of the pages that the room names."""
    room = _room(code)
    allow_embedding(room.settings.allowed_origins)
    view = RoomView.of(room)
    page = render_template(
        "embed/embed.html",
        room=view,
        settings=room.settings,
        texts=consent_texts(view),
        max_image_bytes=MAX_IMAGE_BYTES,
    )
    # A process of its own, where the browser can: the frame then takes no time from the experiment.
    return Response(page, headers={"Cache-Control": "no-store", "Origin-Agent-Cluster": "?1"})


@blueprint.get("/<code>/status")
def status(code: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Whether a room is open and names the origin that asks: a page cannot tell why a frame stays empty."""
    try:
        room = _room(code)
    except (RoomError, StoreError) as error:
        passed_on = not_here_headers(error) if isinstance(error, NotHereError) else {}
        return (
            room_problem(error),
            status_of(error),
            {**FOR_ANY_ORIGIN, "Cache-Control": "no-store", **passed_on},
        )
    origin = request.headers.get("Origin")
    allowed = origin is None or origin in room.settings.allowed_origins
    return {"state": room.state, "allowed": allowed}, 200, {**FOR_ANY_ORIGIN, "Cache-Control": "no-store"}


def _room(code: str) -> Room:
    """The room with a code.

    Raises:
        NoSuchRoomError, TooManyAttemptsError: there is none, the latter after too many others.
    """
    try:
        return services().rooms.room(code)
    except NoSuchRoomError as error:
        services().wrong_codes.refuse(request.remote_addr or "", error)


def _module(name: str) -> Response:
    response = send_from_directory(MODULES, name, mimetype="text/javascript", max_age=MODULE_MAX_AGE_S)
    response.headers.update(FOR_ANY_ORIGIN)
    return response
