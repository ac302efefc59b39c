"""What a host sees of a room: a summary of every participant and of the group, and frames, if any. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from webapp.protocol import LABELS, Face
from webapp.rooms.clock_sync import now_ms
from webapp.rooms.participant import Participant, ShownImage
from webapp.rooms.room import Room
from webapp.rooms.service import RoomService

FRESH_S = 2.0
"""An older result is not the expression now; browsers on a busy server send once a second."""


def summary(room_service: RoomService, room: Room, now_s: float) -> dict[str, Any]:
    """The event `board`: the room's state, its recording, its participants as they joined, its markers."""
    people = [one for one in room.participants.values() if one.holds_seat(now_s)]
    return {
        "now_ms": now_ms(),
        "room": {"code": room.code, "name": room.record.name, "state": room.state},
        "recording": room_service.recordings.status(room),
        "participants": [_tile(one, now_s) for one in people],
        "group": group_of(people, now_s),
        "erased": room.erased,
        "markers": [{"at_ms": marker.at_ms, "label": marker.label} for marker in room.markers],
    }


def video(room: Room, visible: Collection[str], since_s: float) -> dict[str, Any] | None:
    """The event `video`: frames newer than `since_s` of those who are visible and may be shown; or None.

    `images` has all images one after the other, each as long as its `bytes` says: browsers accept no more
    than ten binary attachments in one event.
    """
    people = [one for one in room.participants.values() if one.record.id in visible and room.may_show(one)]
    shown = [
        (one.record.id, one.seen.image)
        for one in people
        if one.seen and one.seen.image and one.seen.at_s > since_s
    ]
    if not shown:
        return None
    return {
        "pictures": [_described(participant_id, image) for participant_id, image in shown],
        "images": b"".join(image.content for _, image in shown),
    }


def shown_face(participant: Participant, now_s: float) -> Face | None:
    """The face that a participant shows now, if any."""
    seen = participant.seen
    return seen.face if seen is not None and now_s - seen.at_s <= FRESH_S else None


def group_of(people: Iterable[Participant], now_s: float) -> dict[str, float] | None:
    """The fraction of each expression: the mean of the probabilities of everybody who shows a face."""
    faces = [shown_face(one, now_s) for one in people if one.connection is not None]
    shown = [face.probabilities for face in faces if face]
    if not shown:
        return None
    return {label: round(sum(one[label] for one in shown) / len(shown), 4) for label in LABELS}


def _described(participant_id: str, image: ShownImage) -> dict[str, Any]:
    return {
        "id": participant_id,
        "bytes": len(image.content),
        "width": image.width,
        "height": image.height,
        "boxes": [[round(value, 1) for value in box] for box in image.boxes],
    }


def _tile(participant: Participant, now_s: float) -> dict[str, Any]:
    seen = participant.seen if _is_fresh(participant, now_s) else None
    face = shown_face(participant, now_s)
    relative = face.relative_probabilities if face else None
    return {
        "id": participant.record.id,
        "alias": participant.record.alias,
        "label": participant.record.participant_label,
        "warning": _warning(participant, now_s),
        "expression": face.expression if face else None,
        "probabilities": _rounded(face.probabilities) if face else None,
        "relative": _rounded(relative) if relative else None,
        "valence": round(face.valence, 3) if face else None,
        "frames_per_s": round(participant.frames_per_s(now_s), 1),
        "latency_ms": round(seen.latency_ms) if seen else None,
        **_baseline(participant, now_s),
        "readiness": participant.readiness.to_wire() if participant.readiness else None,
    }


def _warning(participant: Participant, now_s: float) -> str | None:
    """What a host should attend to, the gravest first."""
    if participant.connection is None:
        return "left"
    if participant.seen is None or not _is_fresh(participant, now_s):
        return "no frames"
    if participant.seen.faces == 0:
        return "no face"
    return "several faces" if participant.seen.faces > 1 else None


def _baseline(participant: Participant, now_s: float) -> dict[str, Any]:
    """How the neutral baseline goes; see `BaselineState`."""
    state = participant.baseline.state(participant.record.baseline is not None, now_s)
    return {
        "baseline": state.name,
        "baseline_left_s": None if state.left_s is None else round(state.left_s, 1),
        "baseline_reason": state.reason,
        "baseline_ms": state.set_ms,
    }


def _is_fresh(participant: Participant, now_s: float) -> bool:
    return participant.seen is not None and now_s - participant.seen.at_s <= FRESH_S


def _rounded(probabilities: Any) -> list[float]:  # noqa: ANN401 - a mapping by label
    return [round(probabilities[label], 3) for label in LABELS]
