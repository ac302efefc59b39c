from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.helpers.hostile_files import zip_of
from webapp.config import Settings
from webapp.errors import FileError
from webapp.jobs.work.archive import MAX_ENTRIES, ImageArchive

CONTENT = bytes(range(256)) * 40


def opened(path: Path, content: bytes) -> ImageArchive:
    path.write_bytes(content)
    return ImageArchive(path, path.name, Settings())


@pytest.mark.parametrize("unnamed", [".", "./", "\0name.jpg"])
def test_entries_without_a_name_are_left_out(tmp_path: Path, unnamed: str) -> None:
    entries = {"?" * len(unnamed): CONTENT, "face.jpg": CONTENT}
    content = zip_of(entries).replace(b"?" * len(unnamed), unnamed.encode())
    with opened(tmp_path / "faces.zip", content) as archive:
        assert [entry.filename for entry in archive.entries] == ["face.jpg"]


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_entry_is_named_and_the_next_unpacked(tmp_path: Path, compression: int) -> None:
    content = bytearray(zip_of({"bad.jpg": CONTENT, "good.jpg": CONTENT}, compression))
    start = content.index(b"bad.jpg") + len(b"bad.jpg") + 4
    content[start : start + 12] = b"\xff" * 12
    target = tmp_path / "target"
    with opened(tmp_path / "faces.zip", bytes(content)) as archive:
        bad, good = archive.entries
        with pytest.raises(FileError, match=r"bad\.jpg: it cannot be unpacked"):
            archive.extract(bad, target)
        assert not target.exists()
        archive.extract(good, target)
    assert target.read_bytes() == CONTENT


def test_what_systems_add_to_archives_does_not_count_as_images(tmp_path: Path) -> None:
    """A Mac adds an entry to each image."""
    names = [f"{number}.jpg" for number in range(MAX_ENTRIES // 2 + 1)]
    entries = dict.fromkeys([*names, *(f"__MACOSX/._{name}" for name in names)], b"x")
    with opened(tmp_path / "faces.zip", zip_of(entries)) as archive:
        assert len(archive.entries) == len(names)
    too_many = {f"{number}.jpg": b"x" for number in range(MAX_ENTRIES + 1)}
    with pytest.raises(FileError, match=f"at most {MAX_ENTRIES:,} are taken"):
        opened(tmp_path / "many.zip", zip_of(too_many))
