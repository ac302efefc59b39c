"""The window of a room's events, on real threads."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest

from tests.helpers.waiting import wait_until
from webapp.errors import NoSuchRoomError, TooManyAttemptsError
from webapp.rooms import feed as feed_module
from webapp.rooms.feed import MAX_BATCH, MAX_READERS, WINDOW, Feeds, RoomFeed
from webapp.rooms.participant import Participant
from webapp.rooms.room import Room
from webapp.store.records import MarkerRecord, ParticipantRecord, RoomRecord
from webapp.web.api.v1.stream import EventStream, _start


def room(code: str = "FEEDS234") -> Room:
    return Room(RoomRecord(code, "Room", "Text", {}, 0.0))


def publish(feed: RoomFeed, count: int, participant_id: str | None = None) -> None:
    one = room()
    if participant_id is not None:
        record = ParticipantRecord(participant_id, one.code, participant_id, "", "", 0.0)
        one.participants = {participant_id: Participant(record)}
    for number in range(count):
        marker = MarkerRecord(one.code, float(number), "x", "api", participant_id=participant_id)
        feed.marker(one, "marker", marker)


def stream_of(feed: RoomFeed, start: int | None = 0) -> EventStream:
    return EventStream(
        feed, start=start, first={}, is_allowed=lambda: True, is_gone=lambda: False, close=lambda: None
    )


def events(pieces: Iterator[bytes], until: str) -> list[tuple[str, dict[str, object]]]:
    """The names and data of events up to the first that is called `until`."""
    found: list[tuple[str, dict[str, object]]] = []
    for piece in pieces:
        for block in piece.decode().strip().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.split("\n"))
            if "event" in fields:
                found.append((fields["event"], json.loads(fields["data"])))
        if any(name == until for name, _ in found):
            return found
    return found


def test_a_reader_that_is_gone_frees_its_place_before_the_next_heartbeat() -> None:
    left, closed = threading.Event(), threading.Event()
    stream = EventStream(
        RoomFeed(), start=0, first={}, is_allowed=lambda: True, is_gone=left.is_set, close=closed.set
    )
    assert [next(stream)[:5], next(stream)[:2]] == [b"retry", b"id"]
    left.set()
    assert list(stream) == [], "neither a heartbeat nor an end is sent to nobody"
    stream.close()
    assert closed.is_set()


def test_a_reader_that_falls_behind_gets_the_window_and_is_told_how_much_it_missed() -> None:
    feed = RoomFeed()
    slow = stream_of(feed)
    assert next(slow).startswith(b"retry:")
    publish(feed, 3 * WINDOW)
    feed.end("closed")
    found = events(slow, "end")
    assert [data for name, data in found if name == "gap"] == [{"missed": 2 * WINDOW}]
    assert sum(name == "marker" for name, _ in found) == WINDOW


def test_memory_is_bounded_however_much_happens_and_however_slow_the_readers_are() -> None:
    feed = RoomFeed()
    readers = [stream_of(feed) for _ in range(MAX_READERS)]
    publish(feed, 3 * WINDOW)
    assert len(feed._events) == WINDOW
    assert readers[0]._feed is readers[-1]._feed, "readers have no queues of their own"


def test_events_come_in_order_once_each_while_they_are_published() -> None:
    feed, count = RoomFeed(), 4 * MAX_BATCH

    def publish_all() -> None:
        publish(feed, count)
        feed.end("closed")

    publisher = threading.Thread(target=publish_all)
    stream = stream_of(feed)
    publisher.start()
    numbers = [data["timestamp"] for name, data in events(stream, "end") if name == "marker"]
    publisher.join()
    assert len(numbers) == count and numbers == sorted(numbers, key=str)


def test_a_reader_that_waits_gets_an_event_at_once() -> None:
    feed = RoomFeed()
    batches = []
    reader = threading.Thread(target=lambda: batches.append(feed.after(0, 60.0)))
    reader.start()
    publish(feed, 1)
    reader.join(30)
    assert [event.number for event in batches[0].events] == [1]


def test_somebodys_events_are_erased_and_the_others_stay() -> None:
    feed = RoomFeed()
    publish(feed, 3, "ann")
    publish(feed, 2, "ben")
    feed.erase("ann")
    assert {event.participant_id for event in feed.after(0, 0.0).events} == {"ben"}


def test_a_reader_waits_though_the_events_that_it_has_not_read_were_erased() -> None:
    """One that did not wait would take a whole core, and under eventlet the server with it."""
    feed = RoomFeed()
    publish(feed, 3, "ann")
    feed.erase("ann")
    began_s = time.monotonic()
    assert feed.after(0, 0.2).events == []
    assert time.monotonic() - began_s > 0.15
    publish(feed, 1, "ben")
    assert [event.number for event in feed.after(0, 60.0).events] == [4]


def test_a_marker_that_comes_after_its_participants_data_were_deleted_is_not_sent() -> None:
    feeds, one = Feeds(), room()
    feed = feeds.open(one, "ada")
    feeds.marker(one, "marker", MarkerRecord(one.code, 1.0, "x", "participant", participant_id="gone"))
    feeds.marker(one, "marker", MarkerRecord(one.code, 2.0, "y", "api"))
    assert [event.number for event in feed.after(0, 0.0).events] == [1]


def test_nothing_of_a_deleted_room_can_be_read() -> None:
    feed = RoomFeed()
    publish(feed, 3)
    feed.end("deleted")
    publish(feed, 3)
    batch = feed.after(0, 0.0)
    assert (batch.events, batch.ended) == ([], "deleted")


@pytest.mark.parametrize(
    ("last_id", "start"), [("", 2), ("{epoch}-1", 1), ("{epoch}-99", 2), ("{epoch}-x", None)]
)
def test_a_reader_goes_on_where_it_was(last_id: str, start: int | None) -> None:
    feed = RoomFeed()
    publish(feed, 2)
    assert _start(feed, last_id.format(epoch=feed.epoch)) == start


def test_a_host_reads_only_so_many_feeds_at_once_and_others_are_not_concerned() -> None:
    feeds = Feeds()
    for _ in range(MAX_READERS):
        feeds.open(room(), "ada")
    with pytest.raises(TooManyAttemptsError, match=f"{MAX_READERS} streams"):
        feeds.open(room(), "ada")
    feeds.open(room(), "ben")
    feeds.close(room(), "ada")
    feeds.open(room(), "ada")


def test_a_room_that_nobody_reads_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    feeds, one = Feeds(), room()
    feeds.marker(one, "marker", MarkerRecord(one.code, 1.0, "x", "api"))
    assert feeds._feeds == {}
    feed = feeds.open(one, "ada")
    feeds.close(one, "ada")
    assert feeds.open(one, "ada") is feed, "who comes back finds the window"
    feeds.close(one, "ada")
    monkeypatch.setattr(feed_module, "LINGER_S", 0.0)
    time.sleep(0.01)
    feeds.samples(one, None, [])  # type: ignore[arg-type]
    wait_until(lambda: not feeds._feeds)
    assert (feeds._idle_s, +feeds._readers, +feeds._owners) == ({}, {}, {})


def test_a_room_that_ended_has_no_feed() -> None:
    one = room()
    one.is_deleted = True
    with pytest.raises(NoSuchRoomError):
        Feeds().open(one, "ada")
