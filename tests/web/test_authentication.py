"""Who a request is taken for where that cannot be checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from webapp.app import create_app
from webapp.config import Settings
from webapp.errors import StoreError


class NoStore:
    """A store whose database does not answer."""

    def call(self, method: Any, *arguments: Any) -> Any:
        raise StoreError("The database does not answer.")


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    app = create_app(Settings(data_dir=tmp_path))
    app.extensions["hosts"]._store = NoStore()
    return app


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
