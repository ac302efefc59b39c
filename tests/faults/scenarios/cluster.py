"""Two nodes behind nginx are killed, restarted in turn and frozen, and their PostgreSQL restarts."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import requests

from tests.bench.report import Goal
from tests.faults.outcome import NOTHING, Outcome, at_least, at_most, none
from tests.faults.returning import ReturningBoard, ReturningParticipant, missing_of
from tests.helpers.cluster import RunningCluster
from tests.helpers.nodes import periods
from tests.helpers.room_client import TOKEN, api, export, make_room, rows
from tests.helpers.scenes import moving_faces
from tests.helpers.waiting import wait_until

RATE_PER_S = 5.0
BACK_LIMIT_S = 5.0
FROZEN_S = 15.0
FROZEN_LIMIT_S = 30.0
"""Its lease has to end first, and pages have to notice that nobody answers."""

RECOVERY_TIMEOUT_S = 240.0

PROMISE = (
    "Nodes may be killed, restarted or frozen, and PostgreSQL may restart: everybody is back within 5 s of a "
    "node's end with the identity that they had, a rolling restart costs each at most one reconnect a node, "
    "no sample that a board called stored is lost, none is stored twice, and no two nodes serve a room at "
    "once."
)


@dataclass(frozen=True, slots=True)
class Size:
    """How many rooms and participants, and what happens to them.

    `stored` is how many of the frames with a result have to be stored, of 1: a killed node takes along what
    it had not stored yet, which is more of a short run.
    """

    rooms: int = 4
    people: int = 10
    faults: tuple[str, ...] = ("killed", "restarted", "frozen", "database")
    stored: float = 0.9


PROMISED = Size()
SMALL = Size(rooms=2, people=1, faults=("killed",), stored=0.5)


@dataclass(slots=True)
class Crowd:
    """Everybody who takes part, and the boards."""

    cluster: RunningCluster
    people: list[ReturningParticipant] = field(default_factory=list)
    boards: list[ReturningBoard] = field(default_factory=list)

    def all_here(self) -> bool:
        """Whether everybody has joined, and had a frame analyzed since."""
        return all(one.here for one in (*self.people, *self.boards))

    def wait_until_back(self) -> None:
        """Wait until everybody has joined, and has had more frames analyzed."""
        wait_until(self.all_here, RECOVERY_TIMEOUT_S)
        had = [len(one.results) for one in self.people]
        pairs = list(zip(self.people, had, strict=True))
        wait_until(lambda: all(len(one.results) > count for one, count in pairs), RECOVERY_TIMEOUT_S)


def run(seconds: float, size: Size = PROMISED, slower: float = 1.0) -> Outcome:
    """Do one thing after another, with a pause of so many seconds; `slower` stretches the limits of time."""
    with RunningCluster(MIEN_HOST_TOKEN=TOKEN, TZ="UTC") as cluster, ExitStack() as there:
        crowd = _gather(cluster, size, there)
        crowd.wait_until_back()
        figures: list[Goal] = []
        for name in size.faults:
            time.sleep(seconds)
            figures += FAULTS[name](crowd, slower)
        time.sleep(seconds)
        there.close()
        figures += _kept(crowd, size.stored)
    done = (
        f"{size.rooms} rooms of {size.people} at {RATE_PER_S:g} frames/s, recorded; {', '.join(size.faults)}"
    )
    lost = sum(int(figure.got) for figure in figures if "lacks" in figure.name)
    return Outcome(PROMISE, done, f"{lost} samples" if lost else NOTHING, tuple(figures))


def _gather(cluster: RunningCluster, size: Size, there: ExitStack) -> Crowd:
    crowd = Crowd(cluster)
    images = moving_faces()
    for number in range(size.rooms):
        code = make_room(cluster, max_participants=size.people)
        assert api(cluster, "POST", f"/rooms/{code}/recording", {"state": "started"}).ok
        crowd.boards.append(there.enter_context(ReturningBoard(cluster.url, code)))
        for person in range(size.people):
            image = images[(number * size.people + person) % len(images)]
            one = ReturningParticipant(cluster.url, code, image, RATE_PER_S)
            crowd.people.append(there.enter_context(one))
    return crowd


def _back(crowd: Crowd, what: str, slower: float, harm: Callable[[], None]) -> list[Goal]:
    """Do harm, and wait until everybody is back; how long anybody was away."""
    before = [len(one.away_s) for one in crowd.people]
    harm()
    crowd.wait_until_back()
    away_s = [max(one.away_s[had:], default=0.0) for one, had in zip(crowd.people, before, strict=True)]
    joins = max(len(one.away_s) - had for one, had in zip(crowd.people, before, strict=True))
    return [
        at_most(f"{what}: longest that a participant was away, s", max(away_s), slower * BACK_LIMIT_S),
        at_most(f"{what}: most reconnects of a participant", joins, len(crowd.cluster.state()["nodes"])),
    ]


def _kill(crowd: Crowd, slower: float) -> list[Goal]:
    def harm() -> None:
        number = _busiest(crowd.cluster)
        pid = crowd.cluster.state()["nodes"][number]["pid"]
        os.kill(pid, signal.SIGKILL)
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S,%f")[:-3]
        with _log(crowd.cluster, number).open("a") as log:
            log.write(f"{now} INFO n{number + 1} mien.ownership: killed\n")
        _wait_for_another(crowd.cluster, number, pid)

    return _back(crowd, "node killed", slower, harm)


def _restart_all(crowd: Crowd, slower: float) -> list[Goal]:
    def harm() -> None:
        for number, node in enumerate(crowd.cluster.state()["nodes"]):
            os.kill(node["pid"], signal.SIGTERM)
            _wait_for_another(crowd.cluster, number, node["pid"])

    return _back(crowd, "rolling restart", slower, harm)


def _freeze(crowd: Crowd, slower: float) -> list[Goal]:
    def harm() -> None:
        pid = crowd.cluster.state()["nodes"][_busiest(crowd.cluster)]["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(FROZEN_S)
        finally:
            os.kill(pid, signal.SIGCONT)

    return _back(crowd, "node frozen", slower * FROZEN_LIMIT_S / BACK_LIMIT_S, harm)


def _restart_database(crowd: Crowd, slower: float) -> list[Goal]:
    def harm() -> None:
        before = crowd.cluster.state()["postgres"]
        os.kill(before, signal.SIGINT)  # "fast": it waits for nobody
        wait_until(lambda: crowd.cluster.state()["postgres"] != before, RECOVERY_TIMEOUT_S)

    return _back(crowd, "PostgreSQL restarted", slower * 4, harm)


FAULTS: dict[str, Callable[[Crowd, float], list[Goal]]] = {
    "killed": _kill,
    "restarted": _restart_all,
    "frozen": _freeze,
    "database": _restart_database,
}


def _busiest(cluster: RunningCluster) -> int:
    """The index of the node with the most participants."""
    people = cluster.participants()
    return people.index(max(people))


def _wait_for_another(cluster: RunningCluster, number: int, pid: int) -> None:
    """Wait until another process is this node, and is ready."""
    wait_until(lambda: cluster.state()["nodes"][number]["pid"] != pid, RECOVERY_TIMEOUT_S)
    wait_until(lambda: _is_ready(cluster.state()["nodes"][number]["port"]), RECOVERY_TIMEOUT_S)


def _is_ready(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=30).ok
    except requests.RequestException:
        return False


def _log(cluster: RunningCluster, number: int) -> Path:
    return cluster.folder / "log" / f"node-n{number + 1}.log"


def _kept(crowd: Crowd, stored: float) -> list[Goal]:
    """Compare the exports with what boards and participants were told, and the logs with each other."""
    lacking = twice = unstored = 0
    for board in crowd.boards:
        samples = rows(export(crowd.cluster, board.room)["samples.csv"])
        faces = Counter((row["participant"], row["captured"], row["face_id"]) for row in samples)
        lacking += max(0, board.stored - len(samples))
        twice += faces.total() - len(faces)
        unstored += missing_of([one for one in crowd.people if one.room == board.room], samples)
    results = sum(len(one.results) for one in crowd.people)
    logs = [_log(crowd.cluster, number) for number in range(len(crowd.cluster.state()["nodes"]))]
    return [
        none("samples that a board called stored and the export lacks", lacking),
        none("samples stored twice", twice),
        at_least("frames with a result that are stored, of all with one", 1 - unstored / results, stored),
        none("times a board was told that its room was deleted", sum(one.deletions for one in crowd.boards)),
        none("participants who became another", sum(len(set(one.identities)) != 1 for one in crowd.people)),
        none("times that a room was served by two nodes", _overlaps(logs)),
        at_least("rooms whose owners the logs name", len(periods(logs)), len(crowd.boards)),
    ]


def _overlaps(logs: list[Path]) -> int:
    return sum(
        before.end_s > after.start_s
        for ones in periods(logs).values()
        for before, after in zip(ones, ones[1:], strict=False)
    )
