"""The screens of hosts; each begins where the one before it ended, and those after "rooms" need its host."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.room_pages import add_key_and_host
from tests.browser.screens.visit import Screen, Visit, more, opened
from tests.helpers.host_browser import PASSWORD
from tests.helpers.room_client import TOKEN


def refused_sign_in(visit: Visit) -> None:
    visit.open("/host")
    visit.page.fill("[name=name]", "Nobody")
    visit.page.fill("[name=password]", "wrong")
    visit.page.click("main button.is-main")
    visit.show("[aria-invalid]")


def welcome(visit: Visit) -> None:
    visit.open(f"/host?token={TOKEN}")
    visit.show("[autocomplete='new-password']")


def rooms(visit: Visit) -> None:
    """Signs in; the screens after it are those of hosts."""
    visit.page.fill("[name=name]", f"Host {id(visit)}")
    visit.page.fill("[name=password]", PASSWORD)
    visit.page.click("main button.is-main")
    visit.page.wait_for_url("**/host")


def new_room(visit: Visit) -> None:
    visit.open("/host")
    if visit.page.locator("[name=information]").count() == 0:
        visit.page.click("a[href$='/rooms/new']")
    visit.show("[name=information]")


def new_room_for_experiments(visit: Visit) -> None:
    new_room(visit)
    visit.page.click(".form-fold > summary")
    visit.show("[name=allowed_origins]")


def preview(visit: Visit) -> None:
    new_room(visit)
    visit.page.fill("[name=name]", "Film study")
    visit.page.click("[value=add-language]")
    visit.show("textarea[name^=translation-]")
    visit.page.click("[value=preview]")
    visit.show("#preview .form-problem")


def refused_room(visit: Visit) -> None:
    visit.page.click("form[action$='/rooms'] button.is-main")
    visit.show("form .form-problem")


def dialog_of(kind: str) -> Callable[[Visit], None]:
    """Asks on the account page before a key or a host is deleted."""

    def show(visit: Visit) -> None:
        visit.open("/host/account")
        visit.page.click(f"[data-dialog^='delete-{kind}'] >> nth=0")
        visit.show(f"dialog[id^='delete-{kind}'][open]")

    return show


def account(visit: Visit) -> None:
    """With a key and another host, so that there is something to delete."""
    add_key_and_host(visit.page, visit.server, f"Friend {id(visit)}")


def deletion_page(visit: Visit) -> None:
    path = visit.page.get_attribute("[data-dialog^='delete-key']", "href")
    assert path
    visit.open(path)


def board_menu(summary: str) -> Callable[[Visit], None]:
    """Opens a menu of the board; the one before it closes, as it may cover the button."""

    def show(visit: Visit) -> None:
        visit.page.keyboard.press("Escape")
        visit.page.click(summary)
        visit.show("details.more[open] .more-panel")

    return show


def question(visit: Visit) -> None:
    visit.page.click(".tile .more-panel .is-grave")
    visit.show("#confirm[open]")


def alarm(visit: Visit) -> None:
    """A server that is silent; it goes on before the next screen."""
    visit.page.keyboard.press("Escape")
    visit.freeze()
    visit.show("#connection")


def board(visit: Visit) -> None:
    visit.open(f"/host/rooms/{visit.room}")
    visit.show(".tile")


HOST_SCREENS = (
    Screen("sign in", opened("/host")),
    Screen("refused sign-in", refused_sign_in),
    Screen("useless link", opened("/host?token=wrong")),
    Screen("welcome", welcome),
    Screen("rooms", rooms),
    Screen("new room", new_room),
    Screen("new room for experiments", new_room_for_experiments),
    more("preview", preview),
    more("refused room", refused_room),
    Screen("board", board),
    more("menu to join", board_menu(".board-actions details:nth-of-type(1) > summary")),
    more("menu of the board", board_menu(".board-actions details:nth-of-type(2) > summary")),
    more("menu of a tile", board_menu(".tile summary")),
    more("question on the board", question),
    more("alarm", alarm),
    more("empty board", opened("/host/rooms/EMPTY")),
    more("closed board", opened("/host/rooms/CLOSED")),
    Screen("account", account),
    more("deletion page", deletion_page),
    more("deletion of a key", dialog_of("key")),
    more("deletion of a host", dialog_of("host")),
    more("activity", opened("/host/activity")),
    Screen("API", opened("/api/v1/docs")),
)
