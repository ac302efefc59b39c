"""What is done to a server's processes, again and again, while others use it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from random import Random

from tests.helpers.serving import Server


class Harm:
    """Kills and freezes processes of a server at random; `done` counts how often each was done."""

    def __init__(self, server: Server, seed: int = 0) -> None:
        self._server = server
        self._random = Random(seed)
        self.done: Counter[str] = Counter()

    @contextmanager
    def every(self, workers_s: float, store_s: float) -> Iterator[None]:
        """Kill or freeze a random worker, and kill the store, every so many seconds until the block ends."""
        with ExitStack() as running:
            running.enter_context(repeating(workers_s, self.harm_a_worker))
            running.enter_context(repeating(store_s, self.kill_store))
            yield

    def harm_a_worker(self) -> None:
        """Kill a random worker, or freeze it, which its watchdog has to notice."""
        how, number = self._random.choice((("killed", signal.SIGKILL), ("frozen", signal.SIGSTOP)))
        workers = self._server.worker_pids()
        if workers:
            self._signal(self._random.choice(workers), number, f"workers {how}")

    def kill_store(self) -> None:
        """Kill the store's process; there may be none while the next one waits to be started."""
        for pid in self._server.store_pids():
            self._signal(pid, signal.SIGKILL, "stores killed")

    def _signal(self, pid: int, number: int, what: str) -> None:
        with contextlib.suppress(ProcessLookupError):  # it ended by itself meanwhile
            os.kill(pid, number)
            self.done[what] += 1

    def described(self) -> str:
        """What was done, in words."""
        return ", ".join(f"{count} {what}" for what, count in sorted(self.done.items()))


@contextmanager
def repeating(interval_s: float, action: Callable[[], None]) -> Iterator[None]:
    """Do something every so many seconds, for the first time after one of them, until the block ends."""
    stopping = threading.Event()

    def repeat() -> None:
        while not stopping.wait(interval_s):
            action()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
