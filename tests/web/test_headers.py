"""Headers that all answers have, whatever part of the server gives them."""

from __future__ import annotations

import pytest
import requests

from tests.helpers.module_server import module_server
from tests.helpers.room_client import TIMEOUT_S, TOKEN
from tests.helpers.serving import Server

server = module_server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN)


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/host", "/host/account", "/r/NOPE2345", "/nothing", "/healthz", "/static/js/pages/live.js"),
        *(
            "/api/v1/rooms",
            "/api/v1/nothing",
            "/api/v1/openapi.json",
            "/api/v1/docs",
            "/embed/NOPE2345/status",
        ),
        *(
            "/socket.io/?EIO=4&transport=polling",
            "/socket.io/?EIO=3&transport=polling",
            "/socket.io/?EIO=4&sid=x",
        ),
    ],
)
def test_every_answer_forbids_guessing_its_type_and_names_no_address(server: Server, path: str) -> None:
    answer = requests.get(server.url + path, timeout=TIMEOUT_S, allow_redirects=False)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
