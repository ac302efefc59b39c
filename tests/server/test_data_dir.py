from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.server.full_disk import full_disk
from webapp.errors import SettingsError
from webapp.server.data_dir import prepare_data_dir, write_file


def test_a_file_that_cannot_be_written_whole_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_file(path, b"before")
    with full_disk(), pytest.raises(OSError):
        write_file(path, b"after")
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_crash_left_half_written_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "file.new").write_bytes(b"half")
    write_file(tmp_path / "file", b"whole")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"whole"]


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_has_its_rights_before_its_content(
    tmp_path: Path, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    sync = os.fsync

    def look(descriptor: int) -> None:
        seen.append(os.fstat(descriptor).st_mode & 0o777)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    before = os.umask(0)
    try:
        write_file(tmp_path / "file", b"x", mode)
    finally:
        os.umask(before)
    assert seen[0] == mode


def test_a_data_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    prepare_data_dir(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []


def test_a_data_folder_that_cannot_be_written_names_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nothing-here")):
        with pytest.raises(SettingsError, match="MIEN_DATA_DIR"):
            prepare_data_dir(folder)
    with full_disk(), pytest.raises(SettingsError, match="MIEN_DATA_DIR"):
        prepare_data_dir(tmp_path / "full")
