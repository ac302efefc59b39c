"""A page that walks from screen to screen, and what a screen is."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.helpers.serving import Server


@dataclass(frozen=True, slots=True)
class Visit:
    """A page that walks through the screens, and what it needs: the server and the codes of ROOMS."""

    page: Page
    server: Server
    rooms: dict[str, str]

    @property
    def room(self) -> str:
        """The room with a participant."""
        return self.rooms["ROOM"]

    def open(self, path: str) -> None:
        """Load a page of the server."""
        self.page.goto(f"{self.server.url}{path}")

    def freeze(self) -> None:
        """Let the server stand still."""
        os.kill(self.server.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on, if it stands still."""
        os.kill(self.server.process.pid, signal.SIGCONT)

    def show(self, selector: str) -> None:
        """Wait for an element."""
        self.page.wait_for_selector(selector, state="visible")


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen, and how to get there from the one before it."""

    name: str
    show: Callable[[Visit], None]
    is_more: bool = False


def more(name: str, show: Callable[[Visit], None]) -> Screen:
    """A screen with little that the others do not have."""
    return Screen(name, show, is_more=True)


def opened(path: str) -> Callable[[Visit], None]:
    """Goes to a page by its address, in which the name of one of ROOMS is that room's code."""

    def show(visit: Visit) -> None:
        *before, last = path.split("/")
        visit.open("/".join([*before, visit.rooms.get(last, last)]))

    return show


def ending(name: str) -> Callable[[Visit], None]:
    """Shows a screen at which a session ends."""

    def show(visit: Visit) -> None:
        visit.page.evaluate(
            """name => document.querySelectorAll('[data-screen]')
                .forEach((screen) => { screen.hidden = screen.dataset.screen !== name; })""",
            name,
        )
        visit.show(f"[data-screen='{name}']")

    return show
