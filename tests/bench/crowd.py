"""Simulated participants in a room, and whether each of their analysed frames was stored, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.bench.bench_load import put_load, watched
from tests.helpers.load_client import Load, Plan
from tests.helpers.room_client import api, export, make_room, rows
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until
from webapp.export.tables import iso

PARTICIPANTS = 30
RATE_PER_S = 5.0

WARM_UP_S = 3.0
"""Everybody's first frames are searched for faces, which costs the most."""

LAST_ANSWERS_S = 30.0
"""Generous: a frame counts as unanswered only if its answer never comes."""

Frame = tuple[str, str]
"""Which participant, and when their browser took the image, as an export writes it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a recording has of the frames that were analysed during it: how many of them, how many not, and
    how many samples more than once."""

    expected: int
    missing: int
    twice: int


class Crowd:
    """People who come to one room, again for each turn, as the same participants."""

    def __init__(self, server: Server, images: Sequence[bytes], participants: int = PARTICIPANTS) -> None:
        self._server = server
        self._images = images
        self.room = make_room(server, max_participants=participants)
        first = {"room": self.room, "consent": True}
        self._joining = tuple({**first, "alias": f"P{number}"} for number in range(participants))
        self._expected: set[Frame] = set()

    def turn(self, seconds: float, recording: bool) -> Load:
        """Send frames for so long, the warm-up included, and record them all or none."""
        groups = watched(self._server) | {"store": (self._server.store_pid(),)}
        if not recording:
            return self.send(seconds, groups)
        self.record("started")
        load = self.send(seconds, groups)
        self.record("stopped")
        self.expect(load)
        return load

    def send(self, seconds: float, groups: dict[str, tuple[int, ...]]) -> Load:
        """Send frames for so long, the warm-up included; `groups` are processes to watch, see `Plan`."""
        plan = Plan(
            self._server.port,
            len(self._joining),
            seconds - WARM_UP_S,
            RATE_PER_S,
            warm_up_s=WARM_UP_S,
            last_answers_s=LAST_ANSWERS_S,
        )
        load = put_load(replace(plan, watched=groups, joining=self._joining), self._images)
        self._joining = tuple(
            {**data, "resume": joined["resume"]}
            for data, joined in zip(self._joining, load.joined, strict=True)
        )
        return load

    def expect(self, load: Load) -> None:
        """Take the analysed frames of a load for recorded."""
        self._expected |= {
            (joined["participant"], str(iso(captured_ms)))
            for joined, captures_ms in zip(load.joined, load.captured_ms, strict=True)
            for captured_ms in captures_ms
        }

    @property
    def recorded(self) -> int:
        """How many frames were analysed while they were recorded."""
        return len(self._expected)

    def kept(self) -> Kept:
        """Compare what was analysed with the export."""
        self._wait_until_written()
        samples = rows(export(self._server, self.room)["samples.csv"])
        faces = Counter((row["participant"], row["captured"], row["face_id"]) for row in samples)
        stored = {(row["participant"], row["captured"]) for row in samples}
        return Kept(
            expected=len(self._expected),
            missing=len(self._expected - stored),
            twice=sum(faces.values()) - len(faces),
        )

    def record(self, state: str) -> None:
        """Start or stop the recording."""
        answer = api(self._server, "POST", f"/rooms/{self.room}/recording", {"state": state})
        assert answer.status_code == 200, answer.text

    def _wait_until_written(self) -> None:
        path = f"/rooms/{self.room}"
        wait_until(lambda: not api(self._server, "GET", path).json()["samples"]["waiting"])
