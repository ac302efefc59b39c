"""Rooms on a real server: the API, the events, and who may do what."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from tests.helpers.room_client import (
    CLOCK_ERROR_S,
    TIMEOUT_S,
    TOKEN,
    Answer,
    ParticipantClient,
    SocketClient,
    api,
    code_of,
    export,
    make_room,
    rows,
    wait_until_stored,
)
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until
from webapp.export.codebook import COLUMNS, EXPORT_NAMES
from webapp.protocol import LABELS


@pytest.fixture(scope="module")
def room_server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


def test_joining_needs_consent_and_gives_an_id_and_a_secret(room_server: Server) -> None:
    room = make_room(room_server)
    with ParticipantClient(room_server) as one:
        for consent in (False, None, "yes", 1):
            assert code_of(one.join(room, consent=consent)) == "consent_required"
        assert api(room_server, "GET", f"/rooms/{room}").json()["participants"] == []
        joined = one.join(room)
        assert joined["participant"] and len(joined["resume"]) > 30


def test_a_code_may_be_typed_in_small_letters_and_with_a_hyphen(room_server: Server) -> None:
    room = make_room(room_server)
    with ParticipantClient(room_server) as one:
        assert one.join(f" {room[:4].lower()}-{room[4:].lower()} ")["participant"]


def test_wrong_closed_and_full_rooms_are_refused(room_server: Server) -> None:
    full, closed = make_room(room_server, max_participants=1), make_room(room_server)
    api(room_server, "POST", f"/rooms/{closed}/close")
    with ParticipantClient(room_server) as first, ParticipantClient(room_server) as second:
        assert first.join(full)["participant"]
        assert code_of(second.join(full)) == "room_full"
        assert code_of(second.join(closed)) == "room_closed"
        assert code_of(second.join("ABCDEFGH")) == "no_such_room"
        assert code_of(second.ask("join", None)) == "no_such_room"


def test_a_frame_sent_to_a_room_before_joining_is_refused(room_server: Server, astronaut_jpeg: bytes) -> None:
    room = make_room(room_server)
    with ParticipantClient(room_server) as one:
        assert one.send(astronaut_jpeg)["faces"], "outside rooms the live page goes on as it is"
        assert code_of(one.send(astronaut_jpeg, room=room)) == "not_joined"
        one.join(room, consent=False)
        assert code_of(one.send(astronaut_jpeg)) == "not_joined"
        one.join(room)
        assert one.send(astronaut_jpeg)["faces"]


@pytest.mark.parametrize("naming", ["auth", "query"])
def test_a_connection_may_name_its_room_when_it_begins(
    room_server: Server, astronaut_jpeg: bytes, naming: str
) -> None:
    room = make_room(room_server)
    client = SocketClient()
    url = room_server.url + (f"?room={room}" if naming == "query" else "")
    client.connect(url, auth={"room": room} if naming == "auth" else None)
    answer = client.call("frame", ({"seq": 1, "captured_ms": 1.0}, astronaut_jpeg), timeout=TIMEOUT_S)
    client.disconnect()
    assert code_of(answer) == "not_joined"


def test_a_recording_exports_every_frame_in_order_with_its_markers(
    room_server: Server, astronaut_jpeg: bytes
) -> None:
    room = make_room(room_server)
    with ParticipantClient(room_server, clock_ahead_ms=3_600_000) as one:
        participant = one.join(room)["participant"]
        one.send(astronaut_jpeg)  # before the recording: not stored
        one.wait_for_clock()
        assert api(room_server, "POST", f"/rooms/{room}/recording", {"state": "started"}).status_code == 200
        time.sleep(CLOCK_ERROR_S)
        for number in range(10):
            assert one.send(astronaut_jpeg)["faces"]
            if number == 5:
                asked_s = time.time()
                assert api(room_server, "POST", f"/rooms/{room}/markers", {"label": "now"}).status_code == 201
                told_s = time.time()
        assert api(room_server, "POST", f"/rooms/{room}/recording", {"state": "stopped"}).status_code == 200
        one.send(astronaut_jpeg)
    wait_until_stored(room_server, room, 10)
    files = export(room_server, room)
    assert [name for name in files if not name.startswith("figures/")] == [
        "samples.csv",
        "markers.csv",
        "participants.csv",
        "summary.csv",
        "room.json",
        "report.html",
    ]
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
        assert float(row["clock_offset"]) == pytest.approx(-3600, abs=CLOCK_ERROR_S)
        assert row["timestamp"] <= row["received"]
    marked = [row for row in samples if row["marker"]]
    assert [row["marker"] for row in marked] == ["now"]
    (marker,) = rows(files["markers.csv"])
    away_s = {row["frame"]: abs(float(row["t"]) - float(marker["t"])) for row in samples}
    assert away_s[marked[0]["frame"]] == min(away_s.values())
    assert asked_s - 0.001 < _seconds(marker["timestamp"]) < told_s
    about = json.loads(files["room.json"])
    assert about["samples"] == 10 and len(about["model"]) == 12
    assert [column["name"] for column in about["code_book"]] == list(samples[0])
    (consent,) = rows(files["participants.csv"])
    assert (consent["participant"], consent["alias"], consent["samples"]) == (participant, "A", "10")
    assert consent["consented"] and consent["information_version"]
    assert b"<svg" in files["report.html"]


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_parquet_has_the_same_samples(room_server: Server, astronaut_jpeg: bytes) -> None:
    pandas = pytest.importorskip("pandas")
    room = make_room(room_server)
    with ParticipantClient(room_server) as one:
        one.join(room)
        api(room_server, "POST", f"/rooms/{room}/recording", {"state": "started"})
        for _ in range(3):
            one.send(astronaut_jpeg)
    wait_until_stored(room_server, room, 3)
    text = pandas.read_csv(io.BytesIO(export(room_server, room)["samples.csv"]))
    table = pandas.read_parquet(io.BytesIO(export(room_server, room, "?format=parquet")["samples.parquet"]))
    assert list(text.columns) == list(table.columns)
    numbers = [column.name for column in COLUMNS if column.kind == "number"]
    pandas.testing.assert_frame_equal(text[numbers].astype(float), table[numbers].astype(float))


def test_a_marker_may_carry_its_time_in_any_zone(room_server: Server) -> None:
    room = make_room(room_server)
    moment = datetime.now(UTC).replace(microsecond=345_000, tzinfo=None)
    there = (moment + timedelta(hours=2)).isoformat(timespec="milliseconds")
    here = moment.isoformat(timespec="milliseconds")
    for given in (f"{here}Z", f"{there}+02:00", here):
        answer = api(room_server, "POST", f"/rooms/{room}/markers", {"label": "x", "time": given})
        assert answer.json()["time"] == f"{here}Z"
    for wrong in ({}, {"label": ""}, {"label": "x", "time": "noon"}, {"label": 3}):
        assert api(room_server, "POST", f"/rooms/{room}/markers", wrong).status_code == 400


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
def test_a_room_that_is_described_wrongly_is_refused_with_words(room_server: Server, body: object) -> None:
    answer = api(room_server, "POST", "/rooms", body)
    assert answer.status_code == 400
    assert answer.json()["problem"]["message"]


def test_the_secret_brings_the_same_participant_back(room_server: Server, astronaut_jpeg: bytes) -> None:
    room = make_room(room_server, max_participants=1)
    with ParticipantClient(room_server) as one:
        first = one.join(room)
    with ParticipantClient(room_server) as again, ParticipantClient(room_server) as other:
        assert code_of(other.join(room)) == "room_full", "the place is kept"
        assert again.join(room, resume=first["resume"])["participant"] == first["participant"]
        assert again.send(astronaut_jpeg)["faces"]


def test_of_two_connections_of_a_participant_the_later_one_counts(
    room_server: Server, astronaut_jpeg: bytes
) -> None:
    room = make_room(room_server)
    with ParticipantClient(room_server) as one, ParticipantClient(room_server) as same:
        secret = one.join(room)["resume"]
        same.join(room, resume=secret)
        assert same.send(astronaut_jpeg)["faces"]
        assert code_of(one.send(astronaut_jpeg)) == "not_joined"


def test_equal_aliases_are_told_apart_and_missing_ones_are_given(room_server: Server) -> None:
    room = make_room(room_server)
    with (
        ParticipantClient(room_server) as a,
        ParticipantClient(room_server) as b,
        ParticipantClient(room_server) as c,
    ):
        assert [a.join(room)["alias"], b.join(room)["alias"]] == ["A", "A 2"]
        assert c.join(room, alias="")["alias"] == "P1"


def test_deleting_what_was_recorded_of_a_participant_leaves_the_others(
    room_server: Server, astronaut_jpeg: bytes
) -> None:
    room = make_room(room_server)
    with (
        ParticipantClient(room_server) as one,
        ParticipantClient(room_server) as two,
        ParticipantClient(room_server) as three,
    ):
        ids = [one.join(room)["participant"], two.join(room)["participant"], three.join(room)["participant"]]
        api(room_server, "POST", f"/rooms/{room}/recording", {"state": "started"})
        for sender in (one, two, three) * 3:
            sender.send(astronaut_jpeg)
        assert one.ask("withdraw", {}) == {"erased": True}
        assert code_of(one.send(astronaut_jpeg)) == "not_joined"
        assert api(room_server, "DELETE", f"/rooms/{room}/participants/{ids[1]}").status_code == 200
        assert code_of(two.send(astronaut_jpeg)) == "not_joined"
        wait_until(lambda: one.parted and two.parted)
        assert [parted["reason"] for parted in (*one.parted, *two.parted)] == ["erased", "removed"]
    wait_until_stored(room_server, room, 3)
    files = export(room_server, room)
    assert {row["participant"] for row in rows(files["samples.csv"])} == {ids[2]}
    assert [row["participant"] for row in rows(files["participants.csv"])] == [ids[2]]
    assert api(room_server, "DELETE", f"/rooms/{room}/participants/{ids[1]}").status_code == 404


def test_a_deleted_room_is_gone(room_server: Server) -> None:
    room = make_room(room_server)
    with ParticipantClient(room_server) as one:
        one.join(room)
        assert api(room_server, "DELETE", f"/rooms/{room}").status_code == 200
        wait_until(lambda: one.parted)
        assert one.parted == [{"reason": "deleted"}]
    for method, path in (("GET", ""), ("GET", "/export.zip"), ("DELETE", "")):
        assert api(room_server, method, f"/rooms/{room}{path}").status_code == 404


def test_a_baseline_gives_relative_probabilities_from_then_on(
    room_server: Server, astronaut_jpeg: bytes
) -> None:
    room = make_room(room_server)
    with ParticipantClient(room_server) as one:
        one.join(room)
        api(room_server, "POST", f"/rooms/{room}/recording", {"state": "started"})
        states: list[Answer] = []
        one.client.on("baseline", states.append)
        assert "relative_probabilities" not in one.send(astronaut_jpeg)["faces"][0]
        assert one.ask("baseline", {}) == {"state": "running"}
        end_s = time.time() + TIMEOUT_S
        while not states and time.time() < end_s:
            answer = one.send(astronaut_jpeg)
        assert states == [{"state": "set"}]
        relative = one.send(astronaut_jpeg)["faces"][0]["relative_probabilities"]
        assert tuple(relative) == LABELS
        assert all(value == pytest.approx(1 / 7, abs=0.02) for value in relative.values())
        assert answer["faces"]
    assert api(room_server, "GET", f"/rooms/{room}").json()["participants"][0]["baseline"] is True
    samples = rows(export(room_server, room)["samples.csv"])
    assert samples[0]["relative_happiness"] == ""
    assert float(samples[-1]["relative_happiness"]) == pytest.approx(1 / 7, abs=0.02)


def test_guessing_codes_ends_soon() -> None:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server:
        with ParticipantClient(server) as guesser:
            codes = [code_of(guesser.join(f"GUESS{number:03d}")) for number in range(30)]
        assert codes[0] == "no_such_room" and codes[-1] == "too_many_attempts"
        assert requests.get(f"{server.url}/r/GUESS234", timeout=TIMEOUT_S).status_code == 429


def test_a_room_in_several_languages_says_in_which_each_consented(room_server: Server) -> None:
    texts = {"information": "What this is.", "information_translations": {"de": "Worum es geht."}}
    made = api(room_server, "POST", "/rooms", {"name": "Room", "settings": {"language": "en"}, **texts})
    room = made.json()["code"]
    with ParticipantClient(room_server) as one, ParticipantClient(room_server) as two:
        assert code_of(two.join(room, language="fr")) == "bad_request"
        one.join(room, alias="Ada")
        two.join(room, alias="Bert", language="de")
    shown = api(room_server, "GET", f"/rooms/{room}").json()
    assert {name: shown[name] for name in texts} == texts
    languages = {"Ada": "en", "Bert": "de"}
    assert {one["alias"]: one["consent_language"] for one in shown["participants"]} == languages
    files = export(room_server, room)
    consents = rows(files["participants.csv"])
    assert {row["alias"]: row["consent_language"] for row in consents} == languages
    assert json.loads(files["room.json"])["information_translations"] == texts["information_translations"]


def test_the_api_refuses_the_example_with_its_brackets(room_server: Server) -> None:
    body = {"name": "Room", "information": "Who we are: [name, institution, contact]."}
    answer = api(room_server, "POST", "/rooms", body)
    assert (answer.status_code, answer.json()["problem"]["code"]) == (400, "bad_request")
    assert "[name, institution, contact]" in answer.json()["problem"]["message"]
