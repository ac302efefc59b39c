"""The Socket.IO side of the wire contract: check a frame, let its session answer, acknowledge.

The browser emits `frame` with `meta` and the image, and gets one object back: a result or a problem (see
`webapp.codec`). Nothing that a browser sends closes its connection.
"""

from __future__ import annotations

import logging
import time
from typing import Any, Protocol, cast

from flask import request
from flask_socketio import SocketIO

from webapp.analysis.frame_session import Analyzer, FrameSession
from webapp.codec import encode_result, problem_to_wire
from webapp.errors import BadFrameError, FrameError, UnavailableError
from webapp.metrics import count_frame, count_frame_problem
from webapp.protocol import Frame, Result, seq_of
from webapp.server.logs.log_context import set_log_context
from webapp.web.sockets.json import EncodedJson

logger = logging.getLogger(__name__)


class Audience(Protocol):
    """Whoever listens to connections and to the results of their frames."""

    def connected(self, connection: str, auth: object) -> None:
        """A browser connected."""

    def disconnected(self, connection: str) -> None:
        """A browser is gone."""

    def expect(self, connection: str, meta: object) -> None:
        """Refuse a frame before it is analyzed, by a `FrameError`."""

    def answered(self, connection: str, frame: Frame, result: Result, received_ms: float) -> Result:
        """Take a finished result, and give it as the browser gets it; `received_ms` is since 1970."""


class FrameEvents:
    """The connected browsers and what happens on their events."""

    def __init__(self, analyzer: Analyzer, smoothing_s: float, audience: Audience) -> None:
        self._analyzer = analyzer
        self._audience = audience
        self._smoothing_s = smoothing_s
        self._sessions: dict[str, FrameSession] = {}

    def clients(self) -> int:
        """The number of connected browsers."""
        return len(self._sessions)

    def register(self, socketio: SocketIO) -> None:
        """Listen on the default namespace."""
        socketio.on_event("connect", self.connect)
        socketio.on_event("disconnect", self.disconnect)
        # Directly on the Socket.IO server: Flask-SocketIO would set up a Flask request for every frame.
        socketio.server.on("frame", self.frame)

    def connect(self, auth: object = None) -> None:
        """Begin a session for the new connection; there is nothing to sign in to."""
        self._sessions[_connection_id()] = FrameSession(self._analyzer, self._smoothing_s)
        self._audience.connected(_connection_id(), auth)

    def disconnect(self, reason: object = None) -> None:
        """Forget the session with its faces."""
        self._sessions.pop(_connection_id(), None)
        self._audience.disconnected(_connection_id())

    def frame(self, connection_id: str, *arguments: object) -> dict[str, Any] | EncodedJson:
        """Answer one frame; the return value is the acknowledgement."""
        set_log_context(connection=connection_id)
        seq = seq_of(arguments[0]) if arguments else None
        try:
            return self._answer(connection_id, arguments)
        except FrameError as problem:
            count_frame_problem(problem.code)
            return problem_to_wire(seq, problem)
        except Exception:  # noqa: BLE001 - one frame must not end a connection; the log has the cause
            logger.exception("a frame could not be answered")
            count_frame_problem(UnavailableError.code)
            return problem_to_wire(
                seq, UnavailableError("The server failed on this frame; its log says why.")
            )

    def _answer(self, connection_id: str, arguments: tuple[object, ...]) -> EncodedJson:
        if len(arguments) != 2:
            raise BadFrameError(
                f"A frame event takes two arguments, meta and the image; got {len(arguments)}."
            )
        received_ms = 1000 * time.time()
        frame = Frame.from_wire(*arguments)
        self._audience.expect(connection_id, arguments[0])
        session = self._sessions.get(connection_id)
        if session is None:
            raise UnavailableError("This connection is closing; connect again and send the next frame.")
        result = self._audience.answered(connection_id, frame, session.answer(frame), received_ms)
        count_frame(result.timing_ms, len(result.faces))
        return EncodedJson(encode_result(result))


def _connection_id() -> str:
    return cast(str, request.sid)  # type: ignore[attr-defined]  # Flask-SocketIO adds it
