"""Memory that a process has used and needs no more is found, and goes back to the system."""

from __future__ import annotations

import ctypes
import gc
import threading

TRIM_INTERVAL_S = 30.0


def keep_what_exists() -> None:
    """Leave all objects of now out of the search for garbage, once a process has loaded what it needs.

    With them a search stops a server for 0.1 s and more, and is due only when their number has grown by a
    quarter; without them it takes milliseconds. It begins here if it was off while the process loaded.
    """
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.collect()  # counts what is left, as the next search is due when that has grown


class MemoryTrimmer:
    """Gives back the memory that nothing uses any more, twice a minute, on a thread of its own.

    Objects that refer to each other are garbage that has to be searched for. Python itself does so when there
    are many new ones, which after a busy hour may be much later. And glibc returns only what lies at the end
    of its heap; in a process that handles images and messages of all sizes something nearly always lies
    behind the rest, and the heap keeps its largest size.
    """

    def __init__(self) -> None:
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="memory trimmer", daemon=True).start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(TRIM_INTERVAL_S):
            gc.collect()
            _give_memory_back()


def _give_memory_back() -> None:
    """Nothing happens where the C library is not glibc."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
