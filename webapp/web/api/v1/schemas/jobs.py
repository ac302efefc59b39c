"""Jobs: what programs send and get."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from webapp.errors import FailureCode
from webapp.jobs.service import MAX_FPS
from webapp.protocol import MAX_EVERY
from webapp.web.api.v1.schemas.base import ResponseModel

CODE = "The reason as a stable code."
VALUES = "The numbers that belong to the reason."


class NewJob(ResponseModel):
    """The form that makes a job."""

    file: bytes = Field(description="An image, a video, or a ZIP of images.")
    every: int = Field(default=1, ge=1, le=MAX_EVERY, description="Of a video, analyze every Nth frame.")
    fps: float | None = Field(
        default=None,
        gt=0,
        le=MAX_FPS,
        description="Instead: analyze so many frames a second, chosen by their times.",
    )


class FailureShown(ResponseModel):
    """An image of a ZIP that could not be analyzed, or an annotated copy that could not be made."""

    input: str
    error: str
    error_code: FailureCode = Field(description=CODE, examples=["bad_frame"])
    error_values: dict[str, float] = Field(description=VALUES)


class JobShown(ResponseModel):
    """A job."""

    id: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    progress: float = Field(ge=0, le=1)
    remaining_s: float | None = Field(
        description="Seconds until it is done, once that can be estimated; then null again."
    )
    name: str = Field(description="The file, as it was named.")
    kind: Literal["image", "images", "video"] = Field(description="`images` is a ZIP of them.")
    media_type: str = Field(description="Of `input`.")
    bytes: int
    every: int
    fps: float | None
    created: str = Field(description="ISO 8601, UTC.")
    expires_s: float | None = Field(description="Seconds until it is deleted; null while it is not finished.")
    error: str | None = Field(description="Why it failed, in English.")
    error_code: FailureCode | None = Field(description=CODE, examples=["long_video"])
    error_values: dict[str, float] = Field(description=VALUES, examples=[{"minutes": 30.0}])
    failures: list[FailureShown] = Field(description="What failed although the job did not; the first 100.")
    results: list[str] = Field(
        description="What can be fetched now, by its name below the job's address. Tables are there before "
        "the annotated copy of a video.",
        examples=[["results.csv", "results.json", "report.html", "annotated.mp4"]],
    )


class JobList(ResponseModel):
    """One's own jobs, the newest first."""

    jobs: list[JobShown]
