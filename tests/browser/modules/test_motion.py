"""How a box follows its face, and where points of a frame are in the view."""

from __future__ import annotations

import pytest

from tests.browser.modules.run import Run


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


def test_a_box_is_on_its_face_again_after_a_gap_in_which_the_face_stopped(run: Run) -> None:
    x = run(
        """
        const velocity = 0.2, place = (ms) => [velocity * Math.min(ms, 1000), 50, 100, 120];
        const motion = new js.motion.BoxMotion(place(0), 0);
        for (let now = 40; now <= 1000; now += 40) {
            motion.measure(place(now), now);
            motion.at(now);
        }
        motion.at(3480);
        motion.measure(place(3500), 3500);
        return motion.at(3560)[0];
        """
    )
    assert abs(x - 200) < 50, "predicted over the whole gap, it would be 100 pixels further"


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
