"""Sets markers in a Mien room and starts its recording, from PsychoPy, OpenSesame or any Python program.

    from psychopy_markers import MienMarkers

    mien = MienMarkers("https://mien.example.org", "ABCD2345", key="mien_...")
    mien.start_recording()
    mien.wait()                  # until it records
    mien.mark("Film begins")     # returns at once: a thread sends the marker with the time of this line
    ...
    mien.stop_recording()
    mien.close()                 # waits until everything has been sent, half a minute at most

`mark` never waits for the network and never raises. Markers that cannot be sent wait in order, with their
time, and are sent when the server is back; it counts one that arrives twice once. What is still unsent when
`close` has waited long enough is written to a file, which the same program sends later:

    python psychopy_markers.py https://mien.example.org ABCD2345 mien_... mien-unsent-ABCD2345-174517.json

To mark a flip exactly:

    win.callOnFlip(mien.mark, "Stimulus")

The key needs the scope `markers` and is made on Mien's account page. Only Python's standard library is used,
Python 3.8 or later.
"""

from __future__ import annotations

import json
import logging
import queue
import ssl
import threading
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

logger = logging.getLogger(__name__)

TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 30.0
RETRY_S = 1.0
CLOCK_EXCHANGES = 10
CLOCK_PAUSE_S = 0.02
CLOCK_INTERVAL_S = 30.0
PASSING_STATUS = (408, 421, 429)
"""Refusals that may pass: too slow, a wrong name, too many requests; as may all from 500 on."""

END = object()


class Item(NamedTuple):
    """Something to send: a marker with its moment on time.perf_counter or as text, or recording."""

    what: str
    text: str
    at_s: Optional[float] = None
    time: Optional[str] = None


class MienMarkers:
    """Markers and recording of one room. Any thread may call it; one thread of its own sends in order.

    Args:
        server: the address of the server, such as https://mien.example.org.
        room: the room's code.
        key: an API key with the scope `markers`.
        ca_file: the certificate of the server's own authority (download it from /authority.crt of the server
            and compare it as docs/operations.md says), unless this computer trusts the server's anyway.
    """

    def __init__(self, server: str, room: str, key: str, ca_file: str | None = None) -> None:
        self._api = server.rstrip("/") + "/api/v1"
        self._room = room
        self._key = key
        self._tls = ssl.create_default_context(cafile=ca_file) if server.startswith("https") else None
        self._offset_s: float | None = None
        self._compared_s = float("-inf")
        self.clock_error_s: float | None = None
        """How far the estimate of the server's clock can be off; None before the first."""
        self._waiting: queue.Queue[object] = queue.Queue()
        self.failed: list[tuple[str, str]] = []
        """What the server refused for good: the label or the action, and why."""
        self.unsent: List[Dict[str, str]] = []
        """The markers that `close` gave up, each with `label` and `time`."""
        self._sending: Optional[Item] = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mien-markers", daemon=True)
        self._thread.start()

    def mark(self, label: str) -> None:
        """Mark this moment."""
        self._waiting.put(Item("markers", label, time.perf_counter()))

    def start_recording(self) -> None:
        """Start the room's recording; nothing happens where it is running."""
        self._waiting.put(Item("recording", "started"))

    def stop_recording(self) -> None:
        """Stop the room's recording, after the markers set before."""
        self._waiting.put(Item("recording", "stopped"))

    def send_file(self, path: str) -> None:
        """Send the markers that an earlier `close` wrote to a file, with their times."""
        for marker in json.loads(Path(path).read_text(encoding="utf-8")):
            self._waiting.put(Item("markers", marker["label"], time=marker["time"]))

    def wait(self, timeout_s: Optional[float] = None) -> bool:
        """Wait until everything so far has been sent, or was refused; whether that happened in time."""
        done = self._waiting.all_tasks_done
        with done:
            return done.wait_for(lambda: not self._waiting.unfinished_tasks, timeout_s)

    def close(self, timeout_s: float = CLOSE_TIMEOUT_S, unsent_file: Optional[str] = None) -> bool:
        """Send what waits, for `timeout_s` at most, then end; whether everything was sent or refused.

        Markers that were not sent are in `unsent` and in a file, by default mien-unsent-ROOM-HHMMSS.json.
        """
        self._waiting.put(END)
        self._thread.join(timeout_s)
        if not self._thread.is_alive():
            return True
        self._stopping.set()
        self._thread.join(2 * TIMEOUT_S)  # a request that is under way
        self._give_up_rest(unsent_file or time.strftime(f"mien-unsent-{self._room}-%H%M%S.json"))
        return False

    # Inside: on the thread that sends

    def _run(self) -> None:
        while True:
            if time.perf_counter() - self._compared_s > CLOCK_INTERVAL_S:
                self._compare_clocks()
            item = self._take()
            if item is END:
                return
            if isinstance(item, Item):
                self._sending = item
                if not self._send_until_taken(item):
                    return
                self._sending = None
                self._waiting.task_done()

    def _take(self) -> object:
        try:
            return self._waiting.get(timeout=CLOCK_INTERVAL_S)
        except queue.Empty:
            return None

    def _send_until_taken(self, item: Item) -> bool:
        """Send one item until the server takes or refuses it, with the same time; False if told to stop."""
        body: dict[str, str] | None = None
        while not self._stopping.is_set():
            try:
                body = body or self._body(item)
                self._request("POST", f"/rooms/{self._room}/{item.what}", body)
                return True
            except urllib.error.HTTPError as error:
                if error.code < 500 and error.code not in PASSING_STATUS:
                    self._give_up(item.text, error)
                    return True
                logger.warning("Mien answers %s; %r is sent again", error.code, item.text)
            except (OSError, ValueError) as error:
                logger.warning("Mien cannot be reached (%s); %r is sent again", error, item.text)
            self._stopping.wait(RETRY_S)
        return False

    def _body(self, item: Item) -> dict[str, str]:
        """The JSON of an item; a marker's time is its moment on the server's clock."""
        if item.what == "recording":
            return {"state": item.text}
        if item.time is None and self._offset_s is None:
            self._compare_clocks(needed=True)
        return {"label": item.text, "time": self._time_of(item)}

    def _time_of(self, item: Item) -> str:
        """When a marker was set: on the server's clock, or this computer's if they were never compared."""
        if item.time is not None:
            return item.time
        offset_s = time.time() - time.perf_counter() if self._offset_s is None else self._offset_s
        moment = datetime.fromtimestamp((item.at_s or 0.0) + offset_s, timezone.utc)
        return moment.isoformat(timespec="microseconds")

    def _give_up_rest(self, path: str) -> None:
        """Note what was not sent, and write the markers among it to a file."""
        rest: List[object] = [self._sending]
        while not self._waiting.empty():
            rest.append(self._waiting.get_nowait())
        items = [item for item in rest if isinstance(item, Item)]
        self.failed += [(item.text, "not sent") for item in items if item.what == "recording"]
        self.unsent = [
            {"label": item.text, "time": self._time_of(item)} for item in items if item.what == "markers"
        ]
        Path(path).write_text(json.dumps(self.unsent, indent=2), encoding="utf-8")
        logger.error("Mien could not be reached: %d markers, not sent, are in %s", len(self.unsent), path)

    def _give_up(self, text: str, error: urllib.error.HTTPError) -> None:
        try:
            reason = json.load(error)["problem"]["message"]
        except (ValueError, KeyError, TypeError):
            reason = str(error)
        self.failed.append((text, reason))
        logger.error("Mien refused %r: %s", text, reason)

    def _compare_clocks(self, needed: bool = False) -> None:
        """Estimate what to add to `time.perf_counter` for the server's clock, as NTP does.

        The server's time belongs to the middle of the request; the shortest round trip is the least wrong, by
        half of it at most.
        """
        best: tuple[float, float] | None = None
        for _ in range(CLOCK_EXCHANGES):
            sent_s = time.perf_counter()
            try:
                server_s = self._request("GET", "/clock")["now_ms"] / 1000
            except (OSError, ValueError, KeyError) as error:
                if needed:
                    raise
                logger.info("the clocks were not compared: %s", error)
                return
            received_s = time.perf_counter()
            exchange = received_s - sent_s, server_s - (sent_s + received_s) / 2
            best = min(best, exchange) if best else exchange
            time.sleep(CLOCK_PAUSE_S)
        if best:
            self.clock_error_s, self._offset_s = best[0] / 2, best[1]
            self._compared_s = time.perf_counter()

    def _request(self, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, float]:
        request = urllib.request.Request(
            self._api + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=self._tls) as response:
            answer: dict[str, float] = json.load(response)
            return answer


if __name__ == "__main__":
    import sys

    logging.basicConfig(level=logging.INFO)
    mien = MienMarkers(*sys.argv[1:4])
    if len(sys.argv) > 4:
        mien.send_file(sys.argv[4])
    else:
        mien.start_recording()
        mien.wait()
        for number in range(3):
            mien.mark(f"Marker {number + 1}")
            time.sleep(1)
        mien.stop_recording()
    mien.close()
    print("Refused:", mien.failed or "nothing")
