"""Copies of the database that `MIEN_DATABASE_URL` names, made while a server uses it, and their way back."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, Engine, NullPool, inspect, make_url, text

from webapp.config import Settings, child_environment
from webapp.errors import BackupError, SettingsError
from webapp.store.database import MIGRATIONS, check_url, open_database

SIDE_FILES = ("", "-wal", "-shm")
"""What SQLite appends to the name of a database for the files beside it."""

DISCONNECT_TIMEOUT_S = 3

OTHER_CONNECTIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def kind_of(settings: Settings) -> str:
    """`sqlite` or `postgresql`."""
    return make_url(settings.database_url).get_backend_name()


def sqlite_file(settings: Settings) -> Path:
    """The file of an SQLite database."""
    return Path(make_url(settings.database_url).database or "")


def copy_database(settings: Settings, target: Path) -> None:
    """Copy the database as it is at one moment, while a server may write to it.

    Raises:
        BackupError: it cannot be copied.
    """
    url = check_url(settings.database_url)
    if url.get_backend_name() == "postgresql":
        _run_postgres(url, "pg_dump", "--format=custom", "--no-owner", f"--file={target}")
        return
    try:
        opened = closing(_open_to_read(sqlite_file(settings)))
        with opened as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise BackupError(f"The database {url.database} cannot be copied: {error}.") from error


def _open_to_read(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def check_copy(kind: str, path: Path) -> None:
    """Make sure that a copy is a database that is intact.

    Raises:
        BackupError: it is not.
    """
    if kind != "sqlite":
        return
    try:
        with closing(_open_to_read(path)) as copy:
            found = copy.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.Error as error:
        raise BackupError(f"The database in the backup cannot be read: {error}.") from error
    if found != "ok":
        raise BackupError(f"The database in the backup is damaged: {found}.")


def restore_postgres(settings: Settings, dump: Path) -> None:
    """Replace what is in a PostgreSQL database, in one transaction.

    Raises:
        BackupError: it cannot be replaced; then it is as it was.
    """
    options = ("--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error")
    _run_postgres(check_url(settings.database_url), "pg_restore", *options, str(dump))


def require_unused(settings: Settings) -> None:
    """Make sure that nobody is connected to a PostgreSQL database; an SQLite file has a lock beside it.

    A connection that was closed takes a moment to end, so it is looked for again before it is an obstacle.

    Raises:
        SettingsError: somebody is.
        SQLAlchemyError: the database cannot be read.
    """
    if kind_of(settings) != "postgresql":
        return
    engine = open_database(settings.database_url, NullPool)
    end_s = time.monotonic() + DISCONNECT_TIMEOUT_S
    while others := _other_connections(engine):
        if time.monotonic() > end_s:
            raise SettingsError(
                f"The database has {others} other connections. Stop the server that uses it, and every other "
                "client."
            )
        time.sleep(0.1)


def _other_connections(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(OTHER_CONNECTIONS)).scalar_one())


def revision(settings: Settings) -> str | None:
    """The revision of the database's tables; None while it has none.

    Raises:
        SQLAlchemyError: it cannot be read.
    """
    engine = open_database(settings.database_url)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    finally:
        engine.dispose()


def known_revisions() -> list[str]:
    """The revisions that this version knows, the newest last."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(MIGRATIONS))
    return [script.revision for script in reversed(list(scripts.walk_revisions()))]


def _run_postgres(url: URL, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs; others cannot read the password, which is in its environment."""
    if shutil.which(program) is None:
        raise BackupError(
            f"{program} is not installed, and a PostgreSQL database is copied with it; on Debian and Ubuntu: "
            "apt install postgresql-client."
        )
    environment = child_environment(("PG", "SSL_", "KRB5"))
    if url.password:
        environment["PGPASSWORD"] = str(url.password)
    plain = url.set(drivername="postgresql", password=None).render_as_string()
    command = [program, f"--dbname={plain}", *arguments]
    done = subprocess.run(command, env=environment, umask=0o077, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise BackupError(f"{program} failed: {said}")


def require_same_kind(settings: Settings, kind: str) -> None:
    """Make sure that a copy of this kind fits the database of the settings.

    Raises:
        SettingsError: it does not.
    """
    if kind_of(settings) != kind:
        raise SettingsError(
            f"The backup is of a {kind} database, but MIEN_DATABASE_URL names a {kind_of(settings)} one. "
            "Set it to a database of the same kind."
        )
