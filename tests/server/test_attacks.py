"""A short form of `make bench-attacks`: two well-behaved clients beside each attack, on one server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from websocket import WebSocketException

from tests.helpers.attacks import ATTACKS, LoggedServer, Target, attacking
from tests.helpers.load_client import Plan, simulate
from tests.helpers.processes import memory_mb
from tests.helpers.room_client import TOKEN, make_room

SECONDS, WARM_UP_S = 1.0, 0.5
CLIENTS, RATE_PER_S = 2, 5.0

ENOUGH = 5
"""Frames that have to be answered, half of a second's; before these limits most attacks left none at all.
How many a second are left is measured by the benchmark."""

TIMEOUT_S = 60.0
"""Generous, for machines that do other things as well."""

GROWTH_LIMIT_MB = 150.0
LOG_LIMIT_BYTES = 20_000


@dataclass(slots=True)
class Attacked:
    """A server that is attacked."""

    server: LoggedServer
    target: Target
    jpeg: bytes

    def answers(self) -> int:
        """How many frames of two clients are answered; none where they cannot connect."""
        plan = Plan(self.server.port, CLIENTS, SECONDS, RATE_PER_S, warm_up_s=WARM_UP_S)
        try:
            return sum(simulate(plan, [self.jpeg]).analysed)
        except (OSError, WebSocketException):
            return 0

    @property
    def memory_mb(self) -> float:
        """The memory of its process."""
        return memory_mb(self.server.process.pid)

    @property
    def logged(self) -> int:
        """The bytes of its log."""
        return self.server.log.stat().st_size


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory, astronaut_jpeg: bytes) -> Iterator[Attacked]:
    log: Path = tmp_path_factory.mktemp("attacks") / "log"
    with LoggedServer(log, MIEN_WORKERS="2", MIEN_HOST_TOKEN=TOKEN) as server:
        made = Attacked(server, Target(server.port, make_room(server)), astronaut_jpeg)
        made.answers()  # what the first frames need for good is no growth
        yield made


@pytest.mark.parametrize("name", ATTACKS)
def test_well_behaved_clients_keep_being_served_beside(attacked: Attacked, name: str) -> None:
    answers: list[int] = []
    memory_before_mb, logged_before = attacked.memory_mb, attacked.logged
    end_s = time.monotonic() + TIMEOUT_S
    with attacking(name, attacked.target):
        while sum(answers) < ENOUGH and time.monotonic() < end_s:
            answers.append(attacked.answers())
        growth_mb = attacked.memory_mb - memory_before_mb
    assert sum(answers) >= ENOUGH
    assert growth_mb < GROWTH_LIMIT_MB
    assert attacked.logged - logged_before < LOG_LIMIT_BYTES * len(answers)
