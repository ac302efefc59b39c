"""Before a recording: participants' pages say whether they are ready, and neutral baselines are made."""

from __future__ import annotations

import time

from webapp.rooms.membership import Membership
from webapp.rooms.participant import Participant
from webapp.rooms.readiness import Readiness
from webapp.rooms.room import Room


class Preparation:
    """Prepares participants for a recording. It has no state of its own: any thread may call it."""

    def __init__(self, membership: Membership) -> None:
        self._membership = membership

    def note_readiness(self, connection: str, readiness: Readiness) -> None:
        """Note what a participant's page says, for hosts.

        Raises:
            NotJoinedError: the connection is in no room.
        """
        _, participant = self._membership.joined(connection)
        participant.readiness = readiness
        if participant.connection != connection:  # they left meanwhile
            participant.readiness = None

    def begin_baseline(self, connection: str) -> None:
        """A participant looks neutral from now on, for `BASELINE_S`.

        Raises:
            NotJoinedError: the connection is in no room.
        """
        room, participant = self._membership.joined(connection)
        with room.lock:
            participant.baseline.begin(time.monotonic())

    def ask_for_baselines(self, room: Room) -> int:
        """Ask everybody in the room to look neutral; how many."""
        return sum(self.ask_for_baseline(room, one) for one in room.participants.values())

    def ask_for_baseline(self, room: Room, participant: Participant) -> bool:
        """Ask a person to look neutral; whether they are there."""
        connection = participant.connection
        if connection is None:
            return False
        with room.lock:
            participant.baseline.ask(time.monotonic())
        self._membership.tell(connection, "baseline", {"state": "asked"})
        return True
