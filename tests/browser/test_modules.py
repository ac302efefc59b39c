"""The pure modules of the page, run where they belong: in a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.helpers.serving import Server

Run = Callable[[str], Any]

MODULES = (
    "dashboard/api",
    "dashboard/grid",
    "dashboard/marker_queue",
    "dashboard/past",
    "live/overlay/geometry",
    "live/overlay/labels",
    "live/overlay/motion",
    "live/rate",
    "live/scene",
    "live/status",
    "live/panel/minute_chart",
    "room/baseline",
    "shared/announcements",
    "shared/chart_style",
    "shared/problems",
    "shared/rolling_window",
    "shared/translate",
)


@pytest.fixture
def run(server: Server, still_browser: Browser, new_page: Callable[..., Page]) -> Run:
    """Run a piece of JavaScript that finds the page's modules in `js`, such as `js.rate.RateController`."""
    page = new_page(still_browser)
    page.goto(server.url)
    names = [(Path(path).name, path) for path in MODULES]
    imports = "\n".join(f'js.{name} = await import("/static/js/{path}.js");' for name, path in names)
    return lambda code: page.evaluate(f"async () => {{ const js = {{}}; {imports}\n{code} }}")


def test_rate_falls_at_once_and_rises_slowly(run: Run) -> None:
    first, lowest, after_10_s, at_last = run(
        """
        const rate = new js.rate.RateController();
        let now = 0;
        const answers = (round_trip_ms, seconds) => {
            for (const end = now + 1000 * seconds; now < end; now += 50) rate.answered(round_trip_ms, now);
            return rate.frames_per_s;
        };
        return [answers(40, 1), answers(400, 20), answers(40, 10), answers(40, 60)];
        """
    )
    assert first == pytest.approx(16, abs=0.3)
    assert lowest == pytest.approx(2)
    assert after_10_s == pytest.approx(12, abs=1)
    assert at_last == 30


def test_rate_stays_high_on_a_network_that_is_slow_but_not_full(run: Run) -> None:
    assert (
        run(
            """
            const rate = new js.rate.RateController();
            for (let now = 0; now < 60000; now += 50) rate.answered(250 + 30 * Math.sin(now), now);
            return rate.frames_per_s;
            """
        )
        == 30
    )


def test_rate_goes_down_when_refused_but_not_for_each_of_many_at_once(run: Run) -> None:
    first, second = run(
        """
        const rate = new js.rate.RateController();
        for (let now = 0; now < 100; now += 10) rate.refused(now);
        const first = rate.frames_per_s;
        rate.refused(2000);
        return [first, rate.frames_per_s];
        """
    )
    assert (first, second) == (pytest.approx(0.7 * 15), pytest.approx(0.7 * 0.7 * 15))


def test_frames_become_smaller_as_they_become_fewer(run: Run) -> None:
    sides = run(
        """
        const rate = new js.rate.RateController();
        const sides = [];
        for (let now = 0; now < 8000; now += 1000) { rate.refused(now); sides.push(rate.step.side); }
        return sides;
        """
    )
    assert sides[0] == 640
    assert sides[-1] == 320
    assert sides == sorted(sides, reverse=True)


def test_pages_that_share_a_full_server_come_to_equal_rates_and_use_it(run: Run) -> None:
    """A server of 100 frames a second with a queue; six pages, the last joins when the others fill it."""
    rates, served, longest_ms = run(
        """
        const CAPACITY = 100, STEP_MS = 20, END_MS = 240000;
        const pages = Array.from({ length: 6 }, () => new js.rate.RateController());
        const sums = pages.map(() => 0);
        let queued = 0, served = 0, longest_ms = 0;
        for (let now = 0; now < END_MS; now += STEP_MS) {
            const here = now < 60000 ? pages.slice(0, 5) : pages;
            const sent = here.map((page) => page.frames_per_s * STEP_MS / 1000);
            const waiting = queued + sent.reduce((sum, one) => sum + one);
            const done = Math.min(waiting, CAPACITY * STEP_MS / 1000);
            queued = waiting - done;
            for (const page of here) page.answered(20 + 1000 * queued / CAPACITY, now);
            if (now < END_MS / 2) continue;
            served += done;
            longest_ms = Math.max(longest_ms, 1000 * queued / CAPACITY);
            pages.forEach((page, index) => { sums[index] += page.frames_per_s; });
        }
        const turns = END_MS / 2 / STEP_MS;
        return [sums.map((sum) => sum / turns), served / (END_MS / 2000) / CAPACITY, longest_ms];
        """
    )
    assert min(rates) > 0.9 * max(rates)
    assert served > 0.85
    assert longest_ms < 300


def test_a_box_keeps_up_with_a_steady_movement_seen_late(run: Run) -> None:
    worst = run(
        """
        const velocity = 0.15, late = 100, place = (ms) => [velocity * ms, 50, 100, 120];
        const motion = new js.motion.BoxMotion(place(0), 0);
        let worst = 0, captured = 0;
        for (let now = late; now < 4000; now += 16) {
            while (captured + 40 + late <= now) motion.measure(place(captured += 40), captured);
            const gap = Math.abs(motion.at(now)[0] - place(now)[0]);
            if (now > 1000) worst = Math.max(worst, gap);
        }
        return worst;
        """
    )
    assert worst < 1.5, "without a prediction it would be 15 pixels behind"


def test_a_box_glides_to_a_new_place_without_overshooting(run: Run) -> None:
    places = run(
        """
        const motion = new js.motion.BoxMotion([0, 0, 100, 100], 0);
        motion.at(1000);
        const places = [];
        for (let now = 1000; now < 3000; now += 20) {
            if (now % 40 === 0) motion.measure([40, 0, 100, 100], now);
            places.push(motion.at(now)[0]);
        }
        return places;
        """
    )
    assert places[0] < 20
    assert max(places) < 46
    assert abs(places[-1] - 40) < 4
    assert max(abs(after - before) for before, after in zip(places, places[1:], strict=False)) < 16


def test_a_box_jumps_to_a_far_place_at_once(run: Run) -> None:
    assert run(
        """
        const motion = new js.motion.BoxMotion([0, 0, 50, 50], 0);
        motion.at(10);
        motion.measure([300, 0, 50, 50], 40);
        return motion.at(50)[0];
        """
    ) == pytest.approx(300)


@pytest.mark.parametrize("mirrored", [True, False])
@pytest.mark.parametrize("view", [(800, 400), (300, 600), (640, 480)])
def test_points_of_a_frame_are_found_again_in_any_view(
    run: Run, view: tuple[int, int], mirrored: bool
) -> None:
    left, back, box = run(
        f"""
        const view = {{ width: {view[0]}, height: {view[1]} }};
        const fit = new js.geometry.Fit({{ width: 640, height: 480 }}, view, {str(mirrored).lower()});
        const back = fit.pointInFrame(fit.pointInView([100, 50]));
        return [fit.pointInView([0, 0]), back, fit.boxInView([100, 50, 60, 40])];
        """
    )
    scale = min(view[0] / 640, view[1] / 480)
    margin = (view[0] - 640 * scale) / 2
    assert left[0] == pytest.approx(view[0] - margin if mirrored else margin)
    assert back == pytest.approx([100, 50])
    assert box[2:] == pytest.approx([60 * scale, 40 * scale])
    assert box[0] == pytest.approx(margin + scale * (480 if mirrored else 100))


LABELS = """
    const view = { width: 390, height: 292 };
    const label = { width: 90, height: 24 };
    const placer = new js.labels.LabelPlacer(5);
    const place = (boxes, size = label) =>
        placer.place(boxes.map((box, id) => ({ id, box, label: size })), view);
    const { overlap } = js.labels;
    const covered = (places) => places.some((place, index) =>
        places.some((other, at) => at !== index && overlap(place, other) > 0));
"""

FIVE_CLOSE_FACES = [
    [20, 110, 60, 70],
    [85, 90, 60, 70],
    [150, 115, 60, 70],
    [215, 95, 60, 70],
    [280, 110, 60, 70],
]


def test_labels_of_five_close_faces_cover_no_other_label_and_stay_at_their_faces(run: Run) -> None:
    covered, places = run(
        LABELS + f"const places = place({FIVE_CLOSE_FACES}); return [covered(places), places];"
    )
    assert not covered
    for (x, y, width, height), face in zip(places, FIVE_CLOSE_FACES, strict=True):
        assert 0 <= x <= 390 - width
        assert 0 <= y <= 292 - height
        across = max(face[0] - x - width, x - face[0] - face[2], 0)
        down = max(face[1] - y - height, y - face[1] - face[3], 0)
        assert across + down <= 6, "a label touches its own box"


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ([150, 100, 80, 90], [150, 71]),
        ([150, 4, 80, 90], [150, 99]),
        ([330, 100, 55, 90], [295, 71]),
        ([0, 0, 390, 292], [150, 5]),
    ],
    ids=[
        "above",
        "below a face at the top edge",
        "in view at the right edge",
        "inside a face that fills the view",
    ],
)
def test_the_label_of_one_face_is_where_people_look_for_it(
    run: Run, box: list[float], expected: list[float]
) -> None:
    placed = run(LABELS + f"return place([{box}])[0];")
    assert placed[:2] == pytest.approx(expected, abs=1)


def test_labels_do_not_jump_while_faces_tremble_or_pass_the_top_edge(run: Run) -> None:
    """The face rises to where its label no longer fits above it, and trembles there by a pixel."""
    changes = run(
        LABELS
        + """
        let last, changes = 0;
        for (let step = 0; step < 200; step += 1) {
            const y = Math.max(30, 120 - step) + step % 2;
            const [, top] = place([[150, y, 80, 90]])[0];
            const side = top < y ? "above" : "below";
            if (last && side !== last) changes += 1;
            last = side;
        }
        return changes;
        """
    )
    assert changes <= 1


def test_two_faces_that_pass_each_other_keep_their_labels_apart(run: Run) -> None:
    worst, changes = run(
        LABELS
        + """
        let worst = 0, changes = 0, last = null;
        for (let x = 0; x <= 300; x += 2) {
            const boxes = [[x, 110, 70, 80], [310 - x, 130, 70, 80]];
            const places = place(boxes);
            worst = Math.max(worst, overlap(places[0], places[1]));
            const sides = places.map(([left, top], at) =>
                [left - boxes[at][0], top - boxes[at][1]].map(Math.sign).join());
            if (last && sides.join(";") !== last) changes += 1;
            last = sides.join(";");
        }
        return [worst, changes];
        """
    )
    assert worst == 0
    assert changes <= 12


def test_labels_that_cannot_all_be_apart_are_placed_all_the_same(run: Run) -> None:
    places = run(LABELS + "return place(Array.from({ length: 12 }, () => [150, 100, 90, 90]));")
    assert len(places) == 12
    assert all(0 <= x <= 300 and 0 <= y <= 268 for x, y, *_ in places)


SCENE = """
    const face = (id, x, width) => ({ id, box: [x, 0, width, width], landmarks: {}, expression: "happy",
        confidence: 0.9, probabilities: {} });
    const result = (...faces) => ({ faces });
    const scene = new js.scene.Scene();
"""


def test_the_largest_face_is_selected_until_another_is_chosen_and_again_when_that_has_gone(run: Run) -> None:
    assert run(
        SCENE
        + """
        scene.update(result(face(1, 0, 50), face(2, 200, 90)), 0, 0, 1);
        const selected = [scene.selected.id];
        scene.selectAt([20, 20], 0);
        selected.push(scene.selected.id);
        scene.update(result(face(2, 200, 90)), 100, 100, 1);
        scene.at(1000);
        selected.push(scene.selected.id);
        return selected;
        """
    ) == [2, 1, 2]


def test_of_two_like_faces_the_selected_one_stays_and_a_clearly_larger_one_takes_over(run: Run) -> None:
    selected = run(
        SCENE
        + """
        const selected = [];
        const take = (now, ...widths) => {
            const faces = widths.map((width, index) => face(index + 1, 200 * index, width));
            scene.update(result(...faces), now, now, 1);
            selected.push(scene.selected.id);
        };
        for (let now = 0; now < 3000; now += 100) take(now, 90 + now / 100 % 2, 91 - now / 100 % 2);
        for (let now = 3000; now < 6000; now += 100) take(now, 90, 150);
        return selected;
        """
    )
    assert len(set(selected[:30])) == 1
    assert selected[30:35] == selected[:5], "a second of being larger is needed"
    assert selected[-1] == 2


def test_without_results_faces_go_although_nothing_is_drawn(run: Run) -> None:
    assert run(
        SCENE
        + """
        scene.update(result(face(1, 0, 50)), 0, 0, 1);
        scene.settle(1000);
        const before = scene.selected?.id;
        scene.settle(2500);
        scene.settle(3000);
        return [before, scene.selected];
        """
    ) == [1, None]


def test_a_result_that_a_newer_one_overtook_is_left_out(run: Run) -> None:
    assert run(
        SCENE
        + """
        scene.update(result(face(1, 0, 50)), 100, 150, 1);
        scene.update(result(face(2, 0, 50)), 90, 160, 1);
        return scene.faces.map(({ id }) => id);
        """
    ) == [1]


def test_faces_stay_through_a_slow_round_trip_and_fade_when_seen_to_be_gone(run: Run) -> None:
    assert run(
        SCENE
        + """
        scene.update(result(face(1, 0, 50)), 0, 100, 1);
        const opacity = (now) => scene.at(now)[0]?.opacity ?? 0;
        const slow = opacity(1500);
        scene.update(result(), 1400, 1600, 1);
        return [slow, opacity(1700), opacity(1850) < 1, opacity(2100)];
        """
    ) == [1, 1, True, 0]


def test_faces_fade_when_no_answer_comes_any_more(run: Run) -> None:
    assert run(
        SCENE
        + """
        scene.update(result(face(1, 0, 50)), 0, 0, 1);
        return [scene.at(1900).length, scene.at(2100).length, scene.at(2600).length];
        """
    ) == [1, 1, 0]


def test_one_busy_answer_is_no_news_and_several_are(run: Run) -> None:
    assert run(
        """
        const status = new js.status.Status();
        status.problem("busy", 0);
        const one = status.at(10).busy;
        for (const now of [100, 200, 300]) status.problem("busy", now);
        return [one, status.at(310).busy, status.at(4000).busy];
        """
    ) == [False, True, False]


def test_no_face_is_told_after_a_while_only(run: Run) -> None:
    assert run(
        """
        const status = new js.status.Status();
        status.result(0, 30, 0);
        status.result(0, 30, 1500);
        const told = [status.at(1000).noFace, status.at(1600).noFace];
        status.result(1, 30, 1700);
        return [...told, status.at(1700).noFace];
        """
    ) == [False, True, False]


def test_the_status_counts_the_results_of_the_last_two_seconds(run: Run) -> None:
    shown = run(
        """
        const status = new js.status.Status();
        for (let now = 0; now < 4000; now += 50) {
            status.allow(30, now);
            status.result(1, now < 3200 ? 500 : 30, now);
        }
        return [status.at(4000), status.at(9000)]
            .map(({ frames_per_s, round_trip_ms }) => [frames_per_s, round_trip_ms]);
        """
    )
    assert shown == [[pytest.approx(20, abs=0.6), 500], [0, None]]


def test_after_a_pause_no_notice_is_due_until_answers_ask_for_one_again(run: Run) -> None:
    assert run(
        """
        const status = new js.status.Status();
        for (const now of [0, 100, 200]) status.problem("busy", now);
        status.result(0, 30, 300);
        status.reset();
        const { busy, noFace } = status.at(2000);
        return [busy, noFace];
        """
    ) == [False, False]


def test_a_rolling_window_keeps_its_span_and_no_more(run: Run) -> None:
    assert run(
        """
        const values = new js.rolling_window.RollingWindow(1000);
        for (let now = 0; now <= 5000; now += 250) values.add(now, now);
        const kept = values.values(5000);
        const later = values.items(5600).map(({ at_ms }) => at_ms);
        values.clear();
        return [kept, later, values.values(5600)];
        """
    ) == [[4250, 4500, 4750, 5000], [4750, 5000], []]


def test_a_line_for_screen_readers_changes_for_news_only_and_not_too_often(run: Run) -> None:
    assert run(
        """
        const line = document.createElement("p");
        const announcer = new js.announcements.Announcer(line, 1000);
        const said = [];
        const texts = [["Happy", 0], ["Sad", 500], ["Sad", 1000], ["Happy", 1500], ["Happy", 2000]];
        for (const [text, now] of texts) {
            announcer.say(text, now);
            said.push(line.textContent);
        }
        return said;
        """
    ) == ["Happy", "Happy", "Sad", "Sad", "Happy"]


def test_compared_with_neutral_an_expression_is_named_only_where_it_stands_out(run: Run) -> None:
    assert run(
        """
        const names = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];
        const even = Object.fromEntries(names.map((name) => [name, 1 / 7]));
        const plain = { expression: "happy", confidence: 0.9, probabilities: { ...even, happy: 0.9 } };
        const faces = [
            plain,
            { ...plain, relative_probabilities: even },
            { ...plain, relative_probabilities: { ...even, sad: 0.4 } },
        ];
        return js.baseline.comparedWithNeutral({ faces }).faces.map(({ expression }) => expression);
        """
    ) == ["happy", "neutral", "sad"]


def test_the_timeline_knows_which_expression_led_when(run: Run) -> None:
    assert run(
        """
        const even = Object.fromEntries(
            ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"].map((name) => [name, 0.1]));
        const sample = (label, at_s) => ({ at_ms: 1000 * at_s, value: label && { ...even, [label]: 0.4 } });
        const pause = { at_ms: 9000, value: { ...even, sad: 0.4 } };
        return js.minute_chart.leaders([...["happy", "happy", null, "sad", "sad"].map(sample), pause])
            .map(({ label, from_ms, to_ms }) => [label, from_ms, to_ms]);
        """
    ) == [["happy", 0, 2000], ["sad", 3000, 4000], ["sad", 9000, 9000]]


def test_the_timeline_names_each_expression_once_where_it_led_longest(run: Run) -> None:
    assert run(
        """
        const interval = (label, from_ms, to_ms) => ({ label, from_ms, to_ms });
        return js.minute_chart.longest([interval("sad", 0, 1000), interval("happy", 1000, 3000),
            interval("sad", 3000, 9000), interval("happy", 9000, 9500)])
            .map(({ label, from_ms }) => [label, from_ms]);
        """
    ) == [["sad", 3000], ["happy", 1000]]


def test_a_chart_leaves_a_gap_where_nothing_was_measured(run: Run) -> None:
    columns = run(
        """
        const shares = [1, 0, 0, 0, 0, 0, 0];
        const points = [0.1, 0.104, 0.2, 0.204].map((position) => ({ position, shares }));
        points.push({ position: 0.208, shares: null });
        const area = { left: 0, top: 0, width: 6000, height: 10 };
        return js.chart_style.columnsOf(area, points).map(({ left, right }) => [left, right]);
        """
    )
    assert [right for _, right in columns] == [600, 624, 1200, 1224]
    assert [left for left, _ in columns] == [575, 600, 1175, 1200]


def test_no_more_frames_a_second_are_shown_than_were_allowed(run: Run) -> None:
    shown = run(
        """
        const status = new js.status.Status();
        const shown = [];
        for (let now = 0; now <= 6000; now += 100) {
            const allowed = now < 3000 ? 10 : 2;
            status.allow(allowed, now);
            if (now < 3000 || now % 400 === 0) status.result(1, 30, now);
            const { frames_per_s, allowed_per_s } = status.at(now);
            shown.push([frames_per_s, allowed_per_s]);
        }
        return shown;
        """
    )
    assert all(frames <= allowed for frames, allowed in shown)
    assert shown[29][1] == 10
    assert shown[-1] == [2, 2]


MARKERS = """
    const server = { up: true, refuses: null, got: [] };
    const said = [];
    const queue = new js.marker_queue.MarkerQueue({
        send: async (marker) => {
            if (!server.up) throw new TypeError("Failed to fetch");
            if (server.refuses) throw new js.api.ApiError("no", server.refuses);
            server.got.push([marker.label, marker.time]);
        },
        serverTime: (at_ms) => server.offset === null ? null : 1767225600000 + at_ms,
        onWaiting: (waiting) => said.push(waiting.map(({ label }) => label)),
        onRefused: ({ label }) => said.push(`refused ${label}`),
    });
    const idle = () => new Promise((done) => setTimeout(done, 20));
"""


def test_tiles_are_as_large_as_their_number_allows(run: Run) -> None:
    layouts = run(
        """
        const space = { width: 1248, height: 540 };
        const of = (count, hasVideo) => js.grid.gridOf(count, space, hasVideo);
        const both = (count) => [false, true].map((hasVideo) => ({ count, ...of(count, hasVideo) }));
        return [1, 2, 4, 13, 30].flatMap(both);
        """
    )
    for layout in layouts:
        rows = -(-layout["count"] // layout["columns"])
        assert rows * layout["height"] + (rows - 1) * 8 <= 540
    heights = [layout["height"] for layout in layouts[::2]]
    assert heights == sorted(heights, reverse=True)
    assert [layout["columns"] for layout in layouts if layout["count"] == 2] == [2, 2]
    assert {layout["size"] for layout in layouts if layout["count"] == 30} == {"dense"}


def test_tiles_that_do_not_fit_stay_readable_on_a_page_that_scrolls(run: Run) -> None:
    phone = run("return js.grid.gridOf(30, { width: 358, height: 200 }, false);")
    assert phone["columns"] == 2 and phone["height"] >= 92


def test_the_minute_before_is_read_with_its_times_and_gaps(run: Run) -> None:
    past = run(
        """
        const [happy, sad] = [[0, 0, 0, 250, 0, 0, 0, 190], [0, 0, 0, 0, 250, 0, 0, 10]];
        const nothing = Array(8).fill(255);
        const values = new Uint8Array([...nothing, ...happy, ...sad, ...nothing, ...nothing, ...sad]).buffer;
        const sent = { step_ms: 500, age_ms: 100, ids: ["", "a"], values };
        return [...js.past.decodePast(sent, 10_000)];
        """
    )
    assert [
        (name, [(row["at_ms"], round(row["value"]["valence"], 2)) for row in rows]) for name, rows in past
    ] == [
        ("", [(9400, 0.9), (9900, -0.9)]),
        ("a", [(9900, -0.9)]),
    ]
    assert past[0][1][0]["value"]["probabilities"] == [0, 0, 0, 1, 0, 0, 0]


def test_markers_that_cannot_be_sent_wait_with_their_times_and_keep_their_order(run: Run) -> None:
    got, said, size = run(
        MARKERS
        + """
        server.up = false;
        queue.add("A", 1000);
        await idle();
        queue.add("B", 2000);
        await idle();
        server.up = true;
        await queue.flush();
        queue.add("C", 9000);
        await idle();
        return [server.got, said, queue.size];
        """
    )
    times = [f"2026-01-01T00:00:0{second}.000Z" for second in (1, 2, 9)]
    assert got == [list(pair) for pair in zip("ABC", times, strict=True)]
    assert said[0] == ["A"] and ["A", "B"] in said and said[-1] == []
    assert size == 0


def test_a_marker_that_is_refused_is_said_and_holds_up_no_other(run: Run) -> None:
    assert run(
        MARKERS
        + """
        server.refuses = 503;
        queue.add("A", 1000);
        await idle();
        const waiting = queue.size;
        server.refuses = 409;
        await queue.flush();
        server.refuses = null;
        queue.add("B", 2000);
        await idle();
        return [waiting, said.includes("refused A"), server.got.map(([label]) => label)];
        """
    ) == [1, True, ["B"]]


def test_a_marker_of_before_the_first_summary_gets_its_time_when_the_clocks_are_known(run: Run) -> None:
    assert run(
        MARKERS
        + """
        server.offset = null;
        server.up = false;
        queue.add("A", 1000);
        await idle();
        server.offset = 0;
        server.up = true;
        await queue.flush();
        return server.got;
        """
    ) == [["A", "2026-01-01T00:00:01.000Z"]]


def test_texts_are_english_until_a_language_brings_its_own(run: Run) -> None:
    assert run(
        """
        const { t, tn, addTexts } = js.translate;
        const shown = () => [t("Happy"), t("%(name)s left, 100%%", { name: "Ada" }), t("constructor"),
            tn("%(count)s face", "%(count)s faces", 1), tn("%(count)s face", "%(count)s faces", 1234)];
        const english = shown();
        addTexts({ "Happy": "Freude", "%(name)s left, 100%%": "%(name)s fehlt, 100 %%",
            "%(count)s face": ["%(count)s Gesicht", "%(count)s Gesichter"] }, (n) => Number(n != 1));
        return [english, shown()];
        """
    ) == [
        ["Happy", "Ada left, 100%", "constructor", "1 face", "1,234 faces"],
        ["Freude", "Ada fehlt, 100 %", "constructor", "1 Gesicht", "1,234 Gesichter"],
    ]


def test_what_the_server_refused_is_said_in_the_language_of_the_page(run: Run) -> None:
    assert run(
        """
        js.translate.addTexts({ "This room was deleted.": "Dieser Raum wurde gelöscht." }, Number);
        const problem = { code: "no_such_room", message: "Nothing here." };
        window.fetch = async () => new Response(JSON.stringify({ problem }), { status: 404 });
        const refused = await js.api.request("POST", "/x").catch(({ message, status }) => [message, status]);
        const { problemText } = js.problems;
        return [refused, problemText(problem), problemText({ code: "other", message: "Too late." })];
        """
    ) == [["Dieser Raum wurde gelöscht.", 404], "Dieser Raum wurde gelöscht.", "Too late."]


def test_numbers_take_as_many_forms_as_the_language_has(run: Run) -> None:
    assert run(
        """
        const { tn, addTexts } = js.translate;
        const rule = (n) => Number(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);
        addTexts({ "One face": ["Jedna twarz", "%(count)s twarze", "%(count)s twarzy"] }, rule);
        return [1, 2, 5, 12, 22].map((count) => tn("One face", "%(count)s faces", count));
        """
    ) == ["Jedna twarz", "2 twarze", "5 twarzy", "12 twarzy", "22 twarze"]


def test_a_value_is_put_into_a_text_once(run: Run) -> None:
    assert run('return js.translate.t("%(a)s and %(b)s", { a: "%(b)s", b: "$&" });') == "%(b)s and $&"
    assert run('return js.translate.t("%(a)s and %(b)s", { a: 1.5 });') == "1.5 and %(b)s"


def test_numbers_have_the_separators_of_the_language(run: Run) -> None:
    assert run(
        """
        const { formatNumber, formatPercent } = js.translate;
        return [formatNumber(1234.56), formatNumber(0.25, 1), formatPercent(0.926)];
        """
    ) == ["1,235", "0.3", "93%"]
