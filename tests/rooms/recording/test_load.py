"""Thirty people at five frames a second: every analysed frame is stored, and none twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bench.crowd import PARTICIPANTS, Crowd
from tests.helpers.postgres import database_setting
from tests.helpers.room_client import TOKEN
from tests.helpers.scenes import moving_faces
from tests.helpers.serving import Server

TURN_S = 6.0

TURNS = 2
"""The second is another recording of the same people, who come back."""

MAX_TURNS = 20
"""A machine that is busy with other things refuses most frames, so that enough of them take longer."""


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def recording_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with database_setting(request.param) as setting, Server(MIEN_HOST_TOKEN=TOKEN, **setting) as server:
        yield server


def test_every_analysed_frame_of_thirty_people_is_stored_once(recording_server: Server) -> None:
    crowd = Crowd(recording_server, moving_faces())
    for turn in range(MAX_TURNS):
        crowd.turn(TURN_S, recording=True)
        if turn + 1 >= TURNS and crowd.recorded > PARTICIPANTS:
            break
    kept = crowd.kept()
    assert (kept.missing, kept.twice) == (0, 0)
    assert kept.expected > PARTICIPANTS
