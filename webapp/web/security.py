"""What every response gets: security headers, and problems that programs can read; no forged requests."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, g, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import ClientDisconnected, HTTPException

from webapp.rooms.embedding import frame_ancestors
from webapp.server.known_hosts import is_api
from webapp.web.problems import HTTP_PROBLEMS, problem_page, problem_response

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; worker-src 'self' blob:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors "
)
"""'self' covers WebSockets to our own origin; Safari before 15.4 lacks this and polls. Who may embed a
page follows."""

SECURITY_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

KEPT_HEADERS = {"Allow", "Retry-After", "Content-Range"}
"""Those of an error that say what to do."""

PRIVATE_PATHS = ("/host", "/api/v1/rooms", "/api/v1/clock", "/api/v1/jobs", "/r/")
"""What no browser and no proxy may keep."""


def secure(app: Flask) -> None:
    """Give an application headers, the check for forged requests, and responses where no view makes one."""
    app.config.update(
        WTF_CSRF_CHECK_DEFAULT=False,  # by `host_only` and the login, not for what needs no session
        WTF_CSRF_SSL_STRICT=False,  # wants a referrer, which our pages never send; the token does not
        WTF_CSRF_TIME_LIMIT=None,  # a board stays open for hours
    )
    CSRFProtect(app)
    app.after_request(add_headers)
    app.register_error_handler(CSRFError, refuse_forgery)
    app.register_error_handler(HTTPException, http_error_response)


def check_forgery() -> None:
    """Make sure that one of our own pages sent this request, where it changes something.

    Raises:
        CSRFError: it carries no token of the session.
    """
    current_app.extensions["csrf"].protect()


def allow_embedding(origins: Sequence[str]) -> None:
    """Let pages of these origins show the response to this request in a frame; no origins, no pages."""
    g.embedding_origins = tuple(origins)


def add_headers(response: Response) -> Response:
    """The response with the headers that all have."""
    response.headers.update(SECURITY_HEADERS)
    origins = g.get("embedding_origins", ())
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY + frame_ancestors(origins)
    if not origins:
        response.headers["X-Frame-Options"] = "DENY"  # it cannot name origins
    if request.path.startswith(PRIVATE_PATHS):
        response.headers["Cache-Control"] = "no-store"
    return response


def refuse_forgery(error: CSRFError) -> Response | tuple[str, int]:
    """The response to a form that is not ours, or too old: an object for programs, a page for people."""
    if is_api(request.path):
        return problem_response(
            403, "forbidden", "The page that sent this is too old, or not ours; load it again."
        )
    return problem_page(403, _("The page that sent this is too old, or not ours; load it again."))


def http_error_response(error: HTTPException) -> Any:  # noqa: ANN401 - an error is a response of werkzeug's own
    """The response where there is no view, or one failed: an object for programs, a page for people."""
    response = error.get_response()  # with its own headers, such as Allow
    status = error.code or 500
    if status < 400:  # a redirect
        return response
    if not is_api(request.path):
        response.data, _ = problem_page(status)
        return response
    code, message = HTTP_PROBLEMS.get(status) or (_code_of(status), error.description or error.name)
    if isinstance(error, ClientDisconnected):
        message = "The request did not arrive whole, or too slowly; send it again over a better connection."
    headers = {name: value for name, value in response.headers.items() if name in KEPT_HEADERS}
    return problem_response(status, code, message, headers)


def _code_of(status: int) -> str:
    """The code of a problem that has no other than its status."""
    return HTTPStatus(status).name.lower()
