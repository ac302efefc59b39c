"""The network of one participant is cut for a while; another participant is beside them in the room."""

from __future__ import annotations

import time
from collections import Counter
from functools import partial

from tests.faults.outcome import NOTHING, Outcome, at_least, at_most, none
from tests.faults.returning import ReturningBoard, ReturningParticipant, missing_of
from tests.faults.tcp_proxy import TcpProxy
from tests.helpers.room_client import TOKEN, api, export, make_room, rows
from tests.helpers.scenes import moving_faces
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until

RATE_PER_S = 5.0
BACK_LIMIT_S = 5.0
NOTICED_S = 3.0
"""After two seconds without a frame the board says so."""

RECOVERY_TIMEOUT_S = 120.0

PROMISE = (
    "A participant whose network is cut comes back within 5 s of its return as the same participant; the "
    "board says meanwhile that they are not seen, others are not disturbed, and every frame with a result is "
    "stored."
)


class _Cut:
    """What was seen of a cut: by the participant, by the other one, on the board."""

    def __init__(self, server: Server, proxy: TcpProxy, way: str, seconds: float) -> None:
        self.room = make_room(server)
        assert api(server, "POST", f"/rooms/{self.room}/recording", {"state": "started"}).ok
        jpeg, other_jpeg = moving_faces(count=2)
        self.participant = ReturningParticipant(proxy.url, self.room, jpeg, RATE_PER_S)
        self.other = ReturningParticipant(server.url, self.room, other_jpeg, RATE_PER_S)
        self.board = ReturningBoard(server.url, self.room)
        with self.board, self.participant, self.other:
            self._happen(proxy, way, seconds)
        wait_until(lambda: not api(server, "GET", f"/rooms/{self.room}").json()["samples"]["waiting"])

    def _happen(self, proxy: TcpProxy, way: str, seconds: float) -> None:
        _wait_for_results(self.participant, self.other)
        answered = len(self.other.results)
        self.board.warnings.clear()
        getattr(proxy, way)()
        time.sleep(seconds)
        self.warned = self.board.warnings["left"] + self.board.warnings["no frames"]
        self.disturbed = len(self.other.away_s)
        self.others = len(self.other.results) - answered
        proxy.restore()
        self.back_s = _wait_for_results(self.participant)


def run(seconds: float, way: str = "drop", slower: float = 1.0) -> Outcome:
    """Cut the network for so long, by a `way` of `TcpProxy`; `slower` stretches the limits of time."""
    with Server(MIEN_HOST_TOKEN=TOKEN) as server, TcpProxy(server.port) as proxy:
        cut = _Cut(server, proxy, way, seconds)
        samples = rows(export(server, cut.room)["samples.csv"])
    people = (cut.participant, cut.other)
    missing = missing_of(people, samples)
    faces = Counter((row["participant"], row["captured"], row["face_id"]) for row in samples)
    return Outcome(
        promise=PROMISE,
        done=f"The network was cut ({way}) for {seconds:g} s; the other had {cut.others} frames analyzed",
        lost=f"{missing} samples" if missing else NOTHING,
        figures=(
            at_most("back after the cut, with a result, s", cut.back_s, slower * BACK_LIMIT_S),
            at_least("the board said that they are not seen", cut.warned, 1 if seconds > NOTICED_S else 0),
            none("participants who became another", sum(len(set(one.identities)) != 1 for one in people)),
            none("reconnects of the other", cut.disturbed),
            at_least("frames of the other meanwhile", cut.others, 1),
            none("frames with a result that the export lacks", missing),
            none("samples stored twice", faces.total() - len(faces)),
        ),
    )


def _wait_for_results(*people: ReturningParticipant) -> float:
    """Wait until each has had more frames analyzed; how long that took."""
    start_s = time.monotonic()
    for one in people:
        had = len(one.results)
        wait_until(partial(_has_more, one, had), RECOVERY_TIMEOUT_S)
    return time.monotonic() - start_s


def _has_more(one: ReturningParticipant, had: int) -> bool:
    return len(one.results) > had
