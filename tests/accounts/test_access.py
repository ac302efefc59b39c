"""Who gets in: hosts by session or token, everybody else nowhere but to the live page and a room's door."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.helpers.endpoints import PUBLIC
from tests.helpers.host_browser import PASSWORD, Browser, signed_in
from tests.helpers.room_client import (
    TIMEOUT_S,
    TOKEN,
    ParticipantClient,
    SocketClient,
    api,
    code_of,
    make_room,
)
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until
from webapp.app import create_app
from webapp.config import Settings

OTHER_NAMES = ("192.168.1.5", "mien.example.org", "localhost.example.org")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, MIEN_KNOWN_HOSTS=",".join(OTHER_NAMES)) as running:
        yield running


def cookie_of(answer: requests.Response) -> set[str]:
    """The attributes of the cookie that an answer sets."""
    return set(answer.headers["Set-Cookie"].split("; ")[1:])


def host_routes(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
    rules = create_app(settings).url_map.iter_rules()
    return sorted(
        (method, re.sub(r"<(\w+:)?\w+>", "1", rule.rule))
        for rule in rules
        if rule.endpoint not in PUBLIC
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    )


def test_every_route_of_hosts_refuses_whoever_is_not_signed_in(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    routes = host_routes(tmp_path_factory)
    assert len(routes) > 20
    for method, path in routes:
        answer = requests.request(method, server.url + path, timeout=TIMEOUT_S, allow_redirects=False)
        assert answer.status_code in (401, 403), (method, path)


def test_every_route_that_changes_something_refuses_what_other_pages_send(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    browser = signed_in(server)
    for method, path in host_routes(tmp_path_factory):
        if method != "GET":
            answer = browser.request(
                method, server.url + path, json={}, timeout=TIMEOUT_S, allow_redirects=False
            )
            assert answer.status_code in (401, 403), (method, path)


def test_the_cookie_of_a_session_is_out_of_reach_of_scripts(server: Server) -> None:
    cookie = cookie_of(Browser(server).open(f"/host?token={TOKEN}"))
    assert {"HttpOnly", "SameSite=Lax"} <= cookie


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
def test_on_this_machine_browsers_that_want_https_for_secure_cookies_keep_the_session(
    server: Server, name: str
) -> None:
    answer = Browser(server).open(f"/host?token={TOKEN}", under=f"{name}:{server.port}")
    assert "Secure" not in cookie_of(answer)


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_under_any_other_name_the_cookie_goes_over_https_only(server: Server, name: str) -> None:
    answer = Browser(server).open(f"/host?token={TOKEN}", under=name)
    assert "Secure" in cookie_of(answer)


def test_over_https_the_cookie_is_secure_and_hosts_sign_in() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the certificate that the server just made
        with Server(
            MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, MIEN_HTTPS="1", MIEN_REDIRECT_PORT="0"
        ) as server:
            assert "Secure" in cookie_of(Browser(server).open(f"/host?token={TOKEN}"))
            assert signed_in(server).open("/host").status_code == 200


def test_the_token_opens_the_first_account_and_the_password_the_next_sessions(server: Server) -> None:
    browser = signed_in(server)
    assert browser.open("/host").status_code == 200
    browser.open("/host/account")
    assert browser.open("/host/logout", x="").status_code == 302
    assert browser.open("/host").status_code == 401
    assert browser.open("/host/login", name="Ada", password="wrong").status_code == 401
    assert browser.open("/host").status_code == 401
    assert browser.open("/host/login", name="Ada", password=PASSWORD).status_code == 302
    assert "Ada" in browser.open("/host").text


def test_a_wrong_token_opens_nothing(server: Server) -> None:
    browser = Browser(server)
    assert browser.open("/host?token=wrong").status_code == 401
    assert browser.open("/host/welcome").status_code == 401
    assert api(server, "GET", "/rooms", token="wrong").status_code == 401
    assert api(server, "GET", "/rooms", token="").status_code == 401


def test_hosts_add_and_delete_hosts_and_sessions_end_with_them(server: Server) -> None:
    browser = signed_in(server)
    browser.open("/host/account")
    assert browser.open("/host/account/hosts", name="Grace", password=PASSWORD).status_code == 302
    other = Browser(server)
    other.open("/host")
    assert other.open("/host/login", name="Grace", password=PASSWORD).status_code == 302
    page = browser.open("/host/account").text
    (grace,) = set(re.findall(r"hosts/(\d+)/deletion", page))
    question = browser.open(f"/host/account/hosts/{grace}/deletion").text
    assert "Delete the account of Grace?" in question
    assert f'action="/host/account/hosts/{grace}/deletion"' in question
    assert browser.open(f"/host/account/hosts/{grace}/deletion", x="").status_code == 302
    assert other.open("/host").status_code == 401
    browser.open("/host/account")
    assert browser.open("/host/account/hosts", name="Barbara", password=PASSWORD).status_code == 302
    assert other.open("/host").status_code == 401, "nor is it the next host's"


def test_short_passwords_and_taken_names_are_refused(server: Server) -> None:
    browser = signed_in(server)
    for name, password in (("Alan", "short"), ("Ada", PASSWORD), ("", PASSWORD)):
        browser.open("/host/account")
        assert browser.open("/host/account/hosts", name=name, password=password).status_code == 400


def page_with_new_key(browser: Browser, name: str) -> str:
    """Make a key on the account page; the page that shows it."""
    browser.open("/host/account/keys", name=name, scope="rooms:read")
    return browser.open("/host/account").text


def test_a_key_works_until_it_is_deleted(server: Server) -> None:
    browser = signed_in(server)
    browser.open("/host/account")
    page = page_with_new_key(browser, "eye tracker")
    (key,) = re.findall(r"mien_[\w-]+", page)
    assert api(server, "GET", "/rooms", token=key).status_code == 200
    (number,) = set(re.findall(r"keys/(\d+)/deletion", page))
    browser.open(f"/host/account/keys/{number}/deletion", x="")
    assert api(server, "GET", "/rooms", token=key).status_code == 401


def test_a_copied_cookie_ends_with_the_session_that_it_was_copied_from(server: Server) -> None:
    browser = signed_in(server)
    copied = browser.copy()
    assert copied.open("/host").status_code == 200
    browser.open("/host/account")
    assert browser.open("/host/logout", x="").status_code == 302
    assert copied.open("/host").status_code == 401
    assert copied.get(f"{server.url}/api/v1/rooms", timeout=TIMEOUT_S).status_code == 401


def test_a_new_password_ends_all_sessions_but_the_one_that_set_it(server: Server) -> None:
    browser = signed_in(server, "Hedy")
    copied = browser.copy()
    browser.open("/host/account")
    changed = browser.open("/host/account/password", old=PASSWORD, password="another long password")
    assert changed.status_code == 302
    assert browser.open("/host").status_code == 200
    assert copied.open("/host").status_code == 401


def test_a_cookie_from_the_token_makes_one_account(server: Server) -> None:
    browser = Browser(server)
    browser.open(f"/host?token={TOKEN}")
    browser.open("/host/welcome")
    copied = browser.copy()
    assert browser.open("/host/welcome", name="Emmy", password=PASSWORD).status_code == 302
    assert copied.open("/host/welcome", name="Mallory", password=PASSWORD).status_code == 401


def test_a_cookie_from_the_token_makes_no_account_after_a_restart_without_it() -> None:
    server = Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN)
    with server:
        browser = Browser(server)
        browser.open(f"/host?token={TOKEN}")
        assert browser.open("/host/welcome").status_code == 200
    server.settings["MIEN_HOST_TOKEN"] = ""
    with server:
        assert browser.open("/host/welcome").status_code == 401


def host_routes_that_change() -> list[tuple[str, dict[str, str]]]:
    account = {"name": "Mallory", "password": PASSWORD}
    return [
        ("/host/account/hosts", account),
        ("/host/account/keys", {"name": "key"}),
        ("/host/account/password", {"old": PASSWORD, "password": "another long password"}),
        ("/host/account/hosts/1/deletion", {}),
        ("/host/account/keys/1/deletion", {}),
        ("/host/rooms", {"name": "Room", "information": "Text"}),
    ]


def test_keys_and_tokens_manage_no_accounts(server: Server) -> None:
    browser = signed_in(server)
    browser.open("/host/account")
    (key,) = re.findall(r"mien_[\w-]+", page_with_new_key(browser, "program"))
    for secret in (key, TOKEN):
        headers = {"Authorization": f"Bearer {secret}"}
        for path, form in host_routes_that_change():
            answer = requests.post(server.url + path, data=form, headers=headers, timeout=TIMEOUT_S)
            assert answer.status_code == 403, path
    assert "Mallory" not in browser.open("/host/account").text


@pytest.mark.parametrize("header", ["Basic x", "Bearer", "Bearer wrong", f"Bearer {TOKEN}"])
def test_a_header_does_not_switch_off_the_protection_of_a_session(server: Server, header: str) -> None:
    browser = signed_in(server)
    room = {"name": "Forged", "information": "Text"}
    answer = browser.post(
        f"{server.url}/api/v1/rooms", json=room, headers={"Authorization": header}, timeout=TIMEOUT_S
    )
    assert answer.status_code == 403


def test_a_board_is_shown_to_hosts_only(server: Server) -> None:
    room = make_room(server)
    with ParticipantClient(server) as participant:
        participant.join(room)
        assert code_of(participant.ask("subscribe", {"room": room})) == "unauthorized"
    browser = signed_in(server)
    host, boards = board_of(server, room, browser)
    wait_until(lambda: len(boards) > 12)
    host.disconnect()
    took_ms = boards[12]["now_ms"] - boards[0]["now_ms"]
    assert took_ms > 2000, "four a second: 3000, less by how late the first was on a busy machine"
    assert boards[0]["room"] == {"code": room, "name": "Test room", "state": "open"}


def board_of(
    server: Server, room: str, browser: Browser | None = None, bearer: str = ""
) -> tuple[SocketClient, list[dict[str, Any]]]:
    """A connection that watches a room, and the boards that it is sent."""
    boards: list[dict[str, Any]] = []
    host = SocketClient()
    host.on("board", boards.append)
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies) if browser else ""
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {"Cookie": cookies}
    host.connect(server.url, headers=headers)
    assert host.call("subscribe", {"room": room}, timeout=TIMEOUT_S) == {"watching": room}
    return host, boards


def check_signed_out(host: SocketClient, boards: list[dict[str, Any]]) -> None:
    """The board is told so, and gets nothing after that."""
    wait_until(lambda: boards[-1]["room"]["state"] == "signed_out")
    assert set(boards[-1]) == {"room"} and set(boards[-1]["room"]) == {"code", "state"}
    count = len(boards)
    host.sleep(0.8)
    assert len(boards) == count


def sign_out(browser: Browser) -> None:
    browser.open("/host/account")
    browser.open("/host/logout", x="")


def change_password(browser: Browser) -> None:
    browser.open("/host/account")
    browser.open("/host/account/password", old=PASSWORD, password="another long password")


def remove_other(browser: Browser) -> None:
    other = signed_in(browser.server, "Ada")
    found = re.search(r"<span>Grete</span>\s*<a[^>]*hosts/(\d+)/deletion", other.open("/host/account").text)
    assert found
    assert other.open(f"/host/account/hosts/{found[1]}/deletion", x="").status_code == 302


@pytest.mark.parametrize("end", [sign_out, change_password, remove_other])
def test_an_open_board_gets_nothing_more_once_its_host_may_not_see_it(
    server: Server, end: Callable[[Browser], None]
) -> None:
    room = make_room(server, video=True)
    signed_in(server, "Ada")
    name = "Grete" if end is remove_other else end.__name__
    browser = signed_in(server, name)
    host, boards = board_of(server, room, browser)
    wait_until(lambda: bool(boards))
    end(browser)
    check_signed_out(host, boards)
    assert code_of(host.call("subscribe", {"room": room}, timeout=TIMEOUT_S)) == "unauthorized"
    host.disconnect()


def test_the_board_of_a_program_ends_with_its_key(server: Server) -> None:
    room, browser = make_room(server), signed_in(server)
    browser.open("/host/account")
    page = page_with_new_key(browser, "screen")
    (key,) = re.findall(r"mien_[\w-]+", page)
    host, boards = board_of(server, room, bearer=key)
    wait_until(lambda: bool(boards))
    newest = max(map(int, re.findall(r"keys/(\d+)/deletion", page)))
    browser.open(f"/host/account/keys/{newest}/deletion", x="")
    check_signed_out(host, boards)
    host.disconnect()
