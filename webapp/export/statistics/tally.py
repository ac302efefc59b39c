"""What frames add up to: the sums of a participant in an epoch, of which means are made.

The numbers are those of the exported rows, with the same decimals, so that everybody who reads samples.csv
comes to the same means.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

from webapp.export.codebook import COLUMN_INDEX, EXPORT_NAMES
from webapp.export.tables import Row

EXPRESSIONS = tuple(EXPORT_NAMES.values())
MEASURES = (*EXPRESSIONS, "valence")
"""What is averaged, by the names of the columns: probabilities and valence of a frame alone, unsmoothed."""

_VALUES = itemgetter(*(COLUMN_INDEX[name] for name in (*MEASURES, "FaceScore")))
_PROBABILITIES = slice(COLUMN_INDEX[EXPRESSIONS[0]], COLUMN_INDEX[EXPRESSIONS[-1]] + 1)

MAX_HELD = 100
"""Frames whose values are held back, to be added up at once."""


class Means(NamedTuple):
    """Over the frames with a face the means of `MEASURES` and FaceScore, and how often each was strongest."""

    measures: tuple[float, ...]
    quality: float
    strongest: tuple[float, ...]


class Tally:
    """Sums over frames of one participant; one thread at a time may use it."""

    __slots__ = ("faces", "frames", "strongest", "sums")

    def __init__(self) -> None:
        self.frames = 0
        self.faces = 0
        self.sums = array("d", bytes(8 * (len(MEASURES) + 1)))
        self.strongest = array("d", bytes(8 * len(EXPRESSIONS)))

    def add(self, faces: Sequence[Row]) -> None:
        """Add the main faces of some frames."""
        for number, values in enumerate(zip(*map(_VALUES, faces), strict=True)):
            self.sums[number] += sum(values)
        for face in faces:
            probabilities = face[_PROBABILITIES]
            self.strongest[probabilities.index(max(probabilities))] += 1
        self.faces += len(faces)

    def merge(self, other: Tally) -> None:
        """Add another one of the same participant."""
        self.frames += other.frames
        self.faces += other.faces
        for mine, theirs in ((self.sums, other.sums), (self.strongest, other.strongest)):
            for number, value in enumerate(theirs):
                mine[number] += value

    @property
    def face_share(self) -> float | None:
        """The share of the frames in which there is a face; None without a frame."""
        return self.faces / self.frames if self.frames else None

    def means(self) -> Means | None:
        """The means; None where no frame has a face."""
        if not self.faces:
            return None
        *measures, quality = (total / self.faces for total in self.sums)
        strongest = tuple(count / self.faces for count in self.strongest)
        return Means(tuple(measures), quality, strongest)


def merged(tallies: Iterable[Tally]) -> Tally:
    """The sum of tallies of one participant."""
    total = Tally()
    for tally in tallies:
        total.merge(tally)
    return total
