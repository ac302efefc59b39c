"""Errors as HTTP responses, each with its status: a problem detail for programs (RFC 9457), or a page.

The API answers whoever opens its addresses in a browser with a page, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import format_decimal, gettext
from flask_babel import gettext as _

from webapp.codec import PROBLEM_MEDIA_TYPE, problem, problem_details
from webapp.errors import ExportsBusyError, NotHereError, RoomError, StoreError

STATUS = {
    "unauthorized": 401,
    "bad_request": 400,
    "consent_required": 403,
    "forbidden": 403,
    "no_such_room": 404,
    "no_such_participant": 404,
    "no_such_marker": 404,
    "room_closed": 409,
    "room_full": 409,
    "cannot_resume": 403,
    "too_many_attempts": 429,
    "busy": 503,
    "not_here": 503,
    "no_such_job": 404,
    "not_ready": 409,
    "too_large": 413,
    "too_many_jobs": 429,
    "no_space": 507,
}

HTTP_PROBLEMS = {
    400: ("bad_request", "The request cannot be read."),
    404: ("not_found", "The API has nothing at this address; /api/v1/docs lists what it has."),
    405: ("method_not_allowed", "This address takes other methods; the header Allow lists them."),
    413: ("too_large", "The request is too large."),
    415: ("unsupported_media_type", "The body must be JSON, with Content-Type: application/json."),
    416: ("no_such_range", "The file is shorter than the range asked for; Content-Range has its size."),
    500: ("server_error", "The server failed on this; its log says why."),
}
"""Code and message by the status of a response that no view of ours made."""


PAGE_TOKEN = "X-CSRFToken"  # noqa: S105 - the name of a header
"""Sent by pages of ours with what they ask of the API."""

RETRY_EXPORT_S = "10"
"""When to ask again while other exports run."""


def problem_response(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None, **more: object
) -> Response:
    """A problem as the HTTP API answers it, with `more` members than it has anyway; to people a page."""
    if is_navigation():
        return _page_response(status, "", headers or {})
    details = {**problem_details(status, code, message), "instance": quote(request.path), **more}
    response = Response(json.dumps(details), status, headers, content_type=PROBLEM_MEDIA_TYPE)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def error_response(error: RoomError | StoreError) -> Response:
    """What could not be done, as the HTTP API answers it: in English; to our own pages in theirs, too."""
    if is_navigation():
        headers = {**_retry_header(error), **page_headers(error)}
        return _page_response(status_of(error), page_text(error), headers)
    found = room_problem(error)["problem"]
    more = {"text": page_text(error)} if PAGE_TOKEN in request.headers else {}
    return problem_response(status_of(error), found["code"], found["message"], _retry_header(error), **more)


def is_navigation() -> bool:
    """Whether a person opens this address: by a link such as that of an export, or by typing it."""
    return request.headers.get("Sec-Fetch-Mode") == "navigate" and request.accept_mimetypes.accept_html


def _page_response(status: int, text: str, headers: Mapping[str, str]) -> Response:
    response = make_response(problem_page(status, text))
    response.headers.update(headers)
    return response


def page_headers(error: RoomError | StoreError) -> dict[str, str]:
    """The headers of a page that says what could not be done: browsers load it again if that may help."""
    return {**_retry_header(error), "Refresh": "1"} if isinstance(error, NotHereError) else {}


def not_here_headers(error: NotHereError) -> dict[str, str]:
    """The headers of an answer that another node should give: a proxy that knows them asks that node itself.

    `X-Accel-Redirect` is nginx's; deploy/cluster/nginx/proxy.conf has the location that it names.
    """
    to_holder = {"X-Accel-Redirect": "@holder", "X-Mien-Holder": error.holder} if error.holder else {}
    return {"Retry-After": "0", **to_holder}


def _retry_header(error: RoomError | StoreError) -> dict[str, str]:
    if isinstance(error, NotHereError):
        return not_here_headers(error)
    return {"Retry-After": RETRY_EXPORT_S} if isinstance(error, ExportsBusyError) else {}


def answer_problems(blueprint: Blueprint) -> None:
    """Let a blueprint of the API answer errors of rooms and of the store as problems."""
    blueprint.register_error_handler(RoomError, error_response)
    blueprint.register_error_handler(StoreError, error_response)


def room_problem(error: RoomError | StoreError) -> dict[str, Any]:
    """What an event is acknowledged with for an error of a room or the store."""
    if isinstance(error, StoreError):
        return problem("store_unavailable", "The database does not work; rooms cannot be used now.")
    return problem(error.code, str(error))


def page_text(error: RoomError | StoreError) -> str:
    """What a page says about it, in the page's language."""
    if isinstance(error, StoreError):
        return str(gettext("The database does not work; rooms cannot be used now."))
    if isinstance(error, NotHereError):
        return str(gettext("The room is moving to another server. Try again in a moment."))
    return str(gettext(error.message, **{name: _shown(name, value) for name, value in error.values.items()}))


def _shown(name: str, value: str | int) -> str:
    """A value of an error as a page writes it: numbers as its language does, fields by the names in forms."""
    if isinstance(value, int):
        return str(format_decimal(value))
    return _field_names().get(value.partition(".")[0], value) if name == "name" else value


def _field_names() -> dict[str, str]:
    return {
        "name": _("Name"),
        "information": _("Information for participants"),
        "information_translations": _("Information for participants"),
        "max_participants": _("Maximum number of people"),
        "marker_labels": _("Marker labels"),
        "A label of a marker": _("Marker labels"),
        "allowed_origins": _("Pages that may embed this room"),
        "id_parameter": _("Parameter with the participant's ID"),
        "return_url": _("Address to return to"),
        "completion_code": _("Completion code"),
        "lsl_markers": _("Lab Streaming Layer stream with markers"),
    }


def status_of(error: RoomError | StoreError) -> int:
    """The HTTP status for it."""
    return 503 if isinstance(error, StoreError) else STATUS[error.code]


def problem_page(status: int, text: str = "") -> tuple[str, int]:
    """A page for people: what a status means, or `text` if there is something better to say, and a way on."""
    known = _explanations()
    title, advice = known.get(status) or known[500 if status >= 500 else 400]
    return render_template("shared/problem.html", status=status, title=title, text=text or advice), status


def _explanations() -> dict[int, tuple[str, str]]:
    """A title and a text by status, in the language of the request."""
    return {
        400: (
            _("This did not work"),
            _("The server could not read what your browser sent. Go back and try again."),
        ),
        403: (
            _("You cannot do this here"),
            _("This page is not open to you. If you have an account, sign in."),
        ),
        404: (
            _("There is no such page"),
            _("The address may be misspelt, or what was here has been deleted."),
        ),
        405: (_("This address is not a page"), _("It only takes what a form sends. Go back and try again.")),
        409: (
            _("This is not possible now"),
            _("Something has changed in the meantime. Go back and try again."),
        ),
        413: (_("This is too large"), _("Send a smaller file.")),
        429: (_("Too many attempts"), _("Wait a minute, then try again.")),
        500: (
            _("Something went wrong"),
            _("The server failed. If that happens again, tell the person who runs it."),
        ),
        503: (_("Not available right now"), _("The server is busy or getting ready. Try again in a minute.")),
    }
