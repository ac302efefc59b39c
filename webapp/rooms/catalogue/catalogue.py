"""What the rooms' service needs of a catalogue, whether other nodes have rooms too or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from webapp.rooms.room import Room


class Catalogue(Protocol):
    """The rooms of this server. Any thread may call it."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""

    def served(self) -> dict[str, Room]:
        """The rooms that this server serves now, by code.

        Raises:
            StoreError: they are not loaded yet, and cannot be.
        """

    def loaded(self) -> dict[str, Room]:
        """Those of them that are in memory."""

    def lease_s(self) -> float | None:
        """For how long rooms may be served as things are; None where that does not end."""

    def is_elsewhere(self, code: str) -> bool:
        """Whether a room was served here, and may be served by another node now."""

    def listed(self) -> list[Room]:
        """All rooms, in the order in which they were created; those of other nodes as these last said."""

    def find(self, code: str) -> Room | None:
        """The room with a code, to be served from now on; None if there is none.

        Raises:
            NotHereError: another node serves it.
            StoreError: nobody can tell.
        """

    def add(self, room: Room) -> None:
        """A room was created."""

    def drop(self, room: Room) -> None:
        """A room was deleted."""

    def old(self, created_ms: float) -> Iterator[Room]:
        """The rooms from before a time that no other node serves."""

    def alone(self, task: str) -> AbstractContextManager[bool]:
        """Do a task as the only node; the value says whether this is it."""

    def tend(self, is_used: Callable[[Room], bool]) -> None:
        """What is due now and then; rooms that nobody uses need not be served."""

    def give_up_all(self) -> None:
        """Serve no room from now on, so that others can."""
