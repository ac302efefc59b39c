"""The log as JSON, one object a line, for programs that collect logs."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from webapp.server.logs.log_context import log_context


class JsonFormatter(logging.Formatter):
    """Writes `time`, `level`, `logger`, `message`, the ids of the log's context, and `exception` if any.

    With a `node`, each line has its name.
    """

    def __init__(self, node: str = "") -> None:
        super().__init__()
        self._ids = {"node": node} if node else {}

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self._ids,
            **log_context(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
