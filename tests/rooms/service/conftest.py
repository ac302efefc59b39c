from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.stores import ScriptedStore, scripted_rooms
from webapp.rooms.service import RoomService
from webapp.store.sample_writer import SampleWriter


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[tuple[RoomService, ScriptedStore, SampleWriter]]:
    with scripted_rooms(tmp_path) as made:
        yield made


@pytest.fixture
def room_service(parts: tuple[RoomService, ScriptedStore, SampleWriter]) -> RoomService:
    return parts[0]


@pytest.fixture
def store(parts: tuple[RoomService, ScriptedStore, SampleWriter]) -> ScriptedStore:
    return parts[1]


@pytest.fixture
def writer(parts: tuple[RoomService, ScriptedStore, SampleWriter]) -> SampleWriter:
    return parts[2]
