"""Keeps frames until their main faces can be told, without holding a recording in memory."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO

from webapp.export.tables import Row

MAX_MEMORY_BYTES = 4_000_000
"""Some ten thousand faces; beyond that they go to a file without a name, which nobody else can open."""


class FrameSpool:
    """Frames in the order in which they came, each as the exported rows of its faces; one thread uses it."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(MAX_MEMORY_BYTES)  # noqa: SIM115 - see `close`
        self._frames = 0

    def add(self, faces: Sequence[Row]) -> None:
        """Keep a frame."""
        pickle.dump(faces, self._file, protocol=pickle.HIGHEST_PROTOCOL)
        self._frames += 1

    def take(self) -> Iterator[Sequence[Row]]:
        """All frames, once."""
        self._file.seek(0)
        for _ in range(self._frames):
            yield pickle.load(self._file)

    def close(self) -> None:
        """Forget them."""
        self._file.close()
