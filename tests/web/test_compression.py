"""Scripts and style sheets come compressed, and nothing else does."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from webapp.app import create_app
from webapp.config import Settings
from webapp.web.catalogues import catalogue_of

SCRIPT = "/static/js/shared/dom.js"
TEXTS = f"/texts/de.{catalogue_of('de').digest}.js"
ACCEPTING = {"Accept-Encoding": "gzip"}


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    app: Flask = create_app(Settings(data_dir=tmp_path))
    return app.test_client()


@pytest.mark.parametrize("path", [SCRIPT, "/static/css/base.css", TEXTS])
def test_scripts_and_style_sheets_are_compressed_for_who_accepts_it(client: FlaskClient, path: str) -> None:
    with client.get(path) as plain, client.get(path, headers=ACCEPTING) as compressed:
        assert "Content-Encoding" not in plain.headers
        assert compressed.headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in compressed.headers["Vary"]
        assert gzip.decompress(compressed.data) == plain.data
        assert len(compressed.data) < 0.7 * len(plain.data)


def test_a_browser_that_has_a_compressed_script_does_not_get_it_again(client: FlaskClient) -> None:
    with client.get(SCRIPT, headers=ACCEPTING) as first:
        tag = first.headers["ETag"]
    with client.get(SCRIPT, headers={**ACCEPTING, "If-None-Match": tag}) as again:
        assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("path", ["/", "/about", "/host", "/api/v1/openapi.json"])
def test_pages_are_never_compressed_as_their_length_would_tell_secrets(
    client: FlaskClient, path: str
) -> None:
    assert "Content-Encoding" not in client.get(path, headers=ACCEPTING).headers
