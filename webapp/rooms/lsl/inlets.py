"""Sets the markers of Lab Streaming Layer streams in the rooms that name them (`lsl_markers`).

LSL's library blocks whichever thread waits for it, so a process of its own reads the streams: `reader`.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections import deque
from typing import NamedTuple

from webapp.config import child_environment
from webapp.errors import ChildGoneError, LinkError, RoomError, StoreError
from webapp.ipc.child_process import ChildSpec
from webapp.ipc.supervisor import Supervisor
from webapp.rooms.room import Room
from webapp.rooms.service import RoomService
from webapp.rooms.settings import MAX_LABEL_LENGTH

INTERVAL_S = 0.2
REPLY_TIMEOUT_S = 10.0

MAX_WAITING = 10_000
"""Markers that wait while the store fails; the oldest are then lost, which the log says."""

logger = logging.getLogger(__name__)


class LslMarker(NamedTuple):
    """A marker as it came: its stream, and its time on the wall clock and on LSL's."""

    stream: str
    label: str
    at_ms: float
    lsl_s: float


class _Waiting(NamedTuple):
    code: str
    marker: LslMarker


class LslInlets:
    """One thread asks the reading process what came, five times a second, and sets it in the rooms concerned.

    Only that thread touches what waits.
    """

    def __init__(self, room_service: RoomService) -> None:
        self._room_service = room_service
        self._supervisor = Supervisor(_spec(), _decoded)
        self._waiting: deque[_Waiting] = deque()
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to read."""
        self._supervisor.start()
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """End; what waits is lost."""
        self._stopping.set()
        self._supervisor.stop()

    def _run(self) -> None:
        while not self._stopping.wait(INTERVAL_S):
            try:
                self._take(self._rooms())
                self._set()
            except (ChildGoneError, StoreError, TimeoutError) as error:
                logger.debug("LSL markers wait: %s", error)
            except Exception:
                logger.exception("LSL markers could not be set")

    def _rooms(self) -> list[Room]:
        rooms = self._room_service.rooms().values()
        return [room for room in rooms if room.settings.lsl_markers and room.state == "open"]

    def _take(self, rooms: list[Room]) -> None:
        """Ask what came of the streams that open rooms name."""
        if not self._supervisor.ready:
            return
        names = sorted({room.settings.lsl_markers for room in rooms})
        reply = self._supervisor.request(json.dumps(names).encode(), REPLY_TIMEOUT_S)
        for marker in reply.result(REPLY_TIMEOUT_S):
            concerned = [room.code for room in rooms if room.settings.lsl_markers == marker.stream]
            self._waiting.extend(_Waiting(code, marker) for code in concerned)
        while len(self._waiting) > MAX_WAITING:
            self._waiting.popleft()
            logger.error("an LSL marker is lost: the database has failed for too long")

    def _set(self) -> None:
        """Set what waits, in order; a marker that the store could not take stays first.

        Raises:
            StoreError: it could not.
        """
        while self._waiting:
            code, marker = self._waiting[0]
            try:
                room = self._room_service.room(code)
                label = marker.label.strip()[:MAX_LABEL_LENGTH]
                self._room_service.markers.add(room, label, marker.at_ms, "lsl", time_ms=1000 * marker.lsl_s)
            except RoomError as error:
                logger.warning("an LSL marker was not set: %s", error)
            self._waiting.popleft()


def _decoded(payload: bytes) -> list[LslMarker]:
    """What the process replied.

    Raises:
        LinkError: it is no list of markers.
    """
    try:
        return [
            LslMarker(str(stream), str(label), float(at_ms), float(lsl_s))
            for stream, label, at_ms, lsl_s in json.loads(payload)
        ]
    except (ValueError, TypeError) as error:
        raise LinkError("It replied with something else than markers.") from error


def _spec() -> ChildSpec:
    return ChildSpec(
        name="lsl",
        command=(sys.executable, "-m", "webapp.rooms.lsl.reader", "{link}"),
        environment=child_environment(("LSL",)),
        restart_pause_s=1.0,
        max_restart_pause_s=30.0,
    )
