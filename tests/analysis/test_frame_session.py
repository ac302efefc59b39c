from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.helpers.faces import face
from webapp.analysis import frame_session as session_module
from webapp.analysis.frame_session import FRAMES_UNDER_WAY, FrameSession
from webapp.errors import BusyError, UnavailableError
from webapp.protocol import STAGES, Analysis, Frame, Job, Region, Result


class Gate:
    """An analysis that waits until the test opens it; `started` counts the frames that reached it."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.started = threading.Semaphore(0)

    def answer(self, job: Job) -> Analysis:
        self.started.release()
        assert self.opened.wait(10)
        return analysis(job)


class FakePool:
    """Does jobs with a function, and keeps them."""

    def __init__(self, answer: Callable[[Job], Analysis], has_spare_capacity: bool = True) -> None:
        self._answer = answer
        self.has_spare_capacity = has_spare_capacity
        self.jobs: list[Job] = []
        self.deadlines_s: list[float] = []

    def analyze(self, job: Job, owner: object, *, deadline_s: float) -> Analysis:
        self.jobs.append(job)
        self.deadlines_s.append(deadline_s)
        return self._answer(job)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No frame gets too old because the machine is busy, unless a test shortens the time for that."""
    monkeypatch.setattr(session_module, "WAIT_TIMEOUT_S", 60.0)


def analysis(job: Job) -> Analysis:
    return Analysis(640, 480, (face(),), {"decode": 1.0, "detect": 2.0, "landmarks": 1.0, "classify": 1.0})


def frame(seq: int) -> Frame:
    return Frame(seq, 0.0, b"image")


def send_and_wait_until_it_waits(
    threads: ThreadPoolExecutor, session: FrameSession, seq: int
) -> Future[Result]:
    sent = frame(seq)
    answer = threads.submit(session.answer, sent)
    while session._waiting is not sent:
        assert not answer.done()
    return answer


def test_a_result_carries_the_frames_number_ids_and_every_stage() -> None:
    result = FrameSession(FakePool(analysis), smoothing_s=0.2).answer(frame(7))
    assert (result.seq, [found.id for found in result.faces]) == (7, [1])
    assert set(result.timing_ms) == set(STAGES)


def test_of_the_frames_over_the_limit_the_newest_is_analyzed_and_the_others_are_busy() -> None:
    gate = Gate()
    session = FrameSession(FakePool(gate.answer), smoothing_s=0.2)
    with ThreadPoolExecutor(8) as threads:
        under_way = [threads.submit(session.answer, frame(seq)) for seq in range(FRAMES_UNDER_WAY)]
        for _ in under_way:
            assert gate.started.acquire(timeout=5)
        older = send_and_wait_until_it_waits(threads, session, 10)
        newest = send_and_wait_until_it_waits(threads, session, 11)
        with pytest.raises(BusyError, match="newer frame"):
            older.result(timeout=5)
        gate.opened.set()
        assert {answer.result(5).seq for answer in [*under_way, newest]} == {0, 1, 11}


def test_a_frame_that_waited_too_long_is_answered_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "WAIT_TIMEOUT_S", 0.05)
    gate = Gate()
    session = FrameSession(FakePool(gate.answer), smoothing_s=0.2)
    with ThreadPoolExecutor(8) as threads:
        for seq in range(FRAMES_UNDER_WAY):
            threads.submit(session.answer, frame(seq))
            assert gate.started.acquire(timeout=5)
        with pytest.raises(BusyError, match="too old"):
            session.answer(frame(10))
        gate.opened.set()
    assert session.answer(frame(11)).seq == 11


def test_a_frame_that_fails_frees_its_slot() -> None:
    def fail(job: Job) -> Analysis:
        raise UnavailableError("no worker")

    session = FrameSession(FakePool(fail), smoothing_s=0.2)
    for seq in range(3 * FRAMES_UNDER_WAY):
        with pytest.raises(UnavailableError):
            session.answer(frame(seq))


def test_a_face_that_was_found_is_tracked_and_not_detected_again_at_once() -> None:
    pool = FakePool(analysis)
    session = FrameSession(pool, smoothing_s=0.2)
    for seq in range(2):
        session.answer(frame(seq))
    first, second = pool.jobs
    assert (first.detect, first.regions) == (True, ())
    assert not second.detect
    (region,) = second.regions
    expected: Region = face().region.scaled(1 / 640)
    assert region == pytest.approx(expected)


@pytest.mark.parametrize("has_spare_capacity", [True, False])
def test_what_costs_more_than_a_frame_may_is_asked_for_only_with_spare_capacity(
    has_spare_capacity: bool,
) -> None:
    pool = FakePool(analysis, has_spare_capacity)
    FrameSession(pool, smoothing_s=0.2).answer(frame(0))
    (job,) = pool.jobs
    assert (job.second_look, job.mirror) == (has_spare_capacity, has_spare_capacity)


def test_a_page_chooses_its_smoothing() -> None:
    shown = iter(["neutral", "happy"])

    def changing(job: Job) -> Analysis:
        return Analysis(640, 480, (face(expression=next(shown)),), {})

    session = FrameSession(FakePool(changing), smoothing_s=5.0)
    session.answer(frame(0))
    (changed,) = session.answer(Frame(1, 0.0, b"image", smoothing_s=0.0)).faces
    assert changed.expression == "happy"


def test_a_busy_server_gets_one_frame_of_a_client_at_a_time() -> None:
    gate = Gate()
    session = FrameSession(FakePool(gate.answer, has_spare_capacity=False), smoothing_s=0.2)
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(session.answer, frame(0))
        assert gate.started.acquire(timeout=5)
        second = send_and_wait_until_it_waits(threads, session, 1)
        assert not gate.started.acquire(timeout=0.05)
        gate.opened.set()
        assert [first.result(5).seq, second.result(5).seq] == [0, 1]


def test_a_frame_has_to_be_answered_within_three_seconds_of_its_arrival() -> None:
    pool = FakePool(analysis)
    before_s = time.monotonic()
    FrameSession(pool, 0.0).answer(frame(1))
    assert before_s < pool.deadlines_s[0] < time.monotonic() + 3
