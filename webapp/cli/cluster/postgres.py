"""The PostgreSQL of a cluster on this machine, with deploy/cluster/postgresql.conf."""

from __future__ import annotations

import hashlib
import shutil
import signal
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg

from webapp.cli.cluster.child import Program, user_options
from webapp.cli.cluster.layout import SHIPPED, Layout
from webapp.cli.cluster.programs import Programs, find_program, postgres_user
from webapp.config import child_environment
from webapp.errors import ClusterError
from webapp.store.database import migrate, open_database

SYSTEM_FOLDER = Path("/var/lib/mien-cluster")
"""Where root keeps the data whose own folders PostgreSQL's user cannot enter."""

CONNECT_TIMEOUT_S = 3
OTHERS_MAY_ENTER = 0o001


def postgres_program(layout: Layout, programs: Programs) -> Program:
    """PostgreSQL on its port of this machine; the first time its data folder is made.

    Raises:
        ClusterError: the data folder cannot be made, or is of another version of PostgreSQL.
    """
    user = postgres_user()
    data = _folder(layout, user) / "data"
    if not (data / "PG_VERSION").exists():
        _initialize(layout, programs, data, user)
    _check_version(programs, data)
    ours = data / "conf.d" / "mien.conf"
    shutil.copyfile(SHIPPED / "postgresql.conf", ours)
    shutil.chown(ours, user or ours.stat().st_uid)
    options = f"port={layout.postgres_port}", "listen_addresses=127.0.0.1", "unix_socket_directories="
    return Program(
        "postgres",
        (str(programs.postgres), "-D", str(data), *(word for option in options for word in ("-c", option))),
        layout.log("postgres"),
        lambda: _answers(layout),
        child_environment(),
        user,
        stop_signal=signal.SIGINT,  # on SIGTERM it would wait until all clients have left
    )


def prepare_database(layout: Layout) -> None:
    """Make the database and its tables, or bring them up to date; PostgreSQL runs.

    Done before the nodes start, so that they have nothing to do at the same time.
    """
    with closing(_connect(layout)) as connection:
        connection.autocommit = True
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'mien'").fetchone():
            connection.execute("CREATE DATABASE mien")
    engine = open_database(layout.database_url)
    try:
        migrate(engine)
    finally:
        engine.dispose()


def has_accounts(layout: Layout) -> bool:
    """Whether any host has an account yet."""
    with closing(_connect(layout, "mien")) as connection:
        return connection.execute("SELECT 1 FROM host LIMIT 1").fetchone() is not None


def _connect(layout: Layout, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
    """A connection as the owner of everything."""
    return psycopg.connect(
        host="127.0.0.1",
        port=layout.postgres_port,
        user="mien",
        password=layout.secret("postgres"),
        dbname=database,
        connect_timeout=CONNECT_TIMEOUT_S,
    )


def _answers(layout: Layout) -> bool:
    try:
        _connect(layout).close()
    except psycopg.OperationalError:
        return False
    return True


def _folder(layout: Layout, user: str | None) -> Path:
    """The folder with the data folder in it, which PostgreSQL's user owns and can enter.

    Where they could not enter one of ours, it is in SYSTEM_FOLDER, and `postgres` in ours leads there.
    """
    folder = layout.folder / "postgres"
    if user and not folder.exists() and not _may_enter(layout.folder):
        name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
        folder.unlink(missing_ok=True)
        folder.symlink_to(SYSTEM_FOLDER / name)
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if user:
        shutil.chown(folder, user)
    return folder


def _may_enter(folder: Path) -> bool:
    """Whether everybody may enter a folder and all that it is in."""
    return all(path.stat().st_mode & OTHERS_MAY_ENTER for path in (folder, *folder.parents))


def _initialize(layout: Layout, programs: Programs, data: Path, user: str | None) -> None:
    initdb = find_program("initdb") or programs.postgres.with_name("initdb")
    password = data.with_name("password")
    password.touch(0o600)
    if user:
        shutil.chown(password, user)
    password.write_text(layout.secret("postgres"))
    options = ["--username=mien", f"--pwfile={password}", "--auth=scram-sha-256", "--encoding=UTF8"]
    as_user = [str(programs.setpriv), *user_options(user), "--"] if user else []
    command = [*as_user, str(initdb), "-D", str(data), "--locale=C.UTF-8", *options]
    done = subprocess.run(
        command, cwd="/", env=child_environment(), capture_output=True, text=True, check=False
    )
    password.unlink()
    if done.returncode:
        shutil.rmtree(data, ignore_errors=True)
        raise ClusterError(f"PostgreSQL's data folder {data} cannot be made:\n{done.stderr.strip()}")
    (data / "conf.d").mkdir()
    if user:
        shutil.chown(data / "conf.d", user)
    with (data / "postgresql.conf").open("a") as settings:
        settings.write("include_dir = 'conf.d'\n")


def _check_version(programs: Programs, data: Path) -> None:
    """Data is of one major version of PostgreSQL, which alone can open it."""
    made_by = (data / "PG_VERSION").read_text().strip()
    printed = subprocess.run([programs.postgres, "--version"], capture_output=True, text=True, check=True)
    if f" {made_by}." not in printed.stdout:
        raise ClusterError(
            f"The data in {data} is of PostgreSQL {made_by}, but this is {printed.stdout.strip()}. Install "
            f"postgresql-{made_by}, or move the folder away to begin with an empty database."
        )
