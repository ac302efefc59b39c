"""Uploads over slow connections: they get the time that they need, and are told when that was not enough."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from webapp.app import create_app
from webapp.config import Settings
from webapp.web.requests import MORE_TIME


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    return create_app(Settings(data_dir=tmp_path)).test_client()


def start_of(name: str) -> bytes:
    """The start of a form with a file."""
    return f"--x\r\nContent-Disposition: form-data; name={name}; filename=a.jpg\r\n\r\n".encode()


def test_a_photograph_gets_more_time_with_each_megabyte(client: FlaskClient) -> None:
    given: list[float] = []
    answer = client.post(
        "/api/v1/analyze",
        data=start_of("another") + bytes(5_000_000) + b"\r\n--x--\r\n",
        content_type="multipart/form-data; boundary=x",
        environ_overrides={MORE_TIME: given.append},
    )
    assert "the file `image`" in answer.get_json()["detail"], "the file was read, but is not the one"
    assert len(given) == 4 and min(given) >= 30


class LateBody:
    """A body whose end is not sent in time, as the server's reader tells."""

    def __init__(self, start: bytes) -> None:
        self._start = io.BytesIO(start)

    def read(self, size: int = -1) -> bytes:
        """The start, then no more."""
        if piece := self._start.read(size):
            return piece
        raise TimeoutError("the client did not send its request in time")


def test_an_upload_that_is_too_slow_is_told_so(client: FlaskClient) -> None:
    answer = client.post(
        "/api/v1/analyze",
        content_type="multipart/form-data; boundary=x",
        environ_overrides={
            "wsgi.input": LateBody(start_of("image") + bytes(1000)),
            "CONTENT_LENGTH": "1000000",
        },
    )
    assert (answer.status_code, answer.get_json()["problem"]["code"]) == (400, "bad_request")
    assert "too slowly" in answer.get_json()["detail"]
