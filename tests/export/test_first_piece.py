"""An export begins at once, however long its recordings are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.helpers.large_database import make_large_database
from webapp.export.zip import write_export
from webapp.store.database import open_database

CODE = "LARGE234"
SHORT, LONG = 40_000, 160_000
"""More than the thousand rows of a first piece, for each of thirty participants, and four times as many."""

STEP = 100
"""After so many instructions of its virtual machine SQLite says that it works."""


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Engine]]:
    """Databases with a short and a long recording."""
    folder = tmp_path_factory.mktemp("databases")
    made = []
    for samples in (SHORT, LONG):
        make_large_database(folder / f"{samples}.sqlite", CODE, samples)
        made.append(open_database(f"sqlite:///{folder / f'{samples}.sqlite'}"))
    yield made
    for engine in made:
        engine.dispose()


def steps_until_first_piece(engine: Engine, form: str) -> int:
    """What SQLite has to do for the first bytes of an export, in hundreds of instructions."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    def watch(connection: Any, *_: object) -> None:
        connection.set_progress_handler(count, STEP)

    event.listen(engine, "connect", watch)
    pieces = write_export(engine, CODE, {}, form)
    while not next(pieces):
        pass
    pieces.close()  # type: ignore[attr-defined]
    event.remove(engine, "connect", watch)
    engine.dispose()
    return steps


@pytest.mark.parametrize("form", ["csv", "bids"])
def test_the_first_bytes_take_no_more_of_the_database_in_a_long_recording(
    engines: list[Engine], form: str
) -> None:
    short, long = (steps_until_first_piece(engine, form) for engine in engines)
    assert 0 < long < 2 * short
