"""What needs an administrator before it stops the server: a disk that fills, a certificate that ends."""

from __future__ import annotations

import datetime
import logging
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from webapp.config import Settings
from webapp.errors import CertificateError
from webapp.server.tls.certificates import certificate_end

MIN_FREE_BYTES = 2_000_000_000
"""Half a day of ten people at 15 frames a second, with as much again for the database's own work."""

SOON = datetime.timedelta(days=14)

CHECK_INTERVAL_S = 3600.0
REPEAT_INTERVAL_S = 24 * 3600.0

logger = logging.getLogger(__name__)

Subject = Literal["disk", "certificate"]
SUBJECTS: tuple[Subject, ...] = get_args(Subject)


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing to see to: `free_bytes` of the disk, or the `end` of the certificate, in UTC.

    `is_own` is whether the lab installed the certificate; the server renews what it made when it starts.
    """

    subject: Subject
    free_bytes: int = 0
    end: datetime.datetime | None = None
    is_own: bool = False

    def __str__(self) -> str:
        if self.subject == "disk":
            return (
                f"the disk of the data folder has {self.free_bytes / 1e9:.1f} GB free: free some, or "
                "recordings will stop"
            )
        advice = "install a new one" if self.is_own else "restart the server, which makes a new one"
        return f"the certificate ends on {self.end:%Y-%m-%d}: {advice}, or browsers will refuse the pages"


def concerns(settings: Settings, now: datetime.datetime | None = None) -> tuple[Concern, ...]:
    """What has to be seen to now; what cannot be read is left to those who need it."""
    found = (_disk(settings), _certificate(settings, now or datetime.datetime.now(datetime.UTC)))
    return tuple(one for one in found if one is not None)


def _disk(settings: Settings) -> Concern | None:
    try:
        free = shutil.disk_usage(settings.data_dir).free
    except OSError:
        return None
    return Concern("disk", free_bytes=free) if free < MIN_FREE_BYTES else None


def _certificate(settings: Settings, now: datetime.datetime) -> Concern | None:
    try:
        end = certificate_end(settings)
    except (CertificateError, OSError):
        return None
    if end is None or end - now > SOON:
        return None
    return Concern("certificate", end=end, is_own=settings.tls_certificate is not None)


class UpkeepLog:
    """Looks every hour, on a thread of its own, and logs each concern once a day while it lasts.

    Only that thread calls `note`.
    """

    def __init__(self, find: Callable[[], tuple[Concern, ...]]) -> None:
        self._find = find
        self._logged_s: dict[Subject, float] = {}
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin, with a first look at once."""
        threading.Thread(target=self._run, name="upkeep", daemon=True).start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()

    def note(self, now_s: float) -> None:
        """Log what is new, or was logged a day ago."""
        found = {one.subject: one for one in self._find()}
        self._logged_s = {subject: at_s for subject, at_s in self._logged_s.items() if subject in found}
        for subject, concern in found.items():
            if now_s - self._logged_s.get(subject, float("-inf")) >= REPEAT_INTERVAL_S:
                self._logged_s[subject] = now_s
                logger.warning("%s", concern)

    def _run(self) -> None:
        while True:
            self.note(time.monotonic())
            if self._stopping.wait(CHECK_INTERVAL_S):
                return
