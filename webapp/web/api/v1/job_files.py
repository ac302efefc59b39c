"""The files of a job: its input and its results, with ranges, so that players can seek."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import cast

from flask import Blueprint, Response, send_file

from webapp.errors import JobError
from webapp.jobs.kinds import UNKNOWN_TYPE
from webapp.jobs.record import INPUT, JobRecord
from webapp.web.api.v1.jobs import job_problem
from webapp.web.api.v1.openapi import ANALYSIS, described
from webapp.web.authentication import optional_scope
from webapp.web.context import services
from webapp.web.job_owners import owners_of_request
from webapp.web.problems import answer_problems

RESULT_TYPES = {
    "csv": "text/csv",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}
ANNOTATED_TYPES = {"jpg": "image/jpeg", "mp4": "video/mp4", "zip": "application/zip"}
SHOWN_TYPES = ("image/", "video/")
"""What browsers may show in place; the rest is saved. A page of a job must never run as one of ours."""


def _files(media_type: str) -> dict[int, str]:
    """The responses with a whole file and with a part of one."""
    return {200: media_type, 206: media_type}


blueprint = Blueprint("job_files", __name__, url_prefix="/api/v1/jobs")
blueprint.register_error_handler(JobError, job_problem)
answer_problems(blueprint)


@blueprint.get("/<job_id>/results.<any(csv, json, parquet):kind>")
@optional_scope("analyze")
@described(ANALYSIS, {}, files=_files("*/*"), problems=(409, 416))
def job_results(job_id: str, kind: str) -> Response:
    """A table with a row for each face in each analyzed frame; as JSON with landmarks, one frame a line."""
    return _file(job_id, f"results.{kind}", RESULT_TYPES[kind])


@blueprint.get("/<job_id>/annotated.<any(jpg, mp4, zip):kind>")
@optional_scope("analyze")
@described(ANALYSIS, {}, files=_files("*/*"), problems=(409, 416))
def job_annotated(job_id: str, kind: str) -> Response:
    """The image or the video with boxes and labels, the sound kept; of a ZIP of images, a ZIP of JPEGs."""
    return _file(job_id, f"annotated.{kind}", ANNOTATED_TYPES[kind])


@blueprint.get("/<job_id>/report.html")
@optional_scope("analyze")
@described(ANALYSIS, {}, files=_files("text/html"), problems=(409, 416))
def job_report(job_id: str) -> Response:
    """Tables of means and, of a video, figures over time; one file without scripts."""
    return _file(job_id, "report.html", "text/html")


@blueprint.get("/<job_id>/input")
@optional_scope("analyze")
@described(ANALYSIS, {}, files=_files("*/*"), problems=(409, 416))
def job_input(job_id: str) -> Response:
    """The file that was sent; gone when the job failed."""
    return _file(job_id, INPUT, None)


def _file(job_id: str, name: str, media_type: str | None) -> Response:
    """A file of a job, or the part of it that the request's `Range` asks for.

    Raises:
        NoSuchJobError: there is no such job for this request.
        JobNotReadyError: it has no such file.
    """
    jobs = services().jobs
    job = jobs.find(job_id, owners_of_request())
    media_type = media_type or job.media_type
    response = send_file(
        jobs.file(job, name).absolute(),
        mimetype=media_type,
        as_attachment=not media_type.startswith(SHOWN_TYPES) or media_type == UNKNOWN_TYPE,
        download_name=_download_name(job, name),
        conditional=True,
        max_age=None,
    )
    response.response = _in_turns(cast(Iterable[bytes], response.response))
    return response


def _download_name(job: JobRecord, name: str) -> str:
    if name == INPUT:
        return job.name
    return f"{PurePosixPath(job.name).stem}-{Path(name).stem}{Path(name).suffix}"


def _in_turns(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces of a file; other requests have their turn after each."""
    try:
        for piece in pieces:
            yield piece
            time.sleep(0)
    finally:
        if hasattr(pieces, "close"):
            pieces.close()
