"""Whose job is next: of the owners with waiting jobs, the one who has waited longest."""

from __future__ import annotations

import time
from collections.abc import Sequence

from webapp.jobs.record import JobRecord


class Turns:
    """Takes owners in turn, and the jobs of one owner in the order in which they came; one thread calls it.

    An owner waits since their oldest job came, or since their last job ended, whichever is later. So somebody
    with one file waits for at most one file of each of the others, and somebody with many is never passed
    over. After a restart all count from when their jobs came.
    """

    def __init__(self) -> None:
        self._ended_s: dict[str, float] = {}

    def next_job(self, waiting: Sequence[JobRecord]) -> JobRecord | None:
        """The job to run, of those that wait, oldest first; None if there are none."""
        oldest: dict[str, JobRecord] = {}
        for job in waiting:
            oldest.setdefault(job.counts_for, job)
        self._ended_s = {owner: ended_s for owner, ended_s in self._ended_s.items() if owner in oldest}
        return min(oldest.values(), key=self._waits_since_s, default=None)

    def end(self, job: JobRecord) -> None:
        """A job has ended: its owner waits again from now on."""
        self._ended_s[job.counts_for] = time.time()

    def _waits_since_s(self, job: JobRecord) -> float:
        return max(job.created_s, self._ended_s.get(job.counts_for, 0.0))
