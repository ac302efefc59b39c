"""What templates show of rooms and accounts, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from flask_babel import gettext as _

from webapp.accounts.scopes import SCOPES
from webapp.rooms.room import Room, normal_code
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
    """A room in the list of rooms: `samples` are those stored; `state` is `recording`, `open` or `closed`."""

    code: str
    name: str
    participants: int
    samples: int
    state: str
    join_url: str
    created_ms: float
    last_recorded_ms: float | None

    @classmethod
    def of(cls, room: Room, samples: int, join_url: str) -> RoomListItem:
        """The values of a room as it is now."""
        return cls(
            code=room.code,
            name=room.record.name,
            participants=len(room.participants),
            samples=samples,
            state="recording" if room.recording else room.state,
            join_url=join_url,
            created_ms=room.record.created_ms,
            last_recorded_ms=room.last_recorded_ms,
        )

    @property
    def created(self) -> datetime:
        """When it was made."""
        return datetime.fromtimestamp(self.created_ms / 1000, UTC)

    @property
    def last_recorded(self) -> datetime | None:
        """When its last recording began, if there was one."""
        return (
            None
            if self.last_recorded_ms is None
            else datetime.fromtimestamp(self.last_recorded_ms / 1000, UTC)
        )

    def matches(self, searched: str) -> bool:
        """Whether its name has each word of a search, or its code is the one searched for."""
        words = searched.casefold().split()
        return all(word in self.name.casefold() for word in words) or normal_code(searched) == self.code


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
    """A key in the list of a host's keys; `scopes` is what it may do."""

    id: int
    name: str
    scopes: tuple[ScopeItem, ...]

    @classmethod
    def of(cls, key: KeyRecord) -> KeyItem:
        """The values of a key."""
        return cls(key.id, key.name, tuple(item for item in scope_items(key.scopes) if item.is_chosen))


@dataclass(frozen=True, slots=True)
class ScopeItem:
    """A scope as the form for a new key offers it."""

    name: str
    text: str
    is_chosen: bool


def scope_items(chosen: Iterable[str]) -> list[ScopeItem]:
    """All scopes with what they permit, in the language of the request."""
    texts = {
        "analyze": _("Analyze images and videos"),
        "rooms:read": _("See rooms and their data"),
        "rooms:write": _("Create, record and delete rooms"),
        "markers": _("Set markers, start and stop recording"),
        "metrics": _("Read the server's metrics"),
    }
    names = set(chosen)
    return [ScopeItem(scope, texts[scope], scope in names) for scope in SCOPES]
