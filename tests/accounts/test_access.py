"""Who gets in: hosts by session or token, everybody else nowhere but to the live page and a room's door."""

from __future__ import annotations

import html
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import socketio

from tests.helpers.endpoints import PUBLIC
from tests.helpers.host_browser import PASSWORD, Browser, signed_in
from tests.helpers.room_client import TOKEN, ParticipantClient, api, code_of, make_room
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until
from webapp.app import create_app
from webapp.config import Settings
from webapp.rooms.information import VIDEO_NOTICES
from webapp.web.pages.host.room_form import RoomForm

TIMEOUT_S = 10


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


def test_what_was_written_in_a_form_comes_back_with_what_is_wrong_with_it(server: Server) -> None:
    browser = signed_in(server)
    browser.open("/host/rooms/new")
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
    assert "The current password is wrong." in answer.text
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


def page_with_new_key(browser: Browser, name: str) -> str:
    """Make a key on the account page; the page that shows it."""
    browser.open("/host/account/keys", name=name, scope="rooms:read")
    return browser.open("/host/account").text


def test_a_new_key_is_shown_once_and_a_reload_makes_no_other(server: Server) -> None:
    browser = signed_in(server, "Katherine")
    browser.open("/host/account")
    answer = browser.open("/host/account/keys", name="PsychoPy", scope="rooms:read")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/host/account")
    page = browser.open("/host/account").text
    (secret,) = re.findall(r"mien_[\w-]{30,}", page)
    assert api(server, "GET", "/rooms", token=secret).status_code == 200
    again = browser.open("/host/account").text
    assert secret not in again
    (key,) = set(re.findall(r"keys/(\d+)/deletion", again))
    assert "Delete the key “PsychoPy”?" in browser.open(f"/host/account/keys/{key}/deletion").text
    assert api(server, "GET", "/rooms", token=secret).status_code == 200, "it was only asked"
    assert browser.open(f"/host/account/keys/{key}/deletion", x="").status_code == 302
    assert api(server, "GET", "/rooms", token=secret).status_code == 401


def test_rooms_are_searched_and_sorted(server: Server) -> None:
    browser = signed_in(server)
    codes = {}
    for name in ("Zebra study", "apple study", "Mango <1>"):
        codes[name] = api(server, "POST", "/rooms", {"name": name, "information": "x"}).json()["code"]
    for state in ("started", "stopped"):
        api(server, "POST", f"/rooms/{codes['apple study']}/recording", {"state": state})

    def shown(query: str) -> list[str]:
        return re.findall(r'class="room-name"[^>]*>([^<]+)<', browser.open(f"/host?{query}").text)

    assert shown("")[:3] == ["Mango &lt;1&gt;", "apple study", "Zebra study"]
    assert shown("q=STUDY&sort=name") == ["apple study", "Zebra study"]
    assert shown("q=study&sort=recorded")[0] == "apple study"
    code = codes["Mango <1>"]
    assert shown(f"q={code[:4].lower()}-{code[4:]}") == ["Mango &lt;1&gt;"]
    assert shown(f"q={code[:-1]}") == [], "a part of a code is none"
    page = browser.open("/host?q=%22%3E%3Cscript%3E").text
    assert "<script>" not in page and "Show all rooms" in page


def test_a_room_is_drafted_with_a_preview_and_made_with_a_text_in_each_language(server: Server) -> None:
    browser = signed_in(server)
    page = browser.open("/host/rooms/new").text
    assert "[purpose of the study]" in page
    texts = {"information": "Read **this** <b>and</b> [task].", "language": "en"}
    page = browser.open("/host/rooms/new", action="preview", name="R", **texts).text
    assert "Read <strong>this</strong> &lt;b&gt;and&lt;/b&gt; [task]." in page
    assert "Still to replace: [task]" in page
    page = browser.open("/host/rooms/new", action="add-language", add_language="de", name="R", **texts).text
    assert 'name="translation-de"' in page
    refused = browser.open("/host/rooms", name="R", **texts)
    assert refused.status_code == 400
    assert "placeholder [task]" in refused.text
    texts["information"] = "Read this."
    made = browser.open(
        "/host/rooms", name="R", **{**texts, "translation-de": "Lies das.", "translation-fr": " "}
    )
    assert made.status_code == 302
    room = api(server, "GET", f"/rooms/{made.headers['Location'].rpartition('/')[2]}").json()
    assert room["information_translations"] == {"de": "Lies das."}
    assert room["settings"]["language"] == "en"


def test_a_text_too_long_for_a_room_is_not_previewed(server: Server) -> None:
    browser = signed_in(server)
    browser.open("/host/rooms/new")
    answer = browser.open("/host/rooms/new", action="preview", name="R", information="*a" * 10_001)
    assert answer.status_code == 400
    assert "must be a text of 0 to 20,000 characters" in answer.text
    assert 'id="preview-title"' not in answer.text


def test_the_form_has_no_translation_into_the_language_of_the_text_itself() -> None:
    sent = {"information": "Lies das.", "language": "de", "translation-de": "Lies!", "translation-fr": "Lis."}
    assert RoomForm.sent(sent).translations == {"fr": "Lis."}


def test_the_form_promises_the_notice_that_a_room_without_a_language_gets(server: Server) -> None:
    browser = signed_in(server)
    browser.headers["Accept-Language"] = "de"
    browser.open("/host/rooms/new")
    page = browser.open("/host/rooms/new", action="preview", name="R", information="Text", language="").text
    assert VIDEO_NOTICES["en"] in html.unescape(page)
    assert VIDEO_NOTICES["de"] not in html.unescape(page)


def test_short_passwords_and_taken_names_are_refused(server: Server) -> None:
    browser = signed_in(server)
    for name, password in (("Alan", "short"), ("Ada", PASSWORD), ("", PASSWORD)):
        browser.open("/host/account")
        assert browser.open("/host/account/hosts", name=name, password=password).status_code == 400


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
    wait_until(lambda: len(boards) > 4)
    host.disconnect()
    assert boards[4]["now_ms"] - boards[0]["now_ms"] > 900, "four a second, as long as the machine keeps up"
    assert boards[0]["room"] == {"code": room, "name": "Test room", "state": "open"}


def board_of(
    server: Server, room: str, browser: Browser | None = None, bearer: str = ""
) -> tuple[socketio.Client, list[dict[str, Any]]]:
    """A connection that watches a room, and the boards that it is sent."""
    boards: list[dict[str, Any]] = []
    host = socketio.Client(reconnection=False)
    host.on("board", boards.append)
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies) if browser else ""
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {"Cookie": cookies}
    host.connect(server.url, headers=headers, transports=["websocket"])
    assert host.call("subscribe", {"room": room}, timeout=TIMEOUT_S) == {"watching": room}
    return host, boards


def check_signed_out(host: socketio.Client, boards: list[dict[str, Any]]) -> None:
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


def test_attempts_at_passwords_and_tokens_are_limited() -> None:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server:
        browser = Browser(server)
        browser.open("/host")
        form = {"name": "Ada", "password": "guess"}
        assert [browser.open("/host/login", **form).status_code for _ in range(14)][-1] == 429
        assert [browser.open("/host?token=guess").status_code for _ in range(2)][-1] == 429
        assert [api(server, "GET", "/rooms", token="guess").status_code for _ in range(14)][-1] == 429


@pytest.fixture(scope="module")
def proxied() -> Iterator[Server]:
    """A server to which each test can come from an address of its own."""
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, MIEN_PROXIES="1") as running:
        yield running


def bearer_from(address: str, secret: str = "guess") -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}", "X-Forwarded-For": address}


@pytest.mark.parametrize("path", ["/host", "/host/account", "/r", "/r/ABCD2345", "/api/v1/rooms"])
def test_keys_and_tokens_are_guessed_on_no_page_for_long(proxied: Server, path: str) -> None:
    address = f"198.51.100.{sum(map(ord, path)) % 90}"

    def status(secret: str) -> int:
        headers = bearer_from(address, secret)
        return requests.get(proxied.url + path, headers=headers, timeout=TIMEOUT_S).status_code

    statuses = [status("guess") for _ in range(14)]
    assert 429 not in statuses[:10]
    assert statuses[10:] == 4 * [429]
    assert status(TOKEN) == 429, "nor is a right one told from a wrong one"


def test_keys_and_tokens_are_guessed_by_no_board_for_long(proxied: Server) -> None:
    client = socketio.Client(reconnection=False)
    client.connect(proxied.url, headers=bearer_from("198.51.100.99"), transports=["websocket"])
    answers = [code_of(client.call("subscribe", {"room": "ABCD2345"}, timeout=TIMEOUT_S)) for _ in range(14)]
    client.disconnect()
    assert answers == 10 * ["unauthorized"] + 4 * ["too_many_attempts"]


def test_of_passwords_that_are_tried_at_once_ten_are_checked() -> None:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server, ThreadPoolExecutor(40) as threads:
        form = {"name": "Ada", "password": "guess"}

        def attempt(_: int) -> int:
            return requests.post(f"{server.url}/host/login", data=form, timeout=60).status_code

        statuses = Counter(threads.map(attempt, range(60)))
    assert statuses == {401: 10, 429: 50}


def test_right_passwords_are_no_attempts_at_guessing(server: Server) -> None:
    signed_in(server)
    for _ in range(12):
        browser = Browser(server)
        browser.open("/host")
        assert browser.open("/host/login", name="Ada", password=PASSWORD).status_code == 302


def test_after_wrong_codes_the_right_one_still_opens_its_room(server: Server) -> None:
    room = make_room(server)
    statuses = [
        requests.get(f"{server.url}/r/GUESS{number:03}", timeout=TIMEOUT_S).status_code
        for number in range(22)
    ]
    assert statuses[-1] == 429
    assert requests.get(f"{server.url}/r/{room}", timeout=TIMEOUT_S).status_code == 200


def test_without_a_token_of_its_own_a_server_takes_no_empty_one() -> None:
    with Server(MIEN_WORKERS="1") as server:
        assert api(server, "GET", "/rooms", token=" ").status_code == 401
        assert Browser(server).open("/host?token=").status_code == 401
