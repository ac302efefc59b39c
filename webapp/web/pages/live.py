"""The page, the health checks and the analysis of single pictures over plain HTTP."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request
from werkzeug.exceptions import RequestEntityTooLarge

from webapp.analysis.frame_session import Analyzer, Client
from webapp.analysis.worker_pool import Engine
from webapp.config import Settings
from webapp.errors import BadFrameError, FrameError, TooLargeError
from webapp.protocol import MAX_IMAGE_BYTES, Frame, problem_to_wire
from webapp.server.certificates import authority_pem

PROBLEM_STATUS = {"bad_frame": 400, "too_large": 413, "busy": 503, "unavailable": 503}

HTTPS_PORT = 8443
"""Where `make serve` listens."""


def create_blueprint(engine: Engine, settings: Settings) -> Blueprint:
    """All routes of the server but Socket.IO's."""
    routes = Blueprint("routes", __name__)

    @routes.get("/")
    def index() -> str:
        port = settings.port if settings.https else HTTPS_PORT
        return render_template(
            "live/index.html",
            https_url=f"https://{request.host.rsplit(':', 1)[0]}:{port}/",
            max_image_bytes=MAX_IMAGE_BYTES,
        )

    @routes.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="alive")

    @routes.get("/readyz")
    def readyz() -> tuple[Response, int]:
        return (jsonify(status="ready"), 200) if engine.ready else (jsonify(status="starting"), 503)

    @routes.post("/api/v1/analyze")
    def analyze() -> Response | tuple[dict[str, Any], int]:
        try:
            return Response(analyze_picture(engine, _uploaded_picture()), mimetype="application/json")
        except FrameError as problem:
            return problem_to_wire(0, problem), PROBLEM_STATUS[problem.code]

    @routes.get("/authority.crt")
    def authority() -> Response:
        """The certificate authority of this server, for people who want to trust it."""
        pem = authority_pem(settings)
        if pem is None:
            abort(404, "This server has no certificate authority of its own.")
        return Response(pem, mimetype="application/x-x509-ca-cert")

    return routes


def analyze_picture(analyzer: Analyzer, image: bytes) -> str:
    """The result object, in JSON, of a picture that belongs to no stream; its `seq` is 0."""
    return Client(analyzer, smoothing_s=0.0).answer(Frame(0, 0.0, image)).to_json()


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
