from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.helpers.faces import face
from webapp.analysis import frame_session as client_module
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


class WorkerPool:
    """Does jobs with a function, and keeps them."""

    def __init__(self, answer: Callable[[Job], Analysis], has_spare_capacity: bool = True) -> None:
        self._answer = answer
        self.has_spare_capacity = has_spare_capacity
        self.jobs: list[Job] = []

    def analyze(self, job: Job, owner: object) -> Analysis:
        self.jobs.append(job)
        return self._answer(job)


def analysis(job: Job) -> Analysis:
    return Analysis(640, 480, (face(),), {"decode": 1.0, "detect": 2.0, "landmarks": 1.0, "classify": 1.0})


def frame(seq: int) -> Frame:
    return Frame(seq, 0.0, b"picture")


def send_and_wait_until_it_waits(
    threads: ThreadPoolExecutor, client: FrameSession, seq: int
) -> Future[Result]:
    sent = frame(seq)
    answer = threads.submit(client.answer, sent)
    while client._waiting is not sent:
        assert not answer.done()
    return answer


def test_a_result_carries_the_frames_number_ids_and_every_stage() -> None:
    result = FrameSession(WorkerPool(analysis), smoothing_s=0.2).answer(frame(7))
    assert (result.seq, [found.id for found in result.faces]) == (7, [1])
    assert set(result.timing_ms) == set(STAGES)


def test_of_the_frames_over_the_limit_the_newest_is_analysed_and_the_others_are_busy() -> None:
    gate = Gate()
    client = FrameSession(WorkerPool(gate.answer), smoothing_s=0.2)
    with ThreadPoolExecutor(8) as threads:
        under_way = [threads.submit(client.answer, frame(seq)) for seq in range(FRAMES_UNDER_WAY)]
        for _ in under_way:
            assert gate.started.acquire(timeout=5)
        older = send_and_wait_until_it_waits(threads, client, 10)
        newest = send_and_wait_until_it_waits(threads, client, 11)
        with pytest.raises(BusyError, match="newer frame"):
            older.result(timeout=5)
        gate.opened.set()
        assert {answer.result(5).seq for answer in [*under_way, newest]} == {0, 1, 11}


def test_a_frame_that_waited_too_long_is_answered_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "WAIT_TIMEOUT_S", 0.05)
    gate = Gate()
    client = FrameSession(WorkerPool(gate.answer), smoothing_s=0.2)
    with ThreadPoolExecutor(8) as threads:
        for seq in range(FRAMES_UNDER_WAY):
            threads.submit(client.answer, frame(seq))
            assert gate.started.acquire(timeout=5)
        with pytest.raises(BusyError, match="too old"):
            client.answer(frame(10))
        gate.opened.set()
    assert client.answer(frame(11)).seq == 11


def test_a_frame_that_fails_gives_its_place_back() -> None:
    def fail(job: Job) -> Analysis:
        raise UnavailableError("no worker")

    client = FrameSession(WorkerPool(fail), smoothing_s=0.2)
    for seq in range(3 * FRAMES_UNDER_WAY):
        with pytest.raises(UnavailableError):
            client.answer(frame(seq))


def test_a_face_that_was_found_is_followed_and_not_detected_again_at_once() -> None:
    pool = WorkerPool(analysis)
    client = FrameSession(pool, smoothing_s=0.2)
    for seq in range(2):
        client.answer(frame(seq))
    first, second = pool.jobs
    assert (first.detect, first.regions) == (True, ())
    assert not second.detect
    (region,) = second.regions
    expected: Region = face().region.scaled(1 / 640)
    assert region == pytest.approx(expected)


def test_a_page_chooses_how_calm_its_probabilities_are() -> None:
    shown = iter(["neutral", "happy"])

    def changing(job: Job) -> Analysis:
        return Analysis(640, 480, (face(expression=next(shown)),), {})

    client = FrameSession(WorkerPool(changing), smoothing_s=5.0)
    client.answer(frame(0))
    (changed,) = client.answer(Frame(1, 0.0, b"picture", smoothing_s=0.0)).faces
    assert changed.expression == "happy"


def test_a_busy_server_gets_one_frame_of_a_client_at_a_time() -> None:
    gate = Gate()
    client = FrameSession(WorkerPool(gate.answer, has_spare_capacity=False), smoothing_s=0.2)
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(client.answer, frame(0))
        assert gate.started.acquire(timeout=5)
        second = send_and_wait_until_it_waits(threads, client, 1)
        assert not gate.started.acquire(timeout=0.05)
        gate.opened.set()
        assert [first.result(5).seq, second.result(5).seq] == [0, 1]
