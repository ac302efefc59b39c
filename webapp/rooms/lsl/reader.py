"""The process that reads markers from Lab Streaming Layer, for `inlets`.

The server starts it as `python -m webapp.rooms.lsl.reader FILE_DESCRIPTOR`. A request is a JSON list
of the names of streams to read; the reply is a list of what came since the last one: name, label, time on
this machine's wall clock in milliseconds, time on LSL's clock of this machine in seconds. LSL's library waits
in its calls, so each stream has a thread.
"""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import signal
import socket
import sys
import threading
import time
from typing import Any

from webapp.ipc import framing

RESOLVE_S = 1.0
OPEN_TIMEOUT_S = 5.0
PULL_S = 0.2

CLOCK_INTERVAL_S = 1.0
"""How long one comparison of LSL's clock with the wall clock counts; markers within it keep their order."""

CLOCK_TRIES = 3

BUFFER_S = 360

Came = tuple[str, str, float, float]

logger = logging.getLogger(__name__)


class WallClock:
    """LSL's clock of this machine against its wall clock. One thread uses it."""

    def __init__(self, pylsl: Any) -> None:  # noqa: ANN401 - pylsl has no types
        self._pylsl = pylsl
        self._offset_s = 0.0
        self._compared_s = float("-inf")

    def at_ms(self, lsl_s: float) -> float:
        """The time on the wall clock, in milliseconds since 1970."""
        if time.monotonic() - self._compared_s > CLOCK_INTERVAL_S:
            _, self._offset_s = min(self._compare() for _ in range(CLOCK_TRIES))
            self._compared_s = time.monotonic()
        return 1000 * (lsl_s + self._offset_s)

    def _compare(self) -> tuple[float, float]:
        """How long reading both clocks took, which is the error, and the wall clock minus LSL's."""
        before_s = self._pylsl.local_clock()
        wall_s = time.time()
        after_s = self._pylsl.local_clock()
        return after_s - before_s, wall_s - (before_s + after_s) / 2


class StreamReader:
    """Reads the stream of a name, whichever program offers it, until it is stopped."""

    def __init__(self, pylsl: Any, name: str, came: queue.SimpleQueue[Came]) -> None:  # noqa: ANN401
        self._pylsl = pylsl
        self._name = name
        self._came = came
        self._clock = WallClock(pylsl)
        self._stopping = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """Read no more; the thread ends by itself."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                for found in self._pylsl.resolve_byprop("name", self._name, minimum=1, timeout=RESOLVE_S)[:1]:
                    self._read(found)
            except (RuntimeError, TimeoutError) as error:  # pylsl's LostError among them
                logger.info("the LSL stream %r is lost: %s", self._name, error)

    def _read(self, found: Any) -> None:  # noqa: ANN401 - pylsl has no types
        inlet = self._pylsl.StreamInlet(found, max_buflen=BUFFER_S, recover=False, as_numpy=True)
        try:
            inlet.open_stream(timeout=OPEN_TIMEOUT_S)
            inlet.time_correction(timeout=OPEN_TIMEOUT_S)  # the first takes a moment; later ones do not
            logger.info("reading markers from the LSL stream %r", self._name)
            while not self._stopping.is_set():
                values, sent_s = inlet.pull_sample(timeout=PULL_S)
                if values is not None:
                    lsl_s = sent_s + inlet.time_correction()
                    label = "; ".join(_text_of(value) for value in values.tolist())
                    self._came.put((self._name, label, self._clock.at_ms(lsl_s), lsl_s))
        finally:
            inlet.close_stream()


def _text_of(value: bytes | float) -> str:
    """One channel of a marker; a text comes as it was sent, which programs on Windows may do in Latin-1."""
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


class Readers:
    """The streams that are read; one thread calls it."""

    def __init__(self, pylsl: Any) -> None:  # noqa: ANN401 - pylsl has no types
        self._pylsl = pylsl
        self._came: queue.SimpleQueue[Came] = queue.SimpleQueue()
        self._readers: dict[str, StreamReader] = {}

    def read(self, names: list[str]) -> list[Came]:
        """What came since the last call; from now on these streams are read, and no others."""
        for name in self._readers.keys() - set(names):
            self._readers.pop(name).stop()
        for name in set(names) - self._readers.keys():
            self._readers[name] = StreamReader(self._pylsl, name, self._came)
        came = []
        with contextlib.suppress(queue.Empty):
            while True:
                came.append(self._came.get_nowait())
        return came


def main(file_descriptor: int) -> None:
    """Reply until the server closes its end."""
    import pylsl

    end = socket.socket(fileno=file_descriptor)
    end.setblocking(True)
    readers = Readers(pylsl)
    framing.send(end, framing.Message(framing.READY_ID, b""))
    while (message := framing.receive(end)) is not None:
        came = readers.read(json.loads(message.payload))
        framing.send(end, framing.Message(message.request_id, json.dumps(came).encode()))


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(levelname)s lsl %(process)d: %(message)s", level=logging.INFO)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the closing link ends us
    with contextlib.suppress(OSError):  # the server is gone
        main(int(sys.argv[1]))
