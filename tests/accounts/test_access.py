"""Who gets in: hosts by session or token, everybody else nowhere but to the live page and a room's door."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

import pytest
import requests
import socketio

from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until
from tests.rooms.test_service import TOKEN, api, code_of, make_room, person
from webapp.app import create_app
from webapp.config import Settings

PASSWORD = "correct horse battery"
LIMIT_S = 10

PUBLIC = {
    "static", "routes.index", "routes.healthz", "routes.readyz", "routes.analyze", "routes.authority",
    "room.ask_code", "room.show",
}  # fmt: skip
"""What anybody may open, of a room the text that people read before they consent; the rest is a host's."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


class Browser(requests.Session):
    """Keeps cookies as Safari does: over plain http none that is `Secure`, on localhost neither."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._root = server.url
        self.token = ""

    def open(self, path: str, under: str = "", **form: str) -> requests.Response:
        """Load a page, or send the form of the page before; `under` is the name that the server goes by."""
        method, data = ("POST", {"csrf_token": self.token, **form}) if form else ("GET", None)
        answer = self.request(
            method,
            self._root + path,
            data=data,
            headers={"Host": under} if under else None,
            timeout=LIMIT_S,
            allow_redirects=False,
            verify=False,
        )
        found = re.search(r'(?:csrf_token" value|csrf-token" content)="([^"]+)"', answer.text)
        self.token = found[1] if found else ""
        return answer


def cookie_of(answer: requests.Response) -> set[str]:
    """The attributes of the cookie that an answer sets."""
    return set(answer.headers["Set-Cookie"].split("; ")[1:])


def signed_in(server: Server, name: str = "Ada") -> Browser:
    browser = Browser(server)
    browser.open(f"/host?token={TOKEN}")
    browser.open("/host/welcome")
    if browser.open("/host/welcome", name=name, password=PASSWORD).status_code == 302:
        return browser
    browser.open("/host")
    assert browser.open("/host/login", name=name, password=PASSWORD).status_code == 302
    return browser


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
        answer = requests.request(method, server.url + path, timeout=LIMIT_S, allow_redirects=False)
        assert answer.status_code in (401, 403), (method, path)


def test_every_route_that_changes_something_refuses_what_other_pages_send(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    browser = signed_in(server)
    for method, path in host_routes(tmp_path_factory):
        if method != "GET":
            answer = browser.request(
                method, server.url + path, json={}, timeout=LIMIT_S, allow_redirects=False
            )
            assert answer.status_code in (401, 403), (method, path)


def test_the_cookie_of_a_session_is_out_of_reach_of_scripts(server: Server) -> None:
    cookie = cookie_of(Browser(server).open(f"/host?token={TOKEN}"))
    assert {"HttpOnly", "SameSite=Lax"} <= cookie


def test_what_was_written_in_a_form_comes_back_with_what_is_wrong_with_it(server: Server) -> None:
    browser = signed_in(server)
    browser.open("/host")
    answer = browser.open("/host/rooms", name="Pilot <1>", information="Read this. " * 2000, video="on")
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert 'value="Pilot &lt;1&gt;"' in answer.text
    assert "Read this. Read this." in answer.text
    assert 'name="video" checked' in answer.text
    assert 'name="show_results">' in answer.text, "it was not ticked"
    browser.open("/host/account")
    answer = browser.open("/host/account/password", old="wrong", password=PASSWORD)
    assert answer.status_code == 400
    assert "The present password is wrong." in answer.text
    browser.open("/host/account")
    answer = browser.open("/host/account/hosts", name="Bob", password="short")
    assert answer.status_code == 400
    assert 'value="Bob"' in answer.text


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
def test_on_this_machine_browsers_that_want_https_for_secure_cookies_keep_the_session(
    server: Server, name: str
) -> None:
    answer = Browser(server).open(f"/host?token={TOKEN}", under=f"{name}:{server.port}")
    assert "Secure" not in cookie_of(answer)


@pytest.mark.parametrize("name", ["192.168.1.5:5000", "mien.example.org", "localhost.example.org"])
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
    (grace,) = re.findall(r"hosts/(\d+)/deletion", page)
    assert browser.open(f"/host/account/hosts/{grace}/deletion", x="").status_code == 302
    assert other.open("/host").status_code == 401


def test_short_passwords_and_taken_names_are_refused(server: Server) -> None:
    browser = signed_in(server)
    for name, password in (("Alan", "short"), ("Ada", PASSWORD), ("", PASSWORD)):
        browser.open("/host/account")
        assert browser.open("/host/account/hosts", name=name, password=password).status_code == 400


def test_a_key_works_until_it_is_deleted(server: Server) -> None:
    browser = signed_in(server)
    browser.open("/host/account")
    page = browser.open("/host/account/keys", name="eye tracker").text
    (key,) = re.findall(r"mien_[\w-]+", page)
    assert api(server, "GET", "/rooms", token=key).status_code == 200
    (number,) = re.findall(r"keys/(\d+)/deletion", page)
    browser.open(f"/host/account/keys/{number}/deletion", x="")
    assert api(server, "GET", "/rooms", token=key).status_code == 401


def test_a_board_is_shown_to_hosts_only(server: Server) -> None:
    room = make_room(server)
    with person(server) as participant:
        participant.join(room)
        assert code_of(participant.ask("watch", {"room": room})) == "unauthorized"
    browser = signed_in(server)
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies)
    boards: list[dict[str, object]] = []
    host = socketio.Client(reconnection=False)
    host.on("board", boards.append)
    host.connect(server.url, headers={"Cookie": cookies}, transports=["websocket"])
    assert host.call("watch", {"room": room}, timeout=LIMIT_S) == {"watching": room}
    wait_until(lambda: len(boards) >= 3)
    host.disconnect()
    assert boards[0]["room"] == {"code": room, "name": "Test room", "state": "open"}


def test_attempts_at_passwords_and_tokens_are_limited() -> None:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server:
        browser = Browser(server)
        browser.open("/host")
        form = {"name": "Ada", "password": "guess"}
        assert [browser.open("/host/login", **form).status_code for _ in range(14)][-1] == 429
        assert [api(server, "GET", "/rooms", token="guess").status_code for _ in range(14)][-1] == 429


def test_without_a_token_of_its_own_a_server_takes_no_empty_one() -> None:
    with Server(MIEN_WORKERS="1") as server:
        assert api(server, "GET", "/rooms", token=" ").status_code == 401
        assert Browser(server).open("/host?token=").status_code == 401
