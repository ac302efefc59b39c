"""What every HTTP request leaves behind: an id, a count, and an entry in the activity log if it is noted."""

from __future__ import annotations

import re
import secrets

from flask import Flask, Response, g, request

from webapp.metrics import count_request
from webapp.rooms.room import normal_code
from webapp.server.logs.log_context import reset_log_context, set_log_context
from webapp.web.audited import note_actor, note_request

REQUEST_ID = "X-Request-ID"

GIVEN_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)
"""An id that a proxy in front may have given a request."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Those that are counted by name: anybody may send others."""


def observe(app: Flask) -> None:
    """Give an application's requests ids, and count and note what they did."""
    app.before_request(begin)
    app.after_request(finish)
    app.teardown_request(end)


def begin() -> None:
    """Name the request; lines of the log that are written from now on carry the name."""
    given = request.headers.get(REQUEST_ID, "")
    g.request_id = given if GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
    room = normal_code((request.view_args or {}).get("code"))
    g.log_context = set_log_context(request=g.request_id, room=room)
    note_actor()


def finish(response: Response) -> Response:
    """Count the request, note what it did, and tell its id."""
    method = request.method if request.method in METHODS else "other"
    count_request(method, request.blueprint or request.endpoint or "none", response.status_code)
    note_request(response)
    if request_id := g.get("request_id"):
        response.headers[REQUEST_ID] = request_id
    return response


def end(_: BaseException | None) -> None:
    """What follows on this connection is another request's."""
    if token := g.pop("log_context", None):
        reset_log_context(token)
