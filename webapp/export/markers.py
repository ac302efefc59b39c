"""Which frame of each participant carries which markers."""

from __future__ import annotations

from collections import deque

from webapp.export.snapshot import MARKER_REACH_MS, Recording, RoomSnapshot
from webapp.store.records import MarkerRecord


class MarkerLabels:
    """The markers of a recording's frames; frames are asked for in the order of time, by one thread.

    A participant's own marker is on their frames alone. Each marker is looked up before its first possible
    frame, so that a thousand of them never delay a piece.
    """

    def __init__(self, snapshot: RoomSnapshot, recording: Recording) -> None:
        self._snapshot = snapshot
        self._recording = recording
        self._coming = deque(marker for marked, marker in snapshot.marked if marked is recording)
        self._labels: dict[tuple[str, int], list[str]] = {}

    def of(self, participant_id: str, frame: int, timestamp_ms: float) -> str | None:
        """The labels of a frame, or None."""
        while self._coming and self._coming[0].at_ms - MARKER_REACH_MS <= timestamp_ms:
            self._assign(self._coming.popleft())
        labels = self._labels.get((participant_id, frame))
        return "; ".join(labels) if labels else None

    def _assign(self, marker: MarkerRecord) -> None:
        for nearest in self._snapshot.nearest_frames(self._recording, marker.at_ms, marker.participant_id):
            self._labels.setdefault(nearest, []).append(marker.label)
