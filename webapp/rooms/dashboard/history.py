"""The last minute of every room with people in it, for dashboards that are opened later. In memory only.

A value is eight bytes, taken twice a second: the seven probabilities in the order of `LABELS`, in steps of
1/250, and the valence in steps of 1/100 from -1. A value that begins with 255 says that nothing was measured.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from webapp.protocol import LABELS
from webapp.rooms.dashboard.summary import shown_face
from webapp.rooms.participant import Participant
from webapp.rooms.service import RoomService

STEP_S = 0.5
VALUES = 120
"""A minute of them."""

VALUE_BYTES = len(LABELS) + 1
UNMEASURED = 255
NOTHING = bytes([UNMEASURED]) * VALUE_BYTES
EMPTY_MINUTE = NOTHING * VALUES
PROBABILITY_STEPS = 250
VALENCE_STEPS = 100

GROUP = ""
"""Stands for the id of a participant: the mean of everybody, made from those whose minutes are kept."""

AS_ZERO = bytes(range(UNMEASURED)) + b"\0"
AS_ONE = b"\1" * UNMEASURED + b"\0"
"""Tables for `bytes.translate`, so that what was not measured adds nothing to a sum, or to a count."""

Values = dict[str, bytes]
"""By participant."""


class History:
    """Keeps a kilobyte for each person who was there in the last minute.

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
        kept = self._kept(code)
        values = {**kept, GROUP: _mean(list(kept.values()))} if kept else {}
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
        return {one: minute for one, minute in self._rooms.get(code, {}).items() if one in here}


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
    return {one: _value(face.probabilities, face.valence) for one, face in faces.items() if face}


def _value(probabilities: Mapping[str, float], valence: float) -> bytes:
    shares = (round(PROBABILITY_STEPS * probabilities[label]) for label in LABELS)
    return bytes((*shares, round(VALENCE_STEPS * (1 + valence))))


def _mean(minutes: Sequence[bytes]) -> bytes:
    """The mean of some people's minutes, each of its values of those who were measured then."""
    sums = _sums([minute.translate(AS_ZERO) for minute in minutes])
    counts = _sums([minute.translate(AS_ONE) for minute in minutes])
    return bytes(
        round(total / count) if count else UNMEASURED for total, count in zip(sums, counts, strict=True)
    )


def _sums(rows: Sequence[bytes]) -> tuple[int, ...]:
    """The sum of each column of rows of the same length.

    Each row is one large integer with 32 bits for each byte: of 200 minutes that takes a tenth of the time of
    a loop over their bytes.
    """
    total = 0
    for row in rows:
        spread = bytearray(4 * len(row))
        spread[::4] = row
        total += int.from_bytes(spread, "little")
    return struct.unpack(f"<{len(rows[0])}I", total.to_bytes(4 * len(rows[0]), "little"))
