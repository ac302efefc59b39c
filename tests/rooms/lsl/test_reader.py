"""What the reading process makes of the streams of real outlets."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import Any

import pytest

from webapp.rooms.lsl.reader import Came, StreamReader

pylsl = pytest.importorskip("pylsl")

TIMEOUT_S = 60.0


@pytest.fixture
def came() -> queue.SimpleQueue[Came]:
    return queue.SimpleQueue()


@pytest.fixture
def open_outlet(came: queue.SimpleQueue[Came]) -> Iterator[Any]:
    readers = []

    def open_one(name: str, channels: int, form: str) -> Any:
        stream = pylsl.StreamOutlet(
            pylsl.StreamInfo(name, "Markers", channels, pylsl.IRREGULAR_RATE, form, name)
        )
        readers.append(StreamReader(pylsl, name, came))
        assert stream.wait_for_consumers(TIMEOUT_S)
        return stream

    yield open_one
    for reader in readers:
        reader.stop()


def test_a_label_that_is_no_utf_8_is_read_and_does_not_end_the_reading(
    open_outlet: Any, came: queue.SimpleQueue[Came]
) -> None:
    """Programs on Windows may send labels in its own encoding."""
    stream = open_outlet("Not UTF-8", 1, "string")
    stream.push_sample(["Schlüssel".encode("latin-1")])
    stream.push_sample(["Tür"])
    assert [came.get(timeout=TIMEOUT_S)[1] for _ in range(2)] == ["Schlüssel", "Tür"]


def test_numbers_and_several_channels_become_one_label(
    open_outlet: Any, came: queue.SimpleQueue[Came]
) -> None:
    stream = open_outlet("Triggers", 2, "int32")
    stream.push_sample([7, 12])
    assert came.get(timeout=TIMEOUT_S)[1] == "7; 12"
