from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.helpers.waiting import wait_until
from webapp.config import Settings
from webapp.jobs import processes as processes_module
from webapp.jobs.processes import JobProcesses
from webapp.jobs.store import JobStore


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
