"""The signals of a participant in a recording: the main face of each frame, resampled and compressed."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter

from webapp.export.bids.columns import SIGNALS
from webapp.export.bids.resample import Resampler
from webapp.export.bids.texts import tsv
from webapp.export.codebook import COLUMN_INDEX
from webapp.export.statistics.main_face import FACE, Weights, main_face
from webapp.export.tables import Row

FRAME, AT = COLUMN_INDEX["frame"], COLUMN_INDEX["t"]
BLOCK = 10_000
"""So many samples are written at once: a recording that was left on for a weekend ends in millions."""

_VALUES = itemgetter(*(COLUMN_INDEX[name] for name in SIGNALS))


class Signals:
    """Takes the exported rows of a participant in the order of time; one thread uses it.

    An hour at ten samples a second takes about a megabyte. `had_several_faces` says whether a frame had, so
    that `weights` decided.
    """

    def __init__(self, span_s: float, weights: Weights) -> None:
        self._weights = weights
        self._resampler = Resampler(span_s)
        self._bytes = io.BytesIO()
        self._physio = gzip.GzipFile(fileobj=self._bytes, mode="wb", mtime=0)
        self._last: list[Row] = []
        self.had_several_faces = False

    def add(self, rows: Sequence[Row]) -> None:
        """Take some rows; the last frame waits, as more faces of it may come."""
        *frames, self._last = (
            list(found) for _, found in groupby([*self._last, *rows], key=itemgetter(FRAME))
        )
        for frame in frames:
            self._add_frame(frame)

    def finish(self) -> bytes:
        """All signals, as no more rows come."""
        if self._last:
            self._add_frame(self._last)
        self._write(self._resampler.finish(len(SIGNALS)))
        self._physio.close()
        return self._bytes.getvalue()

    def _add_frame(self, rows: Sequence[Row]) -> None:
        faces = [row for row in rows if row[FACE] is not None]
        self.had_several_faces |= len(faces) > 1
        values = _VALUES(main_face(faces, self._weights)) if faces else None
        self._write(self._resampler.add(rows[0][AT], values))

    def _write(self, samples: Iterator[Sequence[float | None]]) -> None:
        width = len(SIGNALS) + 1
        while some := list(islice(samples, BLOCK)):
            lines = [[*sample, *[None] * (width - len(sample))] for sample in some]
            self._physio.write(tsv(lines).encode())
