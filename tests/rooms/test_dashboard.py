"""What goes to the boards, and that minutes of it leave nothing behind in the server."""

from __future__ import annotations

import gc
import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.helpers.faces import face
from tests.helpers.stores import LocalStore
from webapp.export.store_process import Repositories
from webapp.protocol import STAGES, Face, Frame, Result
from webapp.rooms.dashboard.subscriptions import Subscriptions
from webapp.rooms.dashboard.summary import FRESH_S, summary
from webapp.rooms.membership import Joined
from webapp.rooms.room import MARKERS_SHOWN, Room
from webapp.rooms.service import RoomService
from webapp.rooms.ticker import Ticker
from webapp.store.sample_writer import SampleWriter

PEOPLE = 30
WARM_UP_MINUTES = 3
MINUTES = 15
BEATS_PER_MINUTE = 240
FRAMES_PER_MINUTE = 60
MOST_BLOCKS = 150
"""Python's allocations that may come and stay; a single one a minute for each person would be 450."""


class Clock:
    """Time that the test moves."""

    now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


class Emitter:
    """Takes what boards are sent, and answers for them."""

    sent = 0

    def emit(self, event: str, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - as Flask-SocketIO
        self.sent += 1
        if "callback" in options:
            options["callback"]()


class Saying(Emitter):
    """Answers everything with the same."""

    def __init__(self, answer: object) -> None:
        self._answer = answer

    def emit(self, event: str, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - as Flask-SocketIO
        options["callback"](self._answer)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in ("webapp.rooms.recording.recorder", "webapp.rooms.membership"):
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def room_service(tmp_path: Path, clock: Clock) -> Iterator[RoomService]:
    archive = Repositories(f"sqlite:///{tmp_path / 'test.sqlite'}")
    archive.database.prepare()
    store = LocalStore(archive)
    yield RoomService(store, SampleWriter(store), "model")
    archive.close()


class Silent(Emitter):
    """Gets no answer, as from a program that does not know the question."""

    def emit(self, event: str, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - as Flask-SocketIO
        self.sent += 1


def full_room(room_service: RoomService, membership: int) -> tuple[Room, list[Joined]]:
    room = room_service.create_room("Room", "Text", {"video": True})
    return room, [
        room_service.membership.join(f"c{number}", room, "", True, None) for number in range(membership)
    ]


def send(room_service: RoomService, connection: str, *faces: Face) -> None:
    result = Result(1, 640, 480, faces, dict.fromkeys(STAGES, 1.0))
    room_service.recorder.take(connection, Frame(1, 0.0, bytes(1000)), result, 0.0)


def test_a_tile_says_what_is_wrong_the_gravest_first(room_service: RoomService, clock: Clock) -> None:
    room, _ = full_room(room_service, 5)
    send(room_service, "c0", face())
    clock.now_s += FRESH_S + 0.1
    send(room_service, "c1", face())
    send(room_service, "c2")
    send(room_service, "c3", face(), face(x=300))
    send(room_service, "c4", face())
    room_service.membership.disconnected("c4")
    tiles = summary(room_service, room, clock.now_s)["participants"]
    assert [tile["warning"] for tile in tiles] == ["no frames", None, "no face", "several faces", "left"]
    assert [tile["expression"] for tile in tiles] == [None, "happy", None, "happy", None]


def test_the_group_is_the_mean_of_all_in_view(room_service: RoomService, clock: Clock) -> None:
    room, _ = full_room(room_service, 4)
    assert summary(room_service, room, clock.now_s)["group"] is None
    send(room_service, "c0", face(expression="happy"))
    send(room_service, "c1", face(expression="sad"))
    send(room_service, "c2", face(expression="sad"))
    room_service.membership.disconnected("c2")
    group = summary(room_service, room, clock.now_s)["group"]
    assert (group["happy"], group["sad"], sum(group.values())) == (0.5, 0.5, 1.0)


@pytest.mark.parametrize(("emitter", "questions"), [(Emitter(), 16), (Silent(), 1)])
def test_a_clock_is_asked_again_once_it_has_answered(
    room_service: RoomService, emitter: Emitter, questions: int
) -> None:
    full_room(room_service, 1)
    ticker = Ticker(room_service, emitter)
    for second in range(60):
        ticker.ask_clocks(float(second))
    assert emitter.sent == questions


@pytest.mark.parametrize("said", [10**400, math.inf, -math.inf, math.nan, "noon", None, True, [1.0]])
def test_a_clock_that_says_no_usable_number_counts_for_nothing(
    room_service: RoomService, said: object
) -> None:
    """A recording would have stored it with each sample, and the live feed would not have been JSON."""
    _, (joined, *_) = full_room(room_service, 1)
    Ticker(room_service, Saying(said)).ask_clocks(0.0)
    assert joined.participant.clock.offset_ms is None


def test_a_board_is_told_once_that_its_room_was_deleted(room_service: RoomService) -> None:
    room, _ = full_room(room_service, 1)
    emitter = Emitter()
    subscriptions = Subscriptions(room_service, emitter)
    subscriptions.subscribe("board", room.code, lambda: True)
    subscriptions.show_boards(0.0)
    room_service.delete_room(room)
    for now_s in (1.0, 2.0, 3.0):
        subscriptions.show_boards(now_s)
    assert emitter.sent == 2


@pytest.mark.slow
def test_minutes_of_a_full_room_leave_nothing_behind(room_service: RoomService, clock: Clock) -> None:
    room, joined = full_room(room_service, PEOPLE)
    for one in joined:
        one.participant.record = replace(one.participant.record, baseline=(0.1,) * 7)
    emitter = Emitter()
    subscriptions = Subscriptions(room_service, emitter)
    subscriptions.subscribe("board", room.code, lambda: True)
    subscriptions.set_visible("board", [one.participant.record.id for one in joined])

    def pass_minutes(minutes: int) -> int:
        for minute in range(minutes):
            for beat in range(BEATS_PER_MINUTE):
                clock.now_s += 60 / BEATS_PER_MINUTE
                if beat % (BEATS_PER_MINUTE // FRAMES_PER_MINUTE) == 0:
                    for number in range(PEOPLE):
                        send(room_service, f"c{number}", face(expression="happy" if minute % 2 else "sad"))
                subscriptions.show_boards(clock.now_s)
                subscriptions.show_video(clock.now_s)
            room_service.markers.add(room, f"Minute {minute}", None, "board")
            room_service.membership.disconnected("c0")  # the first one's connection is lost, and comes back
            room_service.membership.join("c0", room, "", True, joined[0].resume)
        gc.collect()
        return sys.getallocatedblocks()

    for number in range(MARKERS_SHOWN):
        room_service.markers.add(room, f"Earlier {number}", None, "board")
    pass_minutes(WARM_UP_MINUTES)
    before = pass_minutes(1)
    after = pass_minutes(MINUTES)
    assert emitter.sent > MINUTES * BEATS_PER_MINUTE
    assert len(room.markers) == MARKERS_SHOWN
    assert after - before < MOST_BLOCKS
