"""Stands between a page's sockets and the server: cuts them, and answers events in the server's place.

Pages talk Socket.IO: an event is `42ID["name",{...}]`, its acknowledgement `43ID[{...}]`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Page, Route, WebSocketRoute

EVENT = re.compile(r'42(?P<ack>\d+)\["(?P<name>\w+)"')

SOCKETS = "**/socket.io/**"

Answer = dict[str, Any]


class Wire:
    """The connections of a page that is not opened yet, and of its frames.

    `answers` has what is answered in the server's place, by event; None for nothing. `asked` fills with the
    names of all events that ask for an answer, but for frames, which are binary.
    """

    def __init__(self, page: Page) -> None:
        self.answers: dict[str, Answer | None] = {}
        self.asked: list[str] = []
        self._is_cut = False
        self._open: list[tuple[WebSocketRoute, WebSocketRoute]] = []
        page.route_web_socket(SOCKETS, self._connect)
        page.route(SOCKETS, self._poll)

    def cut(self) -> None:
        """End all connections, and let none through."""
        self._is_cut = True
        for ends in self._open:
            for end in ends:
                end.close()
        self._open.clear()

    def restore(self) -> None:
        """Let connections through again."""
        self._is_cut = False

    def _connect(self, socket: WebSocketRoute) -> None:
        if self._is_cut:
            socket.close()
            return
        server = socket.connect_to_server()
        self._open.append((socket, server))
        socket.on_message(lambda message: self._pass_on(message, socket, server))

    def _poll(self, route: Route) -> None:
        if self._is_cut:
            route.abort()
        else:
            route.continue_()

    def _pass_on(self, message: str | bytes, socket: WebSocketRoute, server: WebSocketRoute) -> None:
        event = EVENT.match(message) if isinstance(message, str) else None
        if event:
            self.asked.append(event["name"])
        if event is None or event["name"] not in self.answers:
            server.send(message)
        elif (answer := self.answers[event["name"]]) is not None:
            socket.send(f"43{event['ack']}[{json.dumps(answer)}]")


def refusal(code: str, message: str = "The server says why.") -> Answer:
    """A problem as an answer."""
    return {"problem": {"code": code, "message": message}}
