"""What views work with: the parts of the server, as values of one type.

rooms = services().rooms
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from webapp.accounts.audit import AuditLog
from webapp.accounts.join_limits import WrongCodes
from webapp.accounts.rate_limits import AttemptLimit
from webapp.accounts.service import AccountService
from webapp.analysis.worker_pool import WorkerPool
from webapp.config import PROJECT_ROOT, Settings
from webapp.jobs.service import JobService
from webapp.rooms.service import RoomService
from webapp.version import VERSION
from webapp.web.requests import MienRequest
from webapp.web.sockets.drain import Drain
from webapp.web.state_metrics import StateMetrics
from webapp.web.uploads import Uploads


@dataclass(frozen=True, slots=True)
class Services:
    """The parts that views ask.

    `page_uploads` counts what is uploaded without a key, by address, if that is limited; `wrong_codes` counts
    those typed into the pages. `drain` says whether this server is about to end.
    """

    settings: Settings
    pool: WorkerPool
    accounts: AccountService
    rooms: RoomService
    uploads: Uploads
    page_uploads: AttemptLimit | None
    wrong_codes: WrongCodes
    jobs: JobService
    audit: AuditLog
    state: StateMetrics
    drain: Drain


class MienFlask(Flask):
    """A Flask application that is built with its services; its templates know its version."""

    request_class = MienRequest

    def __init__(self, name: str, services: Services) -> None:
        super().__init__(
            name, template_folder=PROJECT_ROOT / "templates", static_folder=PROJECT_ROOT / "static"
        )
        self.services = services
        self.context_processor(lambda: {"version": VERSION})


def services() -> Services:
    """The services of the application that handles the current request."""
    return cast(MienFlask, current_app).services
