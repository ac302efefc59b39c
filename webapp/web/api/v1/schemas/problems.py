"""Errors of the API."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from webapp.codec import problem_details
from webapp.web.api.v1.schemas.base import ResponseModel

CODES = {
    "bad_request": "The request cannot be read, or a field is missing or wrong; the text names it.",
    "bad_frame": "The image is damaged, empty, missing, or of a kind that is not taken.",
    "busy": "The server has as much to do as it can; try again after `Retry-After`.",
    "forbidden": "The key lacks the scope for this, or the page that asked is too old.",
    "method_not_allowed": "The address takes other methods; the header `Allow` lists them.",
    "no_space": "The disk, or the part of it that jobs may take, is full.",
    "no_such_job": "There is no such job, or it is somebody else's.",
    "no_such_participant": "The room has no participant with this id.",
    "no_such_marker": "The room has no marker with this id; it may have been deleted.",
    "no_such_range": "The file is shorter than the `Range` that was asked for.",
    "no_such_room": "No room has this code.",
    "not_found": "The API has nothing at this address.",
    "not_here": "Another node serves this room, and nothing was done; send the same again at once.",
    "not_ready": "The job has no such file, or none yet.",
    "room_closed": "The room is closed: nothing more is recorded or marked in it.",
    "server_error": "The server failed; its log says why.",
    "store_unavailable": "The database does not work now; try again later.",
    "too_large": "The request, or the image, is larger than the limits allow.",
    "too_many_attempts": "Too many wrong keys, or too many images without a key, from this address.",
    "too_many_jobs": "There are as many jobs, or files on their way, as there may be.",
    "unauthorized": "A key is needed, or the one that was sent is wrong.",
    "unavailable": "No worker can analyze now; they are being started. Try again.",
    "unknown_host": "The server does not go by the name in the address (`MIEN_KNOWN_HOSTS`).",
    "unsupported_media_type": "The body must be JSON, with `Content-Type: application/json`.",
}
"""What each code means; the documentation lists them."""


class ProblemCode(ResponseModel):
    """What programs branch on, and what people read."""

    code: str = Field(examples=["bad_request"])
    message: str


class Description(ResponseModel):
    """A document of OpenAPI 3.1."""

    openapi: str
    info: dict[str, str]


class Problem(ResponseModel):
    """A problem detail of RFC 9457 that has the `problem` of the wire contract too."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **problem_details(404, "no_such_room", "There is no room with this code; check it."),
                "instance": "/api/v1/rooms/NONE2345",
            }
        }
    )

    type: str = Field(description="Leads to the explanation of the code.")
    title: str
    status: int
    detail: str = Field(description="What was received, what was expected and what to do.")
    instance: str | None = Field(default=None, description="The path of the request.")
    problem: ProblemCode
    seq: int | None = Field(default=None, description="0 in answers about an image.")
    reason: str | None = Field(default=None, description="What is wrong with a file that was sent as a job.")
