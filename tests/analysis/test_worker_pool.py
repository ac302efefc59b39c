from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from webapp.analysis import worker_pool as engine_module
from webapp.analysis import worker_process as process_module
from webapp.analysis.worker_pool import Engine
from webapp.analysis.worker_process import WorkerProcess
from webapp.errors import BadFrameError, BusyError, UnavailableError
from webapp.protocol import Job

StartEngine = Callable[..., Engine]

OWNER = "the only one"


def peer(behaviour: str) -> Callable[[], WorkerProcess]:
    return lambda: WorkerProcess([sys.executable, "-m", "tests.helpers.ipc_peers", behaviour, "{link}"])


def wait_until(condition: Callable[[], bool], limit_s: float = 10.0) -> None:
    end_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end_s, "it did not come true in time"
        time.sleep(0.01)


def all_ready(engine: Engine) -> bool:
    return all(worker is not None and worker.ready for worker in engine._workers)


@pytest.fixture
def start_engine() -> Iterator[StartEngine]:
    started: list[Engine] = []

    def start(workers: int = 1, behaviour: str = "measure", ready: bool = True) -> Engine:
        engine = Engine(peer(behaviour), workers)
        started.append(engine)
        engine.start()
        if ready:
            wait_until(lambda: engine.ready)
        return engine

    yield start
    for engine in started:
        engine.stop()


def test_each_reply_reaches_the_thread_that_asked(start_engine: StartEngine) -> None:
    engine = start_engine(workers=2)
    with ThreadPoolExecutor(4) as threads:
        widths = list(threads.map(lambda size: engine.analyze(Job(b"x" * size), OWNER).width, range(1, 200)))
    assert widths == list(range(1, 200))


def test_the_load_spreads_over_the_workers(start_engine: StartEngine) -> None:
    engine = start_engine(workers=2)
    wait_until(lambda: all_ready(engine))
    with ThreadPoolExecutor(2) as threads:
        pids = set(threads.map(lambda _: engine.analyze(Job(b"slow"), OWNER).height, range(2)))
    assert len(pids) == 2


def test_time_to_spare_is_told_by_the_load_of_the_last_second(
    start_engine: StartEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "LOAD_MEMORY_S", 0.1)
    engine = start_engine()
    spare = [engine.spare]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: engine.analyze(Job(b"slow"), OWNER), range(4)))
    spare.append(engine.spare)
    time.sleep(0.5)
    engine.analyze(Job(b"x"), OWNER)
    assert [*spare, engine.spare] == [True, False, True]


def test_places_are_given_to_owners_in_turn(
    start_engine: StartEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a greedy owner's many jobs one is done for each of a modest owner's."""
    monkeypatch.setattr(engine_module, "QUEUE_LIMIT_S", 10)
    engine = start_engine()
    done: list[str] = []

    def ask(owner: str) -> None:
        engine.analyze(Job(b"slow"), owner)
        done.append(owner)

    with ThreadPoolExecutor(12) as threads:
        for _ in range(6):
            threads.submit(ask, "greedy")
        time.sleep(0.1)
        for _ in range(2):
            threads.submit(ask, "modest")
    assert engine_module.JOBS_PER_WORKER == 2
    assert done[2:6].count("modest") == 2


def test_the_workers_verdict_on_a_picture_is_raised(start_engine: StartEngine) -> None:
    with pytest.raises(BadFrameError, match="not a picture"):
        start_engine().analyze(Job(b"not a picture"), OWNER)


def test_a_defect_in_the_pipeline_costs_one_frame_and_no_worker(start_engine: StartEngine) -> None:
    engine = start_engine()
    pid = engine.analyze(Job(b"x"), OWNER).height
    with pytest.raises(UnavailableError):
        engine.analyze(Job(b"bug"), OWNER)
    assert engine.analyze(Job(b"x"), OWNER).height == pid


def test_a_worker_that_dies_costs_its_frame_and_is_replaced(start_engine: StartEngine) -> None:
    engine = start_engine()
    with pytest.raises(UnavailableError):
        engine.analyze(Job(b"die"), OWNER)
    wait_until(lambda: engine.ready)
    assert engine.analyze(Job(b"four"), OWNER).width == 4


def test_a_killed_worker_is_replaced_while_frames_keep_coming(start_engine: StartEngine) -> None:
    engine = start_engine(workers=2)
    wait_until(lambda: all_ready(engine))
    os.kill(engine.analyze(Job(b"x"), OWNER).height, signal.SIGKILL)
    answered = 0
    for _ in range(50):
        try:
            answered += engine.analyze(Job(b"abc"), OWNER).width == 3
        except UnavailableError:
            continue
    assert answered >= 48
    wait_until(lambda: all_ready(engine))


def test_a_worker_that_hangs_is_killed_and_replaced(
    start_engine: StartEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "JOB_LIMIT_S", 0.5)
    engine = start_engine()
    with pytest.raises(UnavailableError):
        engine.analyze(Job(b"hang"), OWNER)
    wait_until(lambda: engine.ready)
    assert engine.analyze(Job(b"x"), OWNER).width == 1


def test_a_frame_that_finds_no_place_in_time_is_answered_busy(
    start_engine: StartEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "QUEUE_LIMIT_S", 0.05)
    engine = start_engine()
    with ThreadPoolExecutor(engine_module.JOBS_PER_WORKER) as threads:
        slow = [
            threads.submit(engine.analyze, Job(b"slow"), OWNER) for _ in range(engine_module.JOBS_PER_WORKER)
        ]
        time.sleep(0.1)
        with pytest.raises(BusyError):
            engine.analyze(Job(b"x"), OWNER)
        assert [future.result().width for future in slow] == [4, 4]
    assert engine.analyze(Job(b"x"), OWNER).width == 1


def test_without_a_ready_worker_frames_are_answered_unavailable(
    start_engine: StartEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "QUEUE_LIMIT_S", 0.05)
    engine = start_engine(behaviour="never ready", ready=False)
    assert not engine.ready
    with pytest.raises(UnavailableError):
        engine.analyze(Job(b"x"), OWNER)


def test_a_worker_that_never_gets_ready_is_replaced(
    start_engine: StartEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "START_LIMIT_S", 0.3)
    engine = start_engine(behaviour="never ready", ready=False)
    wait_until(lambda: engine._workers[0] is not None)
    first = engine._workers[0]
    wait_until(lambda: engine._workers[0] is not first)


@pytest.mark.slow
def test_a_worker_that_keeps_dying_is_not_restarted_without_end(start_engine: StartEngine) -> None:
    engine = start_engine()
    deaths = 0
    while engine.ready and deaths < 2 * engine_module.RESTARTS_AT_ONCE:
        with pytest.raises(UnavailableError):
            engine.analyze(Job(b"die"), OWNER)
        deaths += 1
        try:
            wait_until(lambda: engine.ready, limit_s=2.0)
        except AssertionError:
            break
    assert deaths == engine_module.RESTARTS_AT_ONCE


def test_stopping_ends_every_process(start_engine: StartEngine) -> None:
    engine = start_engine(workers=2)
    wait_until(lambda: all_ready(engine))
    pids = [worker.pid for worker in engine._workers if worker is not None]
    engine.stop()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
