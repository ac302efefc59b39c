"""What a key may do: only what its scopes say, on every route of the API and on sockets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.helpers.host_browser import signed_in
from tests.helpers.room_client import TIMEOUT_S, TOKEN, SocketClient, api, code_of, make_room
from tests.helpers.serving import Server
from webapp.accounts.scopes import DEFAULT_SCOPES, SCOPES, check_scopes
from webapp.app import create_app
from webapp.config import Settings
from webapp.errors import BadRequestError

KeyWith = Callable[..., str]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


@pytest.fixture(scope="module")
def key_with(server: Server) -> KeyWith:
    """Makes a key with some scopes on the account page; gives its secret."""
    browser = signed_in(server)

    def make(*scopes: str) -> str:
        browser.open("/host/account")
        answer = browser.open("/host/account/keys", name="key", scope=list(scopes))  # type: ignore[arg-type]
        assert answer.status_code == 302, answer.text
        found: list[str] = re.findall(r"mien_[\w-]{30,}", browser.open("/host/account").text)
        return found[0]

    return make


def guarded_routes(folder: Path) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Method, path and scopes of each route of the API that a key may be asked for."""
    app = create_app(Settings(data_dir=folder))
    for rule in app.url_map.iter_rules():
        scopes = getattr(app.view_functions[rule.endpoint], "scopes", None)
        if scopes is not None:
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                path = re.sub(r"<any\((\w+)[^)]*\):\w+>", r"\1", rule.rule)
                path = re.sub(r"<int:\w+>", "2345", path)
                yield method, re.sub(r"<(?:\w+:)?\w+>", "NONE2345", path), scopes


@pytest.mark.parametrize("scope", SCOPES)
def test_a_key_of_one_scope_opens_the_routes_of_this_scope_and_no_other(
    server: Server, key_with: KeyWith, tmp_path_factory: pytest.TempPathFactory, scope: str
) -> None:
    headers = {"Authorization": f"Bearer {key_with(scope)}"}
    routes = list(guarded_routes(tmp_path_factory.mktemp("data")))
    assert len(routes) >= 12
    for method, path, scopes in routes:
        answer = requests.request(method, server.url + path, headers=headers, timeout=TIMEOUT_S)
        if scope in scopes:
            assert answer.status_code in (200, 400, 404, 415), (method, path, answer.text)
        else:
            assert answer.status_code == 403, (method, path, answer.text)
            assert answer.json()["problem"]["code"] == "forbidden"
            assert all(needed in answer.json()["detail"] for needed in scopes), "it says what is missing"


@pytest.mark.parametrize(
    ("scopes", "ask", "problem"),
    [
        (("rooms:read",), "subscribe", None),
        (("rooms:read",), "visible", None),
        (("analyze", "markers", "rooms:write"), "subscribe", "forbidden"),
        (("analyze", "markers", "rooms:write"), "visible", "forbidden"),
    ],
)
def test_a_dashboard_needs_the_scope_to_read_rooms(
    server: Server, key_with: KeyWith, scopes: tuple[str, ...], ask: str, problem: str | None
) -> None:
    client = SocketClient()
    headers = {"Authorization": f"Bearer {key_with(*scopes)}"}
    client.connect(server.url, headers=headers)
    answer = client.call(ask, {"room": make_room(server), "participants": []}, timeout=TIMEOUT_S)
    client.disconnect()
    if problem is None:
        assert "problem" not in answer
    else:
        assert code_of(answer) == problem


def test_markers_are_set_with_either_of_two_scopes(server: Server, key_with: KeyWith) -> None:
    room = make_room(server)
    for scope in ("markers", "rooms:write"):
        answer = api(server, "POST", f"/rooms/{room}/markers", {"label": scope}, token=key_with(scope))
        assert answer.status_code == 201


def test_the_list_of_keys_shows_what_each_may_do_and_the_form_suggests_what_changes_nothing(
    server: Server, key_with: KeyWith
) -> None:
    key_with("markers")
    page = signed_in(server).open("/host/account").text
    assert re.search(
        r'<li><span>key</span><span class="hint">Set markers, start and stop recording</span>', page
    )
    ticked = re.findall(r'name="scope" value="([\w:]+)" checked', page)
    assert tuple(ticked) == DEFAULT_SCOPES and "rooms:write" not in ticked


def test_a_key_without_a_scope_is_not_made_and_says_why(server: Server) -> None:
    browser = signed_in(server)
    browser.open("/host/account")
    answer = browser.open("/host/account/keys", name="useless")
    assert answer.status_code == 400
    assert "Choose at least one thing" in answer.text
    assert 'value="useless"' in answer.text


def test_scopes_are_kept_once_each_and_in_their_order() -> None:
    assert check_scopes(["markers", "analyze", "markers"]) == ("analyze", "markers")
    with pytest.raises(BadRequestError, match="There is no scope 'hosts'"):
        check_scopes(["analyze", "hosts"])


@pytest.mark.parametrize("path", ["/host/account", "/host/account/keys", "/host/account/hosts"])
def test_no_scope_makes_hosts_or_keys(server: Server, key_with: KeyWith, path: str) -> None:
    headers = {"Authorization": f"Bearer {key_with(*SCOPES)}"}
    method = "GET" if path == "/host/account" else "POST"
    answer = requests.request(
        method, server.url + path, headers=headers, timeout=TIMEOUT_S, data={"name": "x"}
    )
    assert answer.status_code == 403
