"""The last minute of every room with people in it, for dashboards that are opened later. In memory only.

A value is eight bytes, taken twice a second: the seven probabilities in the order of `LABELS`, in steps of
1/250, and the valence in steps of 1/100 from -1. A value that begins with 255 says that nothing was measured.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from webapp.protocol import LABELS
from webapp.rooms.dashboard.summary import group_of, shown_face
from webapp.rooms.participant import Participant
from webapp.rooms.service import RoomService

STEP_S = 0.5
VALUES = 120
"""A minute of them."""

VALUE_BYTES = len(LABELS) + 1
NOTHING = b"\xff" * VALUE_BYTES
EMPTY_MINUTE = NOTHING * VALUES
PROBABILITY_STEPS = 250
VALENCE_STEPS = 100

GROUP = ""
"""Stands for the id of a participant."""

Values = dict[str, bytes]
"""By participant."""


class History:
    """Keeps a kilobyte for each person who was there in the last minute, and for each room with people.

    `take` is called by one thread, which replaces what is kept; any thread may call `of`.
    """

    def __init__(self, room_service: RoomService) -> None:
        self._room_service = room_service
        self._rooms: dict[str, Values] = {}
        self._steps = 0

    def take(self, now_s: float) -> None:
        """Note what everybody shows now, unless that is done for this half second."""
        steps = int(now_s / STEP_S)
        new = min(steps - self._steps, VALUES)
        if new <= 0:
            return
        self._steps = steps
        present: defaultdict[str, list[Participant]] = defaultdict(list)
        for participant in self._room_service.membership.present().values():
            present[participant.record.room].append(participant)
        kept = {
            code: _moved_on(self._kept(code), _values_of(present[code], now_s), new)
            for code in {*self._rooms, *present}
            if code in self._room_service.rooms()
        }
        self._rooms = {code: values for code, values in kept.items() if values}

    def of(self, code: str, now_s: float) -> dict[str, Any]:
        """The last minute of a room: of each of `ids` its values, of which the newest is `age_ms` old."""
        values = self._kept(code)
        ids = list(values)
        return {
            "step_ms": 1000 * STEP_S,
            "age_ms": round(1000 * (now_s - self._steps * STEP_S)),
            "ids": ids,
            "values": b"".join(values[one] for one in ids),
        }

    def _kept(self, code: str) -> Values:
        """What is kept of a room, without those who were removed or withdrew since."""
        room = self._room_service.rooms().get(code)
        here = room.participants if room else {}
        return {
            one: minute for one, minute in self._rooms.get(code, {}).items() if one == GROUP or one in here
        }


def _moved_on(kept: Values, shown: Values, new: int) -> Values:
    """The values after so many more steps, of which only the last was measured; nobody without any."""
    moved = {}
    for one in (*kept, *(shown.keys() - kept.keys())):
        minute = kept.get(one, EMPTY_MINUTE) + NOTHING * (new - 1) + shown.get(one, NOTHING)
        minute = minute[-len(EMPTY_MINUTE) :]
        if minute != EMPTY_MINUTE:
            moved[one] = minute
    return moved


def _values_of(people: Sequence[Participant], now_s: float) -> Values:
    faces = {one.record.id: shown_face(one, now_s) for one in people}
    values = {one: _value(face.probabilities, face.valence) for one, face in faces.items() if face}
    group = group_of(people, now_s)
    return {**values, GROUP: _value(group, 0.0)} if group else values


def _value(probabilities: Mapping[str, float], valence: float) -> bytes:
    shares = (round(PROBABILITY_STEPS * probabilities[label]) for label in LABELS)
    return bytes((*shares, round(VALENCE_STEPS * (1 + valence))))
