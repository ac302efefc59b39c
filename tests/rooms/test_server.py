"""Rooms on a real server: the API, the events, and who may do what."""

from __future__ import annotations

import csv
import io
import json
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import socketio

from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until
from webapp.export.codebook import COLUMNS, EXPORT_NAMES
from webapp.protocol import LABELS

TOKEN = "a-long-token-for-tests"
LIMIT_S = 10
CLOCK_ERROR_S = 0.5
"""On a busy machine a frame may seem to be this much older than it is, and so older than the recording."""

Answer = dict[str, Any]


@pytest.fixture(scope="module")
def lab_server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


def api(server: Server, method: str, path: str, body: object = None, token: str = TOKEN) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.request(method, f"{server.url}/api/v1{path}", json=body, headers=headers, timeout=LIMIT_S)


def make_room(server: Server, **settings: object) -> str:
    body = {"name": "Test room", "information": "What this is.", "settings": settings}
    answer = api(server, "POST", "/rooms", body)
    assert answer.status_code == 201
    code: str = answer.json()["code"]
    assert answer.json()["join_url"] == f"{server.url}/r/{code}"
    return code


class person:  # noqa: N801 - used as a function in `with`
    """A participant's connection, which answers the server's questions about its clock."""

    def __init__(self, server: Server, clock_ahead_ms: float = 0.0) -> None:
        self._server = server
        self.client = socketio.Client(reconnection=False)
        self.parted: list[Answer] = []
        self.client.on("clock", lambda: 1000 * time.time() + clock_ahead_ms)
        self.client.on("parted", self.parted.append)
        self.clock_ahead_ms = clock_ahead_ms

    def __enter__(self) -> person:
        self.client.connect(self._server.url, transports=["websocket"])
        return self

    def __exit__(self, *error: object) -> None:
        self.client.disconnect()

    def ask(self, event: str, data: object) -> Answer:
        answer: Answer = self.client.call(event, data, timeout=LIMIT_S)
        return answer

    def join(self, room: str, **given: object) -> Answer:
        return self.ask("join", {"room": room, "alias": "A", "consent": True, **given})

    def send(self, jpeg: bytes, **meta: object) -> Answer:
        captured_ms = 1000 * time.time() + self.clock_ahead_ms
        return self.ask("frame", ({"seq": 1, "captured_ms": captured_ms, **meta}, jpeg))


def wait_until_stored(server: Server, code: str, samples: int) -> Answer:
    for _ in range(100):
        room: Answer = api(server, "GET", f"/rooms/{code}").json()
        if room["samples"]["stored"] >= samples:
            return room
        time.sleep(0.05)
    raise AssertionError(f"{room['samples']} samples were stored, expected {samples}")


def export(server: Server, code: str, query: str = "") -> dict[str, bytes]:
    answer = api(server, "GET", f"/rooms/{code}/export.zip{query}")
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def rows(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode())))


def code_of(answer: Answer) -> str:
    code: str = answer["problem"]["code"]
    return code


def test_joining_needs_consent_and_gives_an_id_and_a_secret(lab_server: Server) -> None:
    room = make_room(lab_server)
    with person(lab_server) as one:
        for consent in (False, None, "yes", 1):
            assert code_of(one.join(room, consent=consent)) == "consent_required"
        assert api(lab_server, "GET", f"/rooms/{room}").json()["participants"] == []
        joined = one.join(room)
        assert joined["participant"] and len(joined["resume"]) > 30


def test_a_code_may_be_typed_in_small_letters_and_with_a_hyphen(lab_server: Server) -> None:
    room = make_room(lab_server)
    with person(lab_server) as one:
        assert one.join(f" {room[:4].lower()}-{room[4:].lower()} ")["participant"]


def test_wrong_closed_and_full_rooms_are_refused(lab_server: Server) -> None:
    full, closed = make_room(lab_server, max_participants=1), make_room(lab_server)
    api(lab_server, "POST", f"/rooms/{closed}/close")
    with person(lab_server) as first, person(lab_server) as second:
        assert first.join(full)["participant"]
        assert code_of(second.join(full)) == "room_full"
        assert code_of(second.join(closed)) == "room_closed"
        assert code_of(second.join("ABCDEFGH")) == "no_such_room"
        assert code_of(second.ask("join", None)) == "no_such_room"


def test_a_frame_sent_to_a_room_before_joining_is_refused(lab_server: Server, astronaut_jpeg: bytes) -> None:
    room = make_room(lab_server)
    with person(lab_server) as one:
        assert one.send(astronaut_jpeg)["faces"], "outside rooms the live page goes on as it is"
        assert code_of(one.send(astronaut_jpeg, room=room)) == "not_joined"
        one.join(room, consent=False)
        assert code_of(one.send(astronaut_jpeg)) == "not_joined"
        one.join(room)
        assert one.send(astronaut_jpeg)["faces"]


@pytest.mark.parametrize("naming", ["auth", "query"])
def test_a_connection_may_name_its_room_when_it_begins(
    lab_server: Server, astronaut_jpeg: bytes, naming: str
) -> None:
    room = make_room(lab_server)
    client = socketio.Client(reconnection=False)
    url = lab_server.url + (f"?room={room}" if naming == "query" else "")
    client.connect(url, auth={"room": room} if naming == "auth" else None, transports=["websocket"])
    answer = client.call("frame", ({"seq": 1, "captured_ms": 1.0}, astronaut_jpeg), timeout=LIMIT_S)
    client.disconnect()
    assert code_of(answer) == "not_joined"


def test_a_recording_exports_every_frame_in_order_with_its_markers(
    lab_server: Server, astronaut_jpeg: bytes
) -> None:
    room = make_room(lab_server)
    with person(lab_server, clock_ahead_ms=3_600_000) as one:
        participant = one.join(room)["participant"]
        one.send(astronaut_jpeg)  # before the recording: not stored
        time.sleep(1.0)  # for the first questions about the clock
        assert api(lab_server, "POST", f"/rooms/{room}/recording", {"state": "started"}).status_code == 200
        time.sleep(CLOCK_ERROR_S)
        for number in range(10):
            assert one.send(astronaut_jpeg)["faces"]
            if number == 5:
                marked_s = time.time()
                assert api(lab_server, "POST", f"/rooms/{room}/markers", {"label": "now"}).status_code == 201
        assert api(lab_server, "POST", f"/rooms/{room}/recording", {"state": "stopped"}).status_code == 200
        one.send(astronaut_jpeg)
    wait_until_stored(lab_server, room, 10)
    files = export(lab_server, room)
    assert list(files) == ["samples.csv", "markers.csv", "participants.csv", "room.json", "report.html"]
    samples = rows(files["samples.csv"])
    assert [column.name for column in COLUMNS] == list(samples[0])
    assert [int(row["frame"]) for row in samples] == list(range(10))
    assert {row["participant"] for row in samples} == {participant}
    times = [float(row["t"]) for row in samples]
    assert times == sorted(times)
    for row in samples:
        for prefix in ("", "smooth_"):
            assert sum(float(row[prefix + name]) for name in EXPORT_NAMES.values()) == pytest.approx(
                1, abs=1e-4
            )
        assert float(row["clock_offset"]) == pytest.approx(-3600, abs=0.2)
        assert row["timestamp"] <= row["received"]
    marked = [row for row in samples if row["marker"]]
    assert [row["marker"] for row in marked] == ["now"]
    (marker,) = rows(files["markers.csv"])
    assert float(marked[0]["t"]) == pytest.approx(float(marker["t"]), abs=0.1)
    assert abs(marked_s - _seconds(marker["timestamp"])) < 0.1
    about = json.loads(files["room.json"])
    assert about["samples"] == 10 and len(about["model"]) == 12
    assert [column["name"] for column in about["code_book"]] == list(samples[0])
    (consent,) = rows(files["participants.csv"])
    assert (consent["participant"], consent["alias"], consent["samples"]) == (participant, "A", "10")
    assert consent["consented"] and consent["information_version"]
    assert b"<svg" in files["report.html"]


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_parquet_has_the_same_samples(lab_server: Server, astronaut_jpeg: bytes) -> None:
    pandas = pytest.importorskip("pandas")
    room = make_room(lab_server)
    with person(lab_server) as one:
        one.join(room)
        api(lab_server, "POST", f"/rooms/{room}/recording", {"state": "started"})
        for _ in range(3):
            one.send(astronaut_jpeg)
    wait_until_stored(lab_server, room, 3)
    text = pandas.read_csv(io.BytesIO(export(lab_server, room)["samples.csv"]))
    table = pandas.read_parquet(io.BytesIO(export(lab_server, room, "?format=parquet")["samples.parquet"]))
    assert list(text.columns) == list(table.columns)
    numbers = [column.name for column in COLUMNS if column.kind == "number"]
    pandas.testing.assert_frame_equal(text[numbers].astype(float), table[numbers].astype(float))


def test_a_marker_may_carry_its_time_in_any_zone(lab_server: Server) -> None:
    room = make_room(lab_server)
    moment = datetime.now(UTC).replace(microsecond=345_000, tzinfo=None)
    there = (moment + timedelta(hours=2)).isoformat(timespec="milliseconds")
    here = moment.isoformat(timespec="milliseconds")
    for given in (f"{here}Z", f"{there}+02:00", here):
        answer = api(lab_server, "POST", f"/rooms/{room}/markers", {"label": "x", "time": given})
        assert answer.json()["time"] == f"{here}Z"
    for wrong in ({}, {"label": ""}, {"label": "x", "time": "noon"}, {"label": 3}):
        assert api(lab_server, "POST", f"/rooms/{room}/markers", wrong).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x"},
        {"name": "", "information": "x"},
        {"name": "x", "information": "x", "settings": {"unknown": 1}},
        {"name": "x", "information": "x", "settings": {"max_participants": 0}},
        {"name": "x", "information": "x", "settings": []},
        ["not an object"],
    ],
)
def test_a_room_that_is_described_wrongly_is_refused_with_words(lab_server: Server, body: object) -> None:
    answer = api(lab_server, "POST", "/rooms", body)
    assert answer.status_code == 400
    assert answer.json()["problem"]["message"]


def test_the_secret_brings_the_same_participant_back(lab_server: Server, astronaut_jpeg: bytes) -> None:
    room = make_room(lab_server, max_participants=1)
    with person(lab_server) as one:
        first = one.join(room)
    with person(lab_server) as again, person(lab_server) as other:
        assert code_of(other.join(room)) == "room_full", "the place is kept"
        assert again.join(room, resume=first["resume"])["participant"] == first["participant"]
        assert again.send(astronaut_jpeg)["faces"]


def test_of_two_connections_of_a_participant_the_later_one_counts(
    lab_server: Server, astronaut_jpeg: bytes
) -> None:
    room = make_room(lab_server)
    with person(lab_server) as one, person(lab_server) as same:
        secret = one.join(room)["resume"]
        same.join(room, resume=secret)
        assert same.send(astronaut_jpeg)["faces"]
        assert code_of(one.send(astronaut_jpeg)) == "not_joined"


def test_equal_aliases_are_told_apart_and_missing_ones_are_given(lab_server: Server) -> None:
    room = make_room(lab_server)
    with person(lab_server) as a, person(lab_server) as b, person(lab_server) as c:
        assert [a.join(room)["alias"], b.join(room)["alias"]] == ["A", "A 2"]
        assert c.join(room, alias="")["alias"] == "P1"


def test_deleting_what_was_recorded_of_a_participant_leaves_the_others(
    lab_server: Server, astronaut_jpeg: bytes
) -> None:
    room = make_room(lab_server)
    with person(lab_server) as one, person(lab_server) as two, person(lab_server) as three:
        ids = [one.join(room)["participant"], two.join(room)["participant"], three.join(room)["participant"]]
        api(lab_server, "POST", f"/rooms/{room}/recording", {"state": "started"})
        for sender in (one, two, three) * 3:
            sender.send(astronaut_jpeg)
        assert one.ask("withdraw", {}) == {"erased": True}
        assert code_of(one.send(astronaut_jpeg)) == "not_joined"
        assert api(lab_server, "DELETE", f"/rooms/{room}/participants/{ids[1]}").status_code == 200
        assert code_of(two.send(astronaut_jpeg)) == "not_joined"
        assert [parted["reason"] for parted in (*one.parted, *two.parted)] == ["erased", "removed"]
    wait_until_stored(lab_server, room, 3)
    files = export(lab_server, room)
    assert {row["participant"] for row in rows(files["samples.csv"])} == {ids[2]}
    assert [row["participant"] for row in rows(files["participants.csv"])] == [ids[2]]
    assert api(lab_server, "DELETE", f"/rooms/{room}/participants/{ids[1]}").status_code == 404


def test_a_deleted_room_is_gone(lab_server: Server) -> None:
    room = make_room(lab_server)
    with person(lab_server) as one:
        one.join(room)
        assert api(lab_server, "DELETE", f"/rooms/{room}").status_code == 200
        wait_until(lambda: one.parted)
        assert one.parted == [{"reason": "deleted"}]
    for method, path in (("GET", ""), ("GET", "/export.zip"), ("DELETE", "")):
        assert api(lab_server, method, f"/rooms/{room}{path}").status_code == 404


def test_a_baseline_gives_relative_probabilities_from_then_on(
    lab_server: Server, astronaut_jpeg: bytes
) -> None:
    room = make_room(lab_server)
    with person(lab_server) as one:
        one.join(room)
        api(lab_server, "POST", f"/rooms/{room}/recording", {"state": "started"})
        states: list[Answer] = []
        one.client.on("baseline", states.append)
        assert "relative_probabilities" not in one.send(astronaut_jpeg)["faces"][0]
        assert one.ask("baseline", {}) == {"state": "running"}
        end_s = time.time() + LIMIT_S
        while not states and time.time() < end_s:
            answer = one.send(astronaut_jpeg)
        assert states == [{"state": "set"}]
        relative = one.send(astronaut_jpeg)["faces"][0]["relative_probabilities"]
        assert tuple(relative) == LABELS
        assert all(value == pytest.approx(1 / 7, abs=0.02) for value in relative.values())
        assert answer["faces"]
    assert api(lab_server, "GET", f"/rooms/{room}").json()["participants"][0]["baseline"] is True
    samples = rows(export(lab_server, room)["samples.csv"])
    assert samples[0]["relative_happiness"] == ""
    assert float(samples[-1]["relative_happiness"]) == pytest.approx(1 / 7, abs=0.02)


def test_guessing_codes_ends_soon() -> None:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server:
        with person(server) as guesser:
            codes = [code_of(guesser.join(f"GUESS{number:03d}")) for number in range(30)]
            assert codes[0] == "no_such_room" and codes[-1] == "too_many_attempts"
        statuses = [
            requests.get(f"{server.url}/r/GUESS{n:03d}", timeout=LIMIT_S).status_code for n in range(30)
        ]
        assert statuses[0] == 404 and statuses[-1] == 429
