"""A program or a browser that has files analyzed by a real server."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import Any

import requests

from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until

TIMEOUT_S = 60
DONE_TIMEOUT_S = 600.0
"""Jobs have the lowest priority, and the tests may have many neighbours."""

Job = dict[str, Any]


class JobClient:
    """Has a cookie jar of its own, and so jobs of its own; `headers` go with every request."""

    def __init__(self, server: Server, **headers: str) -> None:
        self.server = server
        self._url = f"{server.url}/api/v1/jobs"
        self.session = requests.Session()
        self.session.headers.update({name.replace("_", "-"): value for name, value in headers.items()})

    def send(self, name: str, content: bytes, **form: str) -> requests.Response:
        """Send a file."""
        return self.session.post(self._url, files={"file": (name, content)}, data=form, timeout=TIMEOUT_S)

    def make(self, name: str, content: bytes, **form: str) -> str:
        """Send a file that is taken; the id of the job."""
        answer = self.send(name, content, **form)
        assert answer.status_code == 202, answer.text
        job_id: str = answer.json()["id"]
        return job_id

    def get(self, path: str = "", **headers: str) -> requests.Response:
        """Ask for a job or a file of it."""
        return self.session.get(f"{self._url}{path}", headers=headers, timeout=TIMEOUT_S)

    def job(self, job_id: str) -> Job:
        """A job that exists."""
        answer = self.get(f"/{job_id}")
        assert answer.status_code == 200, answer.text
        job: Job = answer.json()
        return job

    def all(self) -> list[Job]:
        """The jobs of this client."""
        jobs: list[Job] = self.get().json()["jobs"]
        return jobs

    def finished(self, job_id: str) -> Job:
        """Wait until a job is done or failed."""
        wait_until(lambda: self.job(job_id)["state"] in ("done", "failed"), DONE_TIMEOUT_S)
        return self.job(job_id)

    def wait_until_running(self, job_id: str) -> None:
        """Wait until some of a job is done."""
        wait_until(lambda: self.job(job_id)["progress"] > 0, DONE_TIMEOUT_S)

    def delete(self, job_id: str, **headers: str) -> requests.Response:
        """Cancel and remove a job."""
        return self.session.delete(f"{self._url}/{job_id}", headers=headers, timeout=TIMEOUT_S)

    def rows(self, job_id: str) -> list[dict[str, str]]:
        """The rows of the CSV of a job."""
        return list(csv.DictReader(io.StringIO(self.get(f"/{job_id}/results.csv").text)))


def kept_files(server: Server) -> set[str]:
    """The names of all files of jobs and uploads, without the queues; some may be deleted meanwhile."""
    return {path.name for path in kept_paths(server)}


def kept_paths(server: Server) -> set[Path]:
    """As `kept_files`, where several jobs are kept."""
    folder = Path(server.settings["MIEN_DATA_DIR"]) / "jobs"
    found = (Path(parent, name) for parent, _, names in os.walk(folder) for name in names)
    return {path for path in found if path.parent != folder}
