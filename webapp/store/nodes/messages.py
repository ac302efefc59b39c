"""What a server and the process that holds its locks say to each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

HEARTBEAT_INTERVAL_S = 1.0

LEASE_S = 5.0
"""For so long after a heartbeat its server may serve the rooms whose locks were held then."""

IDLE_SESSION_S = 8
"""PostgreSQL ends a session that is not used for this long, and with it its locks."""

CLOCK_MARGIN_S = 1.0
"""Clocks of two machines may run apart by this much during a lease."""

RETENTION = "retention"
"""The name of the lock of the node that deletes rooms that are too old."""


class Identity(NamedTuple):
    """A node: its name, a random text for each start, and what tells its key of sessions from others."""

    node: str
    incarnation: str
    key_print: str


class Note(NamedTuple):
    """What an owner says of a room, for the lists of other nodes: its samples, and who is connected."""

    samples: int
    connected: tuple[str, ...]


class Heartbeat(NamedTuple):
    """An answer to a heartbeat: the locks that this `session` holds of those asked for.

    `held` has them by room with their epochs, `accounts` counts the changes of accounts, and `other_keys` are
    nodes with another key of sessions.
    """

    session: str
    held: Mapping[str, int]
    accounts: int
    other_keys: tuple[str, ...]


class Taken(NamedTuple):
    """A lock that was taken in a `session`; the last owner's lease may last for another `wait_s`."""

    session: str
    epoch: int
    wait_s: float


class HeldElsewhere(NamedTuple):
    """Another node holds the lock."""

    node: str
