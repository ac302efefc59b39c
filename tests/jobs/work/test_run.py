from __future__ import annotations

import threading
import time
from pathlib import Path

from webapp.jobs.record import JobRecord, Reason
from webapp.jobs.store import RECORD, JobStore, new_id
from webapp.jobs.work.run import MAX_FAILURES, JobRun

LONG_NAME = "\u4e2d" * 20_000
"""As an entry of a ZIP may have it."""


def test_the_record_stays_small_whatever_names_a_zip_has(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs")
    store.prepare()
    upload = store.new_upload()
    upload.write_bytes(b"PK")
    record = JobRecord(new_id(), "me", "me", "a.zip", "images", "application/zip", 2, time.time())
    store.add(record, upload)
    run = JobRun(store, record, threading.Event())
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
