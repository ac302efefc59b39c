"""The screens of guests, participants and experiments; each begins where the one before it ended."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.browser import files_page as files
from tests.browser import live
from tests.browser.screens.visit import Screen, Visit, ending, more, opened


def live_view(visit: Visit) -> None:
    visit.open("/")
    live.start(visit.page)
    visit.show("#readout[data-expression='happy']")


def stopped(visit: Visit) -> None:
    visit.page.click("#stop")
    visit.show("[data-screen='stopped']")


def photo(visit: Visit) -> None:
    visit.open("/files")
    visit.page.click("#example")
    files.wait_for_results(visit.page)


def broken_file(visit: Visit) -> None:
    chosen = {"name": "broken.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff" + bytes(2000)}
    visit.page.set_input_files("#file-input", chosen)  # type: ignore[arg-type]
    visit.show(".file[data-state='failed']")


def video(visit: Visit) -> None:
    with tempfile.TemporaryDirectory() as folder:
        visit.page.set_input_files("#file-input", files.write_clip(Path(folder) / "clip.mp4", seconds=1))
        visit.show("#result.is-video .moment")
        files.wait_for_results(visit.page)  # browsers read the file again whenever they need it


def deletion_of_a_file(visit: Visit) -> None:
    visit.page.click(".file.is-open button >> nth=1")
    visit.show("#confirm")


def consent(visit: Visit) -> None:
    visit.open(f"/r/{visit.room}")
    visit.show("#consent-form")


def participant(visit: Visit) -> None:
    consent(visit)
    visit.page.check("#consent")
    visit.page.click("#join")
    visit.show("#readout[data-expression='happy']")


def menu(visit: Visit) -> None:
    visit.page.click("#session-menu summary")
    visit.show("#withdraw")


def withdraw(visit: Visit) -> None:
    visit.page.click("#withdraw")
    visit.show("#withdraw-dialog")


def keep_taking_part_then_leave(visit: Visit) -> None:
    visit.page.click("#withdraw-cancel")
    visit.page.click("#stop")
    visit.show("[data-screen='left']")


def completion(visit: Visit) -> None:
    """Takes part in what was shown before, and leaves."""
    visit.page.check("#consent")
    visit.page.click("#join")
    visit.show("[data-screen='live']")
    visit.page.wait_for_selector("#session[data-state='idle']")
    visit.page.click("#stop")
    visit.show("[data-screen='left'] [data-code]")


def embedded(name: str) -> Callable[[Visit], None]:
    """Shows a screen of the frame that experiments embed."""

    def show(visit: Visit) -> None:
        visit.open(f"/embed/{visit.room}")
        visit.show("[data-screen='alone']")
        visit.page.evaluate("document.getElementById('app').dataset.view = 'full'")
        ending(name)(visit)

    return show


GUEST_SCREENS = (
    Screen("start", opened("/")),
    Screen("about", opened("/about")),
    Screen("files", opened("/files")),
    Screen("photo", photo),
    Screen("broken file", broken_file),
    Screen("video", video),
    Screen("deletion of a file", deletion_of_a_file),
    Screen("live", live_view),
    more("stopped", stopped),
    Screen("consent", consent),
    Screen("participant", participant),
    Screen("menu", menu),
    Screen("withdraw", withdraw),
    Screen("left", keep_taking_part_then_leave),
    *(Screen(name, ending(name)) for name in ("declined", "erased", "removed", "closed", "deleted")),
    *(Screen(name, ending(name)) for name in ("denied", "missing", "in-use", "unplugged", "insecure")),
    more("unreachable", ending("unreachable")),
    more("opening", ending("opening")),
    more("consent in two languages", opened("/r/PANEL")),
    more("completion", completion),
    *(Screen(f"embedded: {name}", embedded(name)) for name in ("alone", "start", "live", "left", "refused")),
    *(more(f"embedded: {name}", embedded(name)) for name in ("full", "problem")),
    Screen("code", opened("/r")),
    Screen("wrong code", opened("/r?code=NOPE2345")),
    Screen("not found", opened("/nothing-here")),
)
