"""What templates show of rooms and accounts, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from webapp.rooms.room import Room
from webapp.rooms.settings import RoomSettings
from webapp.store.records import HostRecord, KeyRecord


@dataclass(frozen=True, slots=True)
class RoomView:
    """A room as its board and its participants' page show it.

    `information_language` is empty where the host did not name the language of `information`.
    """

    code: str
    name: str
    information: str
    information_language: str
    information_translations: Mapping[str, str]
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
            information_language=room.settings.language,
            information_translations=room.record.information_translations,
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


@dataclass(frozen=True, slots=True)
class RoomForm:
    """What the form for a new room has in its fields: the defaults, or what was sent and refused."""

    name: str
    information: str
    max_participants: str
    marker_labels: str
    show_results: bool
    video: bool

    @classmethod
    def empty(cls) -> RoomForm:
        """The form before anything is typed; the page itself has the example of the information."""
        default = RoomSettings()
        labels = "\n".join(default.marker_labels)
        return cls("", "", str(default.max_participants), labels, show_results=True, video=False)

    @classmethod
    def sent(cls, form: Mapping[str, str]) -> RoomForm:
        """The form as it was sent."""
        return cls(
            name=form.get("name", ""),
            information=form.get("information", ""),
            max_participants=form.get("max_participants") or str(RoomSettings().max_participants),
            marker_labels=form.get("marker_labels", ""),
            show_results=bool(form.get("show_results")),
            video=bool(form.get("video")),
        )


@dataclass(frozen=True, slots=True)
class HostItem:
    """A host in the list of hosts; `is_you` marks the one who reads it."""

    id: int
    name: str
    is_you: bool

    @classmethod
    def of(cls, host: HostRecord, reader_id: int) -> HostItem:
        """The values of an account."""
        return cls(host.id, host.name, host.id == reader_id)


@dataclass(frozen=True, slots=True)
class KeyItem:
    """A key in the list of a host's keys."""

    id: int
    name: str

    @classmethod
    def of(cls, key: KeyRecord) -> KeyItem:
        """The values of a key."""
        return cls(key.id, key.name)
