"""The epochs of a recording: from its start to its first marker, between markers, and to its end."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

START_LABEL = "(start)"


class Epoch(NamedTuple):
    """A stretch of a recording in seconds since its start: `start_s` belongs to it, `end_s` does not.

    The last one of a recording has its end too. `number` counts from 1; `label` is that of the marker with
    which it begins.
    """

    number: int
    label: str
    start_s: float
    end_s: float


def epochs_between(markers: Sequence[tuple[float, str]], end_s: float) -> list[Epoch]:
    """The epochs of a recording with markers, each a time in seconds and a label, in the order of time.

    Markers at the same time begin one epoch, which has the labels of all.
    """
    labels: dict[float, list[str]] = {}
    for at_s, label in markers:
        labels.setdefault(at_s, []).append(label)
    if not labels or min(labels) > 0:
        labels = {0.0: [START_LABEL], **labels}
    starts = sorted(labels)
    ends = [*starts[1:], max(end_s, starts[-1])]
    return [
        Epoch(number, "; ".join(labels[start_s]), start_s, stop_s)
        for number, (start_s, stop_s) in enumerate(zip(starts, ends, strict=True), 1)
    ]


def epoch_at(starts: Sequence[float], at_s: float) -> int:
    """The index of the epoch in which a time lies, where epochs begin at `starts`."""
    return max(bisect_right(starts, at_s) - 1, 0)
