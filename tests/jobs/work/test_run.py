from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from webapp.jobs.record import JobRecord, Reason
from webapp.jobs.store import RECORD, JobStore, new_id
from webapp.jobs.work.run import MAX_FAILURES, JobRun

LONG_NAME = "\u4e2d" * 20_000
"""As an entry of a ZIP may have it."""


@pytest.fixture
def run(tmp_path: Path) -> JobRun:
    store = JobStore(tmp_path / "jobs")
    store.prepare()
    upload = store.new_upload()
    upload.write_bytes(b"PK")
    record = JobRecord(new_id(), "me", "me", "a.zip", "images", "application/zip", 2, time.time())
    store.add(record, upload)
    return JobRun(store, record, threading.Event())


def test_a_video_that_does_not_say_how_long_it_is_shows_no_false_progress(
    run: JobRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.jobs.work.run.WRITE_INTERVAL_S", 0.0)
    monkeypatch.setattr("webapp.jobs.work.run.MIN_ESTIMATE_S", 0.0)
    run.begin()
    run.expect(0)
    run.step(100)
    assert (run.record.progress, run.record.remaining_s) == (0.0, None)
    run.expect(200)
    run.step(0)
    assert run.record.progress == 0.5 and run.record.remaining_s is not None


def test_the_record_stays_small_whatever_names_a_zip_has(run: JobRun) -> None:
    store, record = run.store, run.record
    for number in range(MAX_FAILURES):
        why = Reason(f"{number}{LONG_NAME}: this is no image. Send another.", "bad_frame")
        run.fail_input(f"{number}{LONG_NAME}", why)
    text = f"a.zip: none can be analyzed: {LONG_NAME}: this is no image. Send another."
    run.fail(Reason(text, "no_image_analyzed"))
    assert store.path(record.id, RECORD).stat().st_size < 500_000
    failed = store.get(record.id)
    assert failed is not None and failed.error is not None
    assert failed.error.code == "no_image_analyzed"
    for text in (failed.error.text, failed.failures[99].reason.text):
        assert text.startswith(("a.zip: none", "99\u4e2d")) and text.endswith(
            "\u4e2d: this is no image. Send another."
        )
