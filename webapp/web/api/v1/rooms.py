"""The hosts' API under /api/v1: rooms, their recordings, their people, their data.

A session's requests carry the header `X-CSRFToken`; programs send `Authorization: Bearer KEY` instead.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response

from webapp.accounts.audit import shown_code
from webapp.errors import BadRequestError
from webapp.rooms.participant import Participant
from webapp.rooms.room import Room
from webapp.rooms.service import can_write_parquet
from webapp.version import VERSION
from webapp.web.api.v1.openapi import ROOMS, Answer, described
from webapp.web.api.v1.schemas.rooms import (
    BaselinesAsked,
    Deleted,
    ExportQuery,
    NewRoom,
    ParticipantShown,
    RecordingChange,
    RecordingChanged,
    RecordingStatus,
    Removed,
    RoomCopy,
    RoomCreated,
    RoomList,
    RoomSettingsShown,
    RoomShown,
    RoomWithTexts,
    SampleCounts,
)
from webapp.web.api.v1.times import iso_time
from webapp.web.audited import name_action, name_subject
from webapp.web.authentication import needs_scope
from webapp.web.context import services
from webapp.web.problems import answer_problems
from webapp.web.urls import join_url

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
answer_problems(blueprint)


@blueprint.get("/rooms")
@needs_scope("rooms:read")
@described(ROOMS, {200: RoomList})
def list_rooms() -> Answer:
    """All rooms."""
    return RoomList(rooms=[RoomShown(**_shown(room)) for room in services().rooms.listed()]), 200


@blueprint.post("/rooms")
@needs_scope("rooms:write")
@described(ROOMS, {201: RoomCreated})
def create_room(json: NewRoom) -> Answer:
    """Create a room."""
    settings = json.settings.model_dump(exclude_unset=True)
    room = services().rooms.create_room(json.name, json.information, settings, json.information_translations)
    name_subject(shown_code(room.code))
    return RoomCreated(code=room.code, join_url=join_url(services().settings, room.code)), 201


@blueprint.get("/rooms/<code>")
@needs_scope("rooms:read")
@described(ROOMS, {200: RoomWithTexts})
def show_room(code: str) -> Answer:
    """One room, with the text for its participants."""
    room = services().rooms.room(code)
    record = room.record
    return RoomWithTexts(
        **_shown(room),
        information=record.information,
        information_translations=dict(record.information_translations),
    ), 200


@blueprint.delete("/rooms/<code>")
@needs_scope("rooms:write")
@described(ROOMS, {200: Deleted})
def delete_room(code: str) -> Answer:
    """Delete a room with everything recorded in it."""
    rooms = services().rooms
    rooms.delete_room(rooms.room(code))
    return Deleted(), 200


@blueprint.post("/rooms/<code>/close")
@needs_scope("rooms:write")
@described(ROOMS, {200: RoomShown})
def close_room(code: str) -> Answer:
    """Stop recording, send everybody away and let nobody join any more; the data stay."""
    rooms = services().rooms
    room = rooms.room(code)
    rooms.close_room(room)
    return RoomShown(**_shown(room)), 200


@blueprint.post("/rooms/<code>/copy")
@needs_scope("rooms:write")
@described(ROOMS, {201: RoomCreated})
def copy_room(code: str, json: RoomCopy) -> Answer:
    """Create a room with the texts and settings of this one."""
    rooms = services().rooms
    room = rooms.copy_room(rooms.room(code), json.name)
    name_subject(shown_code(room.code))
    return RoomCreated(code=room.code, join_url=join_url(services().settings, room.code)), 201


@blueprint.post("/rooms/<code>/recording")
@needs_scope("markers", "rooms:write")
@described(ROOMS, {200: RecordingChanged}, problems=(409,))
def record(code: str, json: RecordingChange) -> Answer:
    """Start or stop recording everyone."""
    rooms = services().rooms
    room = rooms.room(code)
    if json.state == "started":
        rooms.recordings.start(room)
    else:
        rooms.recordings.stop(room)
    name_action("start recording" if json.state == "started" else "stop recording")
    return RecordingChanged(recording=RecordingStatus(**rooms.recordings.status(room))), 200


@blueprint.post("/rooms/<code>/baseline")
@needs_scope("rooms:write")
@described(ROOMS, {200: BaselinesAsked})
def ask_for_baselines(code: str) -> Answer:
    """Ask everyone in the room to record a neutral baseline."""
    rooms = services().rooms
    return BaselinesAsked(asked=rooms.preparation.ask_for_baselines(rooms.room(code))), 200


@blueprint.post("/rooms/<code>/participants/<participant_id>/baseline")
@needs_scope("rooms:write")
@described(ROOMS, {200: BaselinesAsked})
def ask_for_baseline(code: str, participant_id: str) -> Answer:
    """Ask one participant to record a neutral baseline."""
    rooms = services().rooms
    room = rooms.room(code)
    is_asked = rooms.preparation.ask_for_baseline(room, room.participant(participant_id))
    return BaselinesAsked(asked=int(is_asked)), 200


@blueprint.get("/rooms/<code>/export.zip")
@needs_scope("rooms:read")
@described(ROOMS, {}, files={200: "application/zip"})
def export(code: str, query: ExportQuery) -> Response:
    """Everything of a room as a ZIP file, sent while it is made.

    Two exports run at a time; further requests get 503 with `Retry-After`.
    """
    rooms = services().rooms
    room, export_format = rooms.room(code), _writable(query.format)
    settings = services().settings
    about = {
        "mien": VERSION,
        "runtime": settings.runtime,
        "smoothing_s": settings.smoothing_s,
        "exported": iso_time(None),
    }
    name = f"mien-{room.code}-{datetime.now(UTC):%Y%m%d-%H%M%S}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(rooms.export(room, about, export_format), mimetype="application/zip", headers=headers)


@blueprint.delete("/rooms/<code>/participants/<participant_id>")
@needs_scope("rooms:write")
@described(ROOMS, {200: Deleted})
def delete_participant(code: str, participant_id: str) -> Answer:
    """Remove a participant and delete everything recorded of them."""
    rooms = services().rooms
    room = rooms.room(code)
    rooms.membership.delete(room, room.participant(participant_id))
    return Deleted(), 200


@blueprint.post("/rooms/<code>/participants/<participant_id>/remove")
@needs_scope("rooms:write")
@described(ROOMS, {200: Removed})
def remove_participant(code: str, participant_id: str) -> Answer:
    """Remove a participant for good; the data stay."""
    rooms = services().rooms
    room = rooms.room(code)
    rooms.membership.remove(room, room.participant(participant_id))
    return Removed(), 200


def _writable(export_format: str) -> str:
    """The format that a request asks for.

    Raises:
        BadRequestError: this server cannot write it.
    """
    if export_format == "parquet" and not can_write_parquet():
        raise BadRequestError("This server lacks what writes Parquet: see requirements-lab.txt.")
    return export_format


def _shown(room: Room) -> dict[str, Any]:
    """The fields of `RoomShown`."""
    status = services().rooms.recordings.status(room)
    return {
        "code": room.code,
        "name": room.record.name,
        "state": room.state,
        "created": iso_time(room.record.created_ms),
        "settings": RoomSettingsShown(**room.settings.to_wire()),
        "recording": RecordingStatus(**status),
        "samples": SampleCounts(stored=status["stored"], waiting=status["waiting"], lost=status["lost"]),
        "participants": [_shown_participant(one) for one in room.participants.values()],
    }


def _shown_participant(participant: Participant) -> ParticipantShown:
    record = participant.record
    return ParticipantShown(
        id=record.id,
        alias=record.alias,
        connected=participant.connection is not None,
        consented=iso_time(record.consented_ms),
        baseline=record.baseline is not None,
        ready=participant.readiness.ready if participant.readiness else None,
        consent_language=record.consent_language,
        consent_source=record.consent_source,
        participant_label=record.participant_label,
    )
