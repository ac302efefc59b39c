"""One connected browser: the flow control of its frames, the jobs made of them, its faces over time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from webapp.analysis.detection_scheduler import DetectionScheduler
from webapp.analysis.tracker import Tracker
from webapp.errors import BusyError
from webapp.protocol import Analysis, Frame, Job, Result

FRAMES_UNDER_WAY = 2
"""One on the wire while the other is analyzed; more would only add delay. While the workers have no spare
capacity it is one: the other waits here, where a newer one may replace it."""

WAIT_TIMEOUT_S = 1.0
"""A frame that waited this long for earlier frames of its session is stale."""

ANSWER_TIMEOUT_S = 2.5
"""Every frame is answered within three seconds, whatever its worker does."""


class Analyzer(Protocol):
    """What does the jobs: the worker pool."""

    @property
    def has_spare_capacity(self) -> bool:
        """Whether the workers have time for more."""

    def analyze(self, job: Job, owner: object, *, deadline_s: float) -> Analysis:
        """Do a job; see `WorkerPool.analyze`."""


class FrameSession:
    """Answers the frames of one browser; any thread may call it at any time."""

    def __init__(self, analyzer: Analyzer, smoothing_s: float) -> None:
        self._analyzer = analyzer
        self._tracker = Tracker(smoothing_s)
        self._detections = DetectionScheduler()
        self._changed = threading.Condition()
        self._under_way = 0
        self._waiting: Frame | None = None

    def answer(self, frame: Frame) -> Result:
        """Analyze one frame and track its faces.

        Two frames may be under way and one may wait; a newer frame replaces the waiting one.

        Raises:
            BusyError: a newer frame replaced this one, or it waited too long.
            FrameError: the image could not be analyzed; see `WorkerPool.analyze`.
        """
        received_s = time.monotonic()
        with self._slot(frame):
            job, deadline_s = self._job(frame, received_s), received_s + ANSWER_TIMEOUT_S
            analysis = self._analyzer.analyze(job, owner=self, deadline_s=deadline_s)
        if frame.smoothing_s is not None:
            self._tracker.smoothing_s = frame.smoothing_s
        faces = self._tracker.update(analysis.faces, received_s, analysis.width)
        timing_ms = _timing_ms(analysis, 1000 * (time.monotonic() - received_s))
        return Result(frame.seq, analysis.width, analysis.height, faces, timing_ms)

    def _job(self, frame: Frame, received_s: float) -> Job:
        regions = self._tracker.regions(received_s)
        spare = self._analyzer.has_spare_capacity
        search = self._detections.next_detection(received_s, bool(regions), has_spare_capacity=spare)
        return Job(frame.image, regions, *search, mirror=spare)

    @contextmanager
    def _slot(self, frame: Frame) -> Iterator[None]:
        with self._changed:
            self._wait_for_turn(frame)
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    @property
    def _limit(self) -> int:
        return FRAMES_UNDER_WAY if self._analyzer.has_spare_capacity else 1

    def _wait_for_turn(self, frame: Frame) -> None:
        """Wait as the newest frame of the session; the lock is held."""
        self._waiting = frame
        self._changed.notify_all()
        self._changed.wait_for(
            lambda: self._under_way < self._limit or self._waiting is not frame, WAIT_TIMEOUT_S
        )
        if self._waiting is not frame:
            raise BusyError("A newer frame replaced this one; send the next when a reply is back.")
        self._waiting = None
        if self._under_way >= self._limit:
            raise BusyError("The frame became too old while it waited; send fewer frames per second.")


def _timing_ms(analysis: Analysis, total_ms: float) -> dict[str, float]:
    """The worker's stages, and as `queue` the rest: waiting, and the transfers to and from the worker."""
    queue_ms = max(0.0, total_ms - sum(analysis.timing_ms.values()))
    return {"queue": queue_ms, **analysis.timing_ms, "total": total_ms}
