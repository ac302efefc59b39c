"""What any thread may call holds on real threads: faces keep their ids, and nothing is scheduled twice."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from tests.helpers.faces import face
from webapp.analysis.detection_scheduler import DetectionScheduler
from webapp.analysis.frame_session import FRAMES_UNDER_WAY, FrameSession
from webapp.analysis.tracker import Tracker
from webapp.errors import BusyError
from webapp.protocol import WORKER_STAGES, Analysis, Frame, Job

THREADS = 8
ROUNDS = 60
XS = (50, 250, 450)
"""Where the faces are, too far apart to be taken for one another."""

T = TypeVar("T")


@pytest.fixture(autouse=True)
def switch_often() -> Iterator[None]:
    """Threads take turns a thousand times as often as usual, so that races show."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


def on_threads(function: Callable[[int], T]) -> list[T]:
    """Call a function with each number on a thread of its own, all at once; an error of one is raised."""
    together = threading.Barrier(THREADS)

    def begin(number: int) -> T:
        together.wait(10)
        return function(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(begin, range(THREADS)))


def test_a_face_gets_one_id_however_many_threads_see_it_first() -> None:
    for _ in range(ROUNDS):
        tracker = Tracker(smoothing_s=0.1)
        seen = on_threads(lambda number: tracker.update([face(x=x) for x in XS], 0.001 * number))  # noqa: B023
        assert [[found.id for found in faces] for faces in seen] == [[1, 2, 3]] * THREADS


def test_tracks_stay_whole_while_threads_read_and_move_them() -> None:
    tracker = Tracker(smoothing_s=0.1)
    tracker.update([face(x=x) for x in XS], 0.0)

    def move(number: int) -> None:
        for step in range(ROUNDS):
            now_s = 0.01 * step + 0.001 * number
            assert len(tracker.regions(now_s)) == len(XS)
            faces = tracker.update([face(x=x + step / 10) for x in XS], now_s)
            assert [found.id for found in faces] == [1, 2, 3]
            assert all(sum(found.probabilities.values()) == pytest.approx(1) for found in faces)

    on_threads(move)


def test_each_detection_is_scheduled_once() -> None:
    for _ in range(ROUNDS):
        scheduler = DetectionScheduler()
        plans = on_threads(lambda _: scheduler.next_detection(0.0, tracking=True, has_spare_capacity=True))  # noqa: B023
        assert [search.detect for search in plans].count(True) == 1
        assert [search.tile for search in plans if search.tile is not None] == [1]


class CountingPool:
    """Finds the faces in every frame, and the most jobs that were under way at once."""

    has_spare_capacity = True

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way = 0
        self.most_under_way = 0

    def analyze(self, job: Job, owner: object, *, deadline_s: float) -> Analysis:
        with self._lock:
            self._under_way += 1
            self.most_under_way = max(self.most_under_way, self._under_way)
        time.sleep(0.0005)
        with self._lock:
            self._under_way -= 1
        return Analysis(640, 480, tuple(face(x=x) for x in XS), dict.fromkeys(WORKER_STAGES, 0.1))


def test_a_session_keeps_its_limit_and_its_ids_under_frames_from_many_threads() -> None:
    pool = CountingPool()
    session = FrameSession(pool, smoothing_s=0.1)

    def send(number: int) -> int:
        answered = 0
        for step in range(ROUNDS):
            seq = number * ROUNDS + step
            try:
                result = session.answer(Frame(seq, 0.0, b"image", smoothing_s=0.01 * number))
            except BusyError:
                continue
            assert (result.seq, [found.id for found in result.faces]) == (seq, [1, 2, 3])
            answered += 1
        return answered

    assert sum(on_threads(send)) > FRAMES_UNDER_WAY
    assert pool.most_under_way <= FRAMES_UNDER_WAY
    assert session.answer(Frame(0, 0.0, b"image")).seq == 0
