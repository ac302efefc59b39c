"""What live clients get beside a flood of connections, in turns with and without it on one server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import requests
from prometheus_client.parser import text_string_to_metric_families
from websocket import WebSocketException

from tests.helpers.attacks import Target, attacking_by
from tests.helpers.floods import FLOODS
from tests.helpers.load_client import Load, Plan
from tests.helpers.serving import Server

ATTACKER = "127.0.4.1"
"""The floods come from here, and the live clients from 127.0.0.1."""

PROBE_S, PROBE_TIMEOUT_S = 0.25, 60.0

PutLoad = Callable[[Plan, Sequence[bytes]], Load]


@dataclass(slots=True)
class Turns:
    """Frames with a result without the flood and beside it, each in so many `seconds` in all.

    `healthz_ms` are the times that /healthz took beside it, and `unhealthy` how often it did not answer 200;
    `refused` is what limits refused since the first turn, by limit.
    """

    name: str
    seconds: float = 0.0
    alone: int = 0
    beside: int = 0
    healthz_ms: list[float] = field(default_factory=list)
    unhealthy: int = 0
    refused: dict[str, float] = field(default_factory=dict)

    @property
    def kept(self) -> float:
        """The rate beside the flood as a fraction of that without."""
        return self.beside / max(1, self.alone)


@dataclass(frozen=True, slots=True)
class FloodedServer:
    """A server that is flooded while live clients, as `plan` says, send these images."""

    server: Server
    plan: Plan
    images: Sequence[bytes]
    put_load: PutLoad

    def take_turn(self, turns: Turns, fraction: float = 1.0) -> None:
        """One turn without the flood and one beside it, with this fraction of its full size."""
        before = refusals(self.server)
        turns.alone += self._answers()
        target = replace(Target(self.server.port, ""), address=ATTACKER)
        with attacking_by(FLOODS[turns.name].of(fraction), target, turns.name), self._probing(turns):
            turns.beside += self._answers()
        turns.seconds += self.plan.seconds
        after = refusals(self.server)
        for limit, count in after.items():
            if count > before.get(limit, 0.0):
                turns.refused[limit] = turns.refused.get(limit, 0.0) + count - before.get(limit, 0.0)

    def _answers(self) -> int:
        """How many frames get a result; none where the clients cannot connect."""
        try:
            return sum(self.put_load(self.plan, self.images).analysed)
        except (OSError, WebSocketException) as error:
            print(f"the clients failed: {error!r}")
            return 0

    def _probing(self, turns: Turns) -> Probe:
        return Probe(f"{self.server.url}/healthz", turns)


class Probe:
    """`with Probe(url, turns):` asks for /healthz again and again, on new connections."""

    def __init__(self, url: str, turns: Turns) -> None:
        self._url, self._turns = url, turns
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Probe:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join(2 * PROBE_TIMEOUT_S)

    def _run(self) -> None:
        while not self._stop.wait(PROBE_S):
            start_s = time.perf_counter()
            try:
                is_well = requests.get(self._url, timeout=PROBE_TIMEOUT_S).status_code == 200
            except requests.RequestException:
                is_well = False
            self._turns.healthz_ms.append(1000 * (time.perf_counter() - start_s))
            self._turns.unhealthy += not is_well


def refusals(server: Server) -> dict[str, float]:
    """What limits have refused so far, by limit."""
    text = requests.get(f"{server.url}/metrics", timeout=PROBE_TIMEOUT_S).text
    families = text_string_to_metric_families(text)
    return {
        sample.labels["limit"]: sample.value
        for sample in chain.from_iterable(family.samples for family in families)
        if sample.name == "mien_refusals_total"
    }
