"""Which dashboards show which room, and what they are sent: summaries, and frames of visible participants."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from webapp.rooms.dashboard.summary import summary, video
from webapp.rooms.service import RoomService

VIDEO_INTERVAL_S = 0.45
"""A little under two ticks: two frames a second."""


class Emitter(Protocol):
    """The part of Flask-SocketIO that is used here."""

    def emit(self, event: str, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - its own
        """Send an event, and call `callback` with its acknowledgement."""


@dataclass(slots=True)
class Subscription:
    """A dashboard: the room that it shows, and the participants whose tiles are visible.

    `may_watch` is called before anything is sent: whether its host's session, key or token is still valid.
    Frames were sent to it at `sent_s`; the next ones wait until it `acknowledged` these, however slow its
    network is.
    """

    code: str
    may_watch: Callable[[], bool]
    visible: frozenset[str] = frozenset()
    sent_s: float = -math.inf
    acknowledged: bool = True

    def acknowledge(self, *_: object) -> None:
        """The page has received what was sent."""
        self.acknowledged = True

    def is_due(self, now_s: float) -> bool:
        """Whether frames may be sent to it now."""
        return bool(self.visible) and self.acknowledged and now_s - self.sent_s >= VIDEO_INTERVAL_S


class Subscriptions:
    """The connections of hosts that show a dashboard.

    Any thread may call it; the `show_` methods are called by one thread at a time. Iterations use a copy.
    """

    def __init__(self, room_service: RoomService, emitter: Emitter) -> None:
        self._room_service = room_service
        self._emitter = emitter
        self._subscriptions: dict[str, Subscription] = {}

    def subscribe(self, connection: str, code: str, may_watch: Callable[[], bool]) -> None:
        """Show a host's connection the dashboard of this room, and of no other, as long as it may watch."""
        self._subscriptions[connection] = Subscription(code, may_watch)

    def set_visible(self, connection: str, participant_ids: Iterable[str]) -> None:
        """The tiles of these participants are visible on a dashboard; does nothing if it shows none."""
        subscription = self._subscriptions.get(connection)
        if subscription is not None:
            subscription.visible = frozenset(participant_ids)

    def unsubscribe(self, connection: str) -> None:
        """A connection ended."""
        self._subscriptions.pop(connection, None)

    def show_boards(self, now_s: float) -> None:
        """Send every dashboard its summary."""
        self._drop_refused()
        rooms = self._room_service.rooms()
        for code in {subscription.code for subscription in self._subscriptions.copy().values()}:
            room = rooms.get(code)
            if room is None and self._room_service.is_elsewhere(code):
                continue
            data = (
                summary(self._room_service, room, now_s)
                if room
                else {"room": {"code": code, "state": "deleted"}}
            )
            for connection, subscription in self._subscriptions.copy().items():
                if subscription.code == code:
                    self._emitter.emit("board", data, to=connection)
                    if room is None:
                        self.unsubscribe(connection)

    def show_video(self, now_s: float) -> None:
        """Send dashboards of rooms with video the new frames of visible participants."""
        self._drop_refused()
        for connection, subscription in self._subscriptions.copy().items():
            room = self._room_service.rooms().get(subscription.code)
            if room is None or not room.has_video or not subscription.is_due(now_s):
                continue
            shown = video(room, subscription.visible, subscription.sent_s)
            if shown is not None:
                subscription.sent_s, subscription.acknowledged = now_s, False
                self._emitter.emit("video", shown, to=connection, callback=subscription.acknowledge)

    def _drop_refused(self) -> None:
        """Send nothing more to dashboards whose host was removed, signed out or changed the password."""
        for connection, subscription in self._subscriptions.copy().items():
            if not subscription.may_watch():
                self.unsubscribe(connection)
                signed_out = {"room": {"code": subscription.code, "state": "signed_out"}}
                self._emitter.emit("board", signed_out, to=connection)
