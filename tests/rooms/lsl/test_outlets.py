from __future__ import annotations

import itertools
import threading
import time
from typing import Any

import pytest

from tests.helpers.faces import face
from tests.helpers.room_client import TIMEOUT_S, TOKEN, ParticipantClient, api, make_room
from tests.helpers.scenes import moving_faces
from tests.helpers.serving import Server
from webapp.protocol import LABELS, STAGES, Frame, Result
from webapp.rooms.lsl.outlets import CHANNELS, LslOutlets
from webapp.rooms.participant import Participant
from webapp.rooms.recording.samples import Circumstances, samples_of
from webapp.rooms.room import Room
from webapp.store.records import MarkerRecord, ParticipantRecord, RoomRecord

pylsl = pytest.importorskip("pylsl")

SECONDS = 10
FRAMES_PER_S = 20

SAME_TIME_S = 0.5
"""How far times of the two clocks may be apart, or of the two ends of a call on a busy machine."""


def inlet_of(source_id: str) -> Any:
    (info,) = pylsl.resolve_byprop("source_id", source_id, timeout=TIMEOUT_S)
    inlet = pylsl.StreamInlet(info)
    inlet.open_stream(timeout=TIMEOUT_S)
    return inlet


def pull(inlet: Any, count: int, into: list[tuple[list[Any], float]]) -> None:
    while len(into) < count:
        values, at_s = inlet.pull_sample(timeout=TIMEOUT_S)
        assert values is not None, f"{len(into)} of {count} samples came"
        into.append((values, at_s))


@pytest.mark.slow
def test_an_inlet_receives_every_sample_of_ten_seconds_in_order() -> None:
    room = Room(RoomRecord("LSLTEST2", "Room", "Text", {}, 0.0))
    participant = Participant(ParticipantRecord("0123456789ab", room.code, "A", "", "", 0.0))
    outlets = LslOutlets()
    outlets.joined(room, participant)
    inlet, markers = inlet_of(f"mien-{room.code}-0123456789ab"), inlet_of(f"mien-{room.code}-markers")
    info = inlet.info()
    assert (info.type(), info.channel_count()) == ("Expression", len(CHANNELS))
    channel = info.desc().child("channels").child("channel")
    assert channel.child_value("label") == "angry"

    count, received = SECONDS * FRAMES_PER_S, list[tuple[list[Any], float]]()
    sent_s: list[float] = []
    puller = threading.Thread(target=pull, args=(inlet, count, received))
    puller.start()
    for number in range(count):
        now_ms = 1000 * time.time()
        given = Circumstances(0, "0123456789ab", number, now_ms, now_ms, None, "model")
        faces = (face(width=80 + number),) if number != 5 else ()
        result = Result(number, 640, 480, faces, dict.fromkeys(STAGES, 1.0))
        sent_s.append(now_ms / 1000)
        outlets.samples(room, participant, samples_of(Frame(number, now_ms, b"x"), result, given))
        time.sleep(1 / FRAMES_PER_S)
    outlets.marker(room, MarkerRecord(room.code, 1000 * time.time(), "now", "api"))
    puller.join(2 * TIMEOUT_S)

    assert len(received) == count
    times_s = [at_s for _, at_s in received]
    assert times_s == sorted(times_s)
    assert times_s[-1] - times_s[0] == pytest.approx(sent_s[-1] - sent_s[0], abs=SAME_TIME_S)
    assert received[5][0][0] != received[5][0][0], "NaN where no face was found"
    assert received[6][0][CHANNELS.index("happy")] == pytest.approx(1.0)
    values, at_s = markers.pull_sample(timeout=TIMEOUT_S)
    assert values == ["now"] and at_s >= times_s[-1]


def test_streams_are_given_up_with_their_participants_and_rooms() -> None:
    outlets = LslOutlets()
    room = Room(RoomRecord("LSLTEST3", "Room", "Text", {}, 0.0))
    membership = [Participant(ParticipantRecord(f"p{n}", room.code, f"A{n}", "", "", 0.0)) for n in range(3)]
    given = Circumstances(0, "p0", 0, 1.0, 1.0, None, "model")
    result = Result(0, 640, 480, (face(),), dict.fromkeys(STAGES, 1.0))
    for one in membership:
        outlets.joined(room, one)
    for one in membership:
        outlets.left(one.record.id)
        outlets.samples(room, one, samples_of(Frame(0, 1.0, b"x"), result, given))  # was under way
    assert outlets._participants == {}
    outlets.ended(room)
    room.close(1.0)
    outlets.marker(room, MarkerRecord(room.code, 1.0, "late", "api"))
    assert outlets._markers == {}


def test_an_inlet_receives_every_frame_of_a_participant_for_ten_seconds() -> None:
    """Through a real server: what the participant got as results is what a recorder gets, in order."""
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, MIEN_LSL="1") as server:
        room = make_room(server)
        with ParticipantClient(server) as one:
            participant = one.join(room)["participant"]
            inlet, markers = inlet_of(f"mien-{room}-{participant}"), inlet_of(f"mien-{room}-markers")
            results: list[Any] = []
            sent_s: list[float] = []
            images = itertools.cycle(moving_faces(count=FRAMES_PER_S))
            end_s = time.monotonic() + SECONDS
            while time.monotonic() < end_s:
                if len(results) == 1:
                    api(server, "POST", f"/rooms/{room}/markers", {"label": "now"})
                sent_s.append(time.time())
                (face_of_answer,) = one.send(next(images))["faces"]
                results.append(face_of_answer)
                time.sleep(1 / FRAMES_PER_S)
            received: list[tuple[list[Any], float]] = []
            pull(inlet, len(results), received)
            assert inlet.pull_sample(timeout=0.5) == (None, None), "no sample more"
        assert markers.pull_sample(timeout=TIMEOUT_S)[0] == ["now"]
    times_s = [at_s for _, at_s in received]
    assert times_s == sorted(times_s)
    assert times_s[-1] - times_s[0] == pytest.approx(sent_s[-1] - sent_s[0], abs=SAME_TIME_S)
    for (values, _), answer in zip(received, results, strict=True):
        assert values[: len(LABELS)] == pytest.approx(list(answer["raw_probabilities"].values()), abs=1e-3)
        assert values[CHANNELS.index("yaw")] == pytest.approx(answer["pose"]["yaw"], abs=0.06)
