from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import cast

import pytest

from tests.helpers.waiting import wait_until
from webapp.analysis.worker_pool import WorkerPool
from webapp.config.limits import Limits
from webapp.errors import BusyError
from webapp.protocol import STAGES, Analysis, ImageLimits, Job
from webapp.web import uploads as uploads_module
from webapp.web.uploads import Uploads

LIMITS = ImageLimits(30_000_000, 50_000_000)
ALLOWED = Limits(analyze_at_once_per_sender=3, analyze_at_once=5)
UPLOADS_PER_OWNER = ALLOWED.analyze_at_once_per_sender


class RecordingEngine:
    """Keeps whose jobs it was given, and whether they may wait."""

    has_spare_capacity = True

    def __init__(self) -> None:
        self.asked: list[tuple[object, bool]] = []

    def analyze(self, job: Job, owner: object, background: bool = False) -> Analysis:
        self.asked.append((owner, background))
        return Analysis(64, 48, (), dict.fromkeys(STAGES[1:-1], 1.0))


def test_an_upload_is_its_owners_and_waits_behind_live_frames() -> None:
    pool = RecordingEngine()
    uploads = Uploads(cast(WorkerPool, pool), LIMITS, ALLOWED)
    for _ in range(2):
        assert '"width":64' in uploads.analyze(b"image", "an address").replace(" ", "")
    assert pool.asked == 2 * [("an address", True)]


def test_strangers_take_half_of_the_uploads_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads_module, "SLOT_TIMEOUT_S", 0.1)
    uploads = Uploads(cast(WorkerPool, RecordingEngine()), LIMITS, ALLOWED)
    half = ALLOWED.analyze_at_once // 2
    with ExitStack() as under_way:
        for number in range(half):
            under_way.enter_context(uploads.slot(f"address {number}", is_stranger=True))
        with pytest.raises(BusyError), uploads.slot("another address", is_stranger=True):
            pass
        for number in range(ALLOWED.analyze_at_once - half):
            under_way.enter_context(uploads.slot(f"host {number}"))
    with uploads.slot("another address", is_stranger=True):
        pass


def test_an_owner_with_too_many_uploads_under_way_is_busy_and_others_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uploads_module, "SLOT_TIMEOUT_S", 0.1)
    uploads = Uploads(cast(WorkerPool, RecordingEngine()), LIMITS, ALLOWED)
    ended = threading.Event()

    def upload() -> None:
        with uploads.slot("greedy"):
            ended.wait(10)

    with ThreadPoolExecutor(UPLOADS_PER_OWNER) as threads:
        under_way = [threads.submit(upload) for _ in range(UPLOADS_PER_OWNER)]
        wait_until(lambda: uploads._under_way["greedy"] == UPLOADS_PER_OWNER)
        with pytest.raises(BusyError, match=f"At most {UPLOADS_PER_OWNER}"), uploads.slot("greedy"):
            pass
        with uploads.slot("modest"):
            ended.set()
        for one in under_way:
            one.result()
    with uploads.slot("greedy"):
        assert dict(uploads._under_way) == {"greedy": 1}
