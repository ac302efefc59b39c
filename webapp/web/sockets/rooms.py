"""The Socket.IO events of rooms; docs/rooms.md describes each.

A participant emits `join`, then `frame` as on the live page, `readiness`, `baseline`, `mark`, `leave` and
`withdraw`, and answers `clock`; a host emits `subscribe` and `visible`. Every event acts for the connection's
own participant only.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, cast

from flask import request
from flask_socketio import SocketIO

from webapp.accounts.audit import WITHDRAWAL, AuditLog, shown_code
from webapp.accounts.join_limits import Joins, Marks, WrongCodes
from webapp.accounts.service import AccountService
from webapp.accounts.shared_counts import Counts
from webapp.codec import problem
from webapp.errors import (
    FrameError,
    NoSuchRoomError,
    NotJoinedError,
    RoomError,
    StoreError,
)
from webapp.protocol import Frame, Result
from webapp.rooms.dashboard.history import History
from webapp.rooms.dashboard.subscriptions import Subscriptions
from webapp.rooms.membership import Joined
from webapp.rooms.readiness import Readiness
from webapp.rooms.room import Room, normal_code
from webapp.rooms.service import RoomService
from webapp.server.logs.log_context import set_log_context
from webapp.web.authentication import check_scope, current_host
from webapp.web.problems import room_problem
from webapp.web.sockets.connections import Connections

NO_HOST = problem("unauthorized", "Sign in as a host first.")

logger = logging.getLogger(__name__)

Ack = dict[str, Any]
"""What an event is acknowledged with."""


class RoomEvents:
    """Lets connections join rooms, and hands the results of their frames to the recorder.

    Any thread may call it, for several events of one connection too, and after the connection has ended: an
    event that finds it gone, or ends after it, leaves nothing behind.
    """

    def __init__(
        self,
        connections: Connections,
        room_service: RoomService,
        subscriptions: Subscriptions,
        history: History,
        accounts: AccountService,
        audit: AuditLog,
        wrong_codes: WrongCodes,
        counts: Counts | None = None,
    ) -> None:
        """`counts` are those of attempts that nodes share, if there are any."""
        self._connections = connections
        self._room_service = room_service
        self._accounts = accounts
        self._audit = audit
        self._membership = room_service.membership
        self._subscriptions = subscriptions
        self._history = history
        self._named: set[str] = set()
        self._wrong_codes = wrong_codes
        self._joins = Joins(counts)
        self._marks = Marks()

    def register(self, socketio: SocketIO) -> None:
        """Listen on the default namespace."""
        for name, handler in (
            ("join", self._join),
            ("leave", self._leave),
            ("withdraw", self._withdraw),
            ("baseline", self._baseline),
            ("mark", self._mark),
            ("readiness", self._readiness),
            ("subscribe", self._subscribe),
            ("visible", self._visible),
        ):
            socketio.on_event(name, _guarded(handler))

    # What `webapp.web.sockets.frames` asks of whoever listens to results

    def connected(self, connection: str, auth: object) -> None:
        """A browser connected; it may name the room that it will join."""
        self._connections.opened(connection)
        code = _room_in(auth) or normal_code(request.args.get("room"))
        self._connections.belongs(connection, code)
        if code:
            self._named.add(connection)

    def disconnected(self, connection: str) -> None:
        """A browser is gone; its participant may come back."""
        self._connections.closed(connection)  # first: what is under way looks here when it is done
        self._named.discard(connection)
        self._subscriptions.unsubscribe(connection)
        self._membership.disconnected(connection)

    def expect(self, connection: str, meta: object) -> None:
        """Make sure that a connection's frames may be analyzed.

        Raises:
            NotJoinedError: they are for a room that it has not joined.
        """
        if connection in self._named or _room_in(meta):
            self._check_room(connection, meta)

    def answered(self, connection: str, frame: Frame, result: Result, received_ms: float) -> Result:
        """The result, with what a room adds to it.

        Raises:
            NotJoinedError: the connection left its room while the frame was analyzed.
        """
        if connection in self._named:
            return self._room_service.recorder.take(connection, frame, result, received_ms)
        return result

    # Events

    def _join(self, connection: str, data: object) -> Ack:
        self._name(connection)
        asked = data if isinstance(data, dict) else {}
        room = self._room(asked.get("room"))
        self._connections.belongs(connection, room.code)
        joined = self._counted_join(connection, room, asked)
        return {
            "participant": joined.participant.record.id,
            "resume": joined.resume,
            "alias": joined.participant.record.alias,
            "recording": joined.room.recording is not None,
            "baseline": joined.participant.record.baseline is not None,
            "video": room.may_show(joined.participant),
            "completion": room.completion(joined.participant.record),
        }

    def _counted_join(self, connection: str, room: Room, asked: dict[Any, Any]) -> Joined:
        is_known = room.resumed(asked.get("resume")) is not None
        address = None if is_known else request.remote_addr or ""
        self._joins.take(connection, address)
        try:
            return self._membership.join(
                connection,
                room,
                alias=asked.get("alias"),
                consent=asked.get("consent"),
                resume=asked.get("resume"),
                language=asked.get("language"),
                label=asked.get("pid"),
                consent_source=asked.get("consent_source"),
            )
        except Exception:
            self._joins.failed(connection, address)
            raise

    def _name(self, connection: str) -> None:
        """From now on this connection's frames are for a room."""
        self._named.add(connection)
        if connection not in self._connections:
            self._named.discard(connection)

    def _room(self, code: object) -> Room:
        try:
            return self._room_service.room(code)
        except NoSuchRoomError as error:
            self._wrong_codes.refuse(request.remote_addr or "", error)

    def _leave(self, connection: str, data: object) -> Ack:
        self._check_room(connection, data)
        self._membership.leave(connection)
        return {"left": True}

    def _withdraw(self, connection: str, data: object) -> Ack:
        self._check_room(connection, data)
        room, _ = self._membership.joined(connection)
        self._membership.withdraw(connection)
        self._audit.note(None, WITHDRAWAL, shown_code(room.code))
        return {"erased": True}

    def _baseline(self, connection: str, data: object) -> Ack:
        self._check_room(connection, data)
        self._room_service.preparation.begin_baseline(connection)
        return {"state": "running"}

    def _mark(self, connection: str, data: object) -> Ack:
        self._check_room(connection, data)
        _, participant = self._membership.joined(connection)
        self._marks.take(participant.record.id)
        asked = data if isinstance(data, dict) else {}
        marker = self._room_service.markers.add_of_participant(
            connection, asked.get("label"), asked.get("time")
        )
        return {"id": marker.id, "label": marker.label, "time": marker.at_ms}

    def _readiness(self, connection: str, data: object) -> Ack:
        self._check_room(connection, data)
        readiness = Readiness.from_wire(data)
        self._room_service.preparation.note_readiness(connection, readiness)
        return {"ready": readiness.ready}

    def _subscribe(self, connection: str, data: object) -> Ack:
        host = current_host()
        if host is None:
            return NO_HOST
        check_scope(host, "rooms:read")
        room = self._room_service.room(_room_in(data))
        self._connections.belongs(connection, room.code)
        self._subscriptions.subscribe(connection, room.code, lambda: self._accounts.is_still_valid(host))
        if connection not in self._connections:  # it ended while the rooms were loaded
            self._subscriptions.unsubscribe(connection)
        self._membership.tell(connection, "history", self._history.of(room.code, time.monotonic()))
        return {"watching": room.code}

    def _visible(self, connection: str, data: object) -> Ack:
        host = current_host()
        if host is None:
            return NO_HOST
        check_scope(host, "rooms:read")
        named = data.get("participants") if isinstance(data, dict) else None
        in_view = [one for one in named if isinstance(one, str)] if isinstance(named, list) else []
        self._subscriptions.set_visible(connection, in_view)
        return {"in_view": len(in_view)}

    def _check_room(self, connection: str, data: object) -> None:
        """Make sure that a connection is in a room, and in the one that its data name, if any.

        Raises:
            NotJoinedError: it is not.
        """
        room, _ = self._membership.joined(connection)
        if _room_in(data) not in ("", room.code):
            raise NotJoinedError("This connection is in another room; join this one first, with consent.")


def _guarded(handler: Callable[[str, object], Ack]) -> Callable[..., Ack]:
    """Acknowledges errors as problems: nothing that a browser sends ends its connection."""

    def handle(data: object = None, *_: object) -> Ack:
        connection = cast(str, request.sid)  # type: ignore[attr-defined]  # Flask-SocketIO's
        set_log_context(connection=connection, room=_room_in(data))
        try:
            return handler(connection, data)
        except (RoomError, StoreError) as error:
            return room_problem(error)
        except FrameError as error:
            return problem(error.code, str(error))
        except Exception:
            logger.exception("an event could not be answered")
            return problem("unavailable", "The server failed on this; its log says why.")

    return handle


def _room_in(data: object) -> str:
    return normal_code(data.get("room")) if isinstance(data, dict) else ""
