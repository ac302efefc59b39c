"""Buffers samples, so that frames never wait for the store, and writes them in batches.

`put` only appends to a buffer; a thread of its own hands the buffer to the store twice a second. If the store
fails, samples wait in the buffer, the status says why, and writing resumes by itself as soon as it can. The
buffer is bounded: what does not fit is lost, and counted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from webapp.errors import StoreError
from webapp.store.client import Store
from webapp.store.records import Owner, SampleRecord
from webapp.store.repositories.recordings import RecordingRepository

FLUSH_INTERVAL_S = 0.5
"""A killed server loses what came since the last flush; each costs the machine some milliseconds."""

RETRY_INTERVAL_S = 1.0

CAPACITY = 50_000
"""Samples that wait at most, some 50 MB: five minutes of thirty people at five frames a second."""

BATCH = 2_000

UNOWNED = 0
"""The epoch of rooms where no other node can take them."""

FORGOTTEN_S = 600.0
"""For so long after a deletion samples may still arrive: of a frame under way, or in a batch that failed."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SampleWriterStatus:
    """The samples of a room: kept by the store, waiting to be, and lost; `problem` is why they wait."""

    stored: int
    waiting: int
    lost: int
    problem: str | None


class _Waiting(NamedTuple):
    owner: Owner
    sample: SampleRecord


@dataclass(slots=True)
class _Counts:
    """The samples of a room, by participant."""

    stored: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)

    def forget(self, participant_id: str) -> None:
        for counter in (self.stored, self.waiting, self.lost):
            del counter[participant_id]  # a Counter does not mind


class SampleWriter:
    """The one way by which samples reach the store.

    Any thread may call it. `_lock` guards the buffer and the counts, for moments; `_writing` lets one thread
    at a time ask the store.
    """

    def __init__(self, store: Store, capacity: int = CAPACITY) -> None:
        self._store = store
        self._capacity = capacity
        self._lock = threading.Lock()
        self._buffer: deque[_Waiting] = deque()
        self._in_flight: list[_Waiting] = []
        self._counts: defaultdict[str, _Counts] = defaultdict(_Counts)
        self._gone: dict[str, float] = {}
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

    def put(self, room: str, samples: Iterable[SampleRecord], epoch: int = UNOWNED) -> None:
        """Let samples of a room wait to be written; never waits for the store.

        `epoch` is the room's where rooms have owners: once it has another, the samples are lost.
        """
        owner = Owner(room, epoch)
        with self._lock:
            for sample in samples:
                if sample.participant_id in self._gone:
                    continue
                counts = self._counts[room]
                if len(self._buffer) + len(self._in_flight) >= self._capacity:
                    counts.lost[sample.participant_id] += 1
                else:
                    self._buffer.append(_Waiting(owner, sample))
                    counts.waiting[sample.participant_id] += 1

    def forget(self, participant_ids: Iterable[str]) -> None:
        """Drop all of participants whom the store has deleted, and take nothing more of them."""
        now_s = time.monotonic()
        with self._lock:
            self._gone = {one: at_s for one, at_s in self._gone.items() if now_s - at_s < FORGOTTEN_S}
            for participant_id in participant_ids:
                self._gone[participant_id] = now_s
                for counts in self._counts.values():
                    counts.forget(participant_id)
            self._buffer = deque(
                item for item in self._buffer if item.sample.participant_id not in self._gone
            )

    def forget_room(self, room: str, participant_ids: Iterable[str]) -> None:
        """Drop all of a room that the store has deleted."""
        self.forget(participant_ids)
        with self._lock:
            self._counts.pop(room, None)

    def count_anew(self, room: str) -> None:
        """Forget what was counted of a room that another node had, or may have; what waits still waits."""
        with self._lock:
            if room in self._counts:
                self._counts[room] = _Counts(waiting=self._counts[room].waiting)

    def add_stored(self, room: str, participant_id: str, samples: int) -> None:
        """Count samples that the store had of a participant before this writer began."""
        with self._lock:
            if participant_id not in self._gone:
                self._counts[room].stored[participant_id] += samples

    def status(self, room: str) -> SampleWriterStatus:
        """How writing goes."""
        with self._lock:
            counts = self._counts.get(room) or _Counts()
            return SampleWriterStatus(
                counts.stored.total(), counts.waiting.total(), counts.lost.total(), self._problem
            )

    def totals(self) -> SampleWriterStatus:
        """How writing goes for all rooms together."""
        with self._lock:
            counts = list(self._counts.values())
            return SampleWriterStatus(
                sum(one.stored.total() for one in counts),
                sum(one.waiting.total() for one in counts),
                sum(one.lost.total() for one in counts),
                self._problem,
            )

    def flush(self) -> bool:
        """Write everything that waits; whether that went well."""
        with self._writing:
            while batch := self._next_batch():
                try:
                    kept = self._store.call(
                        RecordingRepository.add_samples, [item.sample for item in batch], _owners_of(batch)
                    )
                except StoreError as error:
                    self._put_back(error)
                    return False
                self._note_written(kept)
        return True

    def _next_batch(self) -> list[_Waiting]:
        with self._lock:
            size = min(BATCH, len(self._buffer))
            self._in_flight = [self._buffer.popleft() for _ in range(size)]
            return self._in_flight

    def _note_written(self, kept: Sequence[bool]) -> None:
        """Count a batch: what the store did not keep is lost, unless it was deleted meanwhile."""
        with self._lock:
            for (owner, sample), is_kept in zip(self._in_flight, kept, strict=True):
                if sample.participant_id in self._gone:
                    continue
                counts = self._counts[owner.room]
                counts.waiting[sample.participant_id] -= 1
                (counts.stored if is_kept else counts.lost)[sample.participant_id] += 1
            self._in_flight = []
            self._note(None)

    def _put_back(self, error: StoreError) -> None:
        with self._lock:
            waiting = [item for item in self._in_flight if item.sample.participant_id not in self._gone]
            self._buffer.extendleft(reversed(waiting))
            self._in_flight = []
            self._note(str(error))

    def _note(self, problem: str | None) -> None:
        if problem and not self._problem:
            logger.error("recording pauses, samples wait: %s", problem)
        if self._problem and not problem:
            logger.warning("recording resumes, samples are stored again")
        self._problem = problem

    def _run(self) -> None:
        while not self._stopping.wait(FLUSH_INTERVAL_S if self._problem is None else RETRY_INTERVAL_S):
            self.flush()


def _owners_of(batch: Sequence[_Waiting]) -> list[Owner] | None:
    """Who recorded each sample, or None where no room has an owner."""
    owners = [item.owner for item in batch]
    return owners if any(owner.epoch != UNOWNED for owner in owners) else None
