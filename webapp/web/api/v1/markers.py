"""The API of markers: set, list, change and delete them, and compare clocks."""

from __future__ import annotations

from typing import cast

from flask import Blueprint
from flask_login import current_user

from webapp.accounts.identity import HostUser
from webapp.errors import BadRequestError, ForbiddenError
from webapp.rooms.clock_sync import now_ms
from webapp.rooms.markers.service import MAX_LISTED
from webapp.rooms.room import Room
from webapp.store.records import MarkerRecord
from webapp.web.api.v1.openapi import ROOMS, Answer, described
from webapp.web.api.v1.schemas.markers import (
    Clock,
    EarlierMarker,
    MarkerEdit,
    MarkerList,
    MarkerShown,
    MarkersQuery,
    NewMarker,
)
from webapp.web.api.v1.schemas.rooms import Deleted
from webapp.web.api.v1.times import iso_time, parse_time
from webapp.web.authentication import needs_scope
from webapp.web.context import services
from webapp.web.problems import answer_problems

MAX_ID = 2**31 - 1
"""PostgreSQL refuses to compare with larger ones."""

blueprint = Blueprint("markers", __name__, url_prefix="/api/v1")
answer_problems(blueprint)


@blueprint.get("/clock")
@described(ROOMS, {200: Clock})
def clock() -> Answer:
    """The server's clock, for programs that time their markers with their own.

    The offset of two clocks is the server's time minus the midpoint of the request, with an error of at most
    half of the round trip.
    """
    return Clock(now_ms=now_ms()), 200


@blueprint.get("/rooms/<code>/markers")
@needs_scope("rooms:read", "markers")
@described(ROOMS, {200: MarkerList})
def list_markers(code: str, query: MarkersQuery) -> Answer:
    """The markers of a room, a thousand at a time, in the order in which they were set."""
    rooms = services().rooms
    room = rooms.room(code)
    found = rooms.markers.markers(room, _after(query.after))
    return MarkerList(markers=[_shown(room, marker) for marker in found], more=len(found) == MAX_LISTED), 200


@blueprint.post("/rooms/<code>/markers")
@needs_scope("markers", "rooms:write")
@described(ROOMS, {201: MarkerShown}, problems=(409,))
def add_marker(code: str, json: NewMarker) -> Answer:
    """Mark an event.

    `time` must lie between the room's creation and now, give or take ten seconds. The same label at the same
    time counts once, so a program that got no answer may send its marker again.
    """
    rooms = services().rooms
    room = rooms.room(code)
    return _shown(room, rooms.markers.add(room, json.label, parse_time(json.time), _source(json.source))), 201


@blueprint.patch("/rooms/<code>/markers/<int:marker_id>")
@needs_scope("markers", "rooms:write")
@described(ROOMS, {200: MarkerShown})
def change_marker(code: str, marker_id: int, json: MarkerEdit) -> Answer:
    """Give a marker another label or time; what it was stays in its history."""
    rooms = services().rooms
    room = rooms.room(code)
    at_ms = parse_time(json.time)
    return _shown(room, rooms.markers.change(room, _id(marker_id), json.label, at_ms, _who())), 200


@blueprint.delete("/rooms/<code>/markers/<int:marker_id>")
@needs_scope("markers", "rooms:write")
@described(ROOMS, {200: Deleted})
def delete_marker(code: str, marker_id: int) -> Answer:
    """Delete a marker; the export's `room.json` keeps what it was."""
    rooms = services().rooms
    rooms.markers.delete(rooms.room(code), _id(marker_id), _who())
    return Deleted(), 200


def _source(given: str) -> str:
    """Where a marker comes from: the dashboard, or a program.

    Raises:
        ForbiddenError: a program says that it is the dashboard.
    """
    if given != "board":
        return "api"
    if cast(HostUser, current_user).proof != "session":
        raise ForbiddenError("Only the dashboard of a host who signed in sets markers of source board.")
    return given


def _who() -> str:
    """Who changes a marker, as its history names them."""
    host = cast(HostUser, current_user)
    return f"{host.name} ({host.key.name})" if host.key is not None else host.name


def _after(given: str) -> int:
    """The id after which to list.

    Raises:
        BadRequestError: it is none.
    """
    if not given.isdecimal() or not given.isascii():
        raise BadRequestError(f"after is {given!r}, but must be the id of a marker.")
    return _id(int(given[:12]))


def _id(given: int) -> int:
    return min(given, MAX_ID)


def _shown(room: Room, marker: MarkerRecord) -> MarkerShown:
    participant = room.participants.get(marker.participant_id or "")
    return MarkerShown(
        id=marker.id or 0,
        label=marker.label,
        time=iso_time(marker.at_ms),
        source=marker.source,
        participant=marker.participant_id,
        alias=participant.record.alias if participant else None,
        received=None if marker.received_ms is None else iso_time(marker.received_ms),
        history=[
            EarlierMarker(
                label=earlier.label,
                time=iso_time(earlier.at_ms),
                changed=iso_time(earlier.changed_ms),
                by=earlier.by,
            )
            for earlier in marker.history
        ],
    )
