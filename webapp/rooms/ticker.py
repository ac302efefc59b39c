"""Updates dashboards four times a second, and asks browsers for their clocks."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter

from webapp.errors import MienError
from webapp.protocol import finite_number
from webapp.rooms.clock_sync import now_ms
from webapp.rooms.dashboard.history import History
from webapp.rooms.dashboard.subscriptions import Emitter, Subscriptions
from webapp.rooms.participant import Participant
from webapp.rooms.service import RoomService

TICK_S = 0.25
CLOCK_INTERVAL_S = 5.0
FIRST_CLOCK_INTERVAL_S = 0.5
FIRST_EXCHANGES = 4

logger = logging.getLogger(__name__)


class Ticker:
    """One thread that ticks four times a second and never asks the store.

    Only that thread calls the steps; browsers reply on any thread.
    """

    def __init__(self, room_service: RoomService, emitter: Emitter) -> None:
        self._room_service = room_service
        self._emitter = emitter
        self.subscriptions = Subscriptions(room_service, emitter)
        self.history = History(room_service)
        self._asked: Counter[str] = Counter()
        self._due_s: dict[str, float] = {}
        self._awaiting: set[str] = set()
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to tick."""
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()

    def _run(self) -> None:
        steps = (
            self.history.take,
            self.subscriptions.show_boards,
            self.subscriptions.show_video,
            self.ask_clocks,
        )
        due_s = time.monotonic()
        while not self._stopping.wait(max(0.0, due_s - time.monotonic())):
            due_s = max(due_s, time.monotonic() - TICK_S) + TICK_S  # late ticks are not caught up
            for step in steps:
                try:
                    step(time.monotonic())
                except MienError as error:
                    logger.debug("a tick was skipped: %s", error)
                except Exception:
                    logger.exception("a tick failed")

    def ask_clocks(self, now_s: float) -> None:
        """Ask the browsers that are due for their time."""
        present = self._room_service.membership.present()
        for connection, participant in present.items():
            if connection not in self._awaiting and now_s >= self._due_s.get(connection, 0.0):
                self._asked[connection] += 1
                first = self._asked[connection] <= FIRST_EXCHANGES
                self._due_s[connection] = now_s + (FIRST_CLOCK_INTERVAL_S if first else CLOCK_INTERVAL_S)
                self._ask_clock(connection, participant)
        for connection in self._due_s.keys() - present.keys():
            del self._due_s[connection], self._asked[connection]
        self._awaiting &= present.keys()

    def _ask_clock(self, connection: str, participant: Participant) -> None:
        """Ask again only after a reply: Socket.IO remembers each question until then."""
        sent_ms, clock = now_ms(), participant.clock

        def take(browser_ms: object = None, *_: object) -> None:
            self._awaiting.discard(connection)
            said_ms = finite_number(browser_ms)
            if said_ms is not None:
                clock.add(sent_ms, said_ms, now_ms())

        self._awaiting.add(connection)
        self._emitter.emit("clock", to=connection, callback=take)
