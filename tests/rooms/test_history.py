"""A dashboard that is opened later gets the last minute, from a memory that does not grow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.helpers.faces import face
from tests.helpers.stores import LocalStore
from webapp.export.store_process import Repositories
from webapp.protocol import LABELS, STAGES, Frame, Result
from webapp.rooms.dashboard.history import GROUP, NOTHING, STEP_S, VALUE_BYTES, VALUES, History
from webapp.rooms.dashboard.summary import FRESH_S, summary
from webapp.rooms.room import Room
from webapp.rooms.service import RoomService
from webapp.store.sample_writer import SampleWriter


class Clock:
    """Seconds that pass when a test says so."""

    now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in ("membership", "preparation", "presence", "recording.recorder", "service"):
        monkeypatch.setattr(
            f"webapp.rooms.{module}.time", SimpleNamespace(monotonic=clock.monotonic), raising=False
        )
    return clock


@pytest.fixture
def room_service(tmp_path: Path, clock: Clock) -> Iterator[RoomService]:
    archive = Repositories(f"sqlite:///{tmp_path / 'test.sqlite'}")
    archive.database.prepare()
    store = LocalStore(archive)
    yield RoomService(store, SampleWriter(store), "model")
    archive.close()


def join(room_service: RoomService, room: Room, connection: str) -> str:
    joined = room_service.membership.join(connection, room, "", True, None)
    return joined.participant.record.id


def send(room_service: RoomService, connection: str, expression: str) -> None:
    result = Result(1, 640, 480, (face(expression=expression),), dict.fromkeys(STAGES, 1.0))
    room_service.recorder.take(connection, Frame(1, 0.0, bytes(10)), result, 0.0)


def minute_of(sent: dict[str, Any], participant_id: str) -> list[bytes]:
    """A participant's values, the oldest first."""
    assert len(sent["values"]) == len(sent["ids"]) * VALUES * VALUE_BYTES
    first = sent["ids"].index(participant_id) * VALUES * VALUE_BYTES
    return [sent["values"][first + VALUE_BYTES * at :][:VALUE_BYTES] for at in range(VALUES)]


def strongest(value: bytes) -> str | None:
    return None if value == NOTHING else LABELS[value.index(max(value[: len(LABELS)]))]


def test_the_last_minute_has_what_everybody_showed_and_gaps_where_nothing_was_measured(
    room_service: RoomService, clock: Clock
) -> None:
    room = room_service.create_room("Room", "Text", {})
    one = join(room_service, room, "c")
    history = History(room_service)
    history.take(clock.now_s)
    for expression, seconds in (("happy", 10), (None, 10), ("sad", 5)):
        for _ in range(int(seconds / STEP_S)):
            clock.now_s += STEP_S
            if expression:
                send(room_service, "c", expression)
            history.take(clock.now_s)
    sent = history.of(room.code, clock.now_s)
    shown = [strongest(value) for value in minute_of(sent, one)]
    lag = int(FRESH_S / STEP_S)  # an expression counts as current for so long
    assert shown[-10:] == ["sad"] * 10
    assert shown[-30 + lag : -10] == [None] * (20 - lag)
    assert shown[-50:-30] == ["happy"] * 20
    assert shown[:-50] == [None] * (VALUES - 50)
    assert [strongest(value) for value in minute_of(sent, GROUP)] == shown


def test_a_time_in_which_nothing_was_noted_is_a_gap_as_long_as_it_was(
    room_service: RoomService, clock: Clock
) -> None:
    room = room_service.create_room("Room", "Text", {})
    one = join(room_service, room, "c")
    history = History(room_service)
    for pause_s in (0.0, 10.0):
        clock.now_s += pause_s
        send(room_service, "c", "happy")
        history.take(clock.now_s)
    values = minute_of(history.of(room.code, clock.now_s + 0.2), one)
    assert [VALUES - 1 - at for at, value in enumerate(values) if value != NOTHING] == [10 / STEP_S, 0]
    assert history.of(room.code, clock.now_s + 0.2)["age_ms"] == 200


def test_the_memory_is_a_kilobyte_a_person_and_is_given_back(room_service: RoomService, clock: Clock) -> None:
    room = room_service.create_room("Room", "Text", {})
    history = History(room_service)
    for number in range(30):
        join(room_service, room, f"c{number}")
        send(room_service, f"c{number}", "fear")
    for _ in range(3 * VALUES):
        clock.now_s += STEP_S
        for number in range(30):
            send(room_service, f"c{number}", "fear")
        history.take(clock.now_s)
    assert len(history.of(room.code, clock.now_s)["values"]) == 31 * VALUES * VALUE_BYTES
    for number in range(30):
        room_service.membership.disconnected(f"c{number}")
    clock.now_s += 61
    history.take(clock.now_s)
    assert history.of(room.code, clock.now_s)["ids"] == []
    assert history._rooms == {}


def test_who_withdrew_is_sent_to_no_dashboard_and_forgotten(room_service: RoomService, clock: Clock) -> None:
    room = room_service.create_room("Room", "Text", {})
    gone, stays = (join(room_service, room, connection) for connection in ("c1", "c2"))
    for connection in ("c1", "c2"):
        send(room_service, connection, "happy")
    history = History(room_service)
    history.take(clock.now_s)
    assert set(history.of(room.code, clock.now_s)["ids"]) == {GROUP, gone, stays}
    room_service.membership.withdraw("c1")
    sent = history.of(room.code, clock.now_s)
    assert set(sent["ids"]) == {GROUP, stays}
    assert len(minute_of(sent, stays)) == VALUES
    history.take(clock.now_s + STEP_S)
    assert gone not in history._rooms[room.code]


def test_a_room_that_was_deleted_leaves_nothing(room_service: RoomService, clock: Clock) -> None:
    room = room_service.create_room("Room", "Text", {})
    join(room_service, room, "c")
    send(room_service, "c", "happy")
    history = History(room_service)
    history.take(clock.now_s)
    room_service.delete_room(room)
    history.take(clock.now_s + STEP_S)
    assert history._rooms == {}


def test_the_groups_minute_is_the_mean_of_those_who_did_not_withdraw(
    room_service: RoomService, clock: Clock
) -> None:
    room = room_service.create_room("Room", "Text", {})
    ids = [join(room_service, room, connection) for connection in ("c1", "c2", "c3")]
    history = History(room_service)
    for number, expressions in enumerate((("happy", "happy", "sad"), ("happy", None, "sad"), ("happy",) * 3)):
        clock.now_s += FRESH_S + STEP_S if number else 0
        for connection, expression in zip(("c1", "c2", "c3"), expressions, strict=True):
            if expression:
                send(room_service, connection, expression)
        history.take(clock.now_s)

    def happy_now() -> list[int | None]:
        minute = minute_of(history.of(room.code, clock.now_s), GROUP)
        return [value[LABELS.index("happy")] for value in minute if value != NOTHING]

    assert happy_now() == [round(250 * 2 / 3), 125, 250]
    room_service.membership.withdraw("c3")
    assert happy_now() == [250, 250, 250], "nothing of who withdrew is left in the mean"
    assert room.erased == 1 and summary(room_service, room, clock.now_s)["erased"] == 1
    room_service.membership.leave("c2")
    assert set(history.of(room.code, clock.now_s)["ids"]) == {GROUP, ids[0], ids[1]}, (
        "leaving deletes nothing"
    )
