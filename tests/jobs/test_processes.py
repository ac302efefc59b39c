from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.waiting import wait_until
from webapp.config import Settings
from webapp.jobs import processes as processes_module
from webapp.jobs.processes import JobProcesses
from webapp.jobs.record import JobRecord
from webapp.jobs.store import JobStore, new_id

WAIT_S = 300.0


def test_looking_after_jobs_outlives_the_loss_of_their_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(processes_module, "TEND_INTERVAL_S", 0.02)
    store = JobStore(tmp_path / "jobs")
    store.prepare()
    processes = JobProcesses(Settings(data_dir=tmp_path), store)
    processes.start()
    try:
        shutil.rmtree(store.folder)
        wait_until(lambda: "cannot be read" in caplog.text)
        store.prepare()
        left = store.folder / "removed" / "left"
        left.mkdir()
        wait_until(lambda: not left.exists())
    finally:
        processes.stop()
    assert processes.pids() == {}, "without jobs no process is started"


@contextmanager
def running(store: JobStore, settings: Settings) -> Iterator[JobProcesses]:
    processes = JobProcesses(settings, store)
    processes.start()
    try:
        yield processes
    finally:
        processes.stop()


def add_image(store: JobStore, content: bytes, finished_s: float | None = None) -> str:
    upload = store.new_upload()
    upload.write_bytes(content)
    record = JobRecord(
        *(new_id(), "me", "me", "a.jpg", "image", "image/jpeg", len(content), time.time()),
        state="queued" if finished_s is None else "done",
        finished_s=finished_s,
    )
    store.add(record, upload)
    return record.id


def is_done(store: JobStore, job_id: str) -> bool:
    record = store.get(job_id)
    return record is not None and record.state == "done"


def test_finished_jobs_are_deleted_when_their_time_has_come(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs")
    store.prepare()
    old, new = (add_image(store, b"x", time.time() - 60 * minutes) for minutes in (61, 30))
    with running(store, Settings(data_dir=tmp_path)) as processes:
        wait_until(lambda: [record.id for record in store.all()] == [new])
        assert old != new and processes.pids() == {}, "finished jobs need no process"


@pytest.mark.slow
def test_a_process_without_jobs_ends_after_a_while_and_comes_back_with_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, astronaut_jpeg: bytes
) -> None:
    monkeypatch.setattr(processes_module, "TEND_INTERVAL_S", 0.1)
    monkeypatch.setattr(processes_module, "IDLE_S", 0.5)
    store = JobStore(tmp_path / "jobs")
    store.prepare()
    with running(store, Settings(data_dir=tmp_path, job_niceness=0)) as processes:
        pids = set()
        for _ in range(2):
            job_id = add_image(store, astronaut_jpeg)
            wait_until(lambda: processes.pids().get("images") is not None, WAIT_S)
            pids.add(processes.pids()["images"])
            wait_until(lambda: is_done(store, job_id), WAIT_S)  # noqa: B023 - waited for here
            wait_until(lambda: processes.pids() == {}, WAIT_S)
        assert len(pids) == 2
    assert "starting another" not in caplog.text
