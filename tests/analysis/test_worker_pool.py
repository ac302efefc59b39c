from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.helpers.ipc_peers import HOSTILE_REPLIES
from tests.helpers.waiting import wait_until
from webapp.analysis import worker_pool as pool_module
from webapp.analysis.worker_pool import WorkerPool
from webapp.analysis.worker_process import worker_spec
from webapp.config import Settings, child_environment
from webapp.errors import BadFrameError, BusyError, UnavailableError
from webapp.ipc.child_process import ChildSpec
from webapp.ipc.job_codec import MAX_REPLY_BYTES
from webapp.protocol import Job

StartPool = Callable[..., WorkerPool]

OWNER = "the only one"


def peer(behaviour: str, start_timeout_s: float = 60.0) -> ChildSpec:
    return ChildSpec(
        name="worker",
        command=(sys.executable, "-m", "tests.helpers.ipc_peers", behaviour, "{link}"),
        environment=child_environment(),
        start_timeout_s=start_timeout_s,
        max_reply_bytes=MAX_REPLY_BYTES,
    )


def all_ready(pool: WorkerPool) -> bool:
    return all(worker.supervisor.ready for worker in pool._workers)


def pids(pool: WorkerPool) -> list[int | None]:
    return [worker.supervisor.pid for worker in pool._workers]


@pytest.fixture
def start_pool() -> Iterator[StartPool]:
    started: list[WorkerPool] = []

    def start(
        workers: int = 1, behaviour: str = "measure", ready: bool = True, start_timeout_s: float = 60.0
    ) -> WorkerPool:
        pool = WorkerPool(peer(behaviour, start_timeout_s), workers)
        started.append(pool)
        pool.start()
        if ready:
            wait_until(lambda: pool.ready)
        return pool

    yield start
    for pool in started:
        pool.stop()


def test_each_reply_reaches_the_thread_that_asked(start_pool: StartPool) -> None:
    pool = start_pool(workers=2)
    with ThreadPoolExecutor(4) as threads:
        widths = list(threads.map(lambda size: pool.analyze(Job(b"x" * size), OWNER).width, range(1, 200)))
    assert widths == list(range(1, 200))


def test_the_load_spreads_over_the_workers(start_pool: StartPool) -> None:
    pool = start_pool(workers=2)
    wait_until(lambda: all_ready(pool))
    with ThreadPoolExecutor(2) as threads:
        pids = set(threads.map(lambda _: pool.analyze(Job(b"slow"), OWNER).height, range(2)))
    assert len(pids) == 2


def test_spare_capacity_is_told_by_the_load_of_the_last_second(
    start_pool: StartPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "LOAD_TIME_CONSTANT_S", 0.1)
    pool = start_pool()
    has_spare_capacity = [pool.has_spare_capacity]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: pool.analyze(Job(b"slow"), OWNER), range(4)))
    has_spare_capacity.append(pool.has_spare_capacity)
    time.sleep(0.5)
    pool.analyze(Job(b"x"), OWNER)
    assert [*has_spare_capacity, pool.has_spare_capacity] == [True, False, True]


def test_slots_are_given_to_owners_in_turn(start_pool: StartPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a greedy owner's many jobs one is done for each of a modest owner's."""
    monkeypatch.setattr(pool_module, "QUEUE_TIMEOUT_S", 10)
    pool = start_pool()
    done: list[str] = []

    def ask(owner: str) -> None:
        pool.analyze(Job(b"slow"), owner)
        done.append(owner)

    with ThreadPoolExecutor(12) as threads:
        for _ in range(6):
            threads.submit(ask, "greedy")
        time.sleep(0.1)
        for _ in range(2):
            threads.submit(ask, "modest")
    assert pool_module.JOBS_PER_WORKER == 2
    assert done[2:6].count("modest") == 2


def test_the_error_of_a_worker_is_raised(start_pool: StartPool) -> None:
    with pytest.raises(BadFrameError, match="not an image"):
        start_pool().analyze(Job(b"not an image"), OWNER)


def test_a_defect_in_the_pipeline_costs_one_frame_and_no_worker(start_pool: StartPool) -> None:
    pool = start_pool()
    pid = pool.analyze(Job(b"x"), OWNER).height
    with pytest.raises(UnavailableError):
        pool.analyze(Job(b"bug"), OWNER)
    assert pool.analyze(Job(b"x"), OWNER).height == pid


def test_a_worker_that_dies_costs_its_frame_and_is_replaced(start_pool: StartPool) -> None:
    pool = start_pool()
    with pytest.raises(UnavailableError):
        pool.analyze(Job(b"die"), OWNER)
    wait_until(lambda: pool.ready)
    assert pool.analyze(Job(b"four"), OWNER).width == 4


def test_a_killed_worker_is_replaced_while_frames_keep_coming(start_pool: StartPool) -> None:
    pool = start_pool(workers=2)
    wait_until(lambda: all_ready(pool))
    os.kill(pool.analyze(Job(b"x"), OWNER).height, signal.SIGKILL)
    answered = 0
    for _ in range(50):
        try:
            answered += pool.analyze(Job(b"abc"), OWNER).width == 3
        except UnavailableError:
            continue
    assert answered >= 48
    wait_until(lambda: all_ready(pool))


def test_a_worker_that_hangs_is_killed_and_replaced(
    start_pool: StartPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "JOB_TIMEOUT_S", 0.5)
    pool = start_pool()
    with pytest.raises(UnavailableError):
        pool.analyze(Job(b"hang"), OWNER)
    wait_until(lambda: pool.ready)
    assert pool.analyze(Job(b"x"), OWNER).width == 1


def test_a_frame_that_finds_no_slot_in_time_is_answered_busy(
    start_pool: StartPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "QUEUE_TIMEOUT_S", 0.05)
    pool = start_pool()
    with ThreadPoolExecutor(pool_module.JOBS_PER_WORKER) as threads:
        slow = [threads.submit(pool.analyze, Job(b"slow"), OWNER) for _ in range(pool_module.JOBS_PER_WORKER)]
        time.sleep(0.1)
        with pytest.raises(BusyError):
            pool.analyze(Job(b"x"), OWNER)
        assert [future.result().width for future in slow] == [4, 4]
    assert pool.analyze(Job(b"x"), OWNER).width == 1


def test_without_a_ready_worker_frames_are_answered_unavailable(
    start_pool: StartPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "QUEUE_TIMEOUT_S", 0.05)
    pool = start_pool(behaviour="never ready", ready=False)
    assert not pool.ready
    with pytest.raises(UnavailableError):
        pool.analyze(Job(b"x"), OWNER)


def test_a_frame_that_found_no_slot_in_time_leaves_nothing_behind(
    start_pool: StartPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "QUEUE_TIMEOUT_S", 0.02)
    pool = start_pool(behaviour="never ready", ready=False)
    for owner in ("one", "one", "another"):
        with pytest.raises(UnavailableError):
            pool.analyze(Job(b"x"), owner)
    assert pool._queue == {}


def test_a_worker_that_never_gets_ready_is_replaced(start_pool: StartPool) -> None:
    pool = start_pool(behaviour="never ready", ready=False, start_timeout_s=0.3)
    wait_until(lambda: pids(pool) != [None])
    (first,) = pids(pool)
    wait_until(lambda: pids(pool) not in ([first], [None]))


def test_while_a_worker_keeps_dying_the_pause_before_its_restart_stays_short(
    start_pool: StartPool,
) -> None:
    """Whoever knows an image that kills workers must not shut out everyone for long."""
    pool = start_pool()
    for _ in range(7):
        with pytest.raises(UnavailableError):
            pool.analyze(Job(b"die"), OWNER)
        wait_until(lambda: pool.ready, timeout_s=10.0)
    assert pool.analyze(Job(b"x"), OWNER).width == 1


def test_stopping_ends_every_process(start_pool: StartPool) -> None:
    pool = start_pool(workers=2)
    wait_until(lambda: all_ready(pool))
    running = pids(pool)
    pool.stop()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in running))


@pytest.mark.parametrize("behaviour", HOSTILE_REPLIES)
def test_a_hostile_reply_ends_its_worker_and_nothing_else(
    start_pool: StartPool, behaviour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    pool = start_pool(behaviour=behaviour)
    (first,) = pids(pool)
    with pytest.raises((UnavailableError, BadFrameError)):
        pool.analyze(Job(b"attack"), OWNER)
    wait_until(lambda: pool.ready and pids(pool) != [first])
    with pytest.raises(BadFrameError, match="well"):
        pool.analyze(Job(b"x"), OWNER)
    assert not (tmp_path / "unpickled").exists()


def test_a_worker_gets_none_of_the_servers_secrets(
    start_pool: StartPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {
        "MIEN_HOST_TOKEN": "t" * 20,
        "MIEN_DATABASE_URL": "postgresql://u:secret@h/d",
        "PGPASSWORD": "secret",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    environment = worker_spec(Settings()).environment
    assert not secrets.keys() & environment.keys()
    assert environment["OPENCV_IO_MAX_IMAGE_PIXELS"] == "4000000"
    (pid,) = pids(start_pool())
    assert b"MIEN_" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_background_jobs_wait_until_no_other_job_waits(
    start_pool: StartPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "QUEUE_TIMEOUT_S", 10)
    pool = start_pool()
    done: list[str] = []

    def ask(owner: str, background: bool) -> None:
        pool.analyze(Job(b"slow"), owner, background=background)
        done.append(owner)

    with ThreadPoolExecutor(12) as threads:
        for _ in range(4):
            threads.submit(ask, "upload", True)
        time.sleep(0.1)
        for _ in range(4):
            threads.submit(ask, "live", False)
    assert done == ["upload", *4 * ["live"], *3 * ["upload"]]


def test_background_jobs_leave_one_of_several_workers_alone(start_pool: StartPool) -> None:
    pool = start_pool(workers=2)
    wait_until(lambda: all_ready(pool))
    with ThreadPoolExecutor(4) as threads:
        uploads = [threads.submit(pool.analyze, Job(b"slow"), n, background=True) for n in range(2)]
        time.sleep(0.1)
        start_s = time.monotonic()
        pool.analyze(Job(b"x"), OWNER)
        assert not any(upload.done() for upload in uploads)
        assert time.monotonic() - start_s < 0.2
        assert len({upload.result().height for upload in uploads}) == 1


def test_a_background_job_that_finds_no_worker_is_busy_and_the_next_one_has_its_turn(
    start_pool: StartPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "QUEUE_TIMEOUT_S", 0.1)
    pool = start_pool()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(pool.analyze, Job(b"slow"), OWNER, background=True)
        time.sleep(0.05)
        with pytest.raises(BusyError):
            pool.analyze(Job(b"x"), OWNER, background=True)
        first.result()
    assert pool.analyze(Job(b"xy"), OWNER, background=True).width == 2
