"""Links and codes that lead to this server, under a name that is its own."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from webapp.app import create_app
from webapp.config import Settings
from webapp.server import startup_banner
from webapp.web.urls import join_url, qr_code

TOKEN = "a-long-token-for-tests"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(startup_banner, "network_addresses", lambda: [ipaddress.ip_address("192.0.2.7")])
    return Settings(data_dir=tmp_path, host_token=TOKEN, known_hosts=("mien.example.org",))


@pytest.fixture
def app(settings: Settings) -> Flask:
    return create_app(settings)


@pytest.mark.parametrize(
    ("host", "link"),
    [
        ("[::1]", "https://[::1]:8443/"),
        ("[::1]:5000", "https://[::1]:8443/"),
        ("127.0.0.1:5000", "https://127.0.0.1:8443/"),
        ("localhost", "https://localhost:8443/"),
        ("mien.example.org", "https://mien.example.org:8443/"),
    ],
)
def test_the_https_link_of_the_page_is_whole_under_every_name(app: Flask, host: str, link: str) -> None:
    page = app.test_client().get("/", headers={"Host": host}).text
    assert f'href="{link}"' in page


@pytest.mark.parametrize("path", ["/", "/r/ABCD2345", f"/host?token={TOKEN}", "/api/v1/rooms"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:5000", "localhost.evil.example", "203.0.113.9"]
)
def test_under_a_name_that_is_not_its_own_it_answers_nothing_but_what_to_set(
    app: Flask, path: str, host: str
) -> None:
    answer = app.test_client().get(path, headers={"Host": host, "Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 421
    assert "MIEN_KNOWN_HOSTS" in answer.text
    assert "Set-Cookie" not in answer.headers


def test_a_page_elsewhere_opens_no_connection_by_a_name_that_leads_here(app: Flask) -> None:
    rebound = {"Host": "evil.example:5000", "Origin": "http://evil.example:5000"}
    path = "/socket.io/?EIO=4&transport=polling"
    assert app.test_client().get(path, headers=rebound).status_code == 421
    forwarded = {
        "Host": "localhost:5000",
        "Origin": "http://evil.example",
        "X-Forwarded-Host": "evil.example",
    }
    assert app.test_client().get(path, headers=forwarded).status_code == 400
    own = {"Host": "localhost:5000", "Origin": "http://localhost:5000"}
    assert app.test_client().get(path, headers=own).status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://a.example", 200), ("http://localhost:5000", 200), ("https://evil.example", 400)],
)
def test_other_origins_may_connect_beside_its_own(settings: Settings, origin: str, status: int) -> None:
    client = create_app(replace(settings, allowed_origins=("https://a.example",))).test_client()
    headers = {"Host": "localhost:5000", "Origin": origin}
    assert client.get("/socket.io/?EIO=4&transport=polling", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("host", "root"),
    [
        ("[::1]:5000", "http://[::1]:5000/"),
        ("mien.example.org", "http://mien.example.org/"),
        ("localhost:5000", "http://localhost:5000/"),
    ],
)
def test_a_room_is_joined_under_the_name_that_its_host_used(
    app: Flask, settings: Settings, host: str, root: str
) -> None:
    with app.test_request_context(headers={"Host": host}):
        assert join_url(settings, "ABCD2345") == f"{root}r/ABCD2345"


@pytest.mark.parametrize("host", ["localhost:8443", "[::1]:8443", "127.0.0.1:8443"])
def test_at_the_server_itself_a_room_is_joined_under_its_address_in_the_network(
    app: Flask, settings: Settings, host: str
) -> None:
    serving = replace(settings, host="0.0.0.0", port=8443, https=True)
    with app.test_request_context(headers={"Host": host}):
        assert join_url(serving, "ABCD2345") == "https://192.0.2.7:8443/r/ABCD2345"


@pytest.mark.parametrize(
    ("url", "has_code"),
    [
        ("https://192.0.2.7:8443/r/ABCD2345", True),
        ("https://mien.example.org/r/ABCD2345", True),
        ("http://192.0.2.7:5000/r/ABCD2345", False),
        ("http://localhost:5000/r/ABCD2345", False),
        ("https://localhost:8443/r/ABCD2345", False),
        ("https://[::1]:8443/r/ABCD2345", False),
    ],
)
def test_a_code_is_shown_only_where_a_phone_can_use_it(url: str, has_code: bool) -> None:
    assert (qr_code(url) is not None) is has_code
