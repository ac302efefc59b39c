"""A real server's ports, against clients that are silent, slow or too many."""

from __future__ import annotations

import contextlib
import re
import resource
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.helpers.attacks import LoggedServer, Target
from tests.helpers.floods import RESET_AT_CLOSE
from tests.helpers.serving import PROJECT_ROOT, START_TIMEOUT_S, Server, free_port
from tests.helpers.waiting import wait_until
from webapp.config.limits import Limits
from webapp.server.connections.descriptors import SPARE_DESCRIPTORS, connection_limit
from webapp.server.tls import tls_listener

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS")

TIMEOUT_S = 30
PER_ADDRESS = 30
USUAL_DESCRIPTORS = 1024


@pytest.fixture(scope="module", params=["http", "https"])
def narrow_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LoggedServer]:
    """A server with few places for an address, started with the soft limit of descriptors that is usual."""
    settings = {
        "MIEN_WORKERS": "1",
        "MIEN_CONNECTIONS_PER_ADDRESS": str(PER_ADDRESS),
        "MIEN_HANDSHAKES_PER_S": "10000",  # nothing here is about how fast connections come
    }
    if request.param == "https":
        settings |= {"MIEN_HTTPS": "1", "MIEN_REDIRECT_PORT": "0"}
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, USUAL_DESCRIPTORS), hard))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # requests warns of the certificate that the server just made
        server = LoggedServer(tmp_path_factory.mktemp("log") / "log", **settings)
        with server:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            yield server


def status(server: Server) -> int:
    return requests.get(f"{server.url}/healthz", timeout=TIMEOUT_S, verify=False).status_code


@pytest.fixture(autouse=True)
def settled(request: pytest.FixtureRequest) -> None:
    """Every test begins when the server has seen the connections of the one before end."""
    if "narrow_server" not in request.fixturenames:
        return
    server = request.getfixturevalue("narrow_server")
    wait_until(lambda: is_alone(server))


def is_alone(server: Server) -> bool:
    """Whether the server has no other connection than the one that asks."""
    try:
        metrics = requests.get(f"{server.url}/metrics", timeout=TIMEOUT_S, verify=False).text
    except requests.ConnectionError:
        return False
    return "\nmien_connections 1.0\n" in metrics


@contextlib.contextmanager
def silent_connections(server: Server, count: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Target(server.port, "").connect()) for _ in range(count)]


def test_silent_connections_make_way_for_others(narrow_server: LoggedServer) -> None:
    with silent_connections(narrow_server, 4 * PER_ADDRESS) as silent:
        assert status(narrow_server) == 200
        silent[0].settimeout(TIMEOUT_S)
        assert silent[0].recv(1) == b""
    assert narrow_server.log.read_text().count("Traceback") == 0


def test_websockets_beyond_the_limit_of_an_address_are_refused_and_those_open_stay(
    narrow_server: LoggedServer,
) -> None:
    if narrow_server.url.startswith("https"):
        pytest.skip("the raw websocket of this test speaks plain http")
    target = Target(narrow_server.port, "")
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(_retried(target)) for _ in range(PER_ADDRESS)]
        with pytest.raises(OSError):
            target.websocket()
        held.pop().close()
        held.append(stack.enter_context(_retried(target)))
        for one in held:
            one.setblocking(False)
            with pytest.raises(BlockingIOError):
                one.recv(1)


def _retried(target: Target) -> socket.socket:
    """A websocket, as soon as the server has seen that another one ended."""
    for _ in range(300):
        with contextlib.suppress(OSError):
            return target.websocket()
        time.sleep(0.1)
    raise AssertionError("no place became free")


def test_behind_proxies_the_limit_counts_clients_not_the_proxy(tmp_path: Path) -> None:
    settings = {"MIEN_WORKERS": "1", "MIEN_CONNECTIONS_PER_ADDRESS": "2", "MIEN_PROXIES": "1"}
    with LoggedServer(tmp_path / "log", **settings) as server:

        def open_session(client: str) -> int:
            url = f"{server.url}/socket.io/?EIO=4&transport=polling"
            answer = requests.get(url, headers={"X-Forwarded-For": client}, timeout=TIMEOUT_S)
            if answer.status_code == 200:
                sid = answer.text.split('"')[3]
                requests.post(f"{url}&sid={sid}", data="40", timeout=TIMEOUT_S)
            return answer.status_code

        with silent_connections(server, 10):
            assert [open_session("192.0.2.1") for _ in range(3)] == [200, 200, 503]
            assert [open_session(f"192.0.2.{number}") for number in range(2, 6)] == 4 * [200]


def test_sessions_that_never_connect_to_the_namespace_make_way(narrow_server: LoggedServer) -> None:
    url = f"{narrow_server.url}/socket.io/?EIO=4&transport=polling"
    with requests.Session() as browser:
        answers = [browser.get(url, timeout=TIMEOUT_S, verify=False) for _ in range(2 * PER_ADDRESS)]
        sids = [answer.text.split('"')[3] for answer in answers]
        first, last = (
            browser.post(f"{url}&sid={sid}", data="40", timeout=TIMEOUT_S, verify=False)
            for sid in (sids[0], sids[-1])
        )
    assert {answer.status_code for answer in answers} == {200}
    assert (first.status_code, last.status_code) == (400, 200)


def open_descriptors(server: Server) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def test_a_server_that_ran_out_of_descriptors_serves_again_when_there_are_some(
    narrow_server: LoggedServer,
) -> None:
    pid, logged = narrow_server.process.pid, narrow_server.log.stat().st_size
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    few = open_descriptors(narrow_server) + PER_ADDRESS // 2
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (few, before[1]))
    with silent_connections(narrow_server, PER_ADDRESS):
        time.sleep(1.0)
        assert narrow_server.process.poll() is None
        assert status(narrow_server) == 200, "a silent connection made way"
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    wait_until(narrow_server.is_ready)
    metrics = requests.get(f"{narrow_server.url}/metrics", timeout=TIMEOUT_S, verify=False).text
    assert "mien_descriptors_short 0.0" in metrics
    assert re.search(r'mien_refusals_total\{limit="descriptors"\} [1-9]', metrics)
    said = narrow_server.log.read_text()[logged:]
    assert "no connection can be accepted at the moment" in said
    assert "connections are accepted again" in said
    assert len(said) < 5000


def test_a_server_whose_listener_fails_for_good_ends_and_says_so(tmp_path: Path) -> None:
    """The socket is shut down in a process that serves as `wsgi.py` does."""
    program = (
        "import sys, threading, wsgi, webapp.server.eventlet_server as http_server\n"
        "listen = http_server.listen\n"
        "def failing(host, port):\n"
        "    opened = listen(host, port)\n"
        "    threading.Timer(1.0, opened.shutdown, [2]).start()\n"
        "    return opened\n"
        "http_server.listen = failing\n"
        "wsgi.main()\n"
    )
    starter = "import eventlet; eventlet.monkey_patch()\n"
    settings = {"MIEN_WORKERS": "1", "MIEN_PORT": str(free_port()), "MIEN_DATA_DIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", starter + program],
        cwd=PROJECT_ROOT, env={"PATH": "/usr/bin", **settings}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "CRITICAL" in ended.stderr and "cannot accept connections any more" in ended.stderr


@pytest.mark.parametrize("errors", [[24], [23], [103, 104, 71], [24, 103]])
def test_the_listener_goes_on_after_errors_of_a_connection_or_for_want_of_resources(
    errors: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_listener, "RETRY_S", 0.0)
    connection, end = socket.socketpair()

    class Failing(socket.socket):
        def accept(self) -> tuple[socket.socket, object]:
            if errors:
                raise OSError(errors.pop(), "failed")
            return connection, "address"

    with connection, end, Failing() as failing:
        assert tls_listener.Listener(failing).accept() == (connection, "address")


def test_the_listener_passes_over_connections_that_were_closed_without_a_word() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        for is_reset in (False, True):
            gone = socket.create_connection(address)
            if is_reset:
                gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
            gone.close()
        with socket.create_connection(address) as half_closed, socket.create_connection(address) as silent:
            half_closed.sendall(b"GET")
            half_closed.shutdown(socket.SHUT_WR)
            listener = tls_listener.Listener(listening)
            accepted = [listener.accept() for _ in range(2)]
            assert [peer for _, peer in accepted] == [half_closed.getsockname(), silent.getsockname()]
            for connection, _ in accepted:
                connection.close()


def test_a_second_server_on_the_same_port_is_refused_with_what_to_do(narrow_server: LoggedServer) -> None:
    second = subprocess.run(
        [sys.executable, "wsgi.py"],
        cwd=PROJECT_ROOT,
        env={"PATH": "/usr/bin", **narrow_server.settings},
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT_S,
        check=False,
    )
    assert second.returncode == 1
    assert f"port {narrow_server.port}: Address already in use" in second.stderr
    assert "another Mien server" in second.stderr and "MIEN_PORT" in second.stderr
    assert "Traceback" not in second.stderr
    assert status(narrow_server) == 200


def test_the_soft_limit_of_descriptors_is_raised_at_start(narrow_server: LoggedServer) -> None:
    raised, hard = resource.prlimit(narrow_server.process.pid, resource.RLIMIT_NOFILE)
    needed = Limits().connections + SPARE_DESCRIPTORS
    if hard == resource.RLIM_INFINITY:
        hard = needed
    assert raised == min(hard, needed)
    if raised == needed:
        assert "connections fit" not in narrow_server.log.read_text()


@pytest.mark.parametrize(
    ("descriptors", "connections", "warns"), [(1024, 768, True), (16384, 4096, False), (100, 50, True)]
)
def test_connections_leave_descriptors_for_everything_else(
    descriptors: int, connections: int, warns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    assert connection_limit(Limits(), descriptors) == connections
    assert ("MIEN_CONNECTIONS" in caplog.text) == warns


@pytest.mark.parametrize("method", ["read", "readline", "readlines"])
def test_a_request_has_to_be_sent_in_time(method: str) -> None:
    """However slowly it trickles in: the time is for all of it, not for each byte."""
    program = (
        "import eventlet; eventlet.monkey_patch()\n"
        "import socket, sys, time\n"
        "from webapp.server.connections.timed_streams import TimedReader\n"
        "ours, theirs = socket.socketpair()\n"
        "def trickle():\n"
        "    while True: theirs.send(b'x'); time.sleep(0.05)\n"
        "eventlet.spawn(trickle)\n"
        "reader = TimedReader(ours.makefile('rb')); reader.allow(0.5)\n"
        f"try: reader.{method}(1000)\n"
        "except TimeoutError as error: print(error)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert "did not send its request in time" in ended.stdout


UNREADABLE = {
    "zeros": b"\0" * 8000 + b"\r\n\r\n",
    "version": b"GET / HTTP/9.9\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + 200 * b"A: b\r\n" + b"\r\n",
    "long header": b"GET / HTTP/1.1\r\nA: " + 100_000 * b"b" + b"\r\n\r\n",
    "negative length": b"POST /api/v1/analyze HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
    "bad chunk": b"POST /api/v1/analyze HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_requests_that_cannot_be_read_leave_next_to_nothing_in_the_log(
    narrow_server: LoggedServer, kind: str
) -> None:
    logged = narrow_server.log.stat().st_size
    for _ in range(30):
        with contextlib.suppress(OSError), Target(narrow_server.port, "").connect() as connection:
            connection.sendall(UNREADABLE[kind])
            connection.recv(1000)
    assert status(narrow_server) == 200
    assert narrow_server.log.stat().st_size - logged < 1500


def test_one_sigterm_ends_a_server_that_is_full(tmp_path: Path) -> None:
    settings = {"MIEN_WORKERS": "1", "MIEN_CONNECTIONS_PER_ADDRESS": str(PER_ADDRESS)}
    with LoggedServer(tmp_path / "log", **settings) as server, silent_connections(server, 2 * PER_ADDRESS):
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
