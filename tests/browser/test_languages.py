"""Every page in every language on a phone: no text is cut off, leaves its box, or widens the page.

A page is loaded once for each language; its own scripts then bring it into the states that it can be in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import files_page as files
from tests.browser import live
from tests.browser.fitting import PHONE, misfits, misfits_in_states
from tests.browser.room_pages import add_key_and_host, sign_in
from tests.helpers.room_client import ParticipantClient, api, make_room
from tests.helpers.serving import Server
from webapp.app import create_app
from webapp.config import Settings
from webapp.errors import FailureCode
from webapp.web.catalogues import LANGUAGES

REFUSALS = ("bad_request", "consent_required", "room_full", "too_many_attempts", "store_unavailable")
"""What somebody who wants to join may be told."""

FOR_EXPERIMENTS = {
    "video": True,
    "marker_labels": ["Film begins", "Film ends"],
    "allowed_origins": ["https://lab.example"],
}


@dataclass(frozen=True, slots=True)
class Phones:
    """A guest's page and that of a host who signed in, and the paths that each can open.

    A path comes with the file of `states` that says in which states its page can be, or with nothing.
    """

    guest: Page
    host: Page
    root: str
    guest_paths: dict[str, str]
    host_paths: dict[str, str]

    def speak(self, language: str) -> None:
        """Choose a language, as the menu does."""
        for page in (self.guest, self.host):
            page.context.add_cookies([{"name": "language", "value": language, "url": self.root}])


@pytest.fixture(scope="module")
def phones(
    room_server: Server, still_browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Phones]:
    app = create_app(Settings(data_dir=tmp_path_factory.mktemp("data")))
    room, closed = (make_room(room_server, **FOR_EXPERIMENTS) for _ in range(2))
    api(room_server, "POST", f"/rooms/{closed}/close")
    guest, host = (_phone(still_browser).new_page() for _ in range(2))
    live.answer_frames(guest, lambda seq: live.result("surprise", seq))
    send_a_video(guest, room_server, tmp_path_factory.mktemp("clip"))
    sign_in(host, room_server)
    key_deletion = add_key_and_host(host, room_server, "Experiment")
    with ParticipantClient(room_server) as one:
        one.join(room, alias="Ada")
        for label in FOR_EXPERIMENTS["marker_labels"]:  # type: ignore[attr-defined]
            api(room_server, "POST", f"/rooms/{room}/markers", {"label": label})
        yield Phones(
            guest,
            host,
            room_server.url,
            {
                **_pages(app, lambda path: not path.startswith("/host")),
                **dict.fromkeys(("/host", "/nothing-here", "/r?code=NOPE2345"), ""),
                **{"/files": "files", f"/r/{room}": "participant", f"/embed/{room}": "embed"},
            },
            {
                **_pages(app, lambda path: path.startswith("/host")),
                **dict.fromkeys((key_deletion, f"/host/rooms/{closed}"), ""),
                **{"/host/account": "account", "/host/rooms/new": "new_room", f"/host/rooms/{room}": "board"},
            },
        )
    for page in (guest, host):
        page.context.close()


def _phone(browser: Browser) -> BrowserContext:
    return browser.new_context(viewport=PHONE, device_scale_factor=1, reduced_motion="reduce")  # type: ignore[arg-type]


def send_a_video(page: Page, server: Server, folder: Path) -> None:
    """Have a video analyzed, whose results the page for files then shows at each visit."""
    files.open_files(page, server)
    files.choose(page, files.write_clip(folder / "clip.mp4", seconds=1))
    files.wait_for_results(page)


def _pages(app: Flask, wanted: Callable[[str], bool]) -> dict[str, str]:
    """The pages of an application that need nothing in their address."""
    client = app.test_client()
    paths = {
        rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments
    }
    return {path: "" for path in sorted(paths) if wanted(path) and _is_page(client, path)}


def _is_page(client: FlaskClient, path: str) -> bool:
    with client.get(path) as answer:  # closes a file that is sent
        return answer.mimetype == "text/html" and answer.status_code != 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_fit_on_a_phone(phones: Phones, language: str) -> None:
    phones.speak(language)
    given = {"codes": REFUSALS, "failures": get_args(FailureCode)}
    found = []
    for page, paths in ((phones.guest, phones.guest_paths), (phones.host, phones.host_paths)):
        for path, states in paths.items():
            page.goto(phones.root + path)
            assert page.get_attribute("html", "lang") == language.replace("_", "-"), path
            if states == "files":
                page.wait_for_selector("#result[data-shows='all']", state="visible")
            found += misfits(page)
            found += misfits_in_states(page, states, given) if states else []
    found += misfits_of_a_refused_room(phones.host, phones.root)
    phones.guest.goto(phones.root)
    live.start(phones.guest)
    phones.guest.wait_for_selector("#readout[data-expression=surprise]")
    found += misfits(phones.guest)
    found += misfits_in_states(phones.guest, "live")
    assert found == [], "\n".join(found)


def misfits_of_a_refused_room(page: Page, root: str) -> list[str]:
    """Of the form for a new room: with a preview in two languages, and with what is wrong in it."""
    page.goto(f"{root}/host/rooms/new")
    page.fill("[name=name]", "Film study")
    page.click("[name=action][value=add-language]")
    page.locator("textarea[name^=translation-]").fill("[Task] " * 3)
    page.click("[name=action][value=preview]")
    page.wait_for_selector("#preview")
    page.wait_for_load_state()  # with its style sheets
    found = misfits(page)
    page.click("form[action$='/rooms'] button.is-main")
    page.wait_for_selector("form .form-problem")
    page.wait_for_load_state()
    return found + misfits(page)


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ("<button style='width: 60px; white-space: nowrap'>Far too long for this</button>", "out of button"),
        (
            "<p style='width: 60px; overflow: hidden; white-space: nowrap'>Far too long for this</p>",
            "cut off",
        ),
        ("<p style='height: 20px; overflow: hidden'>" + "Far too long " * 30 + "</p>", "cut off"),
        ("<p style='white-space: nowrap'>" + "Far too long " * 30 + "</p>", "wider than p"),
        ("<p dir='rtl' style='white-space: nowrap'>" + "Far too long " * 30 + "</p>", "wider than p"),
        ("<p style='width: 900px'>" + "Far too long " * 9 + "</p>", "beyond the page"),
        ("<p style='width: 60px; white-space: nowrap'><b>Far too long for this</b></p>", "wider than p"),
        ("<p>" + "Far too long " * 30 + "</p>", None),
        ("<div style='overflow: auto'><p style='width: 900px'>" + "Far too long " * 20 + "</p></div>", None),
        ("<p class='alias' style='width: 60px; overflow: hidden; white-space: nowrap'>A long name</p>", None),
        ("<p hidden style='white-space: nowrap'>" + "Far too long " * 30 + "</p>", None),
    ],
)
def test_what_does_not_fit_is_found(phones: Phones, html: str, fault: str | None) -> None:
    phones.guest.goto("about:blank")
    phones.guest.set_content(f"<style>p, button {{ font: 16px sans-serif }}</style>{html}")
    found = misfits(phones.guest)
    assert (found == []) if fault is None else (fault in found[0])
