from __future__ import annotations

import time
from pathlib import Path

import pytest
from flask import Flask, request
from itsdangerous import TimestampSigner

from tests.server.full_disk import full_disk
from webapp.accounts.sessions import SessionCookie, session_key
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


def test_a_cookie_ends_a_month_after_it_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Flask(__name__)
    app.secret_key = "for this test"
    serializer = SessionCookie().get_signing_serializer(app)
    assert serializer is not None
    now_s = int(time.time())

    def host_of_a_cookie_made(days_ago: int) -> str | None:
        with monkeypatch.context() as earlier:
            earlier.setattr(TimestampSigner, "get_timestamp", lambda _: now_s - days_ago * 24 * 3600)
            cookie = serializer.dumps({"_user_id": "1.stamp"})
        with app.test_request_context(headers={"Cookie": f"session={cookie!s}"}):
            opened = SessionCookie().open_session(app, request)
            return None if opened is None else opened.get("_user_id")

    assert host_of_a_cookie_made(days_ago=30) == "1.stamp"
    assert host_of_a_cookie_made(days_ago=32) is None
