"""One room never sees another: a participant is refused on every event and route of any other room.

Both tests walk what the server really has, so that a new event or route without a rule fails here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import pytest
import requests
from flask import Flask

from tests.helpers.endpoints import PUBLIC
from tests.helpers.room_client import TOKEN, Answer, ParticipantClient, api, code_of, make_room
from tests.helpers.serving import Server
from webapp.app import create_app
from webapp.config import Settings

TIMEOUT_S = 60


@dataclass(frozen=True)
class Situation:
    """A participant of one room, and the other room with somebody in it."""

    one: ParticipantClient
    resume: str
    other_room: str
    other_id: str
    jpeg: bytes

    @property
    def naming_the_other(self) -> Answer:
        return {"room": self.other_room, "participant": self.other_id}


EVENTS: dict[str, tuple[Callable[[Situation], Answer], str]] = {
    "join": (
        lambda at: at.one.ask("join", {"room": at.other_room, "resume": at.resume}),
        "cannot_resume",
    ),
    "frame": (lambda at: at.one.send(at.jpeg, room=at.other_room), "not_joined"),
    "baseline": (lambda at: at.one.ask("baseline", at.naming_the_other), "not_joined"),
    "readiness": (lambda at: at.one.ask("readiness", at.naming_the_other), "not_joined"),
    "mark": (lambda at: at.one.ask("mark", {**at.naming_the_other, "label": "mine"}), "not_joined"),
    "leave": (lambda at: at.one.ask("leave", at.naming_the_other), "not_joined"),
    "withdraw": (lambda at: at.one.ask("withdraw", at.naming_the_other), "not_joined"),
    "subscribe": (lambda at: at.one.ask("subscribe", at.naming_the_other), "unauthorized"),
    "visible": (lambda at: at.one.ask("visible", {"participants": [at.other_id]}), "unauthorized"),
}
"""What a participant of another room asks, and the problem that it gets."""

CONNECTION_EVENTS = {"connect", "disconnect"}
"""They carry nothing of a room."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, MIEN_PROXIES="1") as running:
        yield running


@pytest.fixture
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return create_app(Settings(data_dir=tmp_path_factory.mktemp("data")))


@pytest.fixture
def situation(server: Server, astronaut_jpeg: bytes) -> Iterator[Situation]:
    own, other = make_room(server), make_room(server)
    with ParticipantClient(server) as one, ParticipantClient(server) as two:
        resume = one.join(own)["resume"]
        yield Situation(one, resume, other, two.join(other)["participant"], astronaut_jpeg)


def people_in(server: Server, room: str) -> list[tuple[str, bool, bool]]:
    described = api(server, "GET", f"/rooms/{room}").json()
    return [(who["id"], who["connected"], who["baseline"]) for who in described["participants"]]


def test_every_event_has_a_rule(app: Flask) -> None:
    socketio = app.extensions["socketio"].server
    assert set(socketio.handlers) == {"/"} and not socketio.namespace_handlers
    assert set(socketio.handlers["/"]) == EVENTS.keys() | CONNECTION_EVENTS


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_refuses_a_participant_of_another_room(
    server: Server, situation: Situation, event: str
) -> None:
    ask, problem = EVENTS[event]
    assert code_of(ask(situation)) == problem
    assert people_in(server, situation.other_room) == [(situation.other_id, True, False)]
    assert situation.one.send(situation.jpeg)["faces"], "in its own room it goes on as before"


def test_no_board_reaches_who_was_refused_it(situation: Situation) -> None:
    boards: list[Answer] = []
    situation.one.client.on("board", boards.append)
    situation.one.ask("subscribe", situation.naming_the_other)
    situation.one.client.sleep(1.0)
    assert boards == []


def test_every_route_refuses_the_secret_of_a_participant(
    server: Server, app: Flask, situation: Situation
) -> None:
    values = {"code": situation.other_room, "participant_id": situation.other_id}
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint not in PUBLIC]
    assert sum("code" in rule.arguments for rule in rules) >= 9
    addresses = (f"198.51.100.{number}" for number in count())
    for rule in rules:
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values.get(found[1], "1"), rule.rule)
        for method in (rule.methods or set()) - {"OPTIONS"}:
            bearer = {"Authorization": f"Bearer {situation.resume}", "X-Forwarded-For": next(addresses)}
            for headers in ({}, bearer):
                answer = requests.request(
                    method, server.url + path, headers=headers, timeout=TIMEOUT_S, allow_redirects=False
                )
                assert answer.status_code in (401, 403), (method, path)
                assert situation.other_id not in answer.text.replace(path, "")
    assert people_in(server, situation.other_room) == [(situation.other_id, True, False)]
