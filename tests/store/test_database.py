"""Nobody waits for a PostgreSQL that does not answer, but those who ask for much."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from tests.helpers.postgres import Postgres, find_postgres, running_postgres
from webapp.export.store_process import Repositories
from webapp.store import database
from webapp.store.database import (
    LONG_STATEMENT_TIMEOUT_S,
    POSTGRESQL_ARGUMENTS,
    STATEMENT_TIMEOUT_S,
    allow_long,
    open_database,
)
from webapp.store.records import ParticipantRecord, RoomRecord
from webapp.store.requests import CALL_TIMEOUT_S

ROOM = RoomRecord("ABCD2345", "Room", "Text", {}, 1.0)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    programs = find_postgres()
    if programs is None:
        pytest.skip("no PostgreSQL is installed")
    with running_postgres(programs) as running:
        yield running


def test_statements_end_before_their_callers_give_up(postgres: Postgres) -> None:
    engine = open_database(postgres.url)
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW statement_timeout")) == f"{STATEMENT_TIMEOUT_S}s"
        assert connection.scalar(text("SHOW tcp_user_timeout")) is not None
    assert STATEMENT_TIMEOUT_S < CALL_TIMEOUT_S
    engine.dispose()


def test_what_goes_through_all_samples_may_take_longer_and_nothing_after_it(postgres: Postgres) -> None:
    engine = open_database(postgres.url)
    with engine.connect() as connection:
        allow_long(connection)
        long = connection.scalar(text("SHOW statement_timeout"))
        connection.rollback()
        assert connection.scalar(text("SHOW statement_timeout")) == f"{STATEMENT_TIMEOUT_S}s"
    assert long == f"{LONG_STATEMENT_TIMEOUT_S // 60}min"
    engine.dispose()


def test_a_table_that_another_program_locks_fails_a_join_in_time(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        database, "POSTGRESQL_ARGUMENTS", {**POSTGRESQL_ARGUMENTS, "options": "-c statement_timeout=1s"}
    )
    archive = Repositories(postgres.url)
    archive.database.prepare()
    archive.rooms.add_room(ROOM)
    other = open_database(postgres.url)
    with other.begin() as connection:
        connection.execute(text("LOCK TABLE participant IN ACCESS EXCLUSIVE MODE"))
        start_s = time.monotonic()
        with pytest.raises(OperationalError, match="statement timeout"):
            archive.rooms.add_participant(ParticipantRecord("one", ROOM.code, "A", "", "", 2.0))
        assert time.monotonic() - start_s < STATEMENT_TIMEOUT_S
    archive.rooms.add_participant(ParticipantRecord("one", ROOM.code, "A", "", "", 2.0))
    assert archive.rooms.has_participant("one")
    archive.rooms.delete_participant("one")
    archive.rooms.delete_room(ROOM.code)
    assert not archive.rooms.has_room(ROOM.code)
    archive.close()
    other.dispose()


def test_what_the_address_says_goes_before(postgres: Postgres) -> None:
    engine = open_database(f"{postgres.url}?options=-c%20statement_timeout%3D3s")
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW statement_timeout")) == "3s"
    engine.dispose()
