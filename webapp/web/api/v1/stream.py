"""A room as it happens: Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

    id: 5c0a1b2e-17
    event: sample
    data: {"participant": "…", "alias": "P1", "timestamp": "2026-05-04T10:11:12.345Z", "happiness": 0.93, …}

Events are `sample`, `recording`, `marker`, `marker_changed`, `marker_deleted`, `gap` and `end`:
docs/markers.md describes them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, cast

from flask import Blueprint, Response, request
from flask_login import current_user

from webapp.accounts.identity import HostUser
from webapp.rooms.feed import MOVED, Batch, Event, RoomFeed
from webapp.web.api.v1.openapi import ROOMS, described
from webapp.web.api.v1.stream_events import data_of, recording_data, wire_event
from webapp.web.authentication import needs_scope
from webapp.web.context import services
from webapp.web.problems import answer_problems

HEARTBEAT_S = 10.0
"""A comment this often tells both ends, and the proxies between, that the other is there."""

CHECK_S = 1.0
"""How often a stream looks whether its key is still valid."""

RETRY_MS = 1000
"""After which a client that lost its stream comes back."""

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""The second lets nginx pass each event on at once."""

blueprint = Blueprint("stream", __name__, url_prefix="/api/v1")
answer_problems(blueprint)


@blueprint.get("/rooms/<code>/stream")
@needs_scope("rooms:read")
@described(ROOMS, {}, files={200: "text/event-stream"}, problems=(409,))
def stream(code: str) -> Response:
    """Samples, markers and recording as they happen, as Server-Sent Events.

    There are samples while the room records. A stream that reconnects with `Last-Event-ID` misses nothing of
    the room's last 5,000 events; where it does, the event `gap` says so.
    """
    rooms, accounts = services().rooms, services().accounts
    room, host = rooms.room(code), cast(HostUser, current_user._get_current_object())
    owner = str(host.id or "token")
    feed = rooms.membership.feeds.open(room, owner)
    events = EventStream(
        feed,
        start=_start(feed, request.headers.get("Last-Event-ID", "")),
        first=recording_data(room.recording),
        is_allowed=lambda: accounts.is_still_valid(host),
        close=lambda: rooms.membership.feeds.close(room, owner),
    )
    return Response(events, mimetype="text/event-stream", headers=HEADERS)


class EventStream:
    """The pieces of one response; a WSGI server iterates over it, and closes it however it ends.

    `start` is the number of the last event that the client has, or None if that is not known any more: the
    client then begins with a gap. One thread at a time may use it.
    """

    def __init__(
        self,
        feed: RoomFeed,
        *,
        start: int | None,
        first: dict[str, Any],
        is_allowed: Callable[[], bool],
        close: Callable[[], None],
    ) -> None:
        self._feed = feed
        self._number = feed.last if start is None else start
        self._is_allowed = is_allowed
        self._on_close: Callable[[], None] | None = close
        self._pieces = self._run(first, is_gap=start is None)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """Free the reader's place."""
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            on_close()

    def _run(self, first: dict[str, Any], is_gap: bool) -> Iterator[bytes]:
        """The state at the start, then events as they come, and a heartbeat where none come."""
        yield f"retry: {RETRY_MS}\n\n".encode()
        if is_gap:
            yield self._gap(None)
        yield wire_event(self._id(), "recording", first)
        heard_s = time.monotonic()
        while self._is_allowed():
            batch = self._feed.after(self._number, CHECK_S)
            if batch.events or batch.missed:
                heard_s = time.monotonic()
                yield self._wire(batch)
            elif batch.ended == MOVED:
                return
            elif batch.ended is not None:
                yield wire_event(self._id(), "end", {"reason": batch.ended})
                return
            elif time.monotonic() - heard_s >= HEARTBEAT_S:
                heard_s = time.monotonic()
                yield b": still here\n\n"
        yield wire_event(self._id(), "end", {"reason": "signed_out"})

    def _wire(self, batch: Batch) -> bytes:
        pieces = []
        if batch.missed:
            self._number += batch.missed
            pieces.append(self._gap(batch.missed))
        for event in batch.events:
            self._number = event.number
            pieces.append(_text_of(self._id(), event).encode())
        return b"".join(pieces)

    def _gap(self, missed: int | None) -> bytes:
        return wire_event(self._id(), "gap", {"missed": missed})

    def _id(self) -> str:
        return f"{self._feed.epoch}-{self._number}"


def _text_of(event_id: str, event: Event) -> str:
    """An event as all its readers get it; made once, and the record it came from is let go."""
    text = event.text
    if text is None:
        text = event.text = wire_event(event_id, event.name, data_of(event.content)).decode()
        event.content = None
    return text


def _start(feed: RoomFeed, last_event_id: str) -> int | None:
    """The number of the last event that a client has; a new one begins with what is yet to come."""
    if not last_event_id:
        return feed.last
    epoch, _, number = last_event_id.partition("-")
    if epoch != feed.epoch or not number.isascii() or not number.isdecimal() or len(number) > 15:
        return None
    return min(int(number), feed.last)
