"""The page, made piece by piece: the figures of a crowd never lie in memory together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from webapp.export.figures.axes import clock_text, clock_unit, moment_text
from webapp.export.figures.figure import Figure, expressions_figure, group_figure, person_figure
from webapp.export.figures.names import file_part
from webapp.export.figures.svg import environment, figure_css, figure_svg, hatches_svg, inks_css
from webapp.export.report.facts import date_text, facts_of, time_text
from webapp.export.report.methods import methods
from webapp.export.report.tables import epoch_table, whole_table
from webapp.export.snapshot import RoomSnapshot
from webapp.export.statistics.recordings import RecordingStatistics, RoomStatistics
from webapp.export.statistics.summary import GROUP
from webapp.export.statistics.tally import MEASURES

MAX_CHUNKS = 200
"""Template chunks per piece of the page; a chunk is a line or a figure."""

MAX_KEY = 200
"""Markers that the key of a recording lists."""


class NamedFigure(NamedTuple):
    """A figure, what is said about it, and its file's name in the ZIP."""

    figure: Figure
    heading: str
    note: str
    file: str


class Report:
    """The report of a room, once all samples were read; one thread at a time may use it."""

    def __init__(self, room: RoomSnapshot, statistics: RoomStatistics, about: Mapping[str, Any]) -> None:
        self._room = room
        self._statistics = statistics
        self._facts = facts_of(room, statistics, about)
        self._names = display_names(room)

    def html(self) -> Iterator[str]:
        """The page, piece by piece."""
        page = (
            environment()
            .get_template("report.html")
            .stream(
                title=self._room.room.name,
                code=self._room.room.code,
                facts=self._facts,
                methods=methods(self._facts),
                measures=MEASURES,
                figure_css=figure_css(),
                hatches=hatches_svg(),
                light=inks_css("light"),
                dark=inks_css("dark"),
                recordings=map(self._recording, self._statistics.recordings),
            )
        )
        page.enable_buffering(MAX_CHUNKS)
        return page

    def figures(self) -> Iterator[tuple[str, str]]:
        """The figures as files: names and contents."""
        for one in self._statistics.recordings:
            for named in self._figures(one):
                yield named.file, figure_svg(named.figure, "title", is_file=True)

    def _recording(self, one: RecordingStatistics) -> dict[str, Any]:
        number = one.recording.number
        epochs, is_shortened = epoch_table(one, self._names)
        markers = [(moment_text(at_s), label) for at_s, label in one.markers]
        is_numbered = bool(one.people) and group_figure(one, GROUP).flags.is_numbered
        return {
            "number": number,
            "day": date_text(one.recording.started_ms),
            "started": time_text(one.recording.started_ms),
            "length": clock_text(one.span_s),
            "clock": clock_unit(one.span_s),
            "whole": whole_table(one, self._names),
            "epochs": epochs,
            "is_shortened": is_shortened,
            "key": markers[:MAX_KEY] if is_numbered else [],
            "more_markers": max(len(markers) - MAX_KEY, 0) if is_numbered else 0,
            "figures": (
                (named, figure_svg(named.figure, f"figure-{number}-{index}"))
                for index, named in enumerate(self._figures(one), 1)
            ),
        }

    def _figures(self, one: RecordingStatistics) -> Iterator[NamedFigure]:
        """Those of the group, then each participant's, in the order of names."""
        if not one.people:
            return
        place = f"figures/recording-{one.recording.number}"
        title = f"{GROUP} ({len(one.people)})"
        note = "Mean of the participants, each counting alike."
        yield NamedFigure(group_figure(one, _title(title, one)), title, note, f"{place}_group.svg")
        yield NamedFigure(
            expressions_figure(one, _title(f"Each expression, {title}", one)),
            "Each expression by itself",
            "Mean of the participants and its 95% interval.",
            f"{place}_expressions.svg",
        )
        present = [key for key in self._names if key in one.people]
        for index, key in enumerate(present, 1):
            name = self._names[key]
            figure = person_figure(one, key, _title(name, one))
            file = "-".join(part for part in (f"{index:03d}", file_part(name)) if part)
            yield NamedFigure(figure, name, _person_note(one, key), f"{place}_participant-{file}.svg")


def display_names(room: RoomSnapshot) -> dict[str, str]:
    """What each participant is called, by id in the order of names: the experiment's label, or the alias.

    Where two have the same name, part of the id tells them apart.
    """
    names = {one.id: one.participant_label or one.alias for one in room.participants}
    counts = Counter(names.values())
    unique = {key: f"{name} ({key[:6]})" if counts[name] > 1 else name for key, name in names.items()}
    return dict(sorted(unique.items(), key=lambda item: (item[1].casefold(), item[0])))


def _title(name: str, one: RecordingStatistics) -> str:
    return f"{name}, recording {one.recording.number}: expressions over time"


def _person_note(one: RecordingStatistics, participant_id: str) -> str:
    person = one.people[participant_id]
    total = person.total
    note = f"{total.frames} frames, a face in {100 * (total.face_share or 0):.0f}%."
    if not person.frames_with_others:
        return note
    share = 100 * person.frames_with_others / total.frames
    return (
        f"{note} Other faces: {len(person.other_faces)}, in {person.frames_with_others} frames "
        f"({share:.1f}%); they do not count."
    )
