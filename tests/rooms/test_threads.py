"""What any thread may call holds on real threads: nothing is lost, counted twice or left behind."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.helpers.faces import face
from tests.helpers.stores import ScriptedStore, scripted_rooms
from tests.helpers.waiting import CountedLock, wait_until
from webapp.accounts.join_limits import TokenBuckets
from webapp.errors import MienError, StoreError
from webapp.protocol import STAGES, Frame, Result
from webapp.rooms.clock_sync import ClockOffset, now_ms
from webapp.rooms.dashboard.summary import summary
from webapp.rooms.room import Room
from webapp.rooms.service import RoomService
from webapp.store.concurrency import SingleFlight
from webapp.store.records import SampleRecord
from webapp.store.sample_writer import SampleWriter

THREADS = 8
ROUNDS = 150


@pytest.fixture(autouse=True)
def switch_often() -> Iterator[None]:
    """Threads take turns a thousand times as often as usual, so that races show."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[tuple[RoomService, ScriptedStore, SampleWriter]]:
    with scripted_rooms(tmp_path) as made:
        yield made


def on_threads(function: Callable[[int], object], count: int = THREADS) -> list[object]:
    """Call a function with each number on a thread of its own, all at once; an error of one is raised."""
    together = threading.Barrier(count)

    def begin(number: int) -> object:
        together.wait(10)
        return function(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def sample(participant: str, frame: int) -> SampleRecord:
    return SampleRecord(1, participant, frame, 1.0, 1.0, 1.0, None, 640, 480, "model")


class MemoryStore:
    """Keeps samples in a list; every third batch fails."""

    def __init__(self) -> None:
        self.kept: list[SampleRecord] = []
        self._calls = 0

    def call(self, method: object, samples: list[SampleRecord]) -> list[bool]:
        self._calls += 1
        if self._calls % 3 == 0:
            raise StoreError("not now")
        self.kept.extend(samples)
        return [True] * len(samples)


def test_a_writer_loses_and_doubles_nothing_while_others_are_forgotten() -> None:
    store = MemoryStore()
    writer = SampleWriter(store, capacity=10**6)  # type: ignore[arg-type]
    done = threading.Event()

    def work(number: int) -> None:
        if number == 0:
            while not done.is_set():
                writer.flush()
        elif number == 1:
            for gone in range(300):
                writer.forget([f"gone {gone}"])
        else:
            for frame in range(1000):
                writer.put("room", [sample(f"stays {number}", frame), sample(f"gone {frame % 300}", frame)])
            if number == 2:
                done.set()

    on_threads(work, count=6)
    while not writer.flush():
        pass
    for number in range(2, 6):
        frames = [one.frame for one in store.kept if one.participant_id == f"stays {number}"]
        assert sorted(frames) == list(range(1000)), "each once"
    status = writer.status("room")
    assert (status.stored, status.waiting, status.lost) == (4000, 0, 0)


def test_two_frames_of_a_participant_never_share_a_number(
    parts: tuple[RoomService, ScriptedStore, SampleWriter],
) -> None:
    room_service, store, writer = parts
    room = room_service.create_room("Room", "Text", {})
    room_service.membership.join("c", room, "", True, None)
    room_service.recordings.start(room)
    result = Result(1, 640, 480, (face(),), dict.fromkeys(STAGES, 1.0))

    def send(number: int) -> None:
        for _ in range(ROUNDS):
            room_service.recorder.take("c", Frame(1, 0.0, b"jpeg"), result, now_ms())

    on_threads(send)
    assert writer.flush()
    assert store.archive.recordings.count_samples(room.code) == THREADS * ROUNDS


def test_no_more_people_than_places_get_in_and_all_have_their_own_alias(
    parts: tuple[RoomService, ScriptedStore, SampleWriter],
) -> None:
    room_service, store, _ = parts
    room = room_service.create_room("Room", "Text", {"max_participants": 10})

    def join(number: int) -> int:
        joined = 0
        for attempt in range(4):
            try:
                room_service.membership.join(f"c{number} {attempt}", room, "Anna", True, None)
                joined += 1
            except MienError as error:
                assert "taken" in str(error)
        return joined

    assert sum(map(int, map(str, on_threads(join)))) == 10
    assert len({one.record.alias for one in room.participants.values()}) == 10
    assert not room.joining
    (saved,) = store.archive.rooms.load_rooms()
    assert {one.id for one in saved.participants} == set(room.participants)


def test_people_come_and_go_at_once_and_memory_stays_as_the_database(
    parts: tuple[RoomService, ScriptedStore, SampleWriter],
) -> None:
    room_service, store, writer = parts
    room = room_service.create_room("Room", "Text", {"max_participants": 200})
    outcomes = on_threads(lambda number: come_and_go(room_service, room, random.Random(number)))
    assert outcomes == [None] * THREADS
    room_service.settle()
    restarted = RoomService(store, SampleWriter(store), "model").rooms()[room.code]
    assert {one.record for one in restarted.participants.values()} == {
        one.record for one in room.participants.values()
    }
    present = room_service.membership.present()
    assert {one.connection for one in room.participants.values()} - {None} == set(present)
    assert all(one.connection == connection for connection, one in present.items())


def come_and_go(room_service: RoomService, room: Room, chance: random.Random) -> None:
    """What people and hosts do, in an order of chance, on few connections that all threads share."""
    secrets: list[str] = []
    for _ in range(40):
        connection = f"c{chance.randrange(6)}"
        try:
            match chance.randrange(7):
                case 0 | 1:
                    secrets.append(room_service.membership.join(connection, room, "", True, None).resume)
                case 2 if secrets:
                    room_service.membership.join(connection, room, "", True, chance.choice(secrets))
                case 3:
                    room_service.membership.leave(connection)
                case 4:
                    room_service.membership.disconnected(connection)
                case 5:
                    room_service.membership.withdraw(connection)
                case _:
                    room_service.membership.remove(room, room_service.membership.joined(connection)[1])
            summary(room_service, room, 0.0)
        except MienError:
            pass


def test_a_recording_that_many_start_and_stop_at_once_is_one(
    parts: tuple[RoomService, ScriptedStore, SampleWriter],
) -> None:
    room_service, store, _ = parts
    room = room_service.create_room("Room", "Text", {})
    on_threads(lambda number: room_service.recordings.start(room))
    assert store.calls.count("start_recording") == 1
    on_threads(lambda number: room_service.recordings.stop(room))
    assert store.calls.count("stop_recording") == 1


def test_a_clock_may_be_read_while_it_is_set() -> None:
    clock = ClockOffset()

    def work(number: int) -> None:
        for step in range(2000):
            if number == 0:
                clock.add(step, step, step + 1)
            else:
                assert clock.offset_ms in (None, 0.5)

    on_threads(work)


def test_who_asks_while_it_runs_gets_the_result_of_that_run() -> None:
    runs, going = [], threading.Event()

    def slow() -> int:
        runs.append(1)
        assert going.wait(10)
        return len(runs)

    flight, asked = SingleFlight(slow), CountedLock()
    flight._lock = asked  # type: ignore[assignment]
    with ThreadPoolExecutor(5) as pool:
        waiting = [pool.submit(flight) for _ in range(5)]
        wait_until(lambda: asked.passed == 5)
        going.set()
        assert [one.result(10) for one in waiting] == [1] * 5
    assert flight() == 2


def test_a_bucket_gives_no_more_tokens_than_it_has() -> None:
    buckets = TokenBuckets(capacity=100, per_s=0.0)
    taken = on_threads(lambda number: sum(buckets.take("address") for _ in range(50)))
    assert sum(map(int, map(str, taken))) == 100
