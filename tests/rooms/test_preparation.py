"""Before a recording: what participants' pages say about light and face, and how neutral baselines go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.helpers.faces import face
from tests.helpers.stores import LocalStore
from webapp.errors import BadRequestError, NotJoinedError
from webapp.export.store_process import Repositories
from webapp.protocol import STAGES, Frame, Result
from webapp.rooms.baseline import ANSWER_TIMEOUT_S, BASELINE_S, END_TIMEOUT_S, MIN_FRAMES
from webapp.rooms.dashboard.summary import summary
from webapp.rooms.readiness import STATES, Readiness
from webapp.rooms.room import Room
from webapp.rooms.service import RoomService
from webapp.store.sample_writer import SampleWriter

ALL_OK = dict.fromkeys(STATES, "ok")


class Clock:
    """Seconds that pass when a test says so."""

    now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in ("membership", "preparation", "presence", "recording.recorder"):
        monkeypatch.setattr(f"webapp.rooms.{module}.time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def told() -> list[tuple[str, str, dict[str, Any]]]:
    """What connections were told: connection, event, data."""
    return []


@pytest.fixture
def room_service(
    tmp_path: Path, clock: Clock, told: list[tuple[str, str, dict[str, Any]]]
) -> Iterator[RoomService]:
    archive = Repositories(f"sqlite:///{tmp_path / 'test.sqlite'}")
    archive.database.prepare()
    store = LocalStore(archive)
    yield RoomService(store, SampleWriter(store), "model", tell=lambda *event: told.append(event))
    archive.close()


@pytest.fixture
def room(room_service: RoomService) -> Room:
    room = room_service.create_room("Room", "Text", {})
    for connection in ("c1", "c2"):
        room_service.membership.join(connection, room, "", True, None)
    return room


def tiles(room_service: RoomService, room: Room, clock: Clock) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = summary(room_service, room, clock.now_s)["participants"]
    return shown


def send(room_service: RoomService, connection: str, faces: int) -> None:
    shown = tuple(face(x=100 + 150 * number) for number in range(faces))
    result = Result(1, 640, 480, shown, dict.fromkeys(STAGES, 1.0))
    room_service.recorder.take(connection, Frame(1, 0.0, bytes(10)), result, 0.0)


def run_baseline(room_service: RoomService, clock: Clock, faces: int, frames: int = 2 * MIN_FRAMES) -> None:
    """Five seconds with so many faces in so many frames, and the frame that ends them."""
    room_service.preparation.begin_baseline("c1")
    for _ in range(frames):
        send(room_service, "c1", faces)
    clock.now_s += BASELINE_S
    send(room_service, "c1", faces)


def test_hosts_see_what_a_page_says_until_its_connection_ends(
    room_service: RoomService, room: Room, clock: Clock
) -> None:
    assert [tile["readiness"] for tile in tiles(room_service, room, clock)] == [None, None]
    room_service.preparation.note_readiness("c1", Readiness.from_wire(ALL_OK))
    room_service.preparation.note_readiness("c2", Readiness.from_wire({**ALL_OK, "light": "dark"}))
    assert [tile["readiness"] for tile in tiles(room_service, room, clock)] == [
        ALL_OK,
        {**ALL_OK, "light": "dark"},
    ]
    assert [one.readiness and one.readiness.ready for one in room.participants.values()] == [True, False]
    room_service.membership.disconnected("c1")
    assert tiles(room_service, room, clock)[0]["readiness"] is None
    with pytest.raises(NotJoinedError):
        room_service.preparation.note_readiness("c1", Readiness.from_wire(ALL_OK))


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [],
        "ok",
        {},
        {**ALL_OK, "light": "x" * 10_000},
        {**ALL_OK, "face": ["ok"]},
        {**ALL_OK, "rate": 1},
    ],
)
def test_what_no_page_says_is_refused_with_the_check_it_is_about(sent: object) -> None:
    with pytest.raises(
        BadRequestError, match=r"^(face|light|rate) is .*must be one of: ok, unknown"
    ) as refused:
        Readiness.from_wire(sent)
    assert len(str(refused.value)) < 200


def test_a_baseline_is_asked_for_runs_with_a_countdown_and_is_set_at_a_time(
    room_service: RoomService, room: Room, clock: Clock, told: list[tuple[str, str, dict[str, Any]]]
) -> None:
    first, second = room.participants.values()
    assert room_service.preparation.ask_for_baseline(room, first)
    assert told == [("c1", "baseline", {"state": "asked"})]
    assert [tile["baseline"] for tile in tiles(room_service, room, clock)] == ["asked", "none"]
    room_service.preparation.begin_baseline("c1")
    clock.now_s += 2
    tile = tiles(room_service, room, clock)[0]
    assert (tile["baseline"], tile["baseline_left_s"]) == ("running", BASELINE_S - 2)
    run_baseline(room_service, clock, faces=1)
    tile = tiles(room_service, room, clock)[0]
    assert (tile["baseline"], tile["baseline_left_s"], tile["baseline_reason"]) == ("set", None, None)
    assert tile["baseline_ms"] > 0
    assert told[-1] == ("c1", "baseline", {"state": "set"})
    room_service.preparation.ask_for_baseline(room, first)
    assert tiles(room_service, room, clock)[0]["baseline"] == "asked", "it can be repeated"
    assert second.record.baseline is None


@pytest.mark.parametrize(
    ("faces", "frames", "reason"),
    [(0, 10, "no_face"), (2, 10, "several_faces"), (1, 0, "no_frames"), (1, MIN_FRAMES - 1, "no_frames")],
)
def test_a_baseline_that_failed_says_why_and_keeps_the_one_before(
    room_service: RoomService,
    room: Room,
    clock: Clock,
    told: list[tuple[str, str, dict[str, Any]]],
    faces: int,
    frames: int,
    reason: str,
) -> None:
    run_baseline(room_service, clock, faces=1)
    before = next(iter(room.participants.values())).record.baseline
    assert before is not None
    run_baseline(room_service, clock, faces, frames)
    tile = tiles(room_service, room, clock)[0]
    assert (tile["baseline"], tile["baseline_reason"]) == ("failed", reason)
    assert told[-1] == ("c1", "baseline", {"state": "failed", "reason": reason})
    assert next(iter(room.participants.values())).record.baseline == before
    run_baseline(room_service, clock, faces=1)
    assert tiles(room_service, room, clock)[0]["baseline"] == "set"


def test_a_page_that_does_not_answer_or_falls_silent_has_failed(
    room_service: RoomService, room: Room, clock: Clock
) -> None:
    assert room_service.preparation.ask_for_baselines(room) == 2
    room_service.preparation.begin_baseline("c1")
    clock.now_s += BASELINE_S + END_TIMEOUT_S - 0.1
    assert [tile["baseline"] for tile in tiles(room_service, room, clock)] == ["running", "asked"]
    clock.now_s += max(ANSWER_TIMEOUT_S, BASELINE_S + END_TIMEOUT_S)
    shown = tiles(room_service, room, clock)
    assert [(tile["baseline"], tile["baseline_reason"]) for tile in shown] == [
        ("failed", "no_frames"),
        ("failed", "no_answer"),
    ]


def test_nobody_is_asked_who_is_away(room_service: RoomService, room: Room, clock: Clock) -> None:
    room_service.membership.disconnected("c2")
    assert room_service.preparation.ask_for_baselines(room) == 1
    assert [tile["baseline"] for tile in tiles(room_service, room, clock)] == ["asked", "none"]
