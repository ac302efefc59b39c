"""Which node nginx sends a request to, with the files that are shipped.

The nodes are small servers that say who they are and what they got, so that a test can ask for every kind of
address; tests/deploy/test_cluster.py has real ones.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.helpers.nginx import running_nginx

TIMEOUT_S = 60
CODES = [f"ROOM{number:04}" for number in range(24)]

Front = tuple[str, dict[str, "EchoNode"]]


@dataclass
class EchoNode:
    """A server that answers with its name and what it was asked, or as a test has it fail."""

    name: str
    ready: bool = True
    breaks: bool = False
    holder: str = ""
    asked: list[str] = field(default_factory=list)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        if request.path == "/readyz":
            self._send(request, 200 if self.ready else 503, {})
            return
        self.asked.append(f"{request.command} {request.path}")
        if self.breaks:
            request.connection.shutdown(socket.SHUT_RDWR)
            request.close_connection = True
            return
        if self.holder:
            moved = {"X-Accel-Redirect": "@holder", "X-Mien-Holder": self.holder, "Retry-After": "0"}
            self._send(request, 503, {"problem": {"code": "not_here"}}, moved)
            return
        told = {"node": self.name, "body": body.decode(), "headers": dict(request.headers.items())}
        self._send(request, 200, told)

    def _send(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        told: object,
        headers: dict[str, str] | None = None,
    ) -> None:
        content = json.dumps(told).encode()
        request.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(content)


@contextmanager
def listening(node: EchoNode) -> Iterator[int]:
    """Serve a node; its port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # noqa: N802 - the base class names it
            node.answer(self)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # a connection that a test broke

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    """nginx in front of three nodes."""
    nodes = {name: EchoNode(name) for name in ("n1", "n2", "n3")}
    with ExitStack() as running:
        ports = {name: running.enter_context(listening(node)) for name, node in nodes.items()}
        yield running.enter_context(running_nginx(tmp_path, ports)), nodes


def ask(front: Front, path: str, **options: Any) -> dict[str, Any]:
    """What the node says that nginx chose."""
    answer = requests.request(options.pop("method", "GET"), front[0] + path, timeout=TIMEOUT_S, **options)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_everything_of_a_room_goes_to_one_node_and_rooms_are_spread(front: Front) -> None:
    paths = (
        "/r/{}",
        "/r/{}?pid=7",
        "/embed/{}",
        "/embed/{}/status",
        "/host/rooms/{}",
        "/api/v1/rooms/{}",
        "/api/v1/rooms/{}/export.zip?report=1",
        "/socket.io/?EIO=4&transport=websocket&room={}",
        "/socket.io/?room={}&EIO=4&transport=polling&sid=abc",
    )
    homes = {code: {ask(front, path.format(code))["node"] for path in paths} for code in CODES}
    assert {code: len(nodes) for code, nodes in homes.items()} == dict.fromkeys(CODES, 1)
    assert set().union(*homes.values()) == {"n1", "n2", "n3"}


def test_only_the_rooms_of_a_node_that_is_gone_move(front: Front) -> None:
    before = {code: ask(front, f"/r/{code}")["node"] for code in CODES}
    front[1]["n2"].ready = False
    after = {code: ask(front, f"/r/{code}")["node"] for code in CODES}
    assert "n2" not in after.values()
    assert {code for code in CODES if before[code] != after[code]} == {
        code for code in CODES if before[code] == "n2"
    }


@pytest.mark.parametrize("path", ["/", "/about", "/api/v1/rooms", "/embed/mien.js", "/host/rooms/new"])
def test_all_else_is_shared_by_all_nodes(front: Front, path: str) -> None:
    assert {ask(front, path)["node"] for _ in range(12)} == {"n1", "n2", "n3"}


def test_a_session_of_long_polling_stays_on_its_node(front: Front) -> None:
    polls = ("/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=4&transport=polling&sid=abc")
    upgrade = "/socket.io/?EIO=4&transport=websocket&sid=abc"
    assert len({ask(front, path)["node"] for path in (*polls, upgrade) for _ in range(4)}) == 1
    alone = "/socket.io/?EIO=4&transport=websocket"
    assert len({ask(front, alone)["node"] for _ in range(12)}) == 3


@pytest.mark.parametrize("rest", ["", "/results.csv", "/annotated.mp4"])
def test_a_job_is_asked_of_the_node_that_has_its_files(front: Front, rest: str) -> None:
    for name in ("n1", "n2", "n3"):
        assert {ask(front, f"/api/v1/jobs/{name}-0123456789{rest}")["node"] for _ in range(3)} == {name}
    assert ask(front, f"/api/v1/jobs/gone-0123456789{rest}")["node"] in front[1]


def test_a_node_that_does_not_serve_the_room_passes_the_request_to_the_one_that_does(front: Front) -> None:
    home = ask(front, "/api/v1/rooms/MOVED")["node"]
    other = next(name for name in front[1] if name != home)
    front[1][home].holder = other
    posted = {"method": "POST", "data": '{"state": "started"}'}
    told = ask(front, "/api/v1/rooms/MOVED/recording", **posted)
    assert (told["node"], told["body"]) == (other, posted["data"])
    assert ask(front, "/socket.io/?transport=websocket&room=MOVED")["node"] == other


def test_nodes_that_send_each_other_a_request_do_not_send_it_for_ever(front: Front) -> None:
    home = ask(front, "/r/LOST")["node"]
    other = next(name for name in front[1] if name != home)
    front[1][home].holder, front[1][other].holder = other, home
    answer = requests.get(f"{front[0]}/r/LOST", timeout=TIMEOUT_S)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "0")
    assert answer.json()["problem"]["code"] == "not_here"


def test_what_changes_something_is_not_sent_twice_and_what_reads_is(front: Front) -> None:
    home = ask(front, "/api/v1/rooms/BROKEN")["node"]
    for node in front[1].values():
        node.asked.clear()
    front[1][home].breaks = True
    broken = requests.post(f"{front[0]}/api/v1/rooms/BROKEN/markers", data="{}", timeout=TIMEOUT_S)
    assert (broken.status_code, broken.headers["Retry-After"]) == (503, "1")
    assert broken.json()["problem"]["code"] == "unavailable"
    assert sum(len(node.asked) for node in front[1].values()) == 1
    assert ask(front, "/api/v1/rooms/BROKEN")["node"] != home


def test_a_body_is_sent_once_and_whole(front: Front) -> None:
    body = "x" * 3_000_000
    assert ask(front, "/api/v1/analyze", method="POST", data=body)["body"] == body
    assert ask(front, "/api/v1/jobs", method="POST", data=body)["body"] == body
    too_large = requests.post(f"{front[0]}/api/v1/analyze", data=bytes(33 << 20), timeout=TIMEOUT_S)
    assert too_large.status_code == 413


def test_nodes_hear_whose_request_it_is(front: Front) -> None:
    sent = {"Host": "mien.example.org", "X-Forwarded-For": "198.51.100.7"}
    headers = ask(front, "/", headers=sent)["headers"]
    assert headers["Host"] == "mien.example.org"
    assert headers["X-Forwarded-For"] == "198.51.100.7, 127.0.0.1"
    assert headers["X-Forwarded-Proto"] == "http"
    assert len(headers["X-Request-ID"]) == 32


def test_while_no_node_is_ready_those_that_live_answer_themselves(front: Front) -> None:
    for node in front[1].values():
        node.ready = False
    for _ in range(6):
        assert ask(front, "/")["node"] in front[1]
        assert ask(front, "/r/ROOM")["node"] in front[1]


def test_people_read_a_sentence_where_programs_get_a_problem(tmp_path: Path) -> None:
    with listening(EchoNode("n1")) as port:
        pass
    with running_nginx(tmp_path, {"n1": port, "n2": port}) as url:
        page = requests.get(f"{url}/r/ROOM", headers={"Accept": "text/html"}, timeout=TIMEOUT_S)
        program = requests.get(f"{url}/api/v1/rooms/ROOM", timeout=TIMEOUT_S)
    assert page.status_code == program.status_code == 503
    assert "Reload this page" in page.text and page.headers["Content-Type"].startswith("text/html")
    assert program.json()["problem"]["code"] == "unavailable"
