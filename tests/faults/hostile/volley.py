"""Fires shots from several connections at once, and notes what came of each kind."""

from __future__ import annotations

import itertools
import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.faults.hostile.client import Client, ClosedError
from tests.faults.hostile.shots import Effect, Shot, shot
from tests.helpers.attacks import Target
from tests.helpers.waiting import wait_until

CONNECTIONS = 8

SHOTS_PER_CONNECTION = 30
"""At most: packets that cannot be read cost 40 units each, and a connection has 2,000 before it is slowed."""

IN_ROOM = 0.3
"""The fraction of connections that are in a room."""

MAX_FAULTS_KEPT = 20


@dataclass(slots=True)
class Volley:
    """What came of shots: how many of each kind had which outcome, and what should not have happened."""

    seed: int
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    fault_count: int = 0

    @property
    def fired(self) -> int:
        """The number of shots."""
        return self.outcomes.total()

    def count(self, outcome: str) -> int:
        """How many shots had this outcome."""
        return sum(count for (_, got), count in self.outcomes.items() if got == outcome)

    def described(self) -> str:
        """The outcomes of each kind, and what should not have happened."""
        kinds = sorted({kind for kind, _ in self.outcomes})
        lines = [
            f"{kind}: " + ", ".join(f"{got} {n}" for (k, got), n in self.outcomes.most_common() if k == kind)
            for kind in kinds
        ]
        return "\n".join([*lines, *self.faults])


def fire(target: Target, seed: int, numbers: range) -> Volley:
    """Fire the shots of these numbers; returns when all have been."""
    volley, lock = Volley(seed), threading.Lock()
    shots = iter(numbers)

    def next_shots(chance: random.Random) -> list[Shot]:
        with lock:
            taken = list(itertools.islice(shots, chance.randint(1, SHOTS_PER_CONNECTION)))
        return [shot(seed, number) for number in taken]

    def attack(thread: int) -> None:
        chance = random.Random(f"{seed}/{numbers.start}/{thread}")
        while pending := next_shots(chance):
            for fired, outcome, fault in _fired(target, chance, pending):
                with lock:
                    _note(volley, fired, outcome, fault)

    threads = [threading.Thread(target=attack, args=(index,), daemon=True) for index in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return volley


def _note(volley: Volley, fired: Shot, outcome: str, fault: str | None) -> None:
    volley.outcomes[fired.kind, outcome] += 1
    if fault is not None:
        volley.fault_count += 1
        if len(volley.faults) < MAX_FAULTS_KEPT:
            volley.faults.append(f"seed {volley.seed}, {fired.described()}: {fault}")


def _fired(
    target: Target, chance: random.Random, pending: list[Shot]
) -> Iterator[tuple[Shot, str, str | None]]:
    """Each shot with its outcome, and what should not have happened."""
    client: Client | None = None
    for one in pending:
        client = client or _connected(target, chance)
        try:
            outcome, fault = client.fire(one), None
        except (OSError, ValueError) as error:  # ClosedError is an OSError
            outcome = "closed" if isinstance(error, ClosedError) else "failed"
            fault = f"{one.effect.value} was due, but {error!r}"
        yield one, outcome, "an error that nobody foresaw" if outcome == "internal" else fault
        if outcome in ("closed", "failed") or one.effect is Effect.BROKEN_OFF:
            client.close()
            client = None
    if client:
        client.close()


def _connected(target: Target, chance: random.Random) -> Client:
    """A connection, as soon as the server takes one more."""
    made: list[Client] = []

    def connect() -> bool:
        try:
            made.append(Client(target, chance, chance.random() < IN_ROOM))
        except OSError:
            return False
        return True

    wait_until(connect, timeout_s=120.0)
    return made[0]
