"""Lets a Socket.IO connection in only where its room is served: the rooms of other nodes are theirs.

It stands in front of Socket.IO, so that a proxy sees a refusal as the status 503 and asks the next node, also
for a websocket. Each request that names its room, as our pages' do, is held against it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from webapp.codec import PROBLEM_MEDIA_TYPE, problem_details
from webapp.errors import NotHereError, StoreError
from webapp.metrics import count_refusal
from webapp.rooms.room import normal_code
from webapp.rooms.service import RoomService
from webapp.web.problems import not_here_headers
from webapp.web.security import SECURITY_HEADERS
from webapp.web.sockets.drain import Drain

PATH = "/socket.io/"
HEADERS = [(name, SECURITY_HEADERS[name]) for name in ("X-Content-Type-Options", "Referrer-Policy")]

StartResponse = Callable[..., Any]
Wsgi = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

logger = logging.getLogger(__name__)


class RoomGate:
    """A WSGI application in front of another. Any thread may call it."""

    def __init__(self, application: Wsgi, rooms: RoomService | None, drain: Drain) -> None:
        """`rooms` is None where no other node can have one."""
        self._application = application
        self._rooms = rooms
        self._drain = drain

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, or let the other application answer it."""
        if environ.get("PATH_INFO", "").startswith(PATH):
            start_response = _with_headers(start_response)
            try:
                self._check(environ)
            except NotHereError as error:
                count_refusal("not here")
                return _refusal(error, start_response)
        return self._application(environ, start_response)

    def _check(self, environ: dict[str, Any]) -> None:
        """Raise a NotHereError if this node does not serve the room that a request names."""
        query = parse_qs(environ.get("QUERY_STRING", ""))
        if self._drain.has_begun and "sid" not in query:
            raise NotHereError
        code = normal_code(query.get("room", [""])[0])
        if not code or self._rooms is None or self._drain.has_begun:
            return
        try:
            self._rooms.catalogue.find(code)
        except StoreError as error:  # events will say so
            logger.debug("whose room it is cannot be told: %s", error)


def _with_headers(start_response: StartResponse) -> StartResponse:
    """As the other application's own answers have them."""

    def start(status: str, headers: list[tuple[str, str]], *more: object) -> object:
        return start_response(status, [*headers, *HEADERS], *more)

    return start


def _refusal(error: NotHereError, start_response: StartResponse) -> Iterable[bytes]:
    body = json.dumps(problem_details(503, error.code, str(error))).encode()
    headers = [
        ("Content-Type", PROBLEM_MEDIA_TYPE),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        *not_here_headers(error).items(),
    ]
    start_response("503 SERVICE UNAVAILABLE", headers)
    return [body]
