"""`summary.csv`: what each participant and the group showed, of the room, each recording and each epoch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from webapp.export.codebook import Column
from webapp.export.statistics.interval import Estimate
from webapp.export.statistics.recordings import GroupMeans, RecordingStatistics, RoomStatistics, group_means
from webapp.export.statistics.tally import EXPRESSIONS, MEASURES, Tally
from webapp.export.tables import Row

GROUP = "All participants"
DIGITS = 6

SUMMARY_COLUMNS = (
    Column(
        "scope",
        "text",
        "What the row is about: room (all recordings), recording, epoch (between markers of hosts and "
        "programs), own_epoch (between a participant's own markers)",
    ),
    Column("recording", "whole", "Number of the recording, from 1; empty for the room"),
    Column(
        "epoch",
        "whole",
        "Number of the epoch in its recording, from 1; of an own_epoch its count among those with this "
        "label; empty for room and recording",
    ),
    Column("label", "text", "Label of the marker that begins the epoch; (start) before the first marker"),
    Column("start", "number", "Start of the epoch or recording in seconds since the start of the recording"),
    Column("end", "number", "Its end, in the same way; a frame at this time belongs to the next epoch"),
    Column("participant", "text", "Identifier of the participant; empty for the group"),
    Column("participant_label", "text", "The participant's label in the experiment; empty for the group"),
    Column("alias", "text", f"Name of the participant; {GROUP} for the group"),
    Column("participants", "whole", "Of the group: how many participants have frames; empty for one of them"),
    Column(
        "participants_with_face",
        "whole",
        "Of the group: how many of them have frames with a face; its means and intervals are of these; empty "
        "for one of them",
    ),
    Column("frames", "whole", "Analyzed frames; of the group the sum"),
    Column("frames_with_face", "whole", "Frames in which a face was found; of the group the sum"),
    Column("face_share", "number", "Share of the frames with a face; of the group the mean of participants"),
    Column("quality", "number", "Mean FaceScore of the main face; of the group the mean of participants"),
    *(
        Column(
            name,
            "number",
            f"Mean of {name} over the frames with a face, of the main face; of the group the mean of the "
            "participants' means",
        )
        for name in MEASURES
    ),
    *(
        Column(
            f"strongest_{name}",
            "number",
            f"Share of the frames with a face in which {name} is the most probable; of the group the mean "
            "of participants",
        )
        for name in EXPRESSIONS
    ),
    *(
        Column(
            f"{name}_{end}",
            "number",
            f"{side} end of the group's 95% interval of {name}: Student's t over participants; empty for a "
            "participant, and for a group of one",
        )
        for name in MEASURES
        for end, side in (("low", "Lower"), ("high", "Upper"))
    ),
)


def summary_rows(room: RoomStatistics, people: Mapping[str, Any]) -> Iterator[Row]:
    """The values of `SUMMARY_COLUMNS`; `people` has each participant's `alias` and `participant_label`.

    Of each scope the participants come first, in the order of `people`, then the group.
    """
    yield from _rows(("room", None, None, None, None, None), room.tallies(), people)
    for one in room.recordings:
        number = one.recording.number
        whole = ("recording", number, None, None, 0.0, round(one.span_s, 4))
        yield from _rows(whole, one.tallies(), people)
        for index, epoch in enumerate(one.epochs):
            about = ("epoch", number, epoch.number, epoch.label, epoch.start_s, round(epoch.end_s, 4))
            yield from _rows(about, one.tallies(index), people)
        yield from _own_rows(one, people)


def _own_rows(one: RecordingStatistics, people: Mapping[str, Any]) -> Iterator[Row]:
    """Epochs between participants' own markers; the group's are those with the same label and count."""
    found: dict[tuple[str, int], dict[str, Tally]] = {}
    times: dict[tuple[str, int, str], Row] = {}
    for participant_id, person in one.people.items():
        counts: Counter[str] = Counter()
        for index, epoch in enumerate(person.own_epochs):
            counts[epoch.label] += 1
            key = (epoch.label, counts[epoch.label])
            if index in person.own_tallies:
                found.setdefault(key, {})[participant_id] = person.own_tallies[index]
                times[(*key, participant_id)] = (epoch.start_s, round(epoch.end_s, 4))
    for (label, count), tallies in found.items():
        about = ("own_epoch", one.recording.number, count, label)
        for participant_id in [person for person in people if person in tallies]:
            whole = (*about, *times[label, count, participant_id])
            yield _person_row(whole, participant_id, people[participant_id], tallies[participant_id])
        yield _group_row((*about, None, None), group_means(tallies))


def _rows(about: Row, tallies: Mapping[str, Tally], people: Mapping[str, Any]) -> Iterator[Row]:
    for participant_id in people:
        if participant_id in tallies:
            yield _person_row(about, participant_id, people[participant_id], tallies[participant_id])
    if tallies:
        yield _group_row(about, group_means(tallies))


def _person_row(about: Row, participant_id: str, person: Any, tally: Tally) -> Row:  # noqa: ANN401 - a row
    means = tally.means()
    return (
        *(*about, participant_id, getattr(person, "participant_label", None), person.alias),
        *(None, None),
        *(tally.frames, tally.faces, _rounded(tally.face_share)),
        *_numbers(means and means.quality, means and means.measures, means and means.strongest),
        *(None,) * (2 * len(MEASURES)),
    )


def _group_row(about: Row, group: GroupMeans) -> Row:
    means = [one and one.mean for one in group.estimates]
    return (
        *(*about, None, None, GROUP, group.people, group.people_with_face),
        *(group.frames, group.faces, _rounded(group.face_share)),
        *_numbers(group.quality, means, group.strongest),
        *(_rounded(end) for one in group.estimates for end in _ends(one)),
    )


def _ends(one: Estimate | None) -> tuple[float | None, float | None]:
    return (one.low, one.high) if one else (None, None)


def _numbers(quality: float | None, measures: Row | None, strongest: Row | None) -> list[float | None]:
    values = (*(measures or (None,) * len(MEASURES)), *(strongest or (None,) * len(EXPRESSIONS)))
    return [_rounded(value) for value in (quality, *values)]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
