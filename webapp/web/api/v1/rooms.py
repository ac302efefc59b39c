"""The hosts' API under /api/v1: JSON in, JSON out, problems as `{"problem": {"code", "message"}}`.

A session's requests carry the header `X-CSRFToken`; programs send `Authorization: Bearer TOKEN` instead.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, request

from webapp.config import Settings
from webapp.errors import BadRequestError, ExportsBusyError, RoomError, StoreError
from webapp.rooms.room import Room
from webapp.rooms.service import RoomService, can_write_parquet
from webapp.version import VERSION
from webapp.web.authentication import host_only
from webapp.web.problems import room_problem, status_of
from webapp.web.urls import join_url

Answer = tuple[dict[str, Any], int]

RETRY_EXPORT_S = "10"
"""When to ask again while other exports run."""


def create_api(room_service: RoomService, settings: Settings) -> Blueprint:
    """The routes of rooms for hosts and their programs."""
    api = Blueprint("api", __name__, url_prefix="/api/v1")

    @api.errorhandler(RoomError)
    @api.errorhandler(StoreError)
    def answer_problem(error: RoomError | StoreError) -> Answer:
        return room_problem(error), status_of(error)

    @api.get("/rooms")
    @host_only
    def list_rooms() -> Answer:
        return {"rooms": [_described(room_service, room) for room in room_service.rooms().values()]}, 200

    @api.post("/rooms")
    @host_only
    def create_room() -> Answer:
        body = _body()
        room = room_service.create_room(body.get("name"), body.get("information"), body.get("settings", {}))
        return {"code": room.code, "join_url": join_url(settings, room.code)}, 201

    @api.get("/rooms/<code>")
    @host_only
    def show_room(code: str) -> Answer:
        return _described(room_service, room_service.room(code)), 200

    @api.delete("/rooms/<code>")
    @host_only
    def delete_room(code: str) -> Answer:
        room_service.delete_room(room_service.room(code))
        return {"deleted": True}, 200

    @api.post("/rooms/<code>/close")
    @host_only
    def close_room(code: str) -> Answer:
        room = room_service.room(code)
        room_service.close_room(room)
        return _described(room_service, room), 200

    @api.post("/rooms/<code>/recording")
    @host_only
    def record(code: str) -> Answer:
        room, state = room_service.room(code), _body().get("state")
        if state == "started":
            room_service.recordings.start(room)
        elif state == "stopped":
            room_service.recordings.stop(room)
        else:
            raise BadRequestError(f"state is {state!r}, but must be started or stopped.")
        return {"recording": room_service.recordings.status(room)}, 200

    @api.post("/rooms/<code>/markers")
    @host_only
    def add_marker(code: str) -> Answer:
        room, body = room_service.room(code), _body()
        source = "board" if body.get("source") == "board" else "api"
        marker = room_service.recordings.add_marker(
            room, body.get("label"), parse_time(body.get("time")), source
        )
        return {"label": marker.label, "time": iso_time(marker.at_ms)}, 201

    @api.post("/rooms/<code>/baseline")
    @host_only
    def ask_for_baselines(code: str) -> Answer:
        return {"asked": room_service.membership.ask_for_baselines(room_service.room(code))}, 200

    @api.get("/rooms/<code>/export.zip")
    @host_only
    def export(code: str) -> Response | tuple[dict[str, Any], int, dict[str, str]]:
        room, form = room_service.room(code), request.args.get("format", "csv")
        if form not in ("csv", "parquet"):
            raise BadRequestError(f"format is {form!r}, but must be csv or parquet.")
        if form == "parquet" and not can_write_parquet():
            raise BadRequestError("This server lacks what writes Parquet: see requirements-lab.txt.")
        about = {"mien": VERSION, "runtime": settings.runtime, "exported": iso_time(None)}
        try:
            download = room_service.export(room, about, form)
        except ExportsBusyError as error:
            return room_problem(error), status_of(error), {"Retry-After": RETRY_EXPORT_S}
        name = f"mien-{room.code}-{datetime.now(UTC):%Y%m%d-%H%M%S}.zip"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(download, mimetype="application/zip", headers=headers)

    @api.delete("/rooms/<code>/participants/<participant_id>")
    @host_only
    def delete_participant(code: str, participant_id: str) -> Answer:
        room = room_service.room(code)
        room_service.membership.delete(room, room.participant(participant_id))
        return {"deleted": True}, 200

    @api.post("/rooms/<code>/participants/<participant_id>/remove")
    @host_only
    def remove_participant(code: str, participant_id: str) -> Answer:
        room = room_service.room(code)
        room_service.membership.remove(room, room.participant(participant_id))
        return {"removed": True}, 200

    return api


def parse_time(given: object) -> float | None:
    """Milliseconds since 1970 of a time in ISO 8601; one without a zone is UTC; None is now.

    Raises:
        BadRequestError: it is not such a time.
    """
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(str(given))
    except ValueError:
        raise BadRequestError(f"time is {given!r}, expected ISO 8601: 2026-05-04T10:11:12.345Z.") from None
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return 1000 * zoned.timestamp()


def iso_time(at_ms: float | None) -> str:
    """A time, or now, as `2026-05-04T10:11:12.345Z`."""
    moment = datetime.now(UTC) if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _described(room_service: RoomService, room: Room) -> dict[str, Any]:
    """A room as programs see it."""
    status = room_service.recordings.status(room)
    return {
        "code": room.code,
        "name": room.record.name,
        "state": room.state,
        "created": iso_time(room.record.created_ms),
        "settings": room.settings.to_wire(),
        "recording": status,
        "samples": {"stored": status["stored"], "waiting": status["waiting"], "lost": status["lost"]},
        "participants": [
            {
                "id": one.record.id,
                "alias": one.record.alias,
                "connected": one.connection is not None,
                "consented": iso_time(one.record.consented_ms),
                "baseline": one.record.baseline is not None,
            }
            for one in room.participants.values()
        ],
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
