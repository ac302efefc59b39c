"""Two real nodes on one PostgreSQL: each room is served by one, whatever happens to nodes and database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from tests.helpers.host_browser import Browser, delete_keys, new_key, signed_in
from tests.helpers.nodes import MovingParticipant, Node, assert_one_node_at_a_time, periods
from tests.helpers.postgres import Postgres, find_postgres, running_postgres
from tests.helpers.room_client import ParticipantClient, api, code_of, export, make_room, rows
from tests.helpers.waiting import wait_until

SLOW_S = 120.0
"""Generous: it only decides how soon a failure is known."""

FRAMES_PER_S = 3.0


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    programs = find_postgres()
    if programs is None:
        pytest.skip("no PostgreSQL is installed")
    with running_postgres(programs) as running:
        yield running


@pytest.fixture(scope="module")
def nodes(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node]]:
    folder = tmp_path_factory.mktemp("nodes")
    a, b = Node("a", postgres.url, folder), Node("b", postgres.url, folder)
    with a, b:
        yield a, b
    assert_one_node_at_a_time([a.log, b.log])


class Recorded:
    """A room that is recorded, with people in it who look for its node."""

    def __init__(self, nodes: tuple[Node, Node], first: Node, jpeg: bytes, people: int) -> None:
        self.nodes = nodes
        self.code = make_room(first)
        assert api(first, "POST", f"/rooms/{self.code}/recording", {"state": "started"}).ok
        self.people = [MovingParticipant(nodes, self.code, jpeg, FRAMES_PER_S).start() for _ in range(people)]

    def stored(self, node: Node) -> int:
        """The samples that a board shows as stored, or -1 where the node does not serve the room."""
        answer = api(node, "GET", f"/rooms/{self.code}")
        return int(answer.json()["samples"]["stored"]) if answer.ok else -1

    def wait_for(self, node: Node, more: int = 5) -> None:
        """Wait until everybody is at a node, and had some more frames analyzed there."""
        wait_until(lambda: all(one.node == node.name for one in self.people), SLOW_S)
        had = [one.results for one in self.people]
        wait_until(
            lambda: all(one.results >= n + more for one, n in zip(self.people, had, strict=True)), SLOW_S
        )

    def check(self, node: Node, *, may_lose: int = 0) -> None:
        """End; everybody is who they were, and what they had analyzed is in the export, once."""
        for one in self.people:
            one.stop()
        answered = sum(one.results for one in self.people)
        wait_until(lambda: self.stored(node) >= answered - may_lose, SLOW_S)
        samples = rows(export(node, self.code)["samples.csv"])
        frames = [(row["participant"], int(row["frame"])) for row in samples]
        assert len(set(frames)) == len(frames), "none is there twice"
        assert answered - may_lose <= len(frames)
        for one in self.people:
            assert len(one.ids) == 1, "everybody stays the same participant"


@contextmanager
def recorded(nodes: tuple[Node, Node], first: Node, jpeg: bytes, people: int = 2) -> Iterator[Recorded]:
    room = Recorded(nodes, first, jpeg, people)
    try:
        room.wait_for(first)
        yield room
    finally:
        for one in room.people:
            one.stop()


def test_a_node_refuses_a_room_of_another_so_that_a_proxy_asks_that_one(nodes: tuple[Node, Node]) -> None:
    a, b = nodes
    code = make_room(b)
    assert api(a, "GET", f"/rooms/{code}").ok
    for path in (f"/api/v1/rooms/{code}", f"/socket.io/?EIO=4&transport=polling&room={code}", f"/r/{code}"):
        headers = {"Authorization": f"Bearer {a.settings['MIEN_HOST_TOKEN']}"}
        answer = requests.get(f"{b.url}{path}", headers=headers, timeout=30)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "0"), path
    assert api(b, "GET", f"/rooms/{code}").json()["problem"]["code"] == "not_here"


def test_what_can_be_no_code_is_not_looked_for(nodes: tuple[Node, Node]) -> None:
    """PostgreSQL refuses a NUL, which would look like a database that does not work."""
    for code in ("%00", "A" * 1000, "%F0%9F%98%80"):
        assert requests.get(f"{nodes[0].url}/r/{code}", timeout=30).status_code == 404
        assert api(nodes[0], "GET", f"/rooms/{code}").status_code == 404


def test_lists_of_rooms_are_the_same_on_every_node(nodes: tuple[Node, Node], astronaut_jpeg: bytes) -> None:
    a, b = nodes
    with recorded(nodes, a, astronaut_jpeg, people=1) as room:

        def seen_at(node: Node) -> tuple[bool, bool, str]:
            (shown,) = (one for one in api(node, "GET", "/rooms").json()["rooms"] if one["code"] == room.code)
            (person,) = shown["participants"]
            return shown["samples"]["stored"] > 0, person["connected"], shown["recording"]["state"]

        wait_until(lambda: seen_at(b) == (True, True, "started"), SLOW_S)
        assert seen_at(a) == (True, True, "started")


def test_every_node_names_itself(nodes: tuple[Node, Node]) -> None:
    for node in nodes:
        assert requests.get(f"{node.url}/healthz", timeout=30).json()["node"] == node.name
        text = requests.get(f"{node.url}/metrics", timeout=30).text
        assert f'mien_node_info{{node="{node.name}"}} 1.0' in text


def test_a_node_that_is_stopped_hands_its_rooms_over_and_nobody_is_lost(
    nodes: tuple[Node, Node], astronaut_jpeg: bytes
) -> None:
    a, b = nodes
    small = make_room(a, max_participants=1)
    with ParticipantClient(a, room=small) as gone:
        assert gone.join(small)["participant"]
    with recorded(nodes, a, astronaut_jpeg) as room:
        begin_s = time.monotonic()
        a.stop()
        assert a.process.returncode == 0, "every part ended in time"
        print(f"stopped in {time.monotonic() - begin_s:.1f} s")
        room.wait_for(b)
        assert [one.joins for one in room.people] == [2, 2], "each connected again once"
        with ParticipantClient(b, room=small) as newcomer:
            assert newcomer.join(small)["participant"], "the seat is free of who had closed the page"
        a.start()
        room.wait_for(b)
        assert [one.joins for one in room.people] == [2, 2], "and stays where it is"
        room.check(b)


def test_a_killed_node_loses_no_sample_that_it_called_stored(
    nodes: tuple[Node, Node], astronaut_jpeg: bytes
) -> None:
    a, b = nodes
    with recorded(nodes, a, astronaut_jpeg) as room:
        wait_until(lambda: room.stored(a) > 5, SLOW_S)
        stored, answered = room.stored(a), sum(one.results for one in room.people)
        a.kill()
        room.wait_for(b)
        print("back after", [round(one.gaps_s[-1], 1) for one in room.people])
        wait_until(lambda: not 0 <= room.stored(b) < stored, SLOW_S)  # it counts them after it took the room
        a.start()
        room.check(b, may_lose=answered - stored + 10)


def test_a_restart_of_postgresql_moves_nobody_to_two_nodes(
    nodes: tuple[Node, Node], astronaut_jpeg: bytes, postgres: Postgres
) -> None:
    a, _ = nodes
    with recorded(nodes, a, astronaut_jpeg) as room:
        postgres.stop()
        postgres.start()
        wanted = [one.results + 5 for one in room.people]
        wait_until(lambda: all(one.results > n for one, n in zip(room.people, wanted, strict=True)), SLOW_S)
        node = next(node for node in nodes if node.name == room.people[0].node)
        print("joins", [one.joins for one in room.people], "at", node.name)
        wait_until(lambda: room.stored(node) > 0, SLOW_S)
        room.check(node, may_lose=0 if node is a else 200)


def test_a_frozen_node_that_goes_on_serves_and_stores_nothing_of_its_rooms(
    nodes: tuple[Node, Node], astronaut_jpeg: bytes
) -> None:
    a, b = nodes
    code = make_room(a)
    with ParticipantClient(a) as one:
        joined = one.join(code)
        assert api(a, "POST", f"/rooms/{code}/recording", {"state": "started"}).ok
        assert one.send(astronaut_jpeg)["faces"]
        wait_until(lambda: api(a, "GET", f"/rooms/{code}").json()["samples"]["stored"] == 1, SLOW_S)
        a.freeze()
        try:
            wait_until(lambda: api(b, "GET", f"/rooms/{code}").ok, SLOW_S)
            with ParticipantClient(b) as other:
                back = other.join(code, resume=joined["resume"])
                assert back["participant"] == joined["participant"]
                assert other.send(astronaut_jpeg)["faces"]
                a.thaw()
                assert code_of(one.send(astronaut_jpeg)) in ("not_here", "not_joined")
                assert api(a, "GET", f"/rooms/{code}").json()["problem"]["code"] == "not_here"
                assert other.send(astronaut_jpeg)["faces"]
                wait_until(lambda: api(b, "GET", f"/rooms/{code}").json()["samples"]["stored"] >= 3, SLOW_S)
        finally:
            a.thaw()
    frames = [int(row["frame"]) for row in rows(export(b, code)["samples.csv"])]
    assert frames == list(range(len(frames)))
    assert [one.node for one in assert_one_node_at_a_time([a.log, b.log])[code]] == ["a", "b"]


def test_a_key_that_was_deleted_at_one_node_is_worth_nothing_at_another(nodes: tuple[Node, Node]) -> None:
    a, b = nodes
    host = signed_in(a)
    at_b = Browser(b)
    at_b.cookies.update(host.cookies)
    key = new_key(at_b, "lab", "rooms:read")  # the session is any node's
    wait_until(lambda: api(a, "GET", "/rooms", token=key).ok, SLOW_S)
    delete_keys(host)
    wait_until(lambda: api(b, "GET", "/rooms", token=key).status_code == 401, SLOW_S)


def test_the_logs_show_that_no_room_was_served_by_two_nodes(nodes: tuple[Node, Node]) -> None:
    logs = [node.log for node in nodes]
    assert_one_node_at_a_time(logs)
    assert {period.node for ones in periods(logs).values() for period in ones} == {"a", "b"}
