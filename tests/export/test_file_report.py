from __future__ import annotations

import re

import pytest

from webapp.export.file_report import MAX_FACES, MAX_IMAGE_ROWS, FileReport
from webapp.export.time_bins import MAX_BINS, TimeBins
from webapp.protocol import LABELS, Box, Face, FileFrame, Pose, Region


def face(number: int, happy: float = 0.7) -> Face:
    probabilities = dict.fromkeys(LABELS, (1 - happy) / 6) | {"happy": happy}
    return Face(
        Box(1, 2, 3, 4), Region(1, 2, 3, 0), 0.9, "{}", Pose(0, 0, 0), probabilities, probabilities, number
    )


def video_report(seconds: float, name: str = "clip.mp4") -> str:
    """A face from a third of a video on, ten frames a second."""
    report = FileReport(name)
    for index in range(round(10 * seconds)):
        faces = (face(1),) if index >= 10 * seconds / 3 else ()
        report.add(FileFrame(name, index, index / 10, 640, 480, faces))
    return "".join(report.html())


def test_bins_give_the_means_of_their_stretches() -> None:
    bins = TimeBins(values=1)
    for t, value in ((0.0, 1.0), (0.2, 3.0), (1.0, 5.0)):
        bins.add("a", t, [value])
    assert bins.means("a", 0) == [2.0, None, None, None, 5.0]
    assert bins.mean("a", 0) == 3.0


@pytest.mark.parametrize("seconds", [1.0, 59.9, 60.0, 3600.0, 86_400.0])
def test_however_long_a_recording_is_no_value_is_lost_and_bins_stay_few(seconds: float) -> None:
    bins = TimeBins(values=1)
    for step in range(1001):
        bins.add("a", seconds * step / 1000, [float(step)])
    means = bins.means("a", 0)
    assert len(means) == bins.count <= MAX_BINS
    assert bins.mean("a", 0) == pytest.approx(500)
    assert means[0] is not None and means[-1] is not None and means[0] < means[-1]
    assert bins.count * bins.width_s >= seconds


def test_a_video_has_a_figure_with_axes_and_units_and_a_table_of_means() -> None:
    page = video_report(30)
    assert page.count("<svg") == 2
    assert "time (min:s)" in page and "probability (%)" in page and "valence" in page
    assert "0:25" in page and "70.0" in page and "+0.65" in page
    row = re.search(r'<th scope="row">1</th><td>(\d+)</td><td>([\d:.]+)</td><td>([\d:.]+)</td>', page)
    assert row and row.groups() == ("200", "0:10", "0:29.9")


def test_a_face_that_comes_late_leaves_a_gap_before_it() -> None:
    points = re.search(r'<polyline points="([\d.]+),', video_report(30))
    assert points and float(points[1]) == pytest.approx(240, abs=10)


def test_images_have_a_row_for_each_face_and_none_over_time() -> None:
    report = FileReport("faces.zip")
    report.add(FileFrame("one.jpg", 0, 0.0, 640, 480, (face(1), face(2, 0.9))))
    report.add(FileFrame("two.jpg", 0, 0.0, 640, 480, ()))
    page = "".join(report.html())
    assert "<svg" not in page and page.count("one.jpg") == 2 and "no face" in page
    assert "2\n      images" in page and "80.0" in page


def test_what_a_table_leaves_out_is_said() -> None:
    report = FileReport("faces.zip")
    for number in range(MAX_IMAGE_ROWS + 3):
        report.add(FileFrame(f"{number}.jpg", 0, 0.0, 640, 480, ()))
    report.add(FileFrame("last.jpg", 0, 0.0, 640, 480, (face(1),)))
    page = "".join(report.html())
    assert "4 more images are in results.csv." in page and f"{MAX_IMAGE_ROWS + 4}\n      images" in page
    video = FileReport("clip.mp4")
    for index in range(MAX_FACES + 2):
        video.add(FileFrame("clip.mp4", index, index / 10, 640, 480, (face(index + 1),)))
    assert "2 more faces are in results.csv." in "".join(video.html())
    assert "more" not in video_report(5)


def test_without_a_face_the_report_says_so() -> None:
    report = FileReport("empty.jpg")
    report.add(FileFrame("empty.jpg", 0, 0.0, 640, 480, ()))
    assert "No face was found." in "".join(report.html())


def test_the_page_is_whole_without_scripts_and_other_files_and_names_are_text() -> None:
    page = video_report(5, name="<script>alert(1)</script>.mp4")
    tags = set(re.findall(r"<(\w+)", page))
    assert {"html", "svg", "table"} <= tags and not {"script", "link", "img", "iframe"} & tags
    assert "&lt;script&gt;" in page and "http" not in page
