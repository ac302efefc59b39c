"""Sets markers in a Mien room and starts its recording, from PsychoPy, OpenSesame or any Python program.

    from psychopy_markers import MienMarkers

    mien = MienMarkers("https://mien.example.org", "ABCD2345", key="mien_...")
    mien.start_recording()
    mien.wait()                  # until it records
    mien.mark("Film begins")     # returns at once: a thread sends the marker with the time of this line
    ...
    mien.stop_recording()
    mien.close()                 # waits until everything has been sent

`mark` never waits for the network and never raises. Markers that cannot be sent wait in order, with their
time, and are sent when the server is back; it counts one that arrives twice once. To mark a flip exactly:

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

logger = logging.getLogger(__name__)

TIMEOUT_S = 5.0
RETRY_S = 1.0
CLOCK_EXCHANGES = 10
CLOCK_PAUSE_S = 0.02
CLOCK_INTERVAL_S = 30.0
PASSING_STATUS = (408, 421, 429)
"""Refusals that may pass: too slow, a wrong name, too many requests; as may all from 500 on."""

END = object()


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
        self._thread = threading.Thread(target=self._run, name="mien-markers", daemon=True)
        self._thread.start()

    def mark(self, label: str) -> None:
        """Mark this moment."""
        self._waiting.put(("markers", label, time.perf_counter()))

    def start_recording(self) -> None:
        """Start the room's recording; nothing happens where it is running."""
        self._waiting.put(("recording", "started", None))

    def stop_recording(self) -> None:
        """Stop the room's recording, after the markers set before."""
        self._waiting.put(("recording", "stopped", None))

    def wait(self) -> None:
        """Wait until everything so far has been sent, or was refused."""
        self._waiting.join()

    def close(self) -> None:
        """Send what waits, then end."""
        self._waiting.put(END)
        self._thread.join()

    # Inside: on the thread that sends

    def _run(self) -> None:
        while True:
            if time.perf_counter() - self._compared_s > CLOCK_INTERVAL_S:
                self._compare_clocks()
            item = self._take()
            if item is END:
                return
            if item is not None:
                self._send_until_taken(*item)
                self._waiting.task_done()

    def _take(self) -> object:
        try:
            return self._waiting.get(timeout=CLOCK_INTERVAL_S)
        except queue.Empty:
            return None

    def _send_until_taken(self, what: str, text: str, at_s: float | None) -> None:
        """Send one item; again and again, with the same time, while the server cannot be reached."""
        body: dict[str, str] | None = None
        while True:
            try:
                body = body or self._body(what, text, at_s)
                self._request("POST", f"/rooms/{self._room}/{what}", body)
                return
            except urllib.error.HTTPError as error:
                if error.code < 500 and error.code not in PASSING_STATUS:
                    self._give_up(text, error)
                    return
                logger.warning("Mien answers %s; %r is sent again", error.code, text)
            except (OSError, ValueError) as error:
                logger.warning("Mien cannot be reached (%s); %r is sent again", error, text)
            time.sleep(RETRY_S)

    def _body(self, what: str, text: str, at_s: float | None) -> dict[str, str]:
        """The JSON of an item; a marker's time is its moment on the server's clock."""
        if what == "recording":
            return {"state": text}
        assert at_s is not None
        if self._offset_s is None:
            self._compare_clocks(needed=True)
        moment = datetime.fromtimestamp(at_s + (self._offset_s or 0.0), timezone.utc)
        return {"label": text, "time": moment.isoformat(timespec="microseconds")}

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
    mien.start_recording()
    mien.wait()
    for number in range(3):
        mien.mark(f"Marker {number + 1}")
        time.sleep(1)
    mien.stop_recording()
    mien.close()
    print("Refused:", mien.failed or "nothing")
