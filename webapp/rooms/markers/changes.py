"""When a marker may be, and what becomes of one that a host changes. Pure: the clock is passed in."""

from __future__ import annotations

from dataclasses import replace

from webapp.errors import BadRequestError
from webapp.protocol import finite_number
from webapp.rooms.participant import Participant
from webapp.store.records import MarkerChange, MarkerRecord, RoomRecord

TOLERANCE_MS = 10_000.0
"""How far the clock of whoever sets a marker may be from the server's."""


def check_time(room: RoomRecord, at_ms: float, now_ms: float) -> None:
    """Make sure that a room was there at a marker's time, as far as clocks agree.

    Raises:
        BadRequestError: it was not.
    """
    if at_ms < room.created_ms - TOLERANCE_MS:
        raise BadRequestError("This time is before the room was created. Check the time and its zone.")
    if room.closed_ms is not None and not at_ms <= room.closed_ms + TOLERANCE_MS:
        raise BadRequestError("This time is after the room was closed. Check the time and its zone.")
    if not at_ms <= now_ms + TOLERANCE_MS:
        raise BadRequestError("This time is in the future. Check it and its zone, or send none for now.")


def browser_time(given: object) -> float | None:
    """The time that a participant's browser gave, milliseconds since 1970; None if it gave none.

    Raises:
        BadRequestError: it is no number.
    """
    if given is None:
        return None
    time_ms = finite_number(given)
    if time_ms is None:
        got = f"{given!r:.40}"
        raise BadRequestError(f"time is {got}, but must be milliseconds since 1970, or left out for now.")
    return time_ms


def participants_time(participant: Participant, time_ms: float | None, received_ms: float) -> float:
    """When a participant's mark was set, on the server's clock: as their frames are timed.

    Without a time, or before their clock was compared with ours, that is when it arrived.

    Raises:
        BadRequestError: they were not in the room at that time.
    """
    offset_ms = participant.clock.offset_ms
    if time_ms is None or offset_ms is None:
        return received_ms
    at_ms = time_ms + offset_ms
    if at_ms < participant.record.consented_ms - TOLERANCE_MS:
        raise BadRequestError("This time is before the participant joined. Send milliseconds since 1970.")
    if at_ms > received_ms + TOLERANCE_MS:
        raise BadRequestError("This time is in the future. Send milliseconds since 1970, or none for now.")
    return min(at_ms, received_ms)


def changed(
    marker: MarkerRecord, label: str | None, at_ms: float | None, changed_ms: float, by: str
) -> MarkerRecord:
    """A marker with another label or time; what it was goes to its history."""
    return replace(
        marker,
        label=marker.label if label is None else label,
        at_ms=marker.at_ms if at_ms is None else at_ms,
        history=(*marker.history, MarkerChange(marker.at_ms, marker.label, changed_ms, by)),
    )


def deleted(marker: MarkerRecord, changed_ms: float, by: str) -> MarkerRecord:
    """A marker that is deleted; who did that is in its history."""
    return replace(changed(marker, None, None, changed_ms, by), deleted_ms=changed_ms)
