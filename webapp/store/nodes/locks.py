"""The advisory locks of one node, on a connection of its own; runs in the process of its locks (`process`).

All locks are PostgreSQL's, held by the session: they end with it, however it ends. A pooler that gives one
session's statements to several connections breaks that; `heartbeat` notices.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult, NullPool, TextClause, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from webapp.store.database import open_database
from webapp.store.nodes.messages import (
    CLOCK_MARGIN_S,
    IDLE_SESSION_S,
    LEASE_S,
    Heartbeat,
    HeldElsewhere,
    Identity,
    Note,
    Taken,
)

STATEMENT_TIMEOUT_S = 4

NEIGHBOUR_S = 30.0
"""A node that was seen so recently is one that runs."""

NOW_MS = "1000 * extract(epoch FROM clock_timestamp())::double precision"

SAY_HELLO = text(f"""
    INSERT INTO node (name, incarnation, key_print, seen_ms)
    VALUES (:node, :incarnation, :key_print, {NOW_MS})
    ON CONFLICT (name) DO UPDATE
    SET incarnation = :incarnation, key_print = :key_print, seen_ms = {NOW_MS}
""")  # noqa: S608 - constants

SAY_ALIVE = text(f"""
    UPDATE node SET seen_ms = {NOW_MS} WHERE name = :node AND incarnation = :incarnation
    RETURNING pg_backend_pid() AS process_id,
        coalesce((SELECT value FROM change_count WHERE name = 'accounts'), 0) AS accounts
""")  # noqa: S608 - constants

OTHER_KEYS = text(f"""
    SELECT name FROM node
    WHERE key_print != :key_print AND name != :node AND seen_ms > {NOW_MS} - 1000 * {NEIGHBOUR_S}
    ORDER BY name
""")  # noqa: S608 - constants

LAST_OWNER = text(f"""
    SELECT room_owner.incarnation, released, {NOW_MS} - seen_ms AS silent_ms
    FROM room_owner LEFT JOIN node ON node.incarnation = room_owner.incarnation WHERE room = :room
""")  # noqa: S608 - constants

BECOME_OWNER = text("""
    INSERT INTO room_owner (room, epoch, node, incarnation, released)
    VALUES (:room, 1, :node, :incarnation, false)
    ON CONFLICT (room) DO UPDATE
    SET epoch = room_owner.epoch + CASE WHEN room_owner.incarnation = :incarnation THEN 0 ELSE 1 END,
        node = :node, incarnation = :incarnation, released = false
    RETURNING epoch
""")

RELEASE = text("""
    UPDATE room_owner SET released = true, connected = NULL WHERE room = :room AND incarnation = :incarnation
""")

KEEP_NOTE = text("""
    UPDATE room_owner SET samples = :samples, connected = CAST(:connected AS json)
    WHERE room = :room AND incarnation = :incarnation
""")

logger = logging.getLogger(__name__)


class NodeLocks:
    """Takes and gives locks, as the server asks. One thread calls it, but the last call, `close`."""

    def __init__(self, url: str) -> None:
        options = (
            f"-c statement_timeout={STATEMENT_TIMEOUT_S}s -c idle_session_timeout={IDLE_SESSION_S}s "
            "-c synchronous_commit=local -c application_name=mien-locks"
        )
        parsed = make_url(url).update_query_dict({"options": options})
        self._engine = open_database(parsed.render_as_string(hide_password=False), NullPool)
        self._connection: Connection | None = None
        self._identity: Identity | None = None
        self._session = ""
        self._process_id: object = None
        self._held: dict[str, int] = {}
        self._waits_until_s: dict[str, float] = {}
        self._unclaimed: set[str] = set()
        self._trouble = ""

    def heartbeat(
        self, identity: Identity, claimed: Mapping[str, int], notes: Mapping[str, Note]
    ) -> Heartbeat | None:
        """Use the session, so that it lives on, or begin another and take the claimed locks again.

        A lock that is held and that two heartbeats in a row do not claim is given up: its taker was not told.
        Returns None while the database, its tables or the node's name cannot be had; the log says why.
        """
        try:
            if self._connection is None and not self._open(identity, claimed):
                return None
            row = self._execute(SAY_ALIVE, identity).one_or_none()
            if row is None or row.process_id != self._process_id:
                self._lose("the session's statements reach several connections: a pooler is in the way")
                return None
            others = tuple(self._execute(OTHER_KEYS, identity).scalars())
            self._give_unclaimed(identity, claimed)
            for room, note in notes.items():
                values = {"samples": note.samples, "connected": json.dumps(note.connected)}
                self._execute(KEEP_NOTE, identity, room=room, **values)
        except SQLAlchemyError as error:
            self._lose(_short(error))
            return None
        self._trouble = ""
        held = {room: self._held[room] for room in claimed if room in self._held}
        return Heartbeat(self._session, held, row.accounts, others)

    def take(self, identity: Identity, room: str) -> Taken | HeldElsewhere | None:
        """Take the lock of a room, and make its node the owner; None without a session.

        Raises:
            SQLAlchemyError: it could not be taken; nothing is held.
        """
        if self._connection is None:
            return None
        if room in self._held:
            waits_until_s = self._waits_until_s.get(room, 0.0)
            return Taken(self._session, self._held[room], max(0.0, waits_until_s - time.monotonic()))
        if not self._lock(_key("room", room)):
            owner = self._execute(text("SELECT node FROM room_owner WHERE room = :room"), room=room)
            return HeldElsewhere(owner.scalar() or "")
        try:
            wait_s = self._wait_s(identity, room)
            epoch = self._execute(BECOME_OWNER, identity, room=room).scalar_one()
        except SQLAlchemyError:
            self._unlock(_key("room", room))
            raise
        self._held[room], self._waits_until_s[room] = epoch, time.monotonic() + wait_s
        return Taken(self._session, epoch, wait_s)

    def give(self, identity: Identity, rooms: Sequence[str]) -> None:
        """Give the locks of rooms up whose data are all stored; others may take them at once."""
        for room in rooms:
            self._waits_until_s.pop(room, None)
            if self._held.pop(room, None) is not None and self._connection is not None:
                self._execute(RELEASE, identity, room=room)
                self._unlock(_key("room", room))

    def take_named(self, name: str) -> bool:
        """Take a lock for what one node at a time does; False if another has it, or without a session."""
        return self._connection is not None and self._lock(_key("task", name))

    def give_named(self, name: str) -> None:
        """Give such a lock up."""
        if self._connection is not None:
            self._unlock(_key("task", name))

    def close(self) -> None:
        """Give everything up: the server has ended, so it serves nothing any more."""
        with contextlib.suppress(SQLAlchemyError):
            if self._identity is not None:
                self.give(self._identity, list(self._held))
        self._drop()
        self._engine.dispose()

    def _open(self, identity: Identity, claimed: Mapping[str, int]) -> bool:
        """Begin a session; whether it has the node's name, and so may hold its locks."""
        self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if self._execute(text("SELECT to_regclass('change_count')")).scalar() is None:
            self._lose("the tables are not there yet")
            return False
        if not self._lock(_key("node", identity.node)):
            self._lose(f"another node is named {identity.node}: give each a MIEN_NODE of its own")
            return False
        self._session, self._identity = secrets.token_hex(8), identity
        self._process_id = self._execute(text("SELECT pg_backend_pid()")).scalar()
        self._execute(SAY_HELLO, identity)
        for room, epoch in claimed.items():
            if self._lock(_key("room", room)):
                self._keep(identity, room, epoch)
        return True

    def _keep(self, identity: Identity, room: str, epoch: int) -> None:
        """Keep a lock that was taken again, unless the room had another owner, or was deleted, in between."""
        owner = text("SELECT epoch FROM room_owner WHERE room = :room AND incarnation = :incarnation")
        if self._execute(owner, identity, room=room).scalar() == epoch:
            self._held[room] = epoch
        else:
            self._unlock(_key("room", room))

    def _wait_s(self, identity: Identity, room: str) -> float:
        """How long the lease of the last owner may still last, who may be frozen or cut off."""
        row = self._execute(LAST_OWNER, room=room).one_or_none()
        if row is None or row.released or row.incarnation == identity.incarnation:
            return 0.0
        silent_s = max(0.0, (row.silent_ms or 0.0) / 1000)  # < 0 after the database's clock was set back
        return max(0.0, LEASE_S + CLOCK_MARGIN_S - silent_s)

    def _give_unclaimed(self, identity: Identity, claimed: Mapping[str, int]) -> None:
        unclaimed = self._held.keys() - claimed.keys()
        self.give(identity, list(unclaimed & self._unclaimed))
        self._unclaimed = unclaimed & self._held.keys()

    def _lock(self, key: int) -> bool:
        return bool(self._execute(text("SELECT pg_try_advisory_lock(:key)"), key=key).scalar())

    def _unlock(self, key: int) -> None:
        self._execute(text("SELECT pg_advisory_unlock(:key)"), key=key)

    def _execute(
        self, statement: TextClause, identity: Identity | None = None, **values: object
    ) -> CursorResult[Any]:
        assert self._connection is not None
        return self._connection.execute(statement, {**(identity._asdict() if identity else {}), **values})

    def _lose(self, why: str) -> None:
        """The session is gone, and with it every lock; say why, once."""
        if why != self._trouble:
            logger.error("no rooms can be served: %s", why)
            self._trouble = why
        self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        self._held, self._unclaimed = {}, set()
        if connection is not None:
            with contextlib.suppress(SQLAlchemyError):
                connection.invalidate()
                connection.close()


def _key(kind: str, name: str) -> int:
    """The number of a lock: 64 bits with a sign, as PostgreSQL has them."""
    digest = hashlib.sha256(f"mien {kind} {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _short(error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0][:200]
