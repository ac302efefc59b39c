from __future__ import annotations

import threading
import time
import zipfile
from pathlib import Path

import cv2
import numpy as np

from tests.helpers.hostile_files import zip_of
from webapp.analysis import FileEngine
from webapp.jobs.record import JobRecord
from webapp.jobs.store import JobStore, new_id
from webapp.jobs.work.images import ANNOTATED_IMAGES, analyze_images
from webapp.jobs.work.run import JobRun

LONGEST_JPEG = 65_500


def test_an_image_whose_copy_cannot_be_drawn_keeps_its_results(tmp_path: Path, astronaut_jpeg: bytes) -> None:
    long = cv2.imencode(".png", np.full((8, LONGEST_JPEG + 20), 128, np.uint8))[1].tobytes()
    store = JobStore(tmp_path / "jobs")
    store.prepare()
    upload = store.new_upload()
    upload.write_bytes(zip_of({"long.png": long, "face.jpg": astronaut_jpeg}))
    record = JobRecord(new_id(), "me", "me", "a.zip", "images", "application/zip", 2, time.time())
    store.add(record, upload)
    run = JobRun(store, record, threading.Event())
    run.begin()
    with FileEngine(threads=1) as engine:
        analyze_images(run, engine)
    (failure,) = run.record.failures
    assert (failure.input, failure.reason.code) == ("long.png", "no_copy")
    assert failure.reason.text.startswith("long.png: ")
    assert "results.csv" in run.record.results
    rows = store.path(record.id, "results.csv").read_text().splitlines()[1:]
    assert [row.partition(",")[0] for row in rows] == ["long.png", "face.jpg"]
    with zipfile.ZipFile(store.path(record.id, ANNOTATED_IMAGES)) as annotated:
        assert annotated.namelist() == ["face.jpg.annotated.jpg"]
