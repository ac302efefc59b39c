"""What a real server makes of packets that no library would send."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import requests
import websocket

from tests.helpers.attacks import LoggedServer
from tests.helpers.processes import memory_mb
from webapp.server.connections.connection_limits import MAX_TEXT_BYTES

TIMEOUT_S = 20


@pytest.fixture(scope="module")
def logged_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoggedServer]:
    with LoggedServer(tmp_path_factory.mktemp("log") / "log", MIEN_WORKERS="1") as server:
        yield server


class Raw:
    """A websocket on which the test writes the packets itself."""

    def __init__(self, server: LoggedServer) -> None:
        url = f"ws://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket"
        self.socket = websocket.create_connection(url, timeout=TIMEOUT_S)
        self.socket.recv()
        self.say("40")
        assert self.hear().startswith("40")

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *error: object) -> None:
        self.socket.close()
        self.socket.shutdown()  # type: ignore[no-untyped-call]  # `close` leaves the descriptor open where the server closed first

    def say(self, *packets: str | bytes) -> None:
        for packet in packets:
            self.socket.send(packet) if isinstance(packet, str) else self.socket.send_binary(packet)

    def hear(self) -> str:
        """The next packet that is no ping."""
        while (packet := str(self.socket.recv())) == "2":
            self.say("3")
        return packet

    def ask(self, jpeg: bytes) -> list[object]:
        """The acknowledgement of a good frame; whatever else is said before it would fail here."""
        self.say('451-7["frame",{"seq":7,"captured_ms":1},{"_placeholder":true,"num":0}]', jpeg)
        packet = self.hear()
        assert packet.startswith("437["), packet
        return list(json.loads(packet[3:]))


BAD_PACKETS: dict[str, list[str | bytes]] = {
    "no JSON": ["42[1,"],
    "no list": ["42{}", "42", '42"frame"', "42[]"],
    "no name": ["42[1]", "42[[]]", "42[{}]", "42[null]"],
    "unknown type": ["47", "49[]", "4x", "4"],
    "connect error": ['44{"message":"x"}'],
    "a second connect": ["40", '40{"token":1}', "40/other,"],
    "acknowledgement of nothing": ["43[]", "431[]", "431{}", "43", '431["x"]'],
    "binary acknowledgement": ['461-1[{"_placeholder":true,"num":0}]', b"x"],
    "binary without an event": [b"x", b"4", b"2-"],
    "no attachment where one is announced": ['451-9["frame",{},{"_placeholder":true,"num":0}]', '42["x"]'],
    "an attachment that does not come": ['451-9["frame",{},{"_placeholder":true,"num":0}]'],
    "no attachment announced": ['45["frame",{},{"_placeholder":true,"num":0}]', b"x"],
    "attachment of another number": ['451-["frame",{},{"_placeholder":true,"num":7}]', b"x"],
    "attachment of a strange number": ['451-["frame",{},{"_placeholder":true,"num":"x"}]', b"x"],
    "an attachment of another event": ['451-["leave",{"_placeholder":true,"num":0}]', b"x"],
    "very many attachments": ['4599999-["frame",{"_placeholder":true,"num":0}]', *[b"x"] * 20],
    "deep JSON": ["42" + "[" * 100_000],
    "reserved names": ['42["connect",{}]', '42["disconnect"]', '42["connect_error"]', '42["*"]'],
    "another namespace": ['42/other,["frame"]', "41/other,"],
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_PACKETS)
def test_a_bad_packet_costs_no_connection(
    logged_server: LoggedServer, astronaut_jpeg: bytes, kind: str
) -> None:
    with Raw(logged_server) as raw:
        raw.say(*BAD_PACKETS[kind])
        (answer,) = raw.ask(astronaut_jpeg)
    assert isinstance(answer, dict) and answer["faces"]
    assert "Traceback" not in logged_server.log.read_text()


@pytest.mark.parametrize(
    ("event", "count", "code"),
    [("frame", 2, "bad_frame"), ("frame", 999_999_999, "bad_frame"), ("join", 1, "bad_request")],
)
def test_attachments_beyond_those_of_a_frame_are_refused_at_once(
    logged_server: LoggedServer, astronaut_jpeg: bytes, event: str, count: int, code: str
) -> None:
    with Raw(logged_server) as raw:
        raw.say(f'45{count}-5["{event}",{{}},{{"_placeholder":true,"num":0}}]')
        (problem,) = json.loads(raw.hear().removeprefix("435"))
        assert problem["problem"]["code"] == code
        raw.say(*[b"part"] * min(count, 3))
        assert raw.ask(astronaut_jpeg)


def test_a_client_that_leaves_the_namespace_keeps_no_connection(logged_server: LoggedServer) -> None:
    with Raw(logged_server) as raw:
        raw.say("41")
        with pytest.raises((OSError, websocket.WebSocketException)):
            while True:
                assert raw.hear() == ""


def test_a_flood_of_bad_packets_is_a_few_lines_in_the_log(logged_server: LoggedServer) -> None:
    logged = logged_server.log.stat().st_size
    with Raw(logged_server) as raw:
        for _ in range(500):
            raw.say("42[1,")
    assert logged_server.log.stat().st_size - logged < 4000


def test_an_event_named_connect_leaves_the_connection_as_it_is(
    logged_server: LoggedServer, astronaut_jpeg: bytes
) -> None:
    """Its handler would have made a new client, whose faces are counted from 1."""
    with Raw(logged_server) as raw:
        (first,) = raw.ask(astronaut_jpeg)
        raw.say('42["disconnect"]', '42["connect",{}]')
        (second,) = raw.ask(astronaut_jpeg)
    assert isinstance(first, dict) and isinstance(second, dict)
    assert [first["faces"][0]["id"], second["faces"][0]["id"]] == [1, 1]


def test_a_client_that_reads_nothing_is_disconnected_before_it_takes_much_memory(
    logged_server: LoggedServer, astronaut_jpeg: bytes
) -> None:
    before_mb = memory_mb(logged_server.process.pid)
    filler = "x" * 100
    with Raw(logged_server) as raw:
        raw.socket.settimeout(2.0)
        event = f'42["frame","{filler}"]'
        with pytest.raises((OSError, websocket.WebSocketException)):
            for number in range(10**9):
                raw.say(event.replace("42[", f"42{number}[", 1))
    assert memory_mb(logged_server.process.pid) - before_mb < 60


def test_text_over_the_limit_ends_the_connection(logged_server: LoggedServer) -> None:
    with Raw(logged_server) as raw:
        raw.say('42["leave","' + "x" * MAX_TEXT_BYTES + '"]')
        opcode, data = raw.socket.recv_data()
        assert (opcode, int.from_bytes(data[:2], "big")) == (websocket.ABNF.OPCODE_CLOSE, 1009)


class Polling:
    """A connection by the polling transport."""

    def __init__(self, server: LoggedServer) -> None:
        url = f"{server.url}/socket.io/?EIO=4&transport=polling"
        sid = requests.get(url, timeout=TIMEOUT_S).text.split('"')[3]
        self._url = f"{url}&sid={sid}"
        self.post("40")
        assert self.get().startswith("40")

    def post(self, body: str) -> int:
        """Send packets; the status of the answer."""
        return requests.post(self._url, data=body, timeout=TIMEOUT_S).status_code

    def get(self) -> str:
        """Wait for packets."""
        return requests.get(self._url, timeout=TIMEOUT_S).text

    @contextmanager
    def websocket(self) -> Iterator[websocket.WebSocket]:
        """A websocket for this connection."""
        url = self._url.replace("http", "ws", 1).replace("polling", "websocket")
        opened = websocket.create_connection(url, timeout=TIMEOUT_S)
        yield opened
        opened.shutdown()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    "body", ["d=" + 10_000 * "&a=1", "x", "", "\x1e".join(17 * ['42["nothing"]']), "6" * 4_000_001]
)
def test_posts_that_cannot_be_read_end_a_polling_connection(logged_server: LoggedServer, body: str) -> None:
    polling = Polling(logged_server)
    assert polling.post(body) == (400 if body else 200)
    assert polling.post('42["nothing"]') == (400 if body else 200)


def test_a_polling_connection_has_a_budget_too(logged_server: LoggedServer) -> None:
    polling = Polling(logged_server)
    events = "\x1e".join(16 * ['42["nothing"]'])
    start_s = time.monotonic()
    for _ in range(6):
        assert polling.post(events) == 200
    assert time.monotonic() - start_s > 1.0


def test_a_connection_has_one_websocket(logged_server: LoggedServer) -> None:
    """With a second one, what the first sent was charged to a budget that nobody waited for."""
    polling = Polling(logged_server)
    with polling.websocket() as first, polling.websocket() as second:
        first.send("2probe")
        assert first.recv() == "3probe"
        with suppress(OSError, websocket.WebSocketException):
            second.send("2probe")
            assert second.recv() != "3probe"
        first.send("5")
        first.send('421["leave",{}]')
        assert first.recv() == "6"  # the end of polling
        assert str(first.recv()).startswith("431[")


@pytest.mark.parametrize("keys", [(), ("Origin: {url}",), ("Origin: {url}", "Sec-WebSocket-Key1: 1 2")])
def test_websockets_of_old_drafts_are_refused(logged_server: LoggedServer, keys: tuple[str, ...]) -> None:
    """They would have none of the limits."""
    lines = [
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1",
        f"Host: 127.0.0.1:{logged_server.port}",
        *("Upgrade: websocket", "Connection: Upgrade"),
        *(key.format(url=logged_server.url) for key in keys),
    ]
    with socket.create_connection(("127.0.0.1", logged_server.port), timeout=TIMEOUT_S) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 400")
