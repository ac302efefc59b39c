from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.full_disk import full_disk
from webapp.accounts.sessions import session_key
from webapp.errors import SettingsError


def test_a_start_on_a_full_disk_leaves_no_key_and_the_next_makes_one(tmp_path: Path) -> None:
    with full_disk(), pytest.raises(SettingsError, match="MIEN_DATA_DIR"):
        session_key(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert len(session_key(tmp_path)) == 64


def test_a_key_is_kept_and_its_owner_alone_reads_it(tmp_path: Path) -> None:
    key = session_key(tmp_path)
    assert session_key(tmp_path) == key
    assert (tmp_path / "session.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damaged", [b"", b"\n", b"abcd", b"\xff\xfe"])
def test_a_damaged_key_is_made_anew(tmp_path: Path, damaged: bytes, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "session.key").write_bytes(damaged)
    key = session_key(tmp_path)
    assert len(key) == 64
    assert session_key(tmp_path) == key
    assert "sign in again" in caplog.text
