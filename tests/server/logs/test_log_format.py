from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import requests

from tests.helpers.room_client import TOKEN, ParticipantClient, make_room
from tests.helpers.serving import PROJECT_ROOT, START_TIMEOUT_S, Server
from tests.helpers.waiting import wait_until
from webapp.server.logs.log_context import log_context, reset_log_context, set_log_context
from webapp.server.logs.log_format import JsonFormatter

TIMEOUT_S = 30

CHILD_LINES = ("INFO: Created TensorFlow Lite",)
"""What the library of the workers writes, past any log."""


def formatted(message: str, *arguments: object, error: Exception | None = None) -> dict[str, object]:
    record = logging.LogRecord("mien.test", logging.WARNING, "f", 1, message, arguments, None)
    if error is not None:
        record.exc_info = (type(error), error, error.__traceback__)
    line = JsonFormatter().format(record)
    assert "\n" not in line
    read: dict[str, object] = json.loads(line)
    return read


def test_a_line_is_one_object_with_the_ids_of_its_context() -> None:
    token = set_log_context(request="abc", room="", connection="xyz")
    line = formatted("%d of %s", 3, "four\nfive")
    reset_log_context(token)
    assert line.pop("time")
    assert line == {
        "level": "warning",
        "logger": "mien.test",
        "message": "3 of four\nfive",
        "request": "abc",
        "connection": "xyz",
    }
    assert not log_context()


def test_a_traceback_stays_within_its_line() -> None:
    try:
        raise ValueError("no")
    except ValueError as error:
        assert "ValueError: no" in str(formatted("failed", error=error)["exception"])


def test_a_server_writes_nothing_but_json_and_names_request_connection_and_room(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as stream:
        server = LoggingServer(stream, MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, MIEN_LOG_FORMAT="json")
        with server, ParticipantClient(server) as one:
            room = make_room(server)
            one.join(room)
            requests.get(f"{server.url}/nothing", headers={"Host": "elsewhere"}, timeout=TIMEOUT_S)
            wait_until(lambda: b"elsewhere" in log.read_bytes())
    of_server = [line for line in log.read_text().splitlines() if not line.startswith(CHILD_LINES)]
    lines = [json.loads(line) for line in of_server]
    assert any("elsewhere" in line["message"] for line in lines)
    assert all(TOKEN not in json.dumps(line) for line in lines)


class LoggingServer(Server):
    """A server whose log goes to a file."""

    def __init__(self, stream: object, **settings: str) -> None:
        super().__init__(**settings)
        self._stream = stream

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "wsgi.py"],
            cwd=PROJECT_ROOT,
            env=os.environ | self.settings,
            stderr=self._stream,  # type: ignore[call-overload]
        )
        self.wait_until_ready(START_TIMEOUT_S)
