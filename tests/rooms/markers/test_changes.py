from __future__ import annotations

from dataclasses import replace

import pytest

from webapp.errors import BadRequestError
from webapp.rooms.markers.changes import (
    TOLERANCE_MS,
    browser_time,
    changed,
    check_time,
    deleted,
    participants_time,
)
from webapp.rooms.participant import Participant
from webapp.store.records import MarkerChange, MarkerRecord, ParticipantRecord, RoomRecord

MADE_MS = 1_000_000.0
ROOM = RoomRecord("MARKS234", "Room", "Text", {}, MADE_MS)
MARKER = MarkerRecord("MARKS234", MADE_MS + 5, "old", "api", id=1)


def participant(offset_ms: float | None = None) -> Participant:
    one = Participant(ParticipantRecord("p", ROOM.code, "A", "", "", MADE_MS))
    if offset_ms is not None:
        one.clock.add(0.0, -offset_ms, 0.0)
    return one


@pytest.mark.parametrize(
    "at_ms", [MADE_MS - TOLERANCE_MS, MADE_MS, MADE_MS + 500, MADE_MS + 1000 + TOLERANCE_MS]
)
def test_a_marker_may_lie_in_a_rooms_life_as_far_as_clocks_agree(at_ms: float) -> None:
    check_time(ROOM, at_ms, MADE_MS + 1000)


@pytest.mark.parametrize(
    "at_ms", [MADE_MS - TOLERANCE_MS - 1, MADE_MS + 1001 + TOLERANCE_MS, float("nan"), float("inf")]
)
def test_a_marker_outside_a_rooms_life_is_refused(at_ms: float) -> None:
    with pytest.raises(BadRequestError, match="time is"):
        check_time(ROOM, at_ms, MADE_MS + 1000)


def test_a_closed_rooms_marker_cannot_move_behind_its_end() -> None:
    closed = replace(ROOM, closed_ms=MADE_MS + 1000)
    check_time(closed, MADE_MS + 1000, MADE_MS + 1e6)
    with pytest.raises(BadRequestError, match="closed"):
        check_time(closed, MADE_MS + 1001 + TOLERANCE_MS, MADE_MS + 1e6)


@pytest.mark.parametrize("given", [True, "now", [], float("nan"), float("inf"), 10**400])
def test_a_browsers_time_that_is_no_number_is_refused(given: object) -> None:
    with pytest.raises(BadRequestError, match="milliseconds since 1970"):
        browser_time(given)


def test_a_participants_mark_is_timed_by_their_own_clock() -> None:
    ahead = participant(offset_ms=-3_600_000.0)
    assert participants_time(ahead, MADE_MS + 3_600_100, MADE_MS + 500) == MADE_MS + 100


@pytest.mark.parametrize(("offset_ms", "time_ms"), [(None, MADE_MS), (5.0, None)])
def test_a_mark_without_a_time_or_a_known_clock_is_timed_by_its_arrival(
    offset_ms: float | None, time_ms: float | None
) -> None:
    assert participants_time(participant(offset_ms), time_ms, MADE_MS + 500) == MADE_MS + 500


def test_a_mark_that_seems_to_come_from_the_near_future_was_set_on_arrival() -> None:
    assert participants_time(participant(0.0), MADE_MS + 600, MADE_MS + 500) == MADE_MS + 500


@pytest.mark.parametrize("time_ms", [MADE_MS - TOLERANCE_MS - 1, MADE_MS + TOLERANCE_MS + 501])
def test_a_mark_from_before_the_participant_or_the_future_is_refused(time_ms: float) -> None:
    with pytest.raises(BadRequestError, match="time is"):
        participants_time(participant(0.0), time_ms, MADE_MS + 500)


def test_a_marker_remembers_every_earlier_label_time_and_who_changed_them() -> None:
    twice = changed(changed(MARKER, "new", None, 10.0, "Anna"), None, MADE_MS + 9, 20.0, "Ben")
    assert (twice.label, twice.at_ms) == ("new", MADE_MS + 9)
    assert twice.history == (
        MarkerChange(MADE_MS + 5, "old", 10.0, "Anna"),
        MarkerChange(MADE_MS + 5, "new", 20.0, "Ben"),
    )
    gone = deleted(twice, 30.0, "Cleo")
    assert gone.deleted_ms == 30.0
    assert gone.history[-1] == MarkerChange(MADE_MS + 9, "new", 30.0, "Cleo")
