"""The page, the health checks and the analysis of single pictures over plain HTTP."""

from __future__ import annotations

import logging
from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request
from flask_login import current_user
from werkzeug.exceptions import RequestEntityTooLarge

from webapp.analysis.worker_pool import WorkerPool
from webapp.codec import problem_to_wire
from webapp.config import Settings
from webapp.errors import BadFrameError, BusyError, FrameError, StoreError, TooLargeError
from webapp.protocol import MAX_IMAGE_BYTES, Frame
from webapp.server.addresses import without_port
from webapp.server.certificates import authority_pem
from webapp.server.connection_limits import network_of
from webapp.web.api.v1.uploads import Uploads

logger = logging.getLogger(__name__)

PROBLEM_STATUS = {"bad_frame": 400, "too_large": 413, "busy": 503, "unavailable": 503}

RETRY_AFTER_S = "1"
"""When a server that is busy may have time for an upload."""

HTTPS_PORT = 8443
"""Where `make serve` listens."""


def create_blueprint(pool: WorkerPool, settings: Settings) -> Blueprint:
    """All routes of the server but Socket.IO's."""
    routes = Blueprint("routes", __name__)
    uploads = Uploads(pool)

    @routes.get("/")
    def index() -> str:
        port = settings.port if settings.https else HTTPS_PORT
        return render_template(
            "live/index.html",
            https_url=f"https://{without_port(request.host)}:{port}/",
            max_image_bytes=MAX_IMAGE_BYTES,
        )

    @routes.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="alive")

    @routes.get("/readyz")
    def readyz() -> tuple[Response, int]:
        return (jsonify(status="ready"), 200) if pool.ready else (jsonify(status="starting"), 503)

    @routes.post("/api/v1/analyze")
    def analyze() -> Response | tuple[dict[str, Any], int, dict[str, str]]:
        owner = _owner()
        try:
            with uploads.place(owner):
                return Response(uploads.analyze(_uploaded_picture(), owner), mimetype="application/json")
        except FrameError as problem:
            headers = {"Retry-After": RETRY_AFTER_S} if isinstance(problem, BusyError) else {}
            return problem_to_wire(0, problem), PROBLEM_STATUS[problem.code], headers

    @routes.get("/authority.crt")
    def authority() -> Response:
        """The certificate authority of this server, for people who want to trust it."""
        pem = authority_pem(settings)
        if pem is None:
            abort(404, "This server has no certificate authority of its own.")
        return Response(pem, mimetype="application/x-x509-ca-cert")

    return routes


def _owner() -> tuple[str, object]:
    """Whose upload a request is: a host's, by key or session, or its address's."""
    try:
        if current_user.is_authenticated:
            return "host", current_user.id
    except StoreError as error:
        logger.debug("an upload counts for its address: %s", error)
    return "address", network_of(request.remote_addr or "")


def _uploaded_picture() -> bytes:
    """The bytes of the field `image`.

    Raises:
        BadFrameError: there is no such file, or it is empty.
        TooLargeError: it has more than MAX_IMAGE_BYTES.
    """
    try:
        upload = request.files.get("image")
    except RequestEntityTooLarge:
        raise TooLargeError(f"The upload is too large; at most {MAX_IMAGE_BYTES:,} bytes fit.") from None
    if upload is None:
        raise BadFrameError("Send the picture as the file `image` of a multipart/form-data request.")
    return Frame.from_wire({"seq": 0, "captured_ms": 0.0}, upload.read(MAX_IMAGE_BYTES + 1)).image
