"""What templates show of rooms, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.rooms.room import Room


@dataclass(frozen=True, slots=True)
class RoomView:
    """A room as its board and its participants' page show it."""

    code: str
    name: str
    information: str
    state: str
    has_video: bool
    show_results: bool
    marker_labels: tuple[str, ...]

    @classmethod
    def of(cls, room: Room) -> RoomView:
        """The values of a room as it is now."""
        return cls(
            code=room.code,
            name=room.record.name,
            information=room.record.information,
            state=room.state,
            has_video=room.has_video,
            show_results=room.settings.show_results,
            marker_labels=room.settings.marker_labels,
        )


@dataclass(frozen=True, slots=True)
class RoomListItem:
    """A room in the list of rooms: `samples` are those stored; `state` is `Recording`, `Open` or `Closed`."""

    code: str
    name: str
    participants: int
    samples: int
    state: str

    @classmethod
    def of(cls, room: Room, samples: int) -> RoomListItem:
        """The values of a room as it is now."""
        state = "Recording" if room.recording else room.state.capitalize()
        return cls(room.code, room.record.name, len(room.participants), samples, state)
