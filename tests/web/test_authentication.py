"""Who a request is taken for where that cannot be checked."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from webapp.app import create_app
from webapp.config import Settings
from webapp.errors import StoreError
from webapp.store.client import StoreClient


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """An application whose database does not answer."""

    def fail(store: StoreClient, method: object, *arguments: object) -> None:
        raise StoreError("The database does not answer.")

    monkeypatch.setattr(StoreClient, "call", fail)
    return create_app(Settings(data_dir=tmp_path))


@pytest.mark.parametrize(
    ("path", "status"), [("/host", 503), ("/host/account", 503), ("/api/v1/rooms", 503), ("/r", 200)]
)
@pytest.mark.parametrize("shown", ["session", "key"])
def test_while_the_store_is_away_hosts_are_told_so_and_everybody_else_goes_on(
    app: Flask, path: str, status: int, shown: str
) -> None:
    client = app.test_client()
    if shown == "session":
        with client.session_transaction() as session:
            session["_user_id"] = "1.stamp"
    headers = {"Authorization": "Bearer mien_key"} if shown == "key" else {}
    answer = client.get(path, headers=headers)
    assert answer.status_code == status
    assert status == 200 or "database does not" in answer.text
