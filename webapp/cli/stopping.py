"""Ctrl-C and SIGTERM end a run between two frames, so that no row of the results is cut off."""

from __future__ import annotations

import signal
from contextlib import AbstractContextManager
from types import FrameType, TracebackType
from typing import Any


class StopRequestedError(Exception):
    """The run is to end now. It is no failure, and must pass where those are caught, so no MienError."""


class StopRequest(AbstractContextManager["StopRequest"]):
    """Notes the first signal; the second one ends the process at once. For the main thread."""

    def __init__(self) -> None:
        self._requested = False
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopRequest:
        """Begin to note signals."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raise a StopRequestedError if a signal arrived."""
        if self._requested:
            raise StopRequestedError

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._requested:
            raise KeyboardInterrupt
        self._requested = True
