"""Errors as HTTP responses, each with its status: `{"problem": {"code", "message"}}`."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext

from webapp.codec import problem
from webapp.errors import RoomError, StoreError

STATUS = {
    "bad_request": 400,
    "consent_required": 403,
    "forbidden": 403,
    "no_such_room": 404,
    "no_such_participant": 404,
    "room_closed": 409,
    "room_full": 409,
    "cannot_resume": 403,
    "too_many_attempts": 429,
    "busy": 503,
}

HTTP_PROBLEMS = {
    400: ("bad_request", "The request cannot be read."),
    404: ("not_found", "The API has nothing at this address; docs/rooms.md lists what it has."),
    405: ("method_not_allowed", "This address takes other methods; the header Allow lists them."),
    413: ("too_large", "The request is too large."),
    415: ("unsupported_media_type", "The body must be JSON, with Content-Type: application/json."),
    500: ("server_error", "The server failed on this; its log says why."),
}
"""Code and message by the status of a response that no view of ours made."""


def room_problem(error: RoomError | StoreError) -> dict[str, Any]:
    """The body for an error of a room or the store."""
    if isinstance(error, StoreError):
        return problem("store_unavailable", "The database does not work; rooms cannot be used now.")
    return problem(error.code, str(error))


def page_text(error: RoomError | StoreError) -> str:
    """What a page says about it, in the page's language."""
    if isinstance(error, StoreError):
        return str(gettext("The database does not work; rooms cannot be used now."))
    return str(gettext(error.message, **error.values))


def status_of(error: RoomError | StoreError) -> int:
    """The HTTP status for it."""
    return 503 if isinstance(error, StoreError) else STATUS[error.code]
