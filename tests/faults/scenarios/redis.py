"""Redis, which holds the queue of jobs, is gone for a while and comes back."""

from __future__ import annotations

import time

from tests.faults.board import Board
from tests.faults.outage import PARTICIPANTS
from tests.faults.outcome import Outcome, at_least
from tests.faults.recording import PROMISED, Limits, record
from tests.helpers.job_client import JobClient
from tests.helpers.redis import RedisServer, running_redis
from tests.helpers.room_client import TOKEN
from tests.helpers.scenes import moving_faces
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until

PROMISE = (
    "While Redis is gone, the live view and the recording go on, files are accepted, and their jobs wait; "
    "once it is back they are done."
)
BEGIN_TIMEOUT_S = 60.0


class _AwayForAWhile:
    """Stops Redis for so long, and sends a file meanwhile."""

    def __init__(self, redis: RedisServer, client: JobClient, seconds: float) -> None:
        self._redis, self._client = redis, client
        self._seconds = seconds
        self.waited = self.done = False
        self.paused = ""

    def happen(self, board: Board) -> None:
        (image,) = moving_faces(count=1)
        wait_until(lambda: board.stored > 0, BEGIN_TIMEOUT_S)
        self._client.finished(self._client.make("before.jpg", image))  # the job process is there
        self._redis.stop()
        try:
            job = self._client.make("meanwhile.jpg", image)
            time.sleep(self._seconds)
            self.waited = self._client.job(job)["state"] == "queued"
            self.paused = board.problem or ""
        finally:
            self._redis.start()
        self.done = self._client.finished(job)["state"] == "done"


def run(seconds: float, limits: Limits = PROMISED) -> Outcome:
    """Stop Redis for a third of the time."""
    with running_redis() as redis, Server(MIEN_HOST_TOKEN=TOKEN, MIEN_REDIS_URL=redis.url) as server:
        away = _AwayForAWhile(redis, JobClient(server), seconds / 3)
        recorded = record(server, PARTICIPANTS, seconds, away.happen)
    return Outcome(
        promise=PROMISE,
        done=f"Redis was gone for {seconds / 3:.0f} s while {recorded.load.sent} frames and a file were sent",
        lost=recorded.lost_in_words,
        figures=(
            *recorded.figures(limits),
            recorded.undisturbed(),
            at_least("the job of the file waited", away.waited, 1),
            at_least("it was done when Redis was back", away.done, 1),
            at_least("the recording did not pause", not away.paused, 1),
        ),
    )
