"""A session in a frame ends, or cannot begin, and frame and experiment say why; what passes is waited for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, FrameLocator, Page

from tests.browser.embedding import embeddable_room, join, run, show_frame
from tests.browser.wire import Wire, refusal
from tests.helpers.experiment_site import ExperimentSite
from tests.helpers.module_server import module_server
from tests.helpers.room_client import TOKEN, ParticipantClient, api
from tests.helpers.serving import Server

NewPage = Callable[..., Page]

TIMEOUT_MS = 60_000
"""For what must happen; a busy machine is slow and not wrong."""

SMALL = {"participant": "P01", "view": "small", "consent": "given"}

JOIN_BY_MESSAGE = """(server) => document.querySelector('iframe').contentWindow
    .postMessage({ mien: 1, type: 'join', view: 'small', participant: 'P01', consent: 'given' }, server)"""

LISTEN = """() => {
    window.heard = [];
    session.on('baseline', (state, reason) => heard.push([state, reason]));
}"""

LEAVE = "session.leave({ erase: true }).catch(({ code, message }) => [code, message])"

server = module_server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN)


@pytest.fixture
def page(still_browser: Browser, new_page: NewPage, site: ExperimentSite) -> Page:
    opened = new_page(still_browser)
    opened.set_default_timeout(TIMEOUT_MS)
    return opened


@pytest.fixture
def wire(page: Page, site: ExperimentSite) -> Wire:
    """Between the frame and the server; the experiment's page is open then."""
    between = Wire(page)
    page.goto(f"{site.origin}/blank")
    return between


def frame_of(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


def participant_of(server: Server, room: str) -> str:
    (person,) = api(server, "GET", f"/rooms/{room}").json()["participants"]
    return f"/rooms/{room}/participants/{person['id']}"


@pytest.mark.parametrize(
    ("ended", "reason", "screen", "said"),
    [
        ("room deleted", "deleted", "deleted", "This session was deleted"),
        ("data deleted", "cannot_resume", "removed", "The researcher removed you"),
        ("room closed", "room_closed", "closed", "This session is over"),
    ],
)
def test_what_ended_while_the_connection_was_lost_is_told_when_it_is_back(
    server: Server,
    site: ExperimentSite,
    page: Page,
    wire: Wire,
    ended: str,
    reason: str,
    screen: str,
    said: str,
) -> None:
    room = embeddable_room(server, site, consent_by_experiment=True)
    join(page, server, room, **SMALL)
    wire.cut()
    page.wait_for_function("() => states.includes('lost')")
    method, path = {
        "room deleted": ("DELETE", f"/rooms/{room}"),
        "data deleted": ("DELETE", participant_of(server, room)),
        "room closed": ("POST", f"/rooms/{room}/close"),
    }[ended]
    assert api(server, method, path).ok
    wire.restore()
    page.wait_for_function("(state) => states.includes(state)", arg=f"ended {reason}")
    frame_of(page).locator(f"[data-screen='{screen}']:has-text('{said}')").wait_for()
    assert frame_of(page).locator("[data-screen]:visible").count() == 1


def test_too_many_who_come_back_at_once_wait_and_stay_in_their_session(
    server: Server, site: ExperimentSite, page: Page, wire: Wire
) -> None:
    room = embeddable_room(server, site, consent_by_experiment=True)
    first = join(page, server, room, **SMALL)["participant"]
    wire.answers["join"] = refusal("too_many_attempts")
    wire.cut()
    page.wait_for_function("() => states.includes('lost')")
    wire.restore()
    while wire.asked.count("join") < 2:
        page.wait_for_timeout(100)
    assert page.evaluate("session.state") == "lost", "and not ended"
    del wire.answers["join"]
    page.wait_for_function("() => session.state === 'idle'")
    (person,) = api(server, "GET", f"/rooms/{room}").json()["participants"]
    assert person["id"] == first


def test_an_experiment_is_told_why_data_are_not_deleted_and_can_ask_again(
    server: Server, site: ExperimentSite, page: Page, wire: Wire
) -> None:
    room = embeddable_room(server, site, consent_by_experiment=True)
    join(page, server, room, **SMALL)
    wire.answers["withdraw"] = refusal("store_unavailable", "The database is away.")
    assert run(page, LEAVE) == ["store_unavailable", "The database is away."]
    wire.answers["withdraw"] = None
    assert run(page, LEAVE) == ["server_lost", "The server did not confirm that the data are deleted."]
    del wire.answers["withdraw"]
    assert run(page, LEAVE) is None
    assert api(server, "GET", f"/rooms/{room}").json()["participants"] == []


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ({"consent_by_experiment": True, "max_participants": 1}, "room_full", "This session is full"),
        ({}, "consent_required", "Nobody can join without consent"),
    ],
)
def test_a_frame_that_cannot_join_says_why(
    server: Server, site: ExperimentSite, page: Page, settings: dict[str, object], code: str, said: str
) -> None:
    room = embeddable_room(server, site, **settings)
    page.goto(f"{site.origin}/blank")
    page.evaluate("window.said = []; addEventListener('message', ({ data }) => said.push(data))")
    with ParticipantClient(server) as other:
        other.join(room)
        show_frame(page, f"{server.url}/embed/{room}")
        page.evaluate(JOIN_BY_MESSAGE, server.url)
        page.wait_for_function("(code) => said.some((one) => one.code === code)", arg=code)
    shown = frame_of(page).locator("[data-screen]:visible")
    assert said in shown.inner_text()


def test_a_small_frame_asks_for_a_neutral_face_and_says_how_it_went(
    server: Server, site: ExperimentSite, page: Page
) -> None:
    room = embeddable_room(server, site, consent_by_experiment=True)
    page.goto(f"{site.origin}/blank")
    join(page, server, room, **SMALL)
    page.evaluate(LISTEN)
    assert api(server, "POST", f"/rooms/{room}/baseline").json() == {"asked": 1}
    frame_of(page).locator("#neutral:has-text('Please keep a neutral face')").wait_for()
    frame_of(page).locator("#neutral:has-text('Thank you')").wait_for()
    page.wait_for_function("() => heard.length === 2")
    assert page.evaluate("heard.map(([state]) => state)") == ["asked", "set"]


def test_a_hidden_frame_leaves_the_question_to_the_experiment_and_says_why_there_is_no_baseline(
    server: Server, site: ExperimentSite, launch: Callable[..., Browser], new_page: NewPage
) -> None:
    room = embeddable_room(server, site, consent_by_experiment=True)
    page = new_page(launch())  # a camera without a face
    page.set_default_timeout(TIMEOUT_MS)
    page.goto(f"{site.origin}/blank")
    join(page, server, room, **{**SMALL, "view": "hidden"})
    page.evaluate(LISTEN)
    api(server, "POST", f"/rooms/{room}/baseline")
    page.wait_for_function("() => heard.length === 1")
    refused = run(page, "session.baseline().catch(({ code, message }) => [code, message])")
    assert refused == ["baseline_failed", "The face was not clearly visible."]
    assert page.evaluate("heard") == [["asked", None], ["failed", "no_face"]]
    assert frame_of(page).locator("#neutral").is_hidden()


def test_the_language_of_the_frame_can_be_chosen(server: Server, site: ExperimentSite, page: Page) -> None:
    room = embeddable_room(server, site, consent_by_experiment=True)
    page.goto(f"{site.origin}/blank")
    join(page, server, room, **SMALL, language="zh-Hans")
    assert page.get_attribute("iframe", "src") == f"{server.url}/embed/{room}?lang=zh-Hans"
    run(page, "session.leave()")
    join(page, server, room, **SMALL)
    assert page.get_attribute("iframe", "src") == f"{server.url}/embed/{room}"
