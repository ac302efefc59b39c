"""`mien backup` and `mien restore`: a round trip while a server runs, and archives that are hostile."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.helpers.postgres import find_postgres, running_postgres
from tests.helpers.room_client import TOKEN, api, make_room
from tests.helpers.serving import Server
from webapp.cli import archive as archives
from webapp.cli import databases
from webapp.cli.backup import make_backup, restore_backup
from webapp.config import Settings
from webapp.errors import BackupError, SettingsError
from webapp.export.store_process import Repositories
from webapp.store.records import RoomRecord


def settings_in(folder: Path) -> Settings:
    return Settings(data_dir=folder)


def fill(settings: Settings, *codes: str) -> None:
    """A database with these rooms, and a session key."""
    settings.data_dir.mkdir(exist_ok=True)
    (settings.data_dir / "session.key").write_text("secret")
    (settings.data_dir / "tls").mkdir(exist_ok=True)
    (settings.data_dir / "tls" / "authority.key").write_text("private")
    with closing(Repositories(settings.database_url)) as repositories:
        repositories.database.prepare()
        for code in codes:
            repositories.rooms.add_room(RoomRecord(code, "name", "text", {}, 0.0, None))


def rooms_in(settings: Settings) -> set[str]:
    with closing(Repositories(settings.database_url)) as repositories:
        repositories.database.prepare()
        return {loaded.room.code for loaded in repositories.rooms.load_rooms()}


@pytest.fixture
def filled(tmp_path: Path) -> Settings:
    settings = settings_in(tmp_path / "data")
    fill(settings, "AAAA")
    return settings


def test_a_backup_of_a_running_server_is_restored_elsewhere(tmp_path: Path) -> None:
    archive, elsewhere = tmp_path / "mien.backup", tmp_path / "elsewhere"
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, MIEN_HTTPS="0") as server:
        code = make_room(server)
        settings = settings_in(Path(server.settings["MIEN_DATA_DIR"]))
        manifest = make_backup(settings, archive)
        with pytest.raises(SettingsError, match="Another server"):
            restore_backup(settings, archive)
        assert api(server, "GET", f"/rooms/{code}").status_code == 200
        key = (settings.data_dir / "session.key").read_text()
    assert {"database", "session.key"} <= set(manifest.files)
    assert archive.stat().st_mode & 0o777 == 0o600
    assert restore_backup(settings_in(elsewhere), archive) is None
    assert (elsewhere / "session.key").read_text() == key
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, MIEN_DATA_DIR=str(elsewhere)) as server:
        assert api(server, "GET", f"/rooms/{code}").status_code == 200


def test_what_is_replaced_is_kept_aside(filled: Settings, tmp_path: Path) -> None:
    make_backup(filled, tmp_path / "a")
    fill(filled, "BBBB")
    (filled.data_dir / "session.key").write_text("later")
    kept = restore_backup(filled, tmp_path / "a")
    assert kept is not None and (kept / "session.key").read_text() == "later"
    assert rooms_in(filled) == {"AAAA"}
    assert (filled.data_dir / "session.key").read_text() == "secret"
    assert (filled.data_dir / "tls" / "authority.key").read_text() == "private"
    assert (filled.data_dir / "session.key").stat().st_mode & 0o777 == 0o600
    assert rooms_in(replace(filled, database=f"sqlite:///{kept / 'mien.sqlite'}")) == {"AAAA", "BBBB"}
    assert not [path for path in filled.data_dir.iterdir() if path.name.startswith(".restore")]


def test_what_is_put_back_and_kept_is_private(filled: Settings, tmp_path: Path) -> None:
    make_backup(filled, tmp_path / "a")
    elsewhere = settings_in(tmp_path / "elsewhere")
    assert restore_backup(elsewhere, tmp_path / "a") is None
    kept = restore_backup(elsewhere, tmp_path / "a")
    assert kept is not None
    assert not_private(elsewhere.data_dir, *elsewhere.data_dir.rglob("*")) == []


def not_private(*paths: Path) -> list[Path]:
    """Which of the files and folders others may read."""
    return [path for path in paths if path.stat().st_mode & 0o077]


@pytest.mark.parametrize("name", ["a b", "a#b", "50%41", "ü"])
def test_any_name_of_a_folder_will_do(tmp_path: Path, name: str) -> None:
    settings, other = settings_in(tmp_path / name), settings_in(tmp_path / f"{name}2")
    fill(settings, "AAAA")
    make_backup(settings, tmp_path / "a")
    restore_backup(other, tmp_path / "a")
    assert rooms_in(other) == {"AAAA"}


def test_an_empty_server_has_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="start the server once"):
        make_backup(settings_in(tmp_path / "none"), tmp_path / "a")
    assert not (tmp_path / "a").exists()


def rewritten(source: Path, target: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """A copy of an archive with other files, and a manifest that fits them."""
    with zipfile.ZipFile(source) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target


def _add_outside(files: dict[str, bytes]) -> None:
    files["../outside"] = b"x"


def _add_absolute(files: dict[str, bytes]) -> None:
    files["/tmp/outside"] = b"x"


def _damage(files: dict[str, bytes]) -> None:
    files["database"] = files["database"][:-1] + b"!"


def _large_key(files: dict[str, bytes]) -> None:
    files["session.key"] = bytes(archives.MAX_KEY_BYTES + 1)


def _without_manifest(files: dict[str, bytes]) -> None:
    del files["manifest.json"]


def _without_database(files: dict[str, bytes]) -> None:
    del files["database"]


def _manifest_with(**changes: object) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        files["manifest.json"] = json.dumps(json.loads(files["manifest.json"]) | changes).encode()

    return change


def _other_database(files: dict[str, bytes]) -> None:
    """No database, with the right checksum."""
    import hashlib

    files["database"] = b"hello" * 500
    manifest = json.loads(files["manifest.json"])
    manifest["files"]["database"] = hashlib.sha256(files["database"]).hexdigest()
    files["manifest.json"] = json.dumps(manifest).encode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_add_outside, "outside"),
        (_add_absolute, "outside"),
        (_damage, "is damaged"),
        (_large_key, "session.key"),
        (_without_manifest, "no manifest"),
        (_without_database, "incomplete"),
        (_other_database, "cannot be read"),
        (_manifest_with(format=9), "format 9"),
        (_manifest_with(files=["database"]), "cannot be read"),
        (_manifest_with(revision="9999"), "does not know"),
    ],
)
def test_a_hostile_archive_changes_nothing(
    filled: Settings, tmp_path: Path, change: Callable[[dict[str, bytes]], None], said: str
) -> None:
    make_backup(filled, tmp_path / "good")
    bad = rewritten(tmp_path / "good", tmp_path / "bad", change)
    before = sorted(path.name for path in filled.data_dir.iterdir() if path.suffix != ".lock")
    with pytest.raises(BackupError, match=said):
        restore_backup(filled, bad)
    after = sorted(path.name for path in filled.data_dir.iterdir() if path.suffix != ".lock")
    assert after == before and rooms_in(filled) == {"AAAA"}
    assert not (tmp_path / "outside").exists() and not Path("/tmp/outside").exists()


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04" + bytes(100)])
def test_what_is_no_archive_is_refused(filled: Settings, tmp_path: Path, content: bytes) -> None:
    bad = tmp_path / "bad"
    bad.write_bytes(content)
    with pytest.raises(BackupError, match="no backup of Mien"):
        restore_backup(filled, bad)


def test_an_archive_that_unpacks_to_more_than_the_disk_has_is_refused(
    filled: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_backup(filled, tmp_path / "a")
    usage = shutil.disk_usage(tmp_path)._replace(free=archives.SPARE_BYTES + 10)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(BackupError, match="there is room for 10"):
        restore_backup(filled, tmp_path / "a")


def test_a_backup_of_another_kind_of_database_is_refused(filled: Settings, tmp_path: Path) -> None:
    make_backup(filled, tmp_path / "a")
    other = replace(filled, database="postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(SettingsError, match="sqlite database, but MIEN_DATABASE_URL"):
        restore_backup(other, tmp_path / "a")


def test_the_copy_is_a_whole_database_while_another_connection_writes(
    filled: Settings, tmp_path: Path
) -> None:
    writer = sqlite3.connect(filled.data_dir / "mien.sqlite")
    with closing(writer):
        writer.execute("UPDATE room SET name = 'unfinished'" if _has_table(writer, "room") else "SELECT 1")
        make_backup(filled, tmp_path / "a")
    restored = settings_in(tmp_path / "restored")
    restore_backup(restored, tmp_path / "a")
    assert rooms_in(restored) == {"AAAA"}


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone())


def test_postgresql_is_dumped_and_restored(tmp_path: Path) -> None:
    programs = find_postgres()
    if programs is None or shutil.which("pg_dump") is None:
        pytest.skip("PostgreSQL is not installed")
    with running_postgres(programs) as postgres:
        settings = Settings(data_dir=tmp_path / "data", database=postgres.url)
        fill(settings, "AAAA")
        make_backup(settings, tmp_path / "a")
        fill(settings, "BBBB")
        kept = restore_backup(settings, tmp_path / "a")
        assert rooms_in(settings) == {"AAAA"}
        assert kept is not None and (kept / "database").stat().st_size > 1000
        assert not_private(kept, kept / "database") == []


def test_postgresql_is_not_restored_while_somebody_is_connected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = find_postgres()
    if programs is None or shutil.which("pg_dump") is None:
        pytest.skip("PostgreSQL is not installed")
    monkeypatch.setattr(databases, "DISCONNECT_TIMEOUT_S", 0)
    with running_postgres(programs) as postgres:
        settings = Settings(data_dir=tmp_path / "data", database=postgres.url)
        fill(settings, "AAAA")
        make_backup(settings, tmp_path / "a")
        fill(settings, "BBBB")
        elsewhere = replace(settings, data_dir=tmp_path / "elsewhere")
        with closing(Repositories(postgres.url)) as server:
            assert server.rooms.load_rooms()
            with pytest.raises(SettingsError, match="other connections"):
                restore_backup(elsewhere, tmp_path / "a")
        assert rooms_in(settings) == {"AAAA", "BBBB"}
