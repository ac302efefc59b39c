from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.helpers.ipc_peers import HOSTILE_REPLIES, Gate
from tests.helpers.waiting import wait_until
from webapp.analysis import turns
from webapp.analysis import worker_pool as pool_module
from webapp.analysis.worker_pool import WorkerPool
from webapp.analysis.worker_process import worker_spec
from webapp.config import Settings, child_environment
from webapp.errors import BadFrameError, BusyError, UnavailableError
from webapp.ipc.child_process import ChildSpec
from webapp.ipc.job_codec import MAX_REPLY_BYTES
from webapp.protocol import Analysis, Job

StartPool = Callable[..., WorkerPool]

OWNER = "the only one"

HELD_S = 100 * turns.FAIR_S
"""How long the first job of an owner with many takes."""


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


def loads(pool: WorkerPool) -> list[int]:
    """The jobs at each worker."""
    return [worker.load for worker in pool._workers]


def waiting(pool: WorkerPool) -> int:
    """The jobs that wait for a slot."""
    queues = (pool._queue, pool._background_queue)
    return sum(len(slots) for queue in queues for slots in queue.values())


def wait_for_jobs(pool: WorkerPool, at_worker: int, in_queue: int) -> None:
    """Wait until a pool of one worker has so many jobs."""
    wait_until(lambda: (loads(pool), waiting(pool)) == ([at_worker], in_queue))


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


@pytest.fixture
def start_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[StartPool]:
    """Pools that give up nothing because the machine is busy, unless a test shortens a timeout."""
    monkeypatch.setattr(pool_module, "QUEUE_TIMEOUT_S", 60.0)
    monkeypatch.setattr(pool_module, "JOB_TIMEOUT_S", 60.0)
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


def test_the_load_spreads_over_the_workers(start_pool: StartPool, gate: Gate) -> None:
    pool = start_pool(workers=2)
    wait_until(lambda: all_ready(pool))
    with ThreadPoolExecutor(2) as threads:
        jobs = [threads.submit(pool.analyze, gate.job, OWNER) for _ in range(2)]
        wait_until(lambda: loads(pool) == [1, 1])
        gate.open()
        assert len({job.result().height for job in jobs}) == 2


def test_spare_capacity_is_told_by_the_load_of_the_last_second(
    start_pool: StartPool, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 0.0
    monkeypatch.setattr(pool_module, "time", SimpleNamespace(monotonic=lambda: now_s))
    pool = start_pool()
    has_spare_capacity = [pool.has_spare_capacity]
    with ThreadPoolExecutor(2) as threads:
        jobs = [threads.submit(pool.analyze, gate.job, OWNER)]
        wait_until(lambda: loads(pool) == [1])
        now_s += 2 * pool_module.LOAD_TIME_CONSTANT_S
        jobs.append(threads.submit(pool.analyze, gate.job, OWNER))
        wait_until(lambda: loads(pool) == [2])
        has_spare_capacity.append(pool.has_spare_capacity)
        gate.open()
        for job in jobs:
            job.result()
    wait_until(lambda: loads(pool) == [0])
    now_s += 2 * pool_module.LOAD_TIME_CONSTANT_S
    pool.analyze(Job(b"x"), OWNER)
    assert [*has_spare_capacity, pool.has_spare_capacity] == [True, False, True]


def in_the_order_of_work(jobs: list[tuple[str, Future[Analysis]]]) -> list[str]:
    """The owners of jobs, sorted by when one worker did them."""
    return [owner for _, owner in sorted((job.result().timing_ms["detect"], owner) for owner, job in jobs)]


def test_slots_are_given_to_owners_in_turn(
    start_pool: StartPool, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a greedy owner's many jobs one is done for each of a modest owner's."""
    monkeypatch.setattr(turns, "FAIR_S", 1000.0)  # however long the first one took
    assert order_of_work(start_pool, gate, monkeypatch) == [
        "greedy",
        *2 * ["greedy", "modest"],
        *3 * ["greedy"],
    ]


def test_who_has_used_a_worker_for_long_lets_others_go_first(
    start_pool: StartPool, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert order_of_work(start_pool, gate, monkeypatch) == ["greedy", *2 * ["modest"], *5 * ["greedy"]]


def order_of_work(start_pool: StartPool, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whose jobs one worker does: a greedy owner's first one takes a moment, and a modest owner comes.

    The others take no time at all, however busy the machine is.
    """
    now_s = 0.0
    monkeypatch.setattr(pool_module, "time", SimpleNamespace(monotonic=lambda: now_s))
    monkeypatch.setattr(pool_module, "JOBS_PER_WORKER", 1)  # so that nothing overtakes on its way to it
    pool = start_pool()
    jobs: list[tuple[str, Future[Analysis]]] = []
    with ThreadPoolExecutor(8) as threads:
        for owner, count in (("greedy", 6), ("modest", 2)):
            jobs += [(owner, threads.submit(pool.analyze, gate.job, owner)) for _ in range(count)]
            wait_for_jobs(pool, at_worker=1, in_queue=len(jobs) - 1)
        now_s += HELD_S
        gate.open()
        return in_the_order_of_work(jobs)


def test_the_workers_verdict_on_a_picture_is_raised(start_pool: StartPool) -> None:
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
    failed = 0
    for _ in range(50):
        try:
            assert pool.analyze(Job(b"abc"), OWNER).width == 3
        except UnavailableError:
            failed += 1
    assert failed <= 1, "only a frame that was on its way to the worker when it died"
    wait_until(lambda: all_ready(pool))


def test_a_worker_that_hangs_is_killed_and_replaced(
    start_pool: StartPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "JOB_TIMEOUT_S", 0.5)
    pool = start_pool()
    with pytest.raises(UnavailableError):
        pool.analyze(Job(b"hang"), OWNER)
    monkeypatch.setattr(pool_module, "JOB_TIMEOUT_S", 60.0)
    wait_until(lambda: pool.ready)
    assert pool.analyze(Job(b"x"), OWNER).width == 1


def test_a_frame_is_answered_by_its_deadline_and_its_worker_keeps_the_slot(
    start_pool: StartPool, gate: Gate
) -> None:
    pool = start_pool()
    with pytest.raises(UnavailableError, match="too long"):
        pool.analyze(gate.job, OWNER, deadline_s=time.monotonic() + 0.2)
    assert loads(pool) == [1], "a worker that may hang gets no frames beyond those it holds"
    gate.open()
    wait_until(lambda: loads(pool) == [0])
    assert pool.analyze(Job(b"x"), OWNER, deadline_s=time.monotonic() + 60).width == 1


def test_a_frame_that_finds_no_slot_in_time_is_answered_busy(
    start_pool: StartPool, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = start_pool()
    count = pool_module.JOBS_PER_WORKER
    with ThreadPoolExecutor(count) as threads:
        slow = [threads.submit(pool.analyze, gate.job, OWNER) for _ in range(count)]
        wait_until(lambda: loads(pool) == [count])
        monkeypatch.setattr(pool_module, "QUEUE_TIMEOUT_S", 0.05)
        with pytest.raises(BusyError):
            pool.analyze(Job(b"x"), OWNER)
        monkeypatch.setattr(pool_module, "QUEUE_TIMEOUT_S", 60.0)
        gate.open()
        assert [future.result().width for future in slow] == count * [len(gate.job.image)]
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
    assert worker_spec(Settings()).max_restart_pause_s <= 2.0
    pool = start_pool()
    for _ in range(4):
        with pytest.raises(UnavailableError):
            pool.analyze(Job(b"die"), OWNER)
        wait_until(lambda: pool.ready)
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
    assert environment["OPENCV_IO_MAX_IMAGE_PIXELS"] == "50000000"
    (pid,) = pids(start_pool())
    assert b"MIEN_" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_background_jobs_wait_until_no_other_job_waits(start_pool: StartPool, gate: Gate) -> None:
    pool = start_pool()
    jobs: list[tuple[str, Future[Analysis]]] = []
    with ThreadPoolExecutor(8) as threads:
        for owner, in_background, at_worker, in_queue in (("upload", True, 1, 3), ("live", False, 2, 6)):
            jobs += [
                (owner, threads.submit(pool.analyze, gate.job, owner, background=in_background))
                for _ in range(4)
            ]
            wait_for_jobs(pool, at_worker, in_queue)
        gate.open()
        done = in_the_order_of_work(jobs)
    assert done == ["upload", *4 * ["live"], *3 * ["upload"]]


def test_background_jobs_leave_one_of_several_workers_alone(start_pool: StartPool, gate: Gate) -> None:
    pool = start_pool(workers=2)
    wait_until(lambda: all_ready(pool))
    with ThreadPoolExecutor(2) as threads:
        uploads = [threads.submit(pool.analyze, gate.job, n, background=True) for n in range(2)]
        wait_until(lambda: (sum(loads(pool)), waiting(pool)) == (1, 1))
        pool.analyze(Job(b"x"), OWNER)
        assert not any(upload.done() for upload in uploads)
        gate.open()
        assert len({upload.result().height for upload in uploads}) == 1


def test_a_background_job_that_finds_no_worker_is_busy_and_the_next_one_has_its_turn(
    start_pool: StartPool, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = start_pool()
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(pool.analyze, gate.job, OWNER, background=True)
        wait_until(lambda: loads(pool) == [1])
        monkeypatch.setattr(pool_module, "QUEUE_TIMEOUT_S", 0.05)
        with pytest.raises(BusyError):
            pool.analyze(Job(b"x"), OWNER, background=True)
        monkeypatch.setattr(pool_module, "QUEUE_TIMEOUT_S", 60.0)
        gate.open()
        first.result()
    assert pool.analyze(Job(b"xy"), OWNER, background=True).width == 2
