"""Errors of the API."""

from __future__ import annotations

from pydantic import Field

from webapp.web.api.v1.schemas.base import ResponseModel


class ProblemCode(ResponseModel):
    """What programs branch on, and what people read."""

    code: str = Field(examples=["bad_request"])
    message: str


class Problem(ResponseModel):
    """A problem detail of RFC 9457 that has the `problem` of the wire contract too."""

    type: str = Field(description="Leads to the explanation of the code.")
    title: str
    status: int
    detail: str = Field(description="What was received, what was expected and what to do.")
    instance: str | None = Field(default=None, description="The path of the request.")
    problem: ProblemCode
    seq: int | None = Field(default=None, description="0 in answers about an image.")
