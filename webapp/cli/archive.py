"""The archive of a backup: a ZIP of the database, the session key and the certificates, with a manifest.

    manifest.json   format, version, time, kind and revision of the database, and the SHA-256 of each file
    database        a copy of the SQLite file, or a dump by pg_dump in its custom format
    session.key
    tls/authority.crt, tls/authority.key, tls/server.crt, tls/server.key

Only these names are ever taken from an archive, and none of them is used as a path as it stands there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from webapp.errors import BackupError

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "database"
KEY_FILES = (
    "session.key",
    *(f"tls/{name}" for name in ("authority.crt", "authority.key", "server.crt", "server.key")),
)
"""Files of the data folder, by the same names there."""

MAX_KEY_BYTES = 100_000
MAX_MANIFEST_BYTES = 100_000
SPARE_BYTES = 100_000_000
"""Restoring leaves so much of the disk free."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says of itself; `files` has the SHA-256 of each."""

    version: str
    created: str
    database: str
    revision: str
    files: Mapping[str, str]


def write_archive(path: Path, manifest: Manifest, files: Mapping[str, Path]) -> None:
    """Write an archive that its owner alone can read; it appears when it is complete.

    Raises:
        OSError: it cannot be written, or a file cannot be read.
    """
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.unlink(missing_ok=True)
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, source in files.items():
                archive.write(source, name)
            archive.writestr(MANIFEST, json.dumps({"format": FORMAT, **asdict(manifest)}, indent=2))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_archive(path: Path, folder: Path) -> Manifest:
    """Unpack an archive into an empty folder, and check it.

    Raises:
        BackupError: it is no archive of a backup, has anything else in it, or is damaged.
        OSError: it cannot be read, or the folder cannot be written.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _checked_entries(path, archive, folder)
            manifest = _manifest(path, archive)
            if set(manifest.files) != entries.keys() - {MANIFEST} or DATABASE not in entries:
                raise BackupError(f"{path} is incomplete: its files are not those that its manifest lists.")
            for name, checksum in manifest.files.items():
                _unpack(path, archive, entries[name], folder / name, checksum)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise BackupError(f"{path} is no backup of Mien, or is damaged: {error}.") from error
    return manifest


def checksum(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checked_entries(path: Path, archive: zipfile.ZipFile, folder: Path) -> dict[str, zipfile.ZipInfo]:
    """The entries by name, when all of them are expected and there is room for them."""
    entries = {entry.filename: entry for entry in archive.infolist()}
    limits = {MANIFEST: MAX_MANIFEST_BYTES, **dict.fromkeys(KEY_FILES, MAX_KEY_BYTES)}
    for name, entry in entries.items():
        if name != DATABASE and (name not in limits or entry.file_size > limits[name]):
            raise BackupError(f"{path} is no backup of Mien: it holds {name[:80]!r}. Nothing was restored.")
    if len(entries) != len(archive.infolist()) or MANIFEST not in entries:
        raise BackupError(f"{path} is no backup of Mien: it has no manifest, or two files of one name.")
    free = shutil.disk_usage(folder).free - SPARE_BYTES
    needed = sum(entry.file_size for entry in entries.values())
    if needed > free:
        raise BackupError(f"{path} unpacks to {needed:,} bytes; there is room for {max(0, free):,}.")
    return entries


def _manifest(path: Path, archive: zipfile.ZipFile) -> Manifest:
    try:
        read: dict[str, Any] = json.loads(archive.read(MANIFEST))
        found = read.pop("format")
        manifest = Manifest(**read)
        readable = all(isinstance(value, str) for value in manifest.files.values())
    except (ValueError, TypeError, KeyError, AttributeError):
        raise BackupError(f"{path} has a manifest that cannot be read.") from None
    if found != FORMAT or not readable:
        raise BackupError(f"{path} has the format {found!r}; this version of Mien reads format {FORMAT}.")
    return manifest


def _unpack(
    path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, expected: str
) -> None:
    target.parent.mkdir(exist_ok=True, mode=0o700)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, archive.open(entry) as source:
        shutil.copyfileobj(source, file)  # zipfile ends after the size in the entry, which was checked
    if checksum(target) != expected:
        raise BackupError(f"{path} is damaged: {entry.filename} is not what was backed up.")
