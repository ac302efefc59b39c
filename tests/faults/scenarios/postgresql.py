"""PostgreSQL is stopped, or hangs, while participants are recorded into it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.outage import Outage, outcome_of
from tests.faults.outcome import Outcome
from tests.faults.recording import PROMISED, Limits
from tests.helpers.postgres import Postgres, find_postgres, running_postgres
from tests.helpers.room_client import TOKEN
from tests.helpers.serving import Server

PROMISE = (
    "While PostgreSQL {state}, the live view goes on, the board says that samples wait and why, and once it "
    "answers again all of them are stored, each once."
)


def run_stopped(seconds: float, limits: Limits = PROMISED) -> Outcome:
    """Stop it at once, as a crash would, for a third of the time."""
    return _run(
        seconds, limits, "is gone", lambda postgres: Outage(postgres.stop, postgres.start, seconds / 3)
    )


def run_frozen(seconds: float, limits: Limits = PROMISED) -> Outcome:
    """Freeze all its processes, so that it takes connections and never answers, for a third of the time."""
    return _run(
        seconds, limits, "hangs", lambda postgres: Outage(postgres.freeze, postgres.thaw, seconds / 3)
    )


def _run(seconds: float, limits: Limits, state: str, outage_of: Callable[[Postgres], Outage]) -> Outcome:
    programs = find_postgres()
    if programs is None:
        pytest.skip("no PostgreSQL is installed")
    with (
        running_postgres(programs) as postgres,
        Server(MIEN_HOST_TOKEN=TOKEN, MIEN_DATABASE_URL=postgres.url) as server,
    ):
        promise = PROMISE.format(state=state)
        return outcome_of(server, outage_of(postgres), seconds, promise, f"PostgreSQL {state}", limits)
