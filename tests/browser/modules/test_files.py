"""The pure modules of the page for files, run where they belong: in a browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.helpers.faces import face, probabilities
from tests.helpers.serving import Server
from webapp.export.codebook import FILE_COLUMNS
from webapp.export.file_rows import file_json
from webapp.protocol import Face, FileFrame

Run = Callable[..., Any]

MODULES = {
    "chart": "shared/chart_style",
    "csv": "shared/samples_csv",
    "frames": "files/result/frames",
    "problems": "files/problems",
    "scrubber": "files/result/scrubber",
    "tracks": "files/result/tracks",
    "translate": "shared/translate",
}


@pytest.fixture
def run(server: Server, still_browser: Browser, new_page: Callable[..., Page]) -> Run:
    """Run a piece of JavaScript that finds the modules in `js`, and a value in `given`."""
    page = new_page(still_browser)
    page.goto(server.url)
    imports = "\n".join(
        f'js.{name} = await import("/static/js/{path}.js");' for name, path in MODULES.items()
    )
    return lambda code, given=None: page.evaluate(
        f"async (given) => {{ const js = {{}}; {imports}\n{code} }}", given
    )


def shown(expression: str, confidence: float, face_id: int, x: float) -> Face:
    """A face that shows an expression."""
    numbers = probabilities(expression, confidence)
    return replace(face(x=x), id=face_id, probabilities=numbers, raw_probabilities=numbers)


def results(*frames: tuple[float, tuple[Face, ...]]) -> str:
    """The results of a job as the server sends them."""
    lines = [
        file_json(FileFrame("a.mp4", index, t, 640, 480, faces)) for index, (t, faces) in enumerate(frames)
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n"


READ = """
    globalThis.fetch = async () => new Response(new Blob([given]).stream());
    const frames = await js.frames.framesOfJob("0", new AbortController().signal);
"""


def test_results_are_read_line_by_line_with_the_landmarks_of_each_frame(run: Run) -> None:
    one = shown("happy", 0.9, 1, x=100)
    got = run(
        READ + "return [frames.list.length, frames.inputs, [...js.frames.landmarksOf(frames.list[1])]];",
        results((0.0, ()), (0.1, (one,))),
    )
    assert got == [2, ["a.mp4"], [[1, json.loads(one.landmarks)]]]


def test_between_two_frames_a_box_moves_and_after_the_last_it_goes(run: Run) -> None:
    frames = results(
        (0.0, (shown("happy", 0.9, 1, x=100),)),
        (1.0, (shown("happy", 0.9, 1, x=200), shown("sad", 0.6, 2, x=400))),
        (2.0, (shown("sad", 0.6, 2, x=400),)),
    )
    got = run(
        READ
        + "const boxes = (t) => frames.at(t).map(({ face, box }) => [face.id, box[0]]);"
        + "return [-1, 0, 0.25, 1, 1.5, 2.5, 9].map(boxes);",
        frames,
    )
    assert got == [[], [[1, 100]], [[1, 125]], [[1, 200], [2, 400]], [[1, 200], [2, 400]], [[2, 400]], []]


def test_a_track_has_the_strongest_moment_of_each_expression_that_it_led_with(run: Run) -> None:
    faces = [("happy", 0.7), ("happy", 0.9), ("sad", 0.5), ("happy", 0.8)]
    frames: list[tuple[float, tuple[Face, ...]]] = [
        (0.1 * at, (shown(*one, 1, x=100.0 + at),)) for at, one in enumerate(faces)
    ]
    frames[2] = (frames[2][0], (*frames[2][1], shown("fear", 0.9, 2, x=300)))
    tracks = run(READ + "return js.tracks.tracksOf(frames);", results(*frames))
    assert [(track["id"], track["frames"]) for track in tracks] == [(1, 4), (2, 1)]
    moments = [(one["label"], round(one["t"], 1), one["box"][0]) for one in tracks[0]["moments"]]
    assert moments == [("happy", 0.1, 101), ("sad", 0.2, 102)]
    assert (tracks[0]["start_s"], round(tracks[0]["end_s"], 1)) == (0, 0.3)


def test_a_table_has_a_row_for_each_face_and_no_formulas(run: Run) -> None:
    text = run(
        """
        const faces = JSON.parse(given).faces;
        const frames = [{ cells: ['=1+"1",.jpg', 0], faces }, { cells: ["b;=1", 1], faces: [] }];
        return js.csv.samplesCsv(["input", "t"], frames);
        """,
        file_json(FileFrame("a", 0, 0.0, 1, 1, (shown("happy", 0.9, 7, x=3),))),
    )
    head, first, second, rest = text.split("\n")
    assert head.startswith("input,t,face_id,FaceRectX,")
    assert first.startswith('"\'=1+""1"",.jpg",0,7,3,')
    assert second == "b;'=1,1" + "," * (len(FILE_COLUMNS) - 3)
    assert rest == ""


def test_a_long_video_is_drawn_in_as_many_columns_as_there_are_pixels(run: Run) -> None:
    points = run(
        """
        const shares = (at) => (at < 500 ? [at % 2] : null);
        const points = Array.from({ length: 1000 }, (_, at) => (
            { position: (at + 1) / 1000, shares: shares(at) }));
        return js.chart.bucketed(points, 10);
        """
    )
    assert [point["position"] for point in points] == pytest.approx([0.1 * at for at in range(1, 11)])
    assert [point["shares"] for point in points] == [[0.5]] * 5 + [None] * 5


@pytest.mark.parametrize(
    ("end_s", "ticks"),
    [(5, [0, 1, 2, 3, 4, 5]), (60, [0, 10, 20, 30, 40, 50, 60]), (5400, [0, 1200, 2400, 3600, 4800])],
)
def test_the_ticks_of_a_timeline_are_round_times(run: Run, end_s: float, ticks: list[float]) -> None:
    assert run("return js.scrubber.ticksOf(given, 600);", end_s) == ticks


@pytest.mark.parametrize(
    ("seconds", "digits", "text"),
    [
        (0, 0, "0:00"),
        (59.996, 2, "1:00.00"),
        (62.35, 2, "1:02.35"),
        (3602, 0, "1:00:02"),
        (3.04, 1, "0:03.0"),
    ],
)
def test_times_of_a_video_are_written_like_a_clock(run: Run, seconds: float, digits: int, text: str) -> None:
    assert run("return js.translate.clockTime(...given);", [seconds, digits]) == text


def test_why_a_file_failed_is_said_in_the_language_of_the_page_with_the_servers_words_behind_it(
    run: Run,
) -> None:
    german = "„%(name)s“ endet nach %(seconds)s von %(all)s Sekunden."
    failure = {
        "error": "a.mp4: the video ends after 1.5 s, but claims 1,200.0 s",
        "error_code": "truncated_video",
        "error_values": {"after_s": 1.5, "claimed_s": 1200},
    }
    said, unknown = run(
        """
        const english = "“%(name)s” ends after %(seconds)s of %(all)s seconds: its end is missing. " +
            "What was analyzed is kept. Send the complete file for the rest.";
        js.translate.addTexts({ [english]: given.german }, Number);
        return [given.failure, { ...given.failure, error_code: "new" }].map(
            (one) => js.problems.failureOf("a.mp4", one));
        """,
        {"german": german, "failure": failure},
    )
    assert said == {"text": "„a.mp4“ endet nach 1.5 von 1,200.0 Sekunden.", "detail": failure["error"]}
    assert unknown == {"text": "“a.mp4” could not be analyzed.", "detail": failure["error"]}
