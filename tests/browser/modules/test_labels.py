"""Where the labels of faces are drawn."""

from __future__ import annotations

import pytest

from tests.browser.modules.run import Run

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
