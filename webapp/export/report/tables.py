"""The tables of a report: what the participants and the group showed, in all and in each epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from webapp.export.figures.axes import moment_text
from webapp.export.statistics.interval import Estimate
from webapp.export.statistics.recordings import GroupMeans, RecordingStatistics, group_means
from webapp.export.statistics.summary import GROUP
from webapp.export.statistics.tally import EXPRESSIONS, Tally

MAX_ROWS = 300
"""Of an epoch table; with more, it has the group alone, and summary.csv has the participants."""

EMPTY = "–"


class TableRow(NamedTuple):
    """A line: each measure with what stands small beneath it, such as its interval."""

    name: str
    frames: str
    face_share: str
    quality: str
    cells: Sequence[tuple[str, str]]
    is_group: bool = False


class TableGroup(NamedTuple):
    """The lines of one epoch under its heading."""

    title: str
    rows: list[TableRow]


def whole_table(one: RecordingStatistics, names: Mapping[str, str]) -> list[TableRow]:
    """The means of a recording: of the group with its intervals, and of each participant."""
    tallies = one.tallies()
    if not tallies:
        return []
    group = _group_row(tallies, with_intervals=True)
    return [group, *(_person_row(name, tallies[key]) for key, name in names.items() if key in tallies)]


def epoch_table(one: RecordingStatistics, names: Mapping[str, str]) -> tuple[list[TableGroup], bool]:
    """The lines of each epoch, and whether participants' are left out; no lines without a marker."""
    if len(one.epochs) < 2:
        return [], False
    is_shortened = len(one.epochs) * (len(one.people) + 1) > MAX_ROWS
    groups = []
    for index, epoch in enumerate(one.epochs):
        tallies = one.tallies(index)
        rows = [_group_row(tallies, with_intervals=False)] if tallies else []
        if not is_shortened:
            rows += [_person_row(name, tallies[key]) for key, name in names.items() if key in tallies]
        span = f"{moment_text(epoch.start_s)} to {moment_text(epoch.end_s)}"
        groups.append(TableGroup(f"{epoch.number}. {epoch.label} · {span}", rows))
    return groups, is_shortened


def _person_row(name: str, tally: Tally) -> TableRow:
    means = tally.means()
    cells = [(EMPTY, "")] * (len(EXPRESSIONS) + 1)
    if means:
        strongest = [f"{100 * share:.0f}%" for share in means.strongest]
        cells = list(zip([f"{value:.2f}" for value in means.measures], [*strongest, ""], strict=True))
    quality = f"{means.quality:.2f}" if means else EMPTY
    return TableRow(name, str(tally.frames), _percent(tally.face_share), quality, cells)


def _group_row(tallies: Mapping[str, Tally], *, with_intervals: bool) -> TableRow:
    group = group_means(tallies)
    strongest = [f"{100 * share:.0f}%" for share in group.strongest or ()] or [""] * len(EXPRESSIONS)
    beneath = [_interval(one) for one in group.estimates] if with_intervals else [*strongest, ""]
    values = [f"{one.mean:.2f}" if one else EMPTY for one in group.estimates]
    return TableRow(
        name=f"{GROUP} ({_people(group)})",
        frames=str(group.frames),
        face_share=_percent(group.face_share),
        quality=EMPTY if group.quality is None else f"{group.quality:.2f}",
        cells=list(zip(values, beneath, strict=True)),
        is_group=True,
    )


def _people(group: GroupMeans) -> str:
    """How many there are, and of how many the means are, if that is less."""
    if group.people_with_face == group.people:
        return str(group.people)
    return f"{group.people}, {group.people_with_face} with a face"


def _interval(one: Estimate | None) -> str:
    if one is None or one.low is None or one.high is None:
        return ""
    return f"{one.low:.2f} to {one.high:.2f}".replace("-", "−")


def _percent(share: float | None) -> str:
    return EMPTY if share is None else f"{100 * share:.0f}%"
