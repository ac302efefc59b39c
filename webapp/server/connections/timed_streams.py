"""The two directions of a connection, as files, for clients that send or read too slowly."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any, BinaryIO

import eventlet

from webapp.metrics import count_refusal


class SlowRequestError(TimeoutError):
    """A request did not arrive in time."""


class TimedReader:
    """What arrives on a connection, to be read by the end of the time that was last allowed.

    It `is_late` once that was too short.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.is_late = False
        self._stream = stream
        self._deadline_s = 0.0

    def allow(self, seconds: float) -> None:
        """Begin a new time."""
        self._deadline_s = time.monotonic() + seconds

    @contextlib.contextmanager
    def _limited(self) -> Iterator[BinaryIO]:
        left_s = max(0.0, self._deadline_s - time.monotonic())
        late = SlowRequestError("the client did not send its request in time")
        try:
            with eventlet.Timeout(left_s, late):
                yield self._stream
        except SlowRequestError:
            self.is_late = True
            raise

    def read(self, *count: int) -> bytes:
        """As a file's; raises a SlowRequestError at the end of the time."""
        with self._limited() as stream:
            return stream.read(*count)

    def readline(self, *count: int) -> bytes:
        """As a file's; raises a SlowRequestError at the end of the time."""
        with self._limited() as stream:
            return stream.readline(*count)

    def readlines(self, *hint: int) -> list[bytes]:
        """As a file's; raises a SlowRequestError at the end of the time."""
        with self._limited() as stream:
            return stream.readlines(*hint)

    @property
    def closed(self) -> bool:
        """As a file's."""
        return self._stream.closed

    def close(self) -> None:
        """As a file's."""
        self._stream.close()


class CountedWriter:
    """What is sent on a connection; counts a client that does not take it in time."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:
        """As a file's; raises a TimeoutError if the client takes nothing for too long."""
        with _counted():
            return self._stream.write(data)

    def writelines(self, pieces: list[bytes]) -> None:
        """As a file's; raises a TimeoutError if the client takes nothing for too long."""
        self.write(b"".join(pieces))

    def flush(self) -> None:
        """As a file's; raises a TimeoutError if the client takes nothing for too long."""
        with _counted():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a file has
        return getattr(self._stream, name)


@contextlib.contextmanager
def _counted() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        count_refusal("unread responses")
        raise
