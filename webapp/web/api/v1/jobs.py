"""Jobs: images and videos as files, analyzed in their turn, beside the live frames.

Where a host is signed in, a page sends the session's token in `X-CSRFToken` (`POST` and `DELETE`). Without an
account nothing is needed but the session's cookie, which the answer to the first `POST` sets. Programs on
this machine, and the server's own pages, may make jobs without a key. Somebody else's job is answered 404.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response

from webapp.errors import BadUploadError, JobError
from webapp.jobs.record import JobRecord, Reason
from webapp.jobs.service import Sampling
from webapp.jobs.uploads import FORM_BYTES
from webapp.metrics import count_refusal
from webapp.web.api.v1.openapi import ANALYSIS, Answer, described
from webapp.web.api.v1.schemas.jobs import FailureShown, JobList, JobShown, NewJob
from webapp.web.authentication import optional_scope
from webapp.web.context import services
from webapp.web.job_owners import check_not_forged, maker_of_job, owners_of_request
from webapp.web.problems import STATUS, answer_problems, problem_response
from webapp.web.requests import current_request, more_time

RETRY_JOBS_S = "30"
"""When there may be room for another job."""

blueprint = Blueprint("jobs", __name__, url_prefix="/api/v1/jobs")
answer_problems(blueprint)


@blueprint.errorhandler(JobError)
def job_problem(error: JobError) -> Response:
    """What could not be done with a job."""
    headers = None
    if error.code in ("too_many_jobs", "no_space"):
        count_refusal("jobs")
        headers = {"Retry-After": RETRY_JOBS_S} if error.code == "too_many_jobs" else None
    more = {"reason": error.reason} if isinstance(error, BadUploadError) and error.reason else {}
    return problem_response(STATUS[error.code], error.code, str(error), headers, **more)


@blueprint.post("")
@optional_scope("analyze")
@described(ANALYSIS, {202: JobShown}, problems=(413, 507), upload=NewJob)
def create_job() -> Answer:
    """Send a file to be analyzed.

    It is analyzed when its turn comes. Ask for the job until its `state` is `done` or `failed`, then fetch
    what `results` names. The files stay until you delete the job, or an hour after it is finished.
    """
    jobs, owner = services().jobs, maker_of_job()
    jobs.check_limits(owner)
    request = current_request()
    with jobs.uploads.receiving(owner.counts_for, request.content_length, more_time()) as upload:
        request.receive_into(upload, jobs.uploads.max_bytes + FORM_BYTES)
        check_not_forged()
        file = request.files.get("file")
        if file is None:
            raise BadUploadError("Send the file as the field `file` of a multipart/form-data request.")
        return _shown(jobs.create(upload, file.filename, _sampling(request.form), owner)), 202


@blueprint.get("")
@optional_scope("analyze")
@described(ANALYSIS, {200: JobList})
def list_jobs() -> Answer:
    """One's own jobs, the newest first."""
    return JobList(jobs=[_shown(job) for job in services().jobs.of(owners_of_request())]), 200


@blueprint.get("/<job_id>")
@optional_scope("analyze")
@described(ANALYSIS, {200: JobShown})
def show_job(job_id: str) -> Answer:
    """One job."""
    return _shown(services().jobs.find(job_id, owners_of_request())), 200


@blueprint.delete("/<job_id>")
@optional_scope("analyze")
@described(ANALYSIS, {200: JobShown})
def delete_job(job_id: str) -> Answer:
    """Cancel a job if it is not finished, and delete all its files."""
    jobs = services().jobs
    job = jobs.find(job_id, owners_of_request())
    check_not_forged()
    return _shown(jobs.remove(job)), 200


def _sampling(form: dict[str, str]) -> Sampling:
    """Which frames of a video the form asks for.

    Raises:
        BadUploadError: a field is no number, or out of range.
    """
    every, fps = form.get("every", "").strip(), form.get("fps", "").strip()
    try:
        return Sampling(int(every or 1), float(fps) if fps else None)
    except ValueError:
        raise BadUploadError("`every` must be a whole number, and `fps` a number.") from None


def _reason_shown(reason: Reason | None) -> dict[str, Any]:
    if reason is None:
        return {"error": None, "error_code": None, "error_values": {}}
    return {"error": reason.text, "error_code": reason.code, "error_values": reason.values}


def _shown(job: JobRecord) -> JobShown:
    return JobShown(
        id=job.id,
        state=job.state,
        progress=round(job.progress, 4),
        remaining_s=job.remaining_s,
        name=job.name,
        kind=job.kind,
        media_type=job.media_type,
        bytes=job.bytes,
        every=job.every,
        fps=job.fps,
        created=datetime.fromtimestamp(job.created_s, UTC).isoformat(timespec="milliseconds"),
        expires_s=services().jobs.expires_s(job),
        **_reason_shown(job.error),
        failures=[FailureShown(input=name, **_reason_shown(reason)) for name, reason in job.failures],
        results=list(job.results),
    )
