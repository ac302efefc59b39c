"""Images uploaded over plain HTTP: few at once from one owner, and behind all live frames."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from webapp.analysis.frame_session import FrameSession
from webapp.analysis.worker_pool import WorkerPool
from webapp.codec import encode_result
from webapp.config.limits import Limits
from webapp.errors import BusyError
from webapp.metrics import count_refusal
from webapp.protocol import Analysis, Frame, ImageLimits, Job

SLOT_TIMEOUT_S = 0.5
"""An owner who keeps sending more than that is answered twice a second on each connection, not at once."""


class Uploads:
    """Analyzes uploads; an owner is whoever they take turns with others as: a host, or an address.

    Half of all may be strangers', so that these cannot keep out hosts, keys and this machine.

    Any thread may call it; `_ended` guards the counts. `limits` are those of an image file; `allowed` says
    how many may be under way, of one owner and of all, as each is in memory.
    """

    def __init__(self, pool: WorkerPool, limits: ImageLimits, allowed: Limits) -> None:
        self.limits = limits
        self._pool = pool
        self._per_owner = allowed.analyze_at_once_per_sender
        self._in_all = allowed.analyze_at_once
        self._under_way: Counter[object] = Counter()
        self._strangers = 0
        self._ended = threading.Condition()

    @contextmanager
    def slot(self, owner: object, is_stranger: bool = False) -> Iterator[None]:
        """Count an upload as under way, from before its body is read until it is answered.

        Raises:
            BusyError: for SLOT_TIMEOUT_S as many were under way as the owner, or all, may have.
        """
        with self._ended:
            if not self._ended.wait_for(lambda: self._has_room(owner, is_stranger), SLOT_TIMEOUT_S):
                count_refusal("uploads")
                raise BusyError(
                    f"At most {self._per_owner} uploads of one sender, and {self._in_all} of all, at once; "
                    "try again when some are answered."
                )
            self._under_way[owner] += 1
            self._strangers += is_stranger
        try:
            yield
        finally:
            with self._ended:
                self._under_way[owner] -= 1
                self._strangers -= is_stranger
                self._under_way += Counter()  # forgets owners without uploads
                self._ended.notify_all()

    def analyze(self, image: bytes, owner: object) -> str:
        """The result object, in JSON, of an image that belongs to no stream; its `seq` is 0.

        Raises:
            FrameError: see `Frame.of_file` and `WorkerPool.analyze`.
        """
        session = FrameSession(_InBackground(self._pool, owner, self.limits), smoothing_s=0.0)
        return encode_result(session.answer(Frame.of_file(image, self.limits)))

    def _has_room(self, owner: object, is_stranger: bool) -> bool:
        if is_stranger and self._strangers >= max(1, self._in_all // 2):
            return False
        return self._under_way[owner] < self._per_owner and self._under_way.total() < self._in_all


class _InBackground:
    """The pool as a session sees it, whose jobs are an owner's and wait behind live frames.

    As they wait, they need not save: an image gets the same analysis however busy the workers are.
    """

    has_spare_capacity = True

    def __init__(self, pool: WorkerPool, owner: object, limits: ImageLimits) -> None:
        self._pool = pool
        self._owner = owner
        self._limits = limits

    def analyze(self, job: Job, owner: object, *, deadline_s: float) -> Analysis:
        """An image that somebody sent does not become too old: the deadline is that of live frames."""
        return self._pool.analyze(replace(job, limits=self._limits), self._owner, background=True)
