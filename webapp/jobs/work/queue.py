"""The Huey queue of a lane: in an SQLite file of the jobs' folder, or in Redis.

Only ids of jobs are in it, as JSON: what Huey would do by itself, pickle, lets whoever can write to Redis run
programs here. An id calls for one run; which job that is depends on whose turn it is (see `turns`).
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from typing import Any

from huey import Huey, RedisHuey, SqliteHuey
from huey.consumer import Consumer
from huey.registry import Message
from huey.serializer import Serializer

from webapp.config import Settings
from webapp.jobs.record import Lane
from webapp.jobs.store import JobStore

POLL_S = 0.2
MAX_POLL_S = 1.0
"""How often SQLite is asked for a job; Redis tells."""


class JsonSerializer(Serializer):  # type: ignore[misc]  # Huey is untyped
    """Messages of Huey as JSON."""

    def _serialize(self, data: Any) -> bytes:  # noqa: ANN401 - a message
        return json.dumps(data).encode()

    def _deserialize(self, data: bytes) -> Any:  # noqa: ANN401 - a message
        return Message(*json.loads(data))


class JobQueue:
    """Calls `run` once for each job of a lane, one by one on a thread of its own; any thread may call it."""

    def __init__(self, settings: Settings, store: JobStore, lane: Lane, run: Callable[[str], None]) -> None:
        logging.getLogger("huey").setLevel(
            logging.CRITICAL
        )  # a lost Redis would fill the log; we say it once
        self._huey = _huey(settings, store, lane)
        self._task = self._huey.task(name="run")(run)
        self._lock = threading.Lock()
        self._consumer = Consumer(
            self._huey, workers=1, periodic=False, initial_delay=POLL_S, max_delay=MAX_POLL_S
        )

    def start(self) -> None:
        """Begin to run jobs; for the main thread, whose handlers of signals Huey replaces."""
        self._consumer.start()

    def stop(self) -> None:
        """Begin no other job."""
        self._consumer.stop_flag.set()

    def waiting(self) -> set[str]:
        """The ids of the jobs in the queue."""
        return {task.args[0] for task in self._huey.pending()}

    def put(self, job_id: str) -> None:
        """Append a job."""
        self._huey.enqueue(self._task.s(job_id))


def _huey(settings: Settings, store: JobStore, lane: Lane) -> Huey:
    name = f"mien-{lane}-{store.queue_id()}"
    serializer = JsonSerializer()
    if settings.redis_url:
        return RedisHuey(name, results=False, serializer=serializer, url=settings.redis_url)
    path = store.folder / f"{lane}.sqlite"
    return SqliteHuey(name, results=False, serializer=serializer, filename=str(path), strict_fifo=True)
