"""A short form of `make bench-attacks`: two well-behaved clients beside each attack, on one server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from websocket import WebSocketException

from tests.helpers.attacks import ATTACKS, LoggedServer, Target, attacking
from tests.helpers.load_client import Plan, simulate
from tests.helpers.processes import memory_mb
from tests.helpers.room_client import TOKEN, make_room

SECONDS, WARM_UP_S = 2.0, 1.0
CLIENTS, RATE_PER_S = 2, 5.0

KEPT_RATE = 0.5
"""The benchmark wants 0.9; here other tests, the attack itself and two seconds of luck have their share.
Before these limits most attacks left nothing."""

TRIES = 3
GROWTH_LIMIT_MB = 150.0
LOG_LIMIT_BYTES = 20_000


@dataclass(slots=True)
class Attacked:
    """A server that is attacked, and how many frames it answers two clients without an attack."""

    server: LoggedServer
    target: Target
    jpeg: bytes
    alone: int = 0

    def answers(self) -> int:
        """How many frames of two clients are answered; none where they cannot connect."""
        plan = Plan(self.server.port, CLIENTS, SECONDS, RATE_PER_S, warm_up_s=WARM_UP_S)
        try:
            return sum(simulate(plan, [self.jpeg]).analysed)
        except (OSError, WebSocketException):
            return 0

    @property
    def logged(self) -> int:
        """The bytes of its log."""
        return self.server.log.stat().st_size


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory, astronaut_jpeg: bytes) -> Iterator[Attacked]:
    log: Path = tmp_path_factory.mktemp("attacks") / "log"
    with LoggedServer(log, MIEN_WORKERS="2", MIEN_HOST_TOKEN=TOKEN) as server:
        made = Attacked(server, Target(server.port, make_room(server)), astronaut_jpeg)
        made.alone = made.answers()
        yield made


@pytest.mark.parametrize("name", ATTACKS)
def test_well_behaved_clients_keep_being_served_beside(attacked: Attacked, name: str) -> None:
    kept: list[float] = []
    memory, logged = memory_mb(attacked.server.process.pid), attacked.logged
    with attacking(name, attacked.target):
        while len(kept) < TRIES and (not kept or kept[-1] < KEPT_RATE):
            kept.append(attacked.answers() / max(1, attacked.alone))
        growth_mb = memory_mb(attacked.server.process.pid) - memory
    assert kept[-1] >= KEPT_RATE
    assert growth_mb < GROWTH_LIMIT_MB
    assert attacked.logged - logged < LOG_LIMIT_BYTES * len(kept)
