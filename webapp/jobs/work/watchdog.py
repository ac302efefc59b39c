"""Ends the job process when a job makes no progress: no thread of it can stop a decoder that hangs."""

from __future__ import annotations

import logging
import os
import threading
import time

from webapp.errors import JobRemovedError
from webapp.jobs.record import Reason
from webapp.jobs.work.run import JobRun

MAX_PROCESSOR_S = 240.0
"""Between two steps. The largest photograph takes some seconds; a frame takes less than a tenth."""

MAX_WALL_S = 3600.0
"""As a job has the lowest priority, others may take the machine from it for long."""

MAX_REMOVED_S = 3.0
"""How long a job whose owner removed it may go on until it is stopped by force."""

CHECK_INTERVAL_S = 0.5

HANGING = 75
"""The exit code, in the log."""

logger = logging.getLogger(__name__)


class Watchdog:
    """Watches the run that is `begin`s to `end`; any thread may call it."""

    def __init__(self) -> None:
        self._run: JobRun | None = None
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def begin(self, run: JobRun) -> None:
        """Watch a run."""
        self._run = run

    def end(self) -> None:
        """It ended."""
        self._run = None

    def _watch(self) -> None:
        removed_s: float | None = None
        while True:
            time.sleep(CHECK_INTERVAL_S)
            run = self._run
            if run is None or run.store.exists(run.record.id):
                removed_s = None
            else:
                removed_s = removed_s or time.monotonic()
            if removed_s is not None and time.monotonic() - removed_s > MAX_REMOVED_S:
                os._exit(HANGING)
            if run is not None and _hangs(run):
                self._give_up(run)

    def _give_up(self, run: JobRun) -> None:
        logger.error("the job %s makes no progress; ending this process", run.record.id)
        try:
            text = (
                f"{run.name}: the analysis made no progress for too long and was ended. The file may be "
                "damaged; convert it, or send another."
            )
            run.fail(Reason(text, "no_progress"))
        except (OSError, JobRemovedError) as error:
            logger.error("its failure cannot be noted: %s", error)
        os._exit(HANGING)


def _hangs(run: JobRun) -> bool:
    processor_s, wall_s = run.idle()
    return processor_s > MAX_PROCESSOR_S or wall_s > MAX_WALL_S
