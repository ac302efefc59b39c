"""Opens the database that `MIEN_DATABASE_URL` names, and brings its tables up to date."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Pool, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError

from webapp.errors import SettingsError

MIGRATIONS = Path(__file__).resolve().parent / "migrations"

MIGRATION_LOCK = 6_465_870_133
"""The number of the lock of whoever changes the tables."""

CONNECT_TIMEOUT_S = 5
"""A database that does not answer for this long counts as lost."""

STATEMENT_TIMEOUT_S = 8
"""Less than a caller of the store waits, so that a statement is given up before its caller gives up."""

IDLE_TRANSACTION_TIMEOUT_S = 10
"""A store that is frozen amid a change must not hold its locks for ever: others wait for them."""

LONG_STATEMENT_TIMEOUT_S = 600
"""For exports, deletions and migrations, which may read all samples."""

POSTGRESQL_ARGUMENTS = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    "options": f"-c statement_timeout={STATEMENT_TIMEOUT_S}s "
    f"-c idle_in_transaction_session_timeout={IDLE_TRANSACTION_TIMEOUT_S}s",
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 1000 * STATEMENT_TIMEOUT_S,
}
"""A server that is gone without a word is noticed: after 8 s by what is sent, after 25 s by silence."""

BUSY_TIMEOUT_S = 5


def check_url(url: str) -> URL:
    """The URL of a database that can be used, whether or not it answers now.

    Raises:
        SettingsError: it cannot be read, names neither SQLite nor PostgreSQL, or its file cannot be written.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise _unusable("It cannot be read") from None
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise _unusable(f"{parsed.drivername} is not supported")
    if parsed.database:
        _make_private(Path(parsed.database))
    return parsed


def open_database(url: str, poolclass: type[Pool] | None = None) -> Engine:
    """The engine of SQLAlchemy for a URL; connects later, when it is first used.

    `poolclass` is how it keeps connections: SQLAlchemy's own choice, or `NullPool` for one that keeps none.

    Raises:
        SettingsError: see `check_url`.
    """
    parsed = check_url(url)
    if parsed.get_backend_name() == "postgresql":
        ours = {name: value for name, value in POSTGRESQL_ARGUMENTS.items() if name not in parsed.query}
        return create_engine(parsed, poolclass=poolclass, pool_pre_ping=True, connect_args=ours)
    engine = create_engine(parsed, poolclass=poolclass, connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def allow_long(connection: Connection) -> None:
    """Let the statements of this transaction take long; for those that may read all samples."""
    if connection.dialect.name == "postgresql":
        # The second one as an export waits for its reader between two queries.
        for timeout in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(text(f"SET LOCAL {timeout} = '{LONG_STATEMENT_TIMEOUT_S}s'"))


def migrate(engine: Engine, revision: str = "head") -> None:
    """Make the tables, or bring those of an earlier version up to date."""
    from alembic import command  # here, as the server only knows this module's names
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.connect() as connection:
        allow_long(connection)
        if connection.dialect.name == "postgresql":  # nodes that start together take turns
            connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection that sees the database as it is at its first query, whatever is written after that."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")  # else each SELECT is a transaction of its own
        else:
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            allow_long(connection)
        yield connection


def truncate_wal(engine: Engine) -> bool:
    """Empty SQLite's write-ahead log into the database; False where a reader or a writer is in the way.

    Until then the log has pages as they were before a deletion. PostgreSQL's own log is left alone: True.

    Raises:
        SQLAlchemyError: the database failed.
    """
    if engine.dialect.name != "sqlite":
        return True
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 0")  # it is tried again; nobody else must wait
        try:
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {1000 * BUSY_TIMEOUT_S}")
    return not busy


def _prepare_sqlite(connection: Any, record: object) -> None:  # noqa: ANN401 - sqlite3 or a wrapper of it
    """WAL lets exports read while samples are written; NORMAL survives a killed process.

    Deleted rows are overwritten, as people were told that what was recorded of them is gone.
    """
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _make_private(path: Path) -> None:
    """A new database file that its owner alone can read; SQLite gives its journal the same rights.

    Raises:
        SettingsError: it can be neither made nor written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise SettingsError(
            f"The database {path} cannot be written: {error.strerror}. Set MIEN_DATABASE_URL or "
            "MIEN_DATA_DIR to where this user may write."
        ) from error


def _unusable(reason: str) -> SettingsError:
    return SettingsError(
        f"MIEN_DATABASE_URL: {reason}. Expected sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE."
    )
