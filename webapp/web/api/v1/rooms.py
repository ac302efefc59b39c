"""The hosts' API under /api/v1: JSON in, JSON out, problems as `{"problem": {"code", "message"}}`.

A session's requests carry the header `X-CSRFToken`; programs send `Authorization: Bearer TOKEN` instead.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, request

from webapp.errors import BadRequestError, ExportsBusyError, RoomError, StoreError
from webapp.rooms.participant import Participant
from webapp.rooms.room import Room
from webapp.rooms.service import can_write_parquet
from webapp.version import VERSION
from webapp.web.api.v1.times import iso_time, parse_time
from webapp.web.audited import name_action, name_subject
from webapp.web.authentication import host_only
from webapp.web.context import services
from webapp.web.problems import room_problem, status_of
from webapp.web.urls import join_url

ApiResponse = tuple[dict[str, Any], int]

EXPORT_FORMATS = ("csv", "parquet")

RETRY_EXPORT_S = "10"
"""When to ask again while other exports run."""

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


@blueprint.errorhandler(RoomError)
@blueprint.errorhandler(StoreError)
def problem_response(error: RoomError | StoreError) -> ApiResponse:
    """What could not be done, as programs get it."""
    return room_problem(error), status_of(error)


@blueprint.errorhandler(ExportsBusyError)
def busy_response(error: ExportsBusyError) -> tuple[dict[str, Any], int, dict[str, str]]:
    """The same, with the time after which to try again."""
    return room_problem(error), status_of(error), {"Retry-After": RETRY_EXPORT_S}


@blueprint.get("/rooms")
@host_only
def list_rooms() -> ApiResponse:
    """All rooms."""
    return {"rooms": [_described(room) for room in services().rooms.rooms().values()]}, 200


@blueprint.post("/rooms")
@host_only
def create_room() -> ApiResponse:
    """A new room, and where people join it."""
    body = _body()
    room = services().rooms.create_room(
        body.get("name"),
        body.get("information"),
        body.get("settings", {}),
        body.get("information_translations"),
    )
    name_subject(room.code)
    return {"code": room.code, "join_url": join_url(services().settings, room.code)}, 201


@blueprint.get("/rooms/<code>")
@host_only
def show_room(code: str) -> ApiResponse:
    """One room, with the text for its participants."""
    room = services().rooms.room(code)
    texts = {
        "information": room.record.information,
        "information_translations": dict(room.record.information_translations),
    }
    return {**_described(room), **texts}, 200


@blueprint.delete("/rooms/<code>")
@host_only
def delete_room(code: str) -> ApiResponse:
    """Delete a room with everything recorded in it."""
    rooms = services().rooms
    rooms.delete_room(rooms.room(code))
    return {"deleted": True}, 200


@blueprint.post("/rooms/<code>/close")
@host_only
def close_room(code: str) -> ApiResponse:
    """Let nobody join any more."""
    rooms = services().rooms
    room = rooms.room(code)
    rooms.close_room(room)
    return _described(room), 200


@blueprint.post("/rooms/<code>/recording")
@host_only
def record(code: str) -> ApiResponse:
    """Start or stop recording."""
    rooms = services().rooms
    room, state = rooms.room(code), _body().get("state")
    if state == "started":
        rooms.recordings.start(room)
    elif state == "stopped":
        rooms.recordings.stop(room)
    else:
        raise BadRequestError(f"state is {state!r}, but must be started or stopped.")
    name_action("start recording" if state == "started" else "stop recording")
    return {"recording": rooms.recordings.status(room)}, 200


@blueprint.post("/rooms/<code>/markers")
@host_only
def add_marker(code: str) -> ApiResponse:
    """Mark an event."""
    rooms = services().rooms
    room, body = rooms.room(code), _body()
    source = "board" if body.get("source") == "board" else "api"
    marker = rooms.recordings.add_marker(room, body.get("label"), parse_time(body.get("time")), source)
    return {"label": marker.label, "time": iso_time(marker.at_ms)}, 201


@blueprint.post("/rooms/<code>/baseline")
@host_only
def ask_for_baselines(code: str) -> ApiResponse:
    """Ask everybody in the room to look neutral."""
    rooms = services().rooms
    return {"asked": rooms.membership.ask_for_baselines(rooms.room(code))}, 200


@blueprint.get("/rooms/<code>/export.zip")
@host_only
def export(code: str) -> Response:
    """Everything of a room as a ZIP file, sent while it is made."""
    rooms = services().rooms
    room, export_format = rooms.room(code), _export_format()
    about = {"mien": VERSION, "runtime": services().settings.runtime, "exported": iso_time(None)}
    name = f"mien-{room.code}-{datetime.now(UTC):%Y%m%d-%H%M%S}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(rooms.export(room, about, export_format), mimetype="application/zip", headers=headers)


@blueprint.delete("/rooms/<code>/participants/<participant_id>")
@host_only
def delete_participant(code: str, participant_id: str) -> ApiResponse:
    """Send a person away and delete what was recorded of them."""
    rooms = services().rooms
    room = rooms.room(code)
    rooms.membership.delete(room, room.participant(participant_id))
    return {"deleted": True}, 200


@blueprint.post("/rooms/<code>/participants/<participant_id>/remove")
@host_only
def remove_participant(code: str, participant_id: str) -> ApiResponse:
    """Send a person away; what was recorded of them stays."""
    rooms = services().rooms
    room = rooms.room(code)
    rooms.membership.remove(room, room.participant(participant_id))
    return {"removed": True}, 200


def _export_format() -> str:
    """The format that a request asks for.

    Raises:
        BadRequestError: there is no such format, or this server cannot write it.
    """
    asked = request.args.get("format", "csv")
    if asked not in EXPORT_FORMATS:
        raise BadRequestError(f"format is {asked!r}, but must be csv or parquet.")
    if asked == "parquet" and not can_write_parquet():
        raise BadRequestError("This server lacks what writes Parquet: see requirements-lab.txt.")
    return asked


def _described(room: Room) -> dict[str, Any]:
    """A room as programs see it."""
    status = services().rooms.recordings.status(room)
    return {
        "code": room.code,
        "name": room.record.name,
        "state": room.state,
        "created": iso_time(room.record.created_ms),
        "settings": room.settings.to_wire(),
        "recording": status,
        "samples": {"stored": status["stored"], "waiting": status["waiting"], "lost": status["lost"]},
        "participants": [_described_participant(one) for one in room.participants.values()],
    }


def _described_participant(participant: Participant) -> dict[str, Any]:
    record = participant.record
    return {
        "id": record.id,
        "alias": record.alias,
        "connected": participant.connection is not None,
        "consented": iso_time(record.consented_ms),
        "baseline": record.baseline is not None,
        "consent_language": record.consent_language,
    }


def _body() -> dict[str, Any]:
    """The JSON object of a request.

    Raises:
        BadRequestError: it is none, or so deep that no reader can follow it.
    """
    try:
        body = request.get_json(silent=True)
    except RecursionError:
        raise BadRequestError(
            "The body is JSON of too many levels; an object of a few fields is expected."
        ) from None
    if not isinstance(body, dict):
        raise BadRequestError("The body must be a JSON object.")
    return body
