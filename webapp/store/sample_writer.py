"""Takes samples off the frame's way and keeps them in batches.

`put` only appends to a buffer; a thread of its own hands the buffer to the store twice a second. Where
the store fails, samples wait in the buffer, the status says why, and writing goes on by itself as soon as it
can. The buffer is bounded: what does not fit is lost, and counted.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from webapp.errors import StoreError
from webapp.store.client import Store
from webapp.store.records import SampleRecord
from webapp.store.repositories import Archive

FLUSH_INTERVAL_S = 0.5
"""A killed server loses what came since the last flush; each costs the machine some milliseconds."""

RETRY_INTERVAL_S = 1.0

CAPACITY = 50_000
"""Samples that wait at most, some 50 MB: five minutes of thirty people at five frames a second."""

BATCH = 2_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WriterStatus:
    """The samples of a room: kept by the store, waiting to be, and lost; `problem` is why they wait."""

    stored: int
    waiting: int
    lost: int
    problem: str | None


class Writer:
    """The one way by which samples reach the store."""

    def __init__(self, store: Store, capacity: int = CAPACITY) -> None:
        self._store = store
        self._capacity = capacity
        self._buffer: deque[tuple[str, SampleRecord]] = deque()
        self._in_flight: Sequence[tuple[str, SampleRecord]] = ()
        self._stored: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        self._gone: set[str] = set()
        self._problem: str | None = None
        self._writing = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, once, and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2 * RETRY_INTERVAL_S)
        self.flush()

    def put(self, room: str, samples: Iterable[SampleRecord]) -> None:
        """Let samples of a room wait to be written; never blocks."""
        for sample in samples:
            if sample.participant_id in self._gone:
                continue
            if len(self._buffer) + len(self._in_flight) >= self._capacity:
                self._lost[room] += 1
            else:
                self._buffer.append((room, sample))
                self._waiting[room] += 1

    def forget(self, participant_ids: Iterable[str]) -> None:
        """Drop what waits of these participants, and take nothing more of them."""
        self._gone.update(participant_ids)
        self._buffer = deque(item for item in self._buffer if item[1].participant_id not in self._gone)
        self._count_waiting()

    def count_stored(self, room: str, stored: int) -> None:
        """Say how many samples of a room the store has, as after a start or a deletion."""
        self._stored[room] = stored

    def status(self, room: str) -> WriterStatus:
        """How writing goes."""
        return WriterStatus(self._stored[room], self._waiting[room], self._lost[room], self._problem)

    def flush(self) -> bool:
        """Write everything that waits; whether that went well."""
        with self._writing:
            while self._buffer:
                if not self._write_batch():
                    return False
        return True

    def _write_batch(self) -> bool:
        size = min(BATCH, len(self._buffer))
        self._in_flight = [self._buffer.popleft() for _ in range(size)]
        try:
            self._store.call(Archive.add_samples, [sample for _, sample in self._in_flight])
        except StoreError as error:
            self._put_back(error)
            return False
        self._stored.update(Counter(room for room, _ in self._in_flight))
        self._in_flight = ()
        self._count_waiting()
        self._note(None)
        return True

    def _put_back(self, error: StoreError) -> None:
        kept = [item for item in self._in_flight if item[1].participant_id not in self._gone]
        self._buffer.extendleft(reversed(kept))
        self._in_flight = ()
        self._count_waiting()
        self._note(str(error))

    def _count_waiting(self) -> None:
        self._waiting = Counter(room for room, _ in (*self._buffer, *self._in_flight))

    def _note(self, problem: str | None) -> None:
        if problem and not self._problem:
            logger.error("recording pauses, samples wait: %s", problem)
        if self._problem and not problem:
            logger.warning("recording goes on, samples are stored again")
        self._problem = problem

    def _run(self) -> None:
        while not self._stopping.wait(FLUSH_INTERVAL_S if self._problem is None else RETRY_INTERVAL_S):
            self.flush()
