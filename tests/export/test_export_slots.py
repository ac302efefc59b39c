"""A few exports at once, none that nobody fetches, and none of a room that is gone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.exports import CODE, START_MS, add_person, new_archive, sample, unzip
from tests.helpers.waiting import wait_until
from webapp.errors import StoreError
from webapp.export.export_slots import MAX_EXPORTS, ExportSlots
from webapp.export.snapshot import MAX_ROWS
from webapp.export.store_process import Repositories

WAIT_S = 10.0


class Pieces(Iterator[bytes]):
    """An export that says whether it was closed."""

    def __init__(self, pieces: int = 3) -> None:
        self._left = pieces
        self.is_closed = False

    def __next__(self) -> bytes:
        if not self._left:
            raise StopIteration
        self._left -= 1
        return b"piece"

    def close(self) -> None:
        self.is_closed = True


def opened(slots: ExportSlots, pieces: Iterator[bytes], room: str = CODE) -> str:
    export_id = slots.open(room, pieces)
    assert export_id is not None
    return export_id


def test_only_so_many_run_at_once_and_each_end_makes_room() -> None:
    slots = ExportSlots(slots=2)
    first, second = Pieces(), Pieces(pieces=0)
    first_id, second_id = opened(slots, first), opened(slots, second)
    assert slots.open(CODE, Pieces()) is None
    assert slots.read(second_id) is None, "it ended"
    third_id = opened(slots, Pieces())
    slots.close(first_id)
    opened(slots, Pieces())
    assert (first.is_closed, second.is_closed) == (True, True)
    assert slots.read(third_id) == b"piece"
    slots.close_all()


def test_a_download_that_was_abandoned_frees_its_slot() -> None:
    slots = ExportSlots(slots=1, idle_timeout_s=1.0)
    pieces = Pieces()
    export_id = opened(slots, pieces)
    assert slots.read(export_id) == b"piece"
    wait_until(lambda: pieces.is_closed)
    with pytest.raises(StoreError, match="closed"):
        slots.read(export_id)
    assert slots.open(CODE, Pieces()) is not None


def test_a_download_that_is_fetched_goes_on_until_its_time_is_up() -> None:
    slots = ExportSlots(slots=1, idle_timeout_s=WAIT_S, timeout_s=0.5)
    pieces, start_s = Pieces(), time.monotonic()
    opened(slots, pieces)
    wait_until(lambda: pieces.is_closed)
    assert time.monotonic() - start_s >= 0.5


def test_an_id_never_names_an_export_of_another_process() -> None:
    before, after = ExportSlots(), ExportSlots()
    old_id = opened(before, Pieces())
    opened(after, Pieces())
    with pytest.raises(StoreError, match="closed"):
        after.read(old_id)


def test_deleting_a_room_ends_its_exports_alone() -> None:
    slots = ExportSlots(slots=2)
    gone, other = Pieces(), Pieces()
    opened(slots, gone)
    opened(slots, other, room="OTHER234")
    slots.close_room(CODE)
    assert (gone.is_closed, other.is_closed, len(slots)) == (True, False, 1)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Repositories]:
    """A room with a recording of several pieces."""
    made = new_archive(f"sqlite:///{tmp_path / 'test.sqlite'}", "ann")
    made.recordings.start_recording(CODE, START_MS)
    made.recordings.add_samples([sample("ann", number, number / 100) for number in range(3 * MAX_ROWS)])
    yield made
    made.close()


def test_people_join_at_once_while_sixteen_exports_are_asked_for(archive: Repositories) -> None:
    opened_ids = [archive.exports.open_export(CODE, {}, "csv") for _ in range(16)]
    running = [export_id for export_id in opened_ids if export_id is not None]
    assert len(running) == MAX_EXPORTS
    for export_id in running:
        assert archive.exports.read_export(export_id)
    start_s = time.monotonic()
    add_person(archive, "late")
    assert time.monotonic() - start_s < WAIT_S
    for export_id in running:
        pieces = iter(lambda export_id=export_id: archive.exports.read_export(export_id), None)  # type: ignore[misc]
        assert all(piece is not None for piece in pieces)
    assert archive.exports.open_export(CODE, {}, "csv") is not None


def test_the_export_of_a_deleted_room_breaks_off(archive: Repositories) -> None:
    export_id = archive.exports.open_export(CODE, {}, "csv")
    assert export_id is not None
    assert archive.exports.read_export(export_id)
    archive.rooms.delete_room(CODE)
    with pytest.raises(StoreError, match="closed"):
        archive.exports.read_export(export_id)


def test_two_exports_beside_each_other_are_both_whole(archive: Repositories) -> None:
    ids = [str(archive.exports.open_export(CODE, {}, "csv")) for _ in range(2)]
    pieces: dict[str, list[bytes]] = {export_id: [] for export_id in ids}
    while ids:
        for export_id in list(ids):
            piece = archive.exports.read_export(export_id)
            if piece is None:
                ids.remove(export_id)
            else:
                pieces[export_id].append(piece)
    for parts in pieces.values():
        assert unzip(iter(parts))["samples.csv"].count(b"\n") == 3 * MAX_ROWS + 1
