"""The group's means are what anybody computes with pandas from samples.csv."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.helpers.exports import CODE, START_MS, add_marker, exported, new_archive, sample
from webapp.store.database import open_database
from webapp.store.records import MarkerRecord, SampleRecord

pandas = pytest.importorskip("pandas")

PEOPLE = ("ann", "ben", "cat")
SPAN_S = 40
MARKERS = ((10.0, "film"), (25.5, "pause"))
OWN_MARKERS = ((4.0, "trial"), (16.0, "trial"))
MEASURES = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral", "valence"]


def frames_of(person: str, rate_per_s: float, chance: random.Random) -> Iterator[SampleRecord]:
    """Frames at uneven times; of ann's webcam with five faces, of which the third is largest on the whole."""
    for frame in range(int(SPAN_S * rate_per_s)):
        at_s = (frame + chance.random()) / rate_per_s
        if chance.random() < 0.1:
            yield sample(person, frame, at_s, shown=None)
            continue
        for face in range(1, 6 if person == "ann" else 2):
            weights = [chance.random() ** 3 for _ in range(7)]
            shown = [weight / sum(weights) for weight in weights]
            size = chance.uniform(50, 60) + (12 if face == 3 else 0)
            yield sample(
                *(person, frame, at_s, shown, face), box=(0.0, 0.0, size, size), score=chance.uniform(0.7, 1)
            )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'test.sqlite'}"
    archive = new_archive(url, *PEOPLE)
    archive.recordings.start_recording(CODE, START_MS)
    archive.recordings.stop_recording(1, START_MS + 1000 * SPAN_S)
    chance = random.Random(1)
    for person, rate_per_s in zip(PEOPLE, (3.0, 9.0, 1.5), strict=True):
        archive.recordings.add_samples(list(frames_of(person, rate_per_s, chance)))
    for at_s, label in MARKERS:
        add_marker(archive, label, at_s)
    for at_s, label in OWN_MARKERS:
        record = MarkerRecord(CODE, START_MS + 1000 * at_s, label, "participant", participant_id="ann")
        archive.markers.add_marker(record)
    archive.close()
    engine = open_database(url)
    found = exported(engine)
    engine.dispose()
    return found


@pytest.fixture(scope="module")
def main(files: dict[str, bytes]) -> Any:
    """The rows of samples.csv with one face a frame: the rule of docs/rooms.md, written out with pandas."""
    samples = pandas.read_csv(io.BytesIO(files["samples.csv"]))
    assert (samples["face_id"] == 5).any(), "ann shows five faces"
    samples["area"] = samples["FaceRectWidth"] * samples["FaceRectHeight"]
    faces = samples.groupby(["recording", "participant", "face_id"])["area"]
    samples["weight"] = (faces.transform("sum") / faces.transform("count").clip(lower=25)).round()
    best_last = samples.sort_values(["weight", "face_id"], ascending=[True, False], na_position="first")
    found = best_last.groupby(["recording", "participant", "frame"]).tail(1)
    assert set(found[(found["participant"] == "ann")]["face_id"].dropna()) == {3}
    return found


@pytest.fixture(scope="module")
def summary(files: dict[str, bytes]) -> Any:
    return pandas.read_csv(io.BytesIO(files["summary.csv"]))


def group(summary: Any, scope: str, **values: Any) -> Any:
    """The group's row of a scope."""
    rows = summary[(summary["scope"] == scope) & summary["participant"].isna()]
    for name, value in values.items():
        rows = rows[rows[name] == value]
    (row,) = (row for _, row in rows.iterrows())
    return row


@pytest.mark.parametrize("scope", ["room", "recording"])
def test_the_mean_of_the_group_is_that_of_the_participants_means(main: Any, summary: Any, scope: str) -> None:
    means = main.groupby("participant")[MEASURES].mean()
    row = group(summary, scope)
    assert row[MEASURES].tolist() == pytest.approx(means.mean().tolist(), abs=1e-6)
    assert row["participants"] == 3
    half = 4.302653 * means.std() / 3**0.5
    assert [row[f"{name}_low"] for name in MEASURES] == pytest.approx(
        (means.mean() - half).tolist(), abs=2e-6
    )
    assert [row[f"{name}_high"] for name in MEASURES] == pytest.approx(
        (means.mean() + half).tolist(), abs=2e-6
    )


def test_the_report_has_the_same_means(files: dict[str, bytes], summary: Any) -> None:
    page = files["report.html"].decode()
    (line,) = re.findall(r'<tr class="group"><th scope="row">All participants \(3\)</th>(.+)</tr>', page)[:1]
    cells = [float(text.replace("−", "-")) for text in re.findall(r"<td>([\d.−]+)<small>", line)]
    assert cells == pytest.approx(group(summary, "recording")[MEASURES].tolist(), abs=0.005001)


def test_epochs_have_the_means_of_their_frames(main: Any, summary: Any) -> None:
    edges = [0.0, *(at_s for at_s, _ in MARKERS), float(SPAN_S)]
    for number, (start, end) in enumerate(zip(edges, edges[1:], strict=False), 1):
        inside = main[(main["t"] >= start) & (main["t"] < end)]
        seen = inside[inside["face_id"].notna()]
        row = group(summary, "epoch", epoch=number)
        means = seen.groupby("participant")[MEASURES].mean().mean()
        assert row[MEASURES].tolist() == pytest.approx(means.tolist(), abs=1e-6)
        strongest = (
            seen[MEASURES[:7]].idxmax(axis=1).eq("happiness").groupby(seen["participant"]).mean().mean()
        )
        assert row["strongest_happiness"] == pytest.approx(strongest, abs=1e-6)
        share = inside["face_id"].notna().groupby(inside["participant"]).mean().mean()
        quality = seen.groupby("participant")["FaceScore"].mean().mean()
        assert [row["face_share"], row["quality"]] == pytest.approx([share, quality], abs=1e-6)
        assert (row["frames"], row["frames_with_face"]) == (len(inside), len(seen))
    assert list(summary[(summary["scope"] == "epoch") & summary["participant"].isna()]["label"]) == [
        "(start)",
        "film",
        "pause",
    ]


def test_a_participants_own_markers_divide_their_frames_alone(main: Any, summary: Any) -> None:
    own = summary[summary["scope"] == "own_epoch"]
    assert set(own["participant"].dropna()) == {"ann"}
    assert [(row["label"], row["epoch"]) for _, row in own[own["participant"].notna()].iterrows()] == [
        ("(start)", 1),
        ("trial", 1),
        ("trial", 2),
    ]
    of_ann = main[main["participant"] == "ann"]
    first = of_ann[(of_ann["t"] >= 4.0) & (of_ann["t"] < 16.0)]
    row = own[(own["participant"] == "ann") & (own["label"] == "trial") & (own["epoch"] == 1)].iloc[0]
    assert row[MEASURES].tolist() == pytest.approx(first[MEASURES].mean().tolist(), abs=1e-6)
