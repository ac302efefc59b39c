"""Files on their way in: written to the disk piece by piece, within the limits, and gone if they stay away.

with uploads.receiving(owner, length, more_time) as upload:
    ...   # whoever reads the request writes to `upload`
    service.create(upload, ...)     # takes it; otherwise it is deleted at the end
"""

from __future__ import annotations

import io
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from webapp.config import Settings
from webapp.errors import NoSpaceError, TooManyJobsError, UploadTooLargeError
from webapp.jobs.record import is_anonymous
from webapp.jobs.store import JobStore

MAX_UPLOADS = 8
MAX_ANONYMOUS_UPLOADS = 4
MAX_UPLOADS_PER_OWNER = 3
"""Under way at once: of all, of those from other machines without an account together, and of one sender.
Each holds a connection and a file."""

ANONYMOUS_DISK_FRACTION = 0.5
"""How much of the jobs' share of the disk those without an account may take together."""

MIN_FREE_BYTES = 1_000_000_000
"""What stays free on the disk: recordings of rooms need it."""

SLICE_BYTES = 1 << 20
SLICE_S = 60.0
"""Each megabyte must arrive within this time: 17 kB a second."""

CHECK_BYTES = 32 << 20
"""How often it is checked that there still is room: others send too, and not all say how much."""

FORM_BYTES = 100_000
"""For what a form has beside its file."""

START_BYTES = 64


class Upload(io.RawIOBase):
    """The file that a request carries, while it arrives; one thread uses it.

    `start` are its first bytes and `size` is how many there are. It is written by whoever reads the request,
    and lets other requests have their turn after each piece.
    """

    def __init__(
        self,
        store: JobStore,
        max_bytes: int,
        more_time: Callable[[float], None],
        check_room: Callable[[int], None],
    ) -> None:
        self.path = store.new_upload()
        self.start = b""
        self.size = 0
        self._check_room = check_room
        self._max_bytes = max_bytes
        self._more_time = more_time
        self._file = self.path.open("xb", buffering=0)

    def writable(self) -> bool:
        """As a file's."""
        return True

    def readable(self) -> bool:
        """It is not read before it is whole, and then from its path."""
        return False

    def seekable(self) -> bool:
        """Whoever wrote it goes back to its start, which changes nothing."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """As a file's; it has no effect."""
        return 0

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        """Write the next piece.

        Raises:
            UploadTooLargeError: there is more than the limit.
            NoSpaceError: the disk is full, or jobs take all that they may have of it.
        """
        before, piece = self.size, bytes(data)
        self.size += len(piece)
        if self.size > self._max_bytes:
            raise too_large(self._max_bytes)
        if before // CHECK_BYTES != self.size // CHECK_BYTES:
            self._check_room(0)
        try:
            written = self._file.write(piece)
        except OSError as error:
            raise NoSpaceError(f"The file cannot be kept: {error.strerror}.") from error
        if written != len(piece):
            raise NoSpaceError("The file cannot be kept: the disk is full.")
        if len(self.start) < START_BYTES:
            self.start += piece[: START_BYTES - len(self.start)]
        if before // SLICE_BYTES != self.size // SLICE_BYTES:
            self._more_time(SLICE_S)
        time.sleep(0)  # a client that sends fast must not hold up the others
        return len(piece)

    def close(self) -> None:
        """No more is written."""
        if not self.closed:
            self._file.close()
        super().close()


class JobUploads:
    """Counts uploads, and makes their files. Any thread may call it."""

    def __init__(self, settings: Settings, store: JobStore) -> None:
        self.max_bytes = 1_000_000 * settings.max_upload_mb
        self._max_stored = 1_000_000_000 * settings.jobs_disk_gb
        self._store = store
        self._lock = threading.Lock()
        self._under_way: Counter[str] = Counter()
        self._anonymous: set[Upload] = set()

    @contextmanager
    def receiving(
        self, owner: str, length: int | None, more_time: Callable[[float], None]
    ) -> Iterator[Upload]:
        """A file for an upload of `length` bytes, the form around it included, if that is known.

        `more_time` is called with the seconds that the next megabyte may take. What nobody took is deleted.

        Raises:
            UploadTooLargeError, NoSpaceError, TooManyJobsError: it is not begun.
        """
        if length is not None and length > self.max_bytes + FORM_BYTES:
            raise too_large(self.max_bytes)
        self._check_room(owner, length or 0)
        self._enter(owner)
        upload = None
        try:
            upload = Upload(self._store, self.max_bytes, more_time, partial(self._check_room, owner))
            if is_anonymous(owner):
                self._anonymous.add(upload)
            yield upload
        finally:
            self._leave(owner)
            if upload is not None:
                self._anonymous.discard(upload)
                upload.close()
                upload.path.unlink(missing_ok=True)

    def _check_room(self, owner: str, wanted_bytes: int) -> None:
        """Make sure that there is room for so much more of an owner.

        Raises:
            NoSpaceError: there is not.
        """
        check_free(self._store, wanted_bytes)
        if is_anonymous(owner):
            self._check_anonymous_room(wanted_bytes)
        if self._store.used_bytes() + wanted_bytes > self._max_stored:
            raise NoSpaceError(
                f"Jobs take the {self._max_stored / 1e9:g} GB that they may have (MIEN_JOBS_DISK_GB). Delete "
                "some, or wait until old ones are deleted."
            )

    def _check_anonymous_room(self, wanted_bytes: int) -> None:
        used = sum(self._store.used_bytes(job.id) for job in self._store.all() if job.is_anonymous)
        arriving = sum(upload.size for upload in tuple(self._anonymous))
        most = ANONYMOUS_DISK_FRACTION * self._max_stored
        if used + arriving + wanted_bytes > most:
            raise NoSpaceError(
                f"Jobs that were sent without an account take the {most / 1e9:g} GB that they may have "
                "together. Delete some, wait until old ones are deleted, or send a key."
            )

    def _enter(self, owner: str) -> None:
        with self._lock:
            if self._is_crowded(owner):
                raise TooManyJobsError(
                    f"At most {MAX_UPLOADS_PER_OWNER} files of one sender, {MAX_ANONYMOUS_UPLOADS} without "
                    f"an account, and {MAX_UPLOADS} of all arrive at once; wait until one has arrived."
                )
            self._under_way[owner] += 1

    def _is_crowded(self, owner: str) -> bool:
        """Whether an owner must wait with another upload; the lock is held."""
        counts = self._under_way
        anonymous = sum(count for each, count in counts.items() if is_anonymous(each))
        return (
            counts.total() >= MAX_UPLOADS
            or counts[owner] >= MAX_UPLOADS_PER_OWNER
            or (is_anonymous(owner) and anonymous >= MAX_ANONYMOUS_UPLOADS)
        )

    def _leave(self, owner: str) -> None:
        with self._lock:
            self._under_way[owner] -= 1
            self._under_way += Counter()


def check_free(store: JobStore, wanted_bytes: int = 0) -> None:
    """Make sure that the disk has room for so much.

    Raises:
        NoSpaceError: it has not.
    """
    if store.free_bytes() - wanted_bytes < MIN_FREE_BYTES:
        raise NoSpaceError("The server's disk is too full for this file. Tell whoever runs the server.")


def too_large(max_bytes: int) -> UploadTooLargeError:
    """The error for a file of more bytes."""
    return UploadTooLargeError(
        f"The file has more than {max_bytes:,} bytes (MIEN_MAX_UPLOAD_MB); cut or compress it."
    )
