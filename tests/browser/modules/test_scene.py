"""Which faces are shown, which one is selected, and what the status says."""

from __future__ import annotations

import pytest

from tests.browser.modules.run import Run

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
