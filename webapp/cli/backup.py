"""`mien backup` and `mien restore`."""

from __future__ import annotations

import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from webapp.cli.archive import DATABASE, KEY_FILES, Manifest, checksum, read_archive, write_archive
from webapp.cli.databases import (
    SIDE_FILES,
    check_copy,
    copy_database,
    kind_of,
    known_revisions,
    require_same_kind,
    require_unused,
    restore_postgres,
    revision,
    sqlite_file,
)
from webapp.config import Settings
from webapp.errors import BackupError, MienError
from webapp.server.data_dir import prepare_data_dir
from webapp.server.folder_lock import FolderLock
from webapp.version import VERSION

ARCHIVE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=ARCHIVE)
def backup(file: Path) -> None:
    """Write the database, the session key and the certificates to FILE, a ZIP archive.

    The server may run meanwhile. Keep the archive as safe as the server itself: it holds what was recorded
    and the secret keys. Certificates that MIEN_TLS_CERTIFICATE names are not in it.
    """
    try:
        manifest = make_backup(Settings.from_env(), file)
    except (MienError, OSError, SQLAlchemyError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(
        f"{file}: {manifest.database} database and {', '.join(sorted(set(manifest.files) - {DATABASE}))}"
    )


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Put back what `mien backup` wrote to FILE. Stop the server first.

    What it replaces is kept in a folder `before-restore-...` in the data folder (MIEN_DATA_DIR).
    """
    try:
        kept = restore_backup(Settings.from_env(), file)
    except (MienError, OSError, SQLAlchemyError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{file} is restored." + (f" What was there before is in {kept}." if kept else ""))


def make_backup(settings: Settings, target: Path) -> Manifest:
    """Write an archive; what it holds.

    Raises:
        BackupError, SettingsError, OSError, SQLAlchemyError: something cannot be read or written.
    """
    found = revision(settings)
    if found is None:
        raise BackupError("The database has no tables yet: start the server once before you back up.")
    with tempfile.TemporaryDirectory(prefix=".mien-backup-", dir=target.absolute().parent) as name:
        copy = Path(name) / DATABASE
        copy_database(settings, copy)
        files = {DATABASE: copy}
        files |= {key: path for key in KEY_FILES if (path := settings.data_dir / key).is_file()}
        manifest = Manifest(
            version=VERSION,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            database=kind_of(settings),
            revision=found,
            files={key: checksum(path) for key, path in files.items()},
        )
        write_archive(target, manifest, files)
    return manifest


def restore_backup(settings: Settings, archive: Path) -> Path | None:
    """Put back an archive; the folder with what it replaced, if there was anything.

    Nothing changes before the whole archive is unpacked and checked.

    Raises:
        SettingsError: a server runs on the data folder or the database, or the backup does not fit it.
        BackupError: the archive cannot be restored.
    """
    prepare_data_dir(settings.data_dir)
    lock = FolderLock(settings)
    lock.start()
    try:
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=settings.data_dir) as name:
            unpacked = Path(name)
            manifest = read_archive(archive, unpacked)
            require_same_kind(settings, manifest.database)
            _check_revision(manifest)
            check_copy(manifest.database, unpacked / DATABASE)
            require_unused(settings)
            return _replace(settings, manifest, unpacked)
    finally:
        lock.stop()


def _check_revision(manifest: Manifest) -> None:
    if manifest.revision not in known_revisions():
        raise BackupError(
            f"The backup is of Mien {manifest.version}, whose tables (revision {manifest.revision}) this "
            f"version, {VERSION}, does not know. Install that version or a later one."
        )


def _replace(settings: Settings, manifest: Manifest, unpacked: Path) -> Path | None:
    """Move what is there out of the way, and what was unpacked to its place."""
    kept = settings.data_dir / f"before-restore-{time.strftime('%Y%m%d-%H%M%S')}"
    places = {unpacked / key: settings.data_dir / key for key in KEY_FILES if key in manifest.files}
    if manifest.database == "sqlite":
        database = sqlite_file(settings)
        _set_aside([database.with_name(database.name + end) for end in SIDE_FILES], kept)
        places[unpacked / DATABASE] = database
    else:
        kept.mkdir(mode=0o700)
        copy_database(settings, kept / DATABASE)
        restore_postgres(settings, unpacked / DATABASE)
    _set_aside([settings.data_dir / key for key in KEY_FILES], kept)
    for source, place in places.items():
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _move(source, place)
    return kept if kept.is_dir() else None


def _set_aside(paths: list[Path], folder: Path) -> None:
    for path in paths:
        if path.exists():
            folder.mkdir(exist_ok=True, mode=0o700)
            _move(path, folder / path.name)


def _move(source: Path, target: Path) -> None:
    """Move a file, also to another disk."""
    try:
        source.replace(target)
    except OSError:
        shutil.move(source, target)
