"""Video on the board: only where the room's setting asks for them and the person consented to it."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.helpers.faces import face
from tests.helpers.room_client import (
    TIMEOUT_S,
    TOKEN,
    Answer,
    ParticipantClient,
    SocketClient,
    api,
    code_of,
    make_room,
)
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until
from webapp.rooms.dashboard.subscriptions import VIDEO_INTERVAL_S, Subscription
from webapp.rooms.dashboard.summary import video
from webapp.rooms.information import VIDEO_NOTICES, with_video_notice
from webapp.rooms.participant import Participant, Seen, ShownImage
from webapp.rooms.room import Room
from webapp.rooms.settings import RoomSettings
from webapp.store.records import RoomRecord, hash_secret

WATCHED_S = 1.5


class Board:
    """A host's board over Socket.IO; notes what comes of the event `video`, and all names of events."""

    def __init__(self, server: Server, room: str) -> None:
        self.client = SocketClient()
        self.shown: list[Answer] = []
        self.events: set[str] = set()
        self.client.on("video", self.shown.append)
        self.client.on("*", lambda event, *data: self.events.add(event))
        headers = {"Authorization": f"Bearer {TOKEN}"}
        self.client.connect(server.url, headers=headers)
        assert self.client.call("subscribe", {"room": room}, timeout=TIMEOUT_S) == {"watching": room}

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *error: object) -> None:
        self.client.disconnect()

    def set_visible(self, *participants: str) -> None:
        answer = self.client.call("visible", {"participants": participants}, timeout=TIMEOUT_S)
        assert answer == {"in_view": len(participants)}

    def membership(self) -> set[str]:
        """Whose frames came."""
        return {picture["id"] for shown in self.shown for picture in shown["pictures"]}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


def send_for(seconds: float, jpeg: bytes, *membership: ParticipantClient) -> None:
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        for one in membership:
            assert one.send(jpeg)["faces"]


def test_no_picture_goes_to_a_board_by_default(server: Server, astronaut_jpeg: bytes) -> None:
    room = make_room(server)
    with ParticipantClient(server) as one, Board(server, room) as board:
        joined = one.join(room)
        assert joined["video"] is False
        board.set_visible(joined["participant"])
        send_for(WATCHED_S, astronaut_jpeg, one)
        assert board.events == {"board", "history"} and board.shown == []


def test_a_board_gets_the_newest_pictures_of_those_in_view_at_most_twice_a_second(
    server: Server, astronaut_jpeg: bytes
) -> None:
    room, other_room = make_room(server, video=True), make_room(server, video=True)
    with ParticipantClient(server) as one, ParticipantClient(server) as two, Board(server, room) as board:
        seen, unseen = one.join(room), two.join(room)
        assert seen["video"] is True
        send_for(WATCHED_S, astronaut_jpeg, one, two)
        assert board.shown == [], "no tile is in view"
        with Board(server, other_room) as elsewhere:
            elsewhere.set_visible(seen["participant"], unseen["participant"])
            begin_s = time.monotonic()
            board.set_visible(seen["participant"])
            send_for(2 * WATCHED_S, astronaut_jpeg, one, two)
            wait_until(lambda: board.shown)
            rate = len(board.shown) / (time.monotonic() - begin_s)
            assert elsewhere.shown == []
        assert board.membership() == {seen["participant"]}
        assert rate < 2.5
        (picture,) = board.shown[-1]["pictures"]
        assert board.shown[-1]["images"] == astronaut_jpeg
        assert picture["bytes"] == len(astronaut_jpeg)
        assert (picture["width"], picture["height"]) == (512, 512)
        assert len(picture["boxes"]) == 1
        board.set_visible()
        time.sleep(0.1)
        board.shown.clear()
        send_for(WATCHED_S, astronaut_jpeg, one, two)
        assert board.shown == []


def test_who_is_no_host_sees_nobody(server: Server, astronaut_jpeg: bytes) -> None:
    room = make_room(server, video=True)
    with ParticipantClient(server) as one, ParticipantClient(server) as two:
        shown: list[object] = []
        two.client.on("video", shown.append)
        participant = one.join(room)["participant"]
        two.join(room)
        assert code_of(two.ask("visible", {"participants": [participant]})) == "unauthorized"
        send_for(WATCHED_S, astronaut_jpeg, one)
        assert shown == []


def test_pictures_end_when_somebody_leaves(server: Server, astronaut_jpeg: bytes) -> None:
    room = make_room(server, video=True)
    with Board(server, room) as board:
        with ParticipantClient(server) as one:
            board.set_visible(one.join(room)["participant"])
            send_for(WATCHED_S, astronaut_jpeg, one)
            wait_until(lambda: board.shown)
        wait_until(lambda: not is_anybody_connected(server, room))
        time.sleep(0.2)  # what was on its way
        board.shown.clear()
        time.sleep(WATCHED_S)
        assert board.shown == []


def is_anybody_connected(server: Server, room: str) -> bool:
    participants = api(server, "GET", f"/rooms/{room}").json()["participants"]
    return any(one["connected"] for one in participants)


def test_the_information_of_a_room_with_video_says_so_and_cannot_be_changed(server: Server) -> None:
    shown, hidden = make_room(server, video=True), make_room(server)
    texts = [requests.get(f"{server.url}/r/{code}", timeout=TIMEOUT_S).text for code in (shown, hidden)]
    assert [VIDEO_NOTICES["en"] in text for text in texts] == [True, False]
    for method in ("PUT", "PATCH", "POST"):
        answer = api(server, method, f"/rooms/{hidden}", {"settings": {"video": True}})
        assert answer.status_code == 405
    assert api(server, "GET", f"/rooms/{hidden}").json()["settings"]["video"] is False


@pytest.mark.parametrize("says_so", [False, True])
def test_who_consented_before_there_was_video_is_not_shown(says_so: bool, astronaut_jpeg: bytes) -> None:
    """The database is changed by hand, as nothing else can: the setting alone, or with the text."""
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server:
        room = make_room(server)
        with ParticipantClient(server) as one:
            secret = one.join(room)["resume"]
        server.stop()
        _change_by_hand(Path(server.settings["MIEN_DATA_DIR"]) / "mien.sqlite", room, says_so)
        server.start()
        with (
            ParticipantClient(server) as before,
            ParticipantClient(server) as after,
            Board(server, room) as board,
        ):
            ids = [before.join(room, resume=secret)["participant"], after.join(room)["participant"]]
            board.set_visible(*ids)
            send_for(WATCHED_S, astronaut_jpeg, before, after)
            wait_until(lambda: board.shown or not says_so)
            assert board.membership() == ({ids[1]} if says_so else set())


def _change_by_hand(database: Path, room: str, says_so: bool) -> None:
    connection = sqlite3.connect(database)
    text = with_video_notice("What this is.", "") if says_so else "What this is."
    settings = json.dumps(RoomSettings(video=True).to_wire())
    with connection:
        changed = connection.execute(
            "UPDATE room SET settings = ?, information = ? WHERE code = ?", (settings, text, room)
        )
        assert changed.rowcount == 1
    connection.close()


def test_no_picture_is_written_anywhere(astronaut_jpeg: bytes) -> None:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server:
        room = make_room(server, video=True)
        api(server, "POST", f"/rooms/{room}/recording", {"state": "started"})
        with ParticipantClient(server) as one, Board(server, room) as board:
            board.set_visible(one.join(room)["participant"])
            send_for(WATCHED_S, astronaut_jpeg, one)
            wait_until(lambda: board.shown)
        files = [path for path in Path(server.settings["MIEN_DATA_DIR"]).rglob("*") if path.is_file()]
        assert any(path.name.startswith("mien.sqlite") for path in files)
        center = astronaut_jpeg[len(astronaut_jpeg) // 2 :][:32]
        assert all(center not in path.read_bytes() for path in files)


def seen(at_s: float) -> Seen:
    image = ShownImage(b"jpeg", 640, 480, (face().box,))
    return Seen(at_s=at_s, latency_ms=1.0, faces=1, face=face(), image=image)


def room_with(participants: int, **settings: Any) -> Room:  # noqa: ANN401 - as RoomSettings has them
    chosen = RoomSettings(**settings)
    text = with_video_notice("Text", chosen.language) if chosen.video else "Text"
    room = Room(RoomRecord("ABCD2345", "Room", text, chosen.to_wire(), 0.0))
    for number in range(participants):
        record = room.new_participant("", hash_secret(str(number)), 1.0)
        room.participants[record.id] = Participant(record, "connection", seen=seen(10.0))
    return room


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (lambda room: None, 1),
        (lambda room: setattr(room, "settings", replace(room.settings, video=False)), 0),
        (lambda room: setattr(room, "record", replace(room.record, information="Text")), 0),
        (lambda room: set_consent(room, "another text"), 0),
        (lambda room: forget_pictures(room), 0),
    ],
    ids=["all of it", "setting off", "text silent", "other consent", "gone"],
)
def test_setting_text_and_consent_must_all_say_so(change: Callable[[Room], object], shown: int) -> None:
    room = room_with(1, video=True)
    change(room)
    assert shown_in(video(room, list(room.participants), since_s=0.0)) == shown


def shown_in(sent: Answer | None) -> int:
    return len(sent["pictures"]) if sent else 0


def set_consent(room: Room, version: str) -> None:
    for one in room.participants.values():
        one.record = replace(one.record, information_version=version)


def forget_pictures(room: Room) -> None:
    for one in room.participants.values():
        one.seen = None


def test_a_picture_goes_out_once() -> None:
    room = room_with(2, video=True)
    first, second = room.participants
    sent = video(room, [first], since_s=9.0)
    assert sent and [one["id"] for one in sent["pictures"]] == [first]
    assert video(room, [first, second], since_s=10.0) is None


def test_a_board_gets_no_more_before_it_has_shown_the_last() -> None:
    subscription = Subscription("ABCD2345", lambda: True, frozenset({"one"}), sent_s=10.0, acknowledged=False)
    assert not subscription.is_due(10.1 + VIDEO_INTERVAL_S)
    subscription.acknowledge()
    assert subscription.is_due(10.1 + VIDEO_INTERVAL_S) and not subscription.is_due(10.2)
