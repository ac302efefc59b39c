"""The analysis of single images over plain HTTP."""

from __future__ import annotations

import logging
from typing import Any

from flask import Blueprint, Response, request
from flask_login import current_user
from werkzeug.exceptions import RequestEntityTooLarge

from webapp.codec import problem_to_wire
from webapp.errors import BadFrameError, BusyError, FrameError, StoreError, TooLargeError
from webapp.metrics import ANALYZED, count_upload
from webapp.protocol import MAX_IMAGE_BYTES, Frame
from webapp.server.connection_limits import network_of
from webapp.web.context import services

FRAME_STATUS = {"bad_frame": 400, "too_large": 413, "busy": 503, "unavailable": 503}

RETRY_UPLOAD_S = "1"
"""When a server that is busy may have time for an upload."""

logger = logging.getLogger(__name__)

blueprint = Blueprint("analyze", __name__, url_prefix="/api/v1")


@blueprint.errorhandler(FrameError)
def problem_response(error: FrameError) -> tuple[dict[str, Any], int, dict[str, str]]:
    """The problem object of the wire contract."""
    count_upload(error.code)
    headers = {"Retry-After": RETRY_UPLOAD_S} if isinstance(error, BusyError) else {}
    return problem_to_wire(0, error), FRAME_STATUS[error.code], headers


@blueprint.post("/analyze")
def analyze() -> Response:
    """The result object for the image in the multipart field `image`."""
    uploads, owner = services().uploads, _owner()
    with uploads.slot(owner):
        response = Response(uploads.analyze(_uploaded_image(), owner), mimetype="application/json")
    count_upload(ANALYZED)
    return response


def _owner() -> tuple[str, object]:
    """Whose upload a request is: a host's, by key or session, or its address's."""
    try:
        if current_user.is_authenticated:
            return "host", current_user.id
    except StoreError as error:
        logger.debug("an upload counts for its address: %s", error)
    return "address", network_of(request.remote_addr or "")


def _uploaded_image() -> bytes:
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
        raise BadFrameError("Send the image as the file `image` of a multipart/form-data request.")
    return Frame.from_wire({"seq": 0, "captured_ms": 0.0}, upload.read(MAX_IMAGE_BYTES + 1)).image
