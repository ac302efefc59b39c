"""The analysis of single images over plain HTTP."""

from __future__ import annotations

import io
from typing import IO, Any

from flask import Blueprint, Response, request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from webapp.errors import BadFrameError, BusyError, FrameError, RoomError, TooLargeError
from webapp.metrics import ANALYZED, count_upload
from webapp.web.api.v1.openapi import ANALYSIS, described
from webapp.web.api.v1.schemas.results import ImageForm, ImageResult
from webapp.web.authentication import optional_scope
from webapp.web.context import services
from webapp.web.problems import problem_response, status_of
from webapp.web.requests import more_time
from webapp.web.upload_access import admit_upload

FRAME_STATUS = {"bad_frame": 400, "too_large": 413, "busy": 503, "unavailable": 503}

RETRY_UPLOAD_S = "1"
"""When a server that is busy may have time for an upload."""

RETRY_SHARE_S = "60"
"""When an address without a key has its share again."""

MAX_FORM_BYTES = 100_000
"""For what a form has beside its image."""

MAX_FORM_PARTS = 10

SLICE_BYTES = 1 << 20
SLICE_S = 30.0
"""Each megabyte must arrive within this time: a phone may send a photo at 300 kbit/s."""

blueprint = Blueprint("analyze", __name__, url_prefix="/api/v1")


@blueprint.errorhandler(FrameError)
def frame_problem(error: FrameError) -> Response:
    """The problem object of the wire contract."""
    count_upload(error.code)
    headers = {"Retry-After": RETRY_UPLOAD_S} if isinstance(error, BusyError) else None
    return problem_response(FRAME_STATUS[error.code], error.code, str(error), headers, seq=0)


@blueprint.errorhandler(RoomError)
def access_problem(error: RoomError) -> Response:
    """The same for whoever may not analyze."""
    count_upload(error.code)
    status = status_of(error)
    headers = {"Retry-After": RETRY_SHARE_S} if status == 429 else None
    return problem_response(status, error.code, str(error), headers, seq=0)


@blueprint.post("/analyze")
@optional_scope("analyze")
@described(ANALYSIS, {200: ImageResult}, problems=(413,), upload=ImageForm)
def analyze() -> Response:
    """Find the faces in an image, and their expressions.

    Live frames come first. From the server's own machine no key is needed, and none for its own pages.
    """
    uploads, owner = services().uploads, admit_upload()
    with uploads.slot(owner, is_stranger=owner[0] == "address"):
        response = Response(uploads.analyze(_uploaded_image(), owner), mimetype="application/json")
    count_upload(ANALYZED)
    return response


def _uploaded_image() -> bytes:
    """The bytes of the field `image`, read into memory: no image is written to the disk.

    Raises:
        BadFrameError: there is no such file.
        TooLargeError: the request is larger than an image may be.
    """
    max_bytes = services().uploads.limits.max_bytes
    request.max_content_length = max_bytes + MAX_FORM_BYTES
    parser = FormDataParser(_in_memory, MAX_FORM_BYTES, max_form_parts=MAX_FORM_PARTS)
    try:
        _, _, files = parser.parse(
            request.stream, request.mimetype, request.content_length, request.mimetype_params
        )
    except RequestEntityTooLarge:
        raise TooLargeError(f"The upload is too large; at most {max_bytes:,} bytes fit.") from None
    upload: FileStorage | None = files.get("image")
    if upload is None:
        raise BadFrameError("Send the image as the file `image` of a multipart/form-data request.")
    image: bytes = upload.read()
    return image


def _in_memory(
    total_content_length: int | None,
    content_type: str | None,
    filename: str | None,
    content_length: int | None = None,
) -> IO[bytes]:
    """Where the parser puts a file."""
    return _Arriving()


class _Arriving(io.BytesIO):
    """An image that arrives in memory; each megabyte gives the next one its time."""

    def __init__(self) -> None:
        super().__init__()
        self._more_time = more_time()

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        """As a file's."""
        before = self.tell()
        written = super().write(data)
        if before // SLICE_BYTES != self.tell() // SLICE_BYTES:
            self._more_time(SLICE_S)
        return written
