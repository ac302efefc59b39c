"""Logging that no client can flood: repeated lines are counted, library tracebacks become one line."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from webapp.config import LogFormat
from webapp.metrics import LogCounter
from webapp.server.logs.log_format import JsonFormatter

LINES_PER_WINDOW = 5
WINDOW_S = 10.0
"""At most this many messages of each kind are logged within the window."""

MAX_KINDS = 1000

COMPLETE = ("mien.ownership",)
"""Loggers whose lines are all kept: what they prove is worth nothing with gaps, and no client writes them."""

MAX_ERROR_CHARACTERS = 200

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""What would begin another line, or a terminal's command; clients can get it into what libraries log."""

TEXT_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

LIBRARIES = ("engineio", "socketio")
"""Their errors are caused by clients: a line says as much as a traceback."""


@dataclass(slots=True)
class _Window:
    """The messages of one kind since `start_s`."""

    start_s: float
    count: int = 0


class RepetitionFilter(logging.Filter):
    """Drops messages of a kind that was logged often recently; the next one says how many were dropped.

    A kind is a logger and a message without its arguments. Any thread may call it at any time.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[tuple[str, str], _Window] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log a record; shortens those of libraries."""
        if record.name in COMPLETE:
            return True
        with self._lock:
            dropped = self._dropped_before(record.name, str(record.msg))
        if dropped is None:
            return False
        if record.name.startswith(LIBRARIES):
            _drop_traceback(record)
        if dropped:
            record.msg = f"{record.getMessage()} ({dropped} more like it)"
            record.args = None
        return True

    def _dropped_before(self, name: str, message: str) -> int | None:
        """The number of dropped messages before this one, or None to drop it too; the lock is held."""
        now_s = self._clock()
        window = self._windows.get((name, message))
        dropped = 0
        if window is None or now_s - window.start_s >= WINDOW_S:
            dropped = max(0, window.count - LINES_PER_WINDOW) if window else 0
            if len(self._windows) >= MAX_KINDS:
                self._windows.clear()
            window = self._windows[name, message] = _Window(now_s)
        window.count += 1
        return dropped if window.count <= LINES_PER_WINDOW else None


def start_logging(log_level: str, log_format: LogFormat = "text", node: str = "") -> None:
    """Log messages of `log_level` and above to standard error, as text or as JSON; each names the `node`."""
    handler = logging.StreamHandler()
    handler.addFilter(LogCounter())
    handler.addFilter(RepetitionFilter())
    text_format = f"%(asctime)s %(levelname)s {node} %(name)s: %(message)s" if node else TEXT_FORMAT
    handler.setFormatter(JsonFormatter(node) if log_format == "json" else logging.Formatter(text_format))
    logging.basicConfig(level=log_level, handlers=[handler])
    for library in ("engineio.server", "socketio.server"):
        # With a level set they do not add handlers of their own.
        logging.getLogger(library).setLevel(logging.ERROR)


def _drop_traceback(record: logging.LogRecord) -> None:
    error = record.exc_info[1] if record.exc_info else None
    record.exc_info = record.exc_text = None
    text = record.getMessage()
    if error is not None:
        text = f"{text}: {type(error).__name__}: {error}"
    record.msg, record.args = CONTROLS.sub(" ", text[:MAX_ERROR_CHARACTERS]), None
