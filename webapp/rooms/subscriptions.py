"""Which pages of hosts watch which room, and what they are sent: summaries, and pictures of those in view."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from webapp.rooms.dashboard import summary, video
from webapp.rooms.service import RoomService

VIDEO_INTERVAL_S = 0.45
"""A little under two beats: two pictures a second."""


class Emitter(Protocol):
    """The part of Flask-SocketIO that is used here."""

    def emit(self, event: str, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - its own
        """Send an event, and call `callback` with the answer."""


@dataclass(slots=True)
class Subscription:
    """A page: the room whose board it shows, and the participants whose tiles are in view.

    `may_watch` says before anything is sent whether its host's session, key or token is still good.
    Pictures went to it at `sent_s`; the next ones wait until it has `taken` these, however slow its network.
    """

    code: str
    may_watch: Callable[[], bool]
    in_view: frozenset[str] = frozenset()
    sent_s: float = -math.inf
    taken: bool = True

    def take(self, *_: object) -> None:
        """The page has shown what was sent."""
        self.taken = True

    def is_due(self, now_s: float) -> bool:
        """Whether it may get pictures."""
        return bool(self.in_view) and self.taken and now_s - self.sent_s >= VIDEO_INTERVAL_S


class Subscriptions:
    """The connections of hosts that show a board.

    Any thread may call it; one thread at a time shows. Whoever goes through the connections takes a copy.
    """

    def __init__(self, room_service: RoomService, emitter: Emitter) -> None:
        self._room_service = room_service
        self._emitter = emitter
        self._subscriptions: dict[str, Subscription] = {}

    def subscribe(self, connection: str, code: str, may_watch: Callable[[], bool]) -> None:
        """A host's connection wants the board of a room, and of no other, for as long as it may."""
        self._subscriptions[connection] = Subscription(code, may_watch)

    def set_visible(self, connection: str, participant_ids: Iterable[str]) -> None:
        """The tiles of these participants are in view on a board; does nothing where there is none."""
        subscription = self._subscriptions.get(connection)
        if subscription is not None:
            subscription.in_view = frozenset(participant_ids)

    def unsubscribe(self, connection: str) -> None:
        """A connection ended."""
        self._subscriptions.pop(connection, None)

    def show_boards(self, now_s: float) -> None:
        """Send every board its summary."""
        self._drop_refused()
        for code in {subscription.code for subscription in self._subscriptions.copy().values()}:
            room = self._room_service.rooms().get(code)
            data = (
                summary(self._room_service, room, now_s)
                if room
                else {"room": {"code": code, "state": "deleted"}}
            )
            for connection, subscription in self._subscriptions.copy().items():
                if subscription.code == code:
                    self._emitter.emit("board", data, to=connection)

    def show_video(self, now_s: float) -> None:
        """Send the boards of rooms with video what is new of those in view."""
        self._drop_refused()
        for connection, subscription in self._subscriptions.copy().items():
            room = self._room_service.rooms().get(subscription.code)
            if room is None or not room.has_video or not subscription.is_due(now_s):
                continue
            shown = video(room, subscription.in_view, subscription.sent_s)
            if shown is not None:
                subscription.sent_s, subscription.taken = now_s, False
                self._emitter.emit("video", shown, to=connection, callback=subscription.take)

    def _drop_refused(self) -> None:
        """Send nothing more to boards whose host was removed, signed out or has another password."""
        for connection, subscription in self._subscriptions.copy().items():
            if not subscription.may_watch():
                self.unsubscribe(connection)
                signed_out = {"room": {"code": subscription.code, "state": "signed_out"}}
                self._emitter.emit("board", signed_out, to=connection)
