"""The statistics of a room: of each recording, each epoch in it, and all recordings together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from webapp.export.codebook import COLUMN_INDEX
from webapp.export.snapshot import Recording
from webapp.export.statistics.epochs import Epoch, epochs_between
from webapp.export.statistics.frame_spool import FrameSpool
from webapp.export.statistics.interval import Estimate, estimate
from webapp.export.statistics.main_face import FACE, PARTICIPANT, FaceSizes
from webapp.export.statistics.person import Clock, Person
from webapp.export.statistics.tally import MEASURES, Means, Tally, merged
from webapp.export.tables import Row
from webapp.store.records import MarkerRecord

STRETCHES = 240
SHORTEST_STRETCH_S = 1.0
"""How finely figures show a recording: an hour in stretches of 15 seconds."""

FRAMES_A_STEP = 1000

MODEL = COLUMN_INDEX["model"]


class RecordingStatistics:
    """Takes the exported rows of a recording in their order; one thread at a time may use it.

    It is complete once `finish` was run to its end. The markers of hosts and programs divide the recording
    into `epochs` for all; a participant's own markers divide it for that participant alone.
    """

    def __init__(self, recording: Recording, markers: Sequence[MarkerRecord]) -> None:
        self.recording = recording
        self.span_s = recording.span_s
        self.stretches = max(1, min(STRETCHES, int(self.span_s / SHORTEST_STRETCH_S)))
        self.markers = self._times([marker for marker in markers if marker.participant_id is None])
        self.epochs: Sequence[Epoch] = epochs_between(self.markers, self.span_s)
        self.people: dict[str, Person] = {}
        self.models: set[str] = set()
        self._own_markers: dict[str, list[MarkerRecord]] = {}
        for marker in markers:
            if marker.participant_id is not None:
                self._own_markers.setdefault(marker.participant_id, []).append(marker)
        self._clock = Clock(self.stretches, self.span_s, [epoch.start_s for epoch in self.epochs])
        self._sizes = FaceSizes()
        self._undecided = FrameSpool()

    def markers_of(self, participant_id: str) -> list[tuple[float, str]]:
        """The markers that participants set themselves: of one of them, in seconds and with labels."""
        return self._times(self._own_markers.get(participant_id, []))

    def add(self, row: Row) -> None:
        """Take a row."""
        person = self.people.get(row[0])
        if person is None:
            person = self.people[row[0]] = self._person(row[0])
        self.models.add(row[MODEL])
        if row[FACE] is not None:
            self._sizes.add(row)
        person.add(row)

    def finish(self) -> Iterator[None]:
        """Decide which faces count, as no more rows come; every step of the iterator is a part of that."""
        for person in self.people.values():
            person.finish()
        weights = self._sizes.weights()
        for number, faces in enumerate(self._undecided.take(), 1):
            self.people[faces[0][PARTICIPANT]].add_decided(faces, weights)
            if number % FRAMES_A_STEP == 0:
                yield
        for person in self.people.values():
            person.finish()
        self.close()

    def close(self) -> None:
        """Forget the frames that are not decided yet, as an export does that is aborted."""
        self._undecided.close()

    def tallies(self, epoch: int | None = None) -> dict[str, Tally]:
        """Each participant's frames, of the whole recording or of the epoch with this index."""
        if epoch is None:
            return {one: person.total for one, person in self.people.items()}
        return {one: person.tallies[epoch] for one, person in self.people.items() if epoch in person.tallies}

    def _person(self, participant_id: str) -> Person:
        own = self.markers_of(participant_id)
        return Person(self._clock, epochs_between(own, self.span_s) if own else [], self._undecided)

    def _times(self, markers: Sequence[MarkerRecord]) -> list[tuple[float, str]]:
        return [(self.recording.seconds_at(marker.at_ms), marker.label) for marker in markers]

    def group_line(self, measure: int) -> list[Estimate | None]:
        """For each stretch the mean over the participants of whom a face was seen in it."""
        lines = [person.means(measure) for person in self.people.values()]
        return [
            estimate([value for value in stretch if value is not None])
            for stretch in zip(*lines, strict=True)
        ]


class GroupMeans(NamedTuple):
    """Means over participants, each of whom counts alike; None where no face was seen.

    `estimates` are of `MEASURES`; `strongest` and `quality` are plain means of the participants' values.
    `people` have frames, and all but `face_share` is of the `people_with_face` alone.
    """

    estimates: tuple[Estimate | None, ...]
    quality: float | None
    strongest: tuple[float, ...] | None
    face_share: float | None
    frames: int
    faces: int
    people: int
    people_with_face: int


def group_means(tallies: Mapping[str, Tally]) -> GroupMeans:
    """What participants' frames come to for the group; the share of frames with a face is averaged too."""
    means: list[Means] = [found for tally in tallies.values() if (found := tally.means())]
    shares = [share for tally in tallies.values() if (share := tally.face_share) is not None]
    columns = list(zip(*(one.measures for one in means), strict=True)) or [()] * len(MEASURES)
    strongest = zip(*(one.strongest for one in means), strict=True)
    return GroupMeans(
        estimates=tuple(map(estimate, columns)),
        quality=_mean([one.quality for one in means]),
        strongest=tuple(sum(column) / len(column) for column in strongest) or None,
        face_share=_mean(shares),
        frames=sum(tally.frames for tally in tallies.values()),
        faces=sum(tally.faces for tally in tallies.values()),
        people=len(shares),
        people_with_face=len(means),
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


@dataclass(slots=True)
class RoomStatistics:
    """All recordings of a room."""

    recordings: list[RecordingStatistics]

    def close(self) -> None:
        """Forget what is not decided yet in them."""
        for recording in self.recordings:
            recording.close()

    def tallies(self) -> dict[str, Tally]:
        """Each participant's frames in all recordings."""
        found: dict[str, list[Tally]] = {}
        for recording in self.recordings:
            for one, tally in recording.tallies().items():
                found.setdefault(one, []).append(tally)
        return {one: merged(parts) for one, parts in found.items()}

    def rates_per_s(self) -> list[float]:
        """Each participant's analyzed frames a second: the mean of their recordings."""
        rates: dict[str, list[float]] = {}
        for recording in self.recordings:
            for one, person in recording.people.items():
                if (rate := person.rate_per_s) is not None:
                    rates.setdefault(one, []).append(rate)
        return [sum(found) / len(found) for found in rates.values()]

    @property
    def models(self) -> list[str]:
        """The versions of the model with which frames were classified."""
        return sorted({model for recording in self.recordings for model in recording.models})
