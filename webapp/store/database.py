"""Opens the database that `MIEN_DATABASE_URL` names, and brings its tables up to date."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from webapp.errors import SettingsError

MIGRATIONS = Path(__file__).resolve().parent / "migrations"

CONNECT_LIMIT_S = 5
"""A database that does not answer for this long counts as lost."""

BUSY_LIMIT_S = 5


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


def open_database(url: str) -> Engine:
    """The engine of SQLAlchemy for a URL; connects later, when it is first used.

    Raises:
        SettingsError: see `check_url`.
    """
    parsed = check_url(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(parsed, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_LIMIT_S})
    engine = create_engine(parsed, connect_args={"timeout": BUSY_LIMIT_S})
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def migrate(engine: Engine, revision: str = "head") -> None:
    """Make the tables, or bring those of an earlier version up to date."""
    from alembic import command  # here, as the server only knows this module's names
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


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
