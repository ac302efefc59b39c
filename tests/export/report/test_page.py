"""What `report.html` shows: it averages people, not rows, of which a frame with five faces has five."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.helpers.exports import (
    CODE,
    HAPPY,
    NEUTRAL,
    START_MS,
    add_marker,
    add_person,
    exported,
    new_archive,
    sample,
)
from webapp.export.figures.axes import ticks
from webapp.export.figures.shapes import HEIGHT, WIDTH
from webapp.export.store_process import Repositories
from webapp.protocol import LABELS
from webapp.store.database import open_database
from webapp.store.records import ParticipantRecord

Plots = dict[str, list[float | None]]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Repositories]:
    """A room with three people and a recording of four seconds."""
    opened = new_archive(f"sqlite:///{tmp_path / 'test.sqlite'}", "ann", "ben", "cat")
    opened.recordings.start_recording(CODE, START_MS)
    opened.recordings.stop_recording(1, START_MS + 4000)
    yield opened
    opened.close()


def report(tmp_path: Path) -> str:
    engine = open_database(f"sqlite:///{tmp_path / 'test.sqlite'}")
    page = exported(engine)["report.html"].decode()
    engine.dispose()
    return page


def heights(page: str, title: str, line: str) -> list[float]:
    """The distinct values of a line in the plots under a title, in the order of time."""
    section = figure(page, title)
    if line == "valence":
        found = [part.split() for part in re.findall(r'<polyline class="valence" points="([^"]+)"', section)]
        values = [1 - down(point) for points in found for point in points]
    else:
        found = [part.split() for part in re.findall(rf'<polygon class="{line}" points="([^"]+)"', section)]
        values = [thickness for points in found for thickness in thicknesses(points)]
    return list(dict.fromkeys(round(value, 3) for value in values))


def figure(page: str, title: str) -> str:
    """What the page says and draws under a title."""
    return page.split(f"<h3>{title}</h3>")[1].split("</figure>")[0]


def down(point: str) -> float:
    return float(point.split(",")[1]) / HEIGHT


def thicknesses(polygon: list[str]) -> list[float]:
    """How thick an area is, from left to right: its points go along the top and back along the bottom."""
    half = len(polygon) // 2
    return [
        down(low) - down(high) for high, low in zip(polygon[:half], reversed(polygon[half:]), strict=True)
    ]


def test_each_participant_counts_alike_however_many_frames_they_sent(
    archive: Repositories, tmp_path: Path
) -> None:
    archive.recordings.add_samples([sample("ann", number, 0.01 * number, HAPPY) for number in range(90)])
    archive.recordings.add_samples([sample("ben", number, 0.3 * number, NEUTRAL) for number in range(3)])
    page = report(tmp_path)
    assert heights(page, r"All participants (2)", "happy") == [0.5]
    assert heights(page, r"All participants (2)", "valence") == [0.75], "a valence of 0.5, from -1 to 1"


def test_of_five_faces_the_main_one_counts_and_the_others_are_named(
    archive: Repositories, tmp_path: Path
) -> None:
    crowd = [sample("ann", 0, 0.1, NEUTRAL, face_id=face, box=(0.0, 0.0, 20.0, 20.0)) for face in range(1, 5)]
    own = [sample("ann", 0, 0.1, HAPPY, face_id=5, box=(0.0, 0.0, 90.0, 90.0))]
    archive.recordings.add_samples([*crowd, *own, sample("ann", 1, 0.2, HAPPY, face_id=5)])
    page = report(tmp_path)
    assert heights(page, "ANN", "happy") == [1.0]
    assert "Other faces: 4, in 1 frames (50.0%)" in figure(page, "ANN")
    assert "1 frames of 1 participant showed more than one face" in page


def test_each_frame_counts_alike_however_many_faces_it_shows(archive: Repositories, tmp_path: Path) -> None:
    crowd = [sample("ann", 0, 0.1, HAPPY, face_id=face) for face in range(1, 6)]
    alone = [sample("ann", 1, 0.2, NEUTRAL)]
    archive.recordings.add_samples([*crowd, *alone, sample("ben", 0, 0.1, NEUTRAL)])
    page = report(tmp_path)
    assert heights(page, "ANN", "happy") == [0.5]
    assert heights(page, r"All participants (2)", "happy") == [0.25]


def test_faces_of_two_people_at_the_same_moment_are_kept_apart(archive: Repositories, tmp_path: Path) -> None:
    both = [
        sample(person, 0, 0.1, shown, face_id=face)
        for face in (1, 2)
        for person, shown in (("ann", HAPPY), ("ben", NEUTRAL))
    ]
    archive.recordings.add_samples(both)
    page = report(tmp_path)
    assert (heights(page, "ANN", "happy"), heights(page, "BEN", "happy")) == ([1.0], [0.0])
    assert "1 frames, a face in 100%" in figure(page, "ANN")


def test_who_shows_no_face_at_a_time_is_not_averaged_then(archive: Repositories, tmp_path: Path) -> None:
    archive.recordings.add_samples([sample("ann", 0, 0.5, HAPPY), sample("ann", 1, 1.5, HAPPY)])
    archive.recordings.add_samples([sample("ben", 0, 0.5, NEUTRAL), sample("ben", 1, 1.5, shown=None)])
    archive.recordings.add_samples([sample("cat", 0, 0.5, shown=None)])
    page = report(tmp_path)
    assert heights(page, r"All participants (3)", "happy") == [0.5, 1.0]
    found = re.findall(r'<th scope="row">(\w+)[^<]*</th><td>\d+</td><td>(\d+)%', page)
    assert dict(found) == {"All": "50", "ANN": "100", "BEN": "50", "CAT": "0"}


def test_a_moment_between_two_gaps_is_drawn(archive: Repositories, tmp_path: Path) -> None:
    archive.recordings.add_samples([sample("ann", 0, 1.5, HAPPY)])
    page = report(tmp_path)
    section = figure(page, "ANN")
    (area,) = re.findall(r'<polygon class="happy" points="([^"]+)"', section)
    (line,) = re.findall(r'<polyline class="valence" points="([^"]+)"', section)
    for points in (area, line):
        across = [float(point.split(",")[0]) for point in points.split()]
        assert max(across) - min(across) == WIDTH / 4, "as wide as its second of four"


def test_the_report_says_how_it_averages(archive: Repositories, tmp_path: Path) -> None:
    archive.recordings.add_samples([sample("ann", 0, 1.5, HAPPY)])
    words = " ".join(html.unescape(report(tmp_path)).split())
    assert "the participants' means for the group, so that every participant counted alike" in words


def test_the_areas_of_a_moment_lie_on_each_other_and_fill_the_plot(
    archive: Repositories, tmp_path: Path
) -> None:
    mixed = (0.1, 0.1, 0.1, 0.3, 0.1, 0.1, 0.2)
    archive.recordings.add_samples([sample("ann", 0, 0.5, mixed)])
    section = figure(report(tmp_path), "ANN")
    areas = dict(re.findall(r'<polygon class="(\w+)" points="([^"]+)"', section))
    assert list(areas) == list(reversed(LABELS)), "neutral at the bottom, as in every chart"
    edges = [(down(points.split()[-1]), down(points.split()[0])) for points in areas.values()]
    assert edges[0][0] == 1 and edges[-1][1] == pytest.approx(0, abs=0.01)
    for (_, top), (bottom, _) in pairwise(edges):
        assert top == bottom


def test_nothing_is_drawn_where_nothing_was_measured(archive: Repositories, tmp_path: Path) -> None:
    archive.recordings.add_samples([sample("ann", 0, 0.5, HAPPY), sample("ann", 1, 3.5, HAPPY)])
    section = figure(report(tmp_path), "ANN")
    areas = re.findall(r'<polygon class="happy" points="([^"]+)"', section)
    spans = [[float(point.split(",")[0]) for point in points.split()] for points in areas]
    assert [(min(span), max(span)) for span in spans] == [(0, WIDTH / 4), (3 * WIDTH / 4, WIDTH)]
    assert len(re.findall('<polyline class="valence"', section)) == 2


@pytest.mark.parametrize(
    ("span_s", "texts"),
    [
        (4, ["0:00", "0:01", "0:02", "0:03", "0:04"]),
        (65, ["0:00", "0:20", "0:40", "1:00"]),
        (3600, ["0:00", "10:00", "20:00", "30:00", "40:00", "50:00", "1:00:00"]),
    ],
)
def test_the_grid_has_round_times(span_s: float, texts: list[str]) -> None:
    found = ticks(span_s)
    assert [tick.text for tick in found] == texts
    assert found[0].x == 0 and found[-1].x <= WIDTH


def test_a_report_of_an_empty_room_says_so(archive: Repositories, tmp_path: Path) -> None:
    page = report(tmp_path)
    assert "Nothing was recorded." in page and "No frame was recorded." in page
    assert "<figure>" not in page


def test_who_never_shows_a_face_has_a_figure_without_areas(archive: Repositories, tmp_path: Path) -> None:
    archive.recordings.add_samples([sample("ann", 0, 0.5, shown=None), sample("ben", 0, 0.5, HAPPY)])
    page = report(tmp_path)
    assert "<polygon" not in figure(page, "ANN")
    assert "1 frames, a face in 0%" in figure(page, "ANN")


def test_intervals_say_of_how_many_people_they_are(archive: Repositories, tmp_path: Path) -> None:
    shown = {"ann": HAPPY, "ben": NEUTRAL, "cat": None}
    archive.recordings.add_samples([sample(one, 0, 0.5, face) for one, face in shown.items()])
    assert "All participants (3, 2 with a face)" in report(tmp_path)
    engine = open_database(f"sqlite:///{tmp_path / 'test.sqlite'}")
    rows = list(csv.DictReader(io.StringIO(exported(engine)["summary.csv"].decode())))
    engine.dispose()
    group = next(row for row in rows if row["scope"] == "room" and not row["participant"])
    assert (group["participants"], group["participants_with_face"]) == ("3", "2")
    assert float(group["happiness_high"]) - 0.5 == pytest.approx(12.7062 * 0.5, abs=0.001), "one degree"


def test_the_report_needs_no_script_and_nothing_from_elsewhere(archive: Repositories, tmp_path: Path) -> None:
    add_person(archive, "eve", "<script>alert(1)</script>")
    add_marker(archive, "<b>&", 1.0)
    archive.recordings.add_samples([sample("eve", 0, 0.5, HAPPY)])
    page = report(tmp_path)
    assert "<script" not in page and "<b>" not in page
    assert not re.findall(r"""(?:src|href)=|@import|url\((?!#)""", page)


def test_epochs_are_tabled_for_the_group_and_for_each_participant(
    archive: Repositories, tmp_path: Path
) -> None:
    archive.recordings.add_samples([sample("ann", 0, 0.5, HAPPY), sample("ann", 1, 2.5, NEUTRAL)])
    add_marker(archive, "Film begins", 2.0)
    table = report(tmp_path).split('<table class="epochs">')[1].split("</table>")[0]
    before, after = table.split("<tbody>")[1:]
    assert "1. (start) · 0:00 to 0:02" in before and "2. Film begins · 0:02 to 0:04" in after
    cells = [
        re.findall(r"<td>([^<]*)", part.split('<th scope="row">ANN</th>')[1]) for part in (before, after)
    ]
    assert [row[3:11] for row in cells] == [
        ["0.00", "0.00", "0.00", "1.00", "0.00", "0.00", "0.00", "1.00"],
        ["0.00", "0.00", "0.00", "0.00", "0.00", "0.00", "1.00", "0.00"],
    ]


def test_every_figure_is_a_file_that_needs_nothing_else(archive: Repositories, tmp_path: Path) -> None:
    add_person(archive, "dan", "../Zoë & Co.")
    add_marker(archive, "\x1bbeep\x01 <1> \ufffe", 1.0)
    archive.recordings.add_samples([sample(one, 0, 0.5, HAPPY) for one in ("ann", "dan")])
    engine = open_database(f"sqlite:///{tmp_path / 'test.sqlite'}")
    files = exported(engine)
    engine.dispose()
    figures = {name: content for name, content in files.items() if name.endswith(".svg")}
    assert sorted(figures) == [
        "figures/recording-1_expressions.svg",
        "figures/recording-1_group.svg",
        "figures/recording-1_participant-001-Zoe-Co.svg",
        "figures/recording-1_participant-002-ANN.svg",
    ]
    for content in figures.values():
        root = ElementTree.fromstring(content)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        words = " ".join(root.itertext())
        assert "Time in the recording (min:s)" in words and "--surface" in words
        assert "beep <1>" in words


def test_thousands_of_markers_share_the_lines_that_the_eye_can_tell_apart(
    archive: Repositories, tmp_path: Path
) -> None:
    archive.recordings.add_samples([sample("ann", 0, 0.5, HAPPY)])
    for number in range(1600):
        add_marker(archive, "pulse", number * 4 / 1600)
    svg = figure(report(tmp_path), "ANN")
    marks = [float(x) for x in re.findall(r'<line class="mark" x1="([\d.]+)" x2="[\d.]+" y2="', svg)]
    assert WIDTH <= len(marks) <= 2 * WIDTH + 1
    assert max(after - before for before, after in pairwise(marks)) < 1.1


def test_short_epochs_have_tenths_of_a_second(archive: Repositories, tmp_path: Path) -> None:
    archive.recordings.add_samples([sample("ann", 0, 1.2, HAPPY)])
    add_marker(archive, "trial 1", 1.0)
    add_marker(archive, "trial 2", 1.5)
    page = report(tmp_path)
    assert "2. trial 1 · 0:01 to 0:01.5" in page and "3. trial 2 · 0:01.5 to 0:04" in page


def test_names_are_the_labels_of_the_experiment_and_told_apart(archive: Repositories, tmp_path: Path) -> None:
    for one, label in (("one", "P01"), ("two", None), ("three", None)):
        record = ParticipantRecord(one, CODE, "Sam", "", "", START_MS - 500, participant_label=label)
        archive.rooms.add_participant(record)
        archive.recordings.add_samples([sample(one, 0, 0.5, HAPPY)])
    page = report(tmp_path)
    assert re.findall("<h3>(P01|Sam[^<]*)</h3>", page) == ["P01", "Sam (three)", "Sam (two)"]
