"""What happens in rooms, as it happens, for programs that follow it: samples, markers, recording.

A room has one window of its last events, which all its readers share. A reader is no more than a place in it:
one that falls behind the window loses events and is told so, and costs nothing. Samples exist while a room
records.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from webapp.errors import TooManyAttemptsError
from webapp.rooms.room import Room
from webapp.store.records import MarkerRecord, RecordingRecord, SampleRecord

WINDOW = 5000
"""Events of a room that can be read again: half a minute of thirty people, ten minutes of one; some 5 MB."""

MAX_BATCH = 200

LINGER_S = 120.0
"""For so long after its last reader a room's events are kept, so that one who comes back misses none."""

MAX_READERS = 8
"""At once, of one host with all their keys."""


MOVED = "moved"
"""The reason why a feed ends of which readers are told nothing."""


class FeedSample(NamedTuple):
    """A sample with what the export says beside it."""

    sample: SampleRecord
    alias: str
    label: str | None
    recording: RecordingRecord


class RecordingState(NamedTuple):
    """The recording that began, or None once it has stopped."""

    recording: RecordingRecord | None


@dataclass(slots=True)
class Event:
    """One event; `number` counts from 1. `text` is its wire form, once somebody has needed that."""

    number: int
    name: str
    content: FeedSample | MarkerRecord | RecordingState | None
    participant_id: str | None
    text: str | None = None


class Batch(NamedTuple):
    """The next events of a reader, how many it `missed` before them, and why the feed `ended`, if it has."""

    events: list[Event]
    missed: int
    ended: str | None


class RoomFeed:
    """The last events of one room. Any thread may call it; `_changed` guards all of it, for moments."""

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(4)
        self._events: deque[Event] = deque()
        self._last = 0
        self._dropped = 0
        self._ended: str | None = None
        self._changed = threading.Condition()

    @property
    def last(self) -> int:
        """The number of the newest event."""
        return self._last

    def samples(self, room: Room, recording: RecordingRecord, samples: Iterable[SampleRecord]) -> None:
        """Add samples, but none of a participant who is gone from the room: their data were deleted."""
        with self._changed:
            for sample in samples:
                one = room.participants.get(sample.participant_id)
                if one is not None:
                    who = one.record
                    content = FeedSample(sample, who.alias, who.participant_label, recording)
                    self._append("sample", content, sample.participant_id)
            self._changed.notify_all()

    def marker(self, room: Room, name: str, marker: MarkerRecord) -> None:
        """Add a marker, but none of a participant who is gone from the room."""
        with self._changed:
            if marker.participant_id is None or marker.participant_id in room.participants:
                self._append(name, marker, marker.participant_id)
                self._changed.notify_all()

    def recording(self, state: RecordingState) -> None:
        """Add that recording began or stopped."""
        with self._changed:
            self._append("recording", state, None)
            self._changed.notify_all()

    def erase(self, participant_id: str) -> None:
        """Forget everything of a participant whose data were deleted."""
        with self._changed:
            self._events = deque(one for one in self._events if one.participant_id != participant_id)

    def end(self, reason: str) -> None:
        """Let readers end once they have read what there is."""
        with self._changed:
            self._ended = reason
            if reason == "deleted":
                self._events.clear()
            self._changed.notify_all()

    def after(self, number: int, wait_s: float) -> Batch:
        """The events after a number; waits for one if there is none, but not for longer than `wait_s`."""
        with self._changed:
            if self._newest <= number and self._ended is None:
                self._changed.wait(wait_s)
            missed = max(0, self._dropped - number)
            first = max(number, self._dropped)
            events = self._from(first)
            return Batch(events, missed, self._ended if len(events) < MAX_BATCH else None)

    @property
    def _newest(self) -> int:
        """The number of the newest event that a reader has to know of: those that were erased are none."""
        return self._events[-1].number if self._events else self._dropped

    def _append(
        self, name: str, content: FeedSample | MarkerRecord | RecordingState, participant_id: str | None
    ) -> None:
        if self._ended is not None:
            return
        self._last += 1
        self._events.append(Event(self._last, name, content, participant_id))
        if len(self._events) > WINDOW:
            self._dropped = self._events.popleft().number

    def _from(self, number: int) -> list[Event]:
        """The first `MAX_BATCH` events after a number, found from the end: readers are mostly near it."""
        found: deque[Event] = deque(maxlen=MAX_BATCH)
        for event in reversed(self._events):
            if event.number <= number:
                break
            found.appendleft(event)
        return list(found)


class Feeds:
    """The feeds of all rooms that somebody reads, or has read just now.

    Any thread may call it; `_lock` guards the dictionaries, for moments. Unread, a room costs nothing.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._feeds: dict[str, RoomFeed] = {}
        self._readers: Counter[str] = Counter()
        self._idle_s: dict[str, float] = {}
        self._owners: Counter[str] = Counter()

    def open(self, room: Room, owner: str) -> RoomFeed:
        """Begin to read a room; `close` must follow.

        Raises:
            NoSuchRoomError, RoomClosedError: the room has ended.
            TooManyAttemptsError: this owner reads too many feeds already.
        """
        with self._lock:
            self._sweep()
            known = self._feeds.get(room.code)
            if known is None:
                room.check_open()
            if self._owners[owner] >= MAX_READERS:
                raise TooManyAttemptsError(
                    f"At most {MAX_READERS} streams of one host at once; close others."
                )
            feed = self._feeds.setdefault(room.code, known or RoomFeed())
            self._owners[owner] += 1
            self._readers[room.code] += 1
            self._idle_s.pop(room.code, None)
        return feed

    def close(self, room: Room, owner: str) -> None:
        """A reader is gone."""
        with self._lock:
            self._owners -= Counter([owner])  # which drops those at zero
            self._readers -= Counter([room.code])
            if not self._readers[room.code]:
                self._idle_s[room.code] = time.monotonic()

    def samples(self, room: Room, recording: RecordingRecord, samples: Iterable[SampleRecord]) -> None:
        """Samples that are recorded."""
        feed = self._feeds.get(room.code)
        if feed is not None:
            feed.samples(room, recording, samples)
            self._forget_unread(room.code)

    def marker(self, room: Room, name: str, marker: MarkerRecord) -> None:
        """A marker was set, changed or deleted: `marker`, `marker_changed` or `marker_deleted`."""
        feed = self._feeds.get(room.code)
        if feed is not None:
            feed.marker(room, name, marker)

    def recording(self, room: Room) -> None:
        """Recording began or stopped."""
        feed = self._feeds.get(room.code)
        if feed is not None:
            feed.recording(RecordingState(room.recording))

    def erase(self, room: Room, participant_id: str) -> None:
        """A participant's data were deleted."""
        feed = self._feeds.get(room.code)
        if feed is not None:
            feed.erase(participant_id)

    def end(self, room: Room, reason: str) -> None:
        """A room was closed or deleted."""
        feed = self._feeds.get(room.code)
        if feed is not None:
            feed.end(reason)

    def cut(self, room: Room) -> None:
        """Another node serves the room from now on: readers are cut off, and find it when they come back."""
        with self._lock:
            feed = self._feeds.pop(room.code, None)
        if feed is not None:
            feed.end(MOVED)

    def is_read(self, room: Room) -> bool:
        """Whether somebody reads what happens in a room."""
        return self._readers[room.code] > 0

    def _forget_unread(self, code: str) -> None:
        if time.monotonic() - self._idle_s.get(code, float("inf")) > LINGER_S:
            with self._lock:
                self._sweep()

    def _sweep(self) -> None:
        """Forget the feeds that nobody has read for `LINGER_S`. Under `_lock`."""
        now_s = time.monotonic()
        for code in [code for code, idle_s in self._idle_s.items() if now_s - idle_s > LINGER_S]:
            del self._idle_s[code]
            self._feeds.pop(code, None)
