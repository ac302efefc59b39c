from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.train.data import FACE_SIDE, UNKNOWN, DataError, FaceSet
from models.train.evaluate import DEFAULT_MODEL, evaluate, fer_plus_head, main
from models.train.faces import crop_face
from models.train.figures import Subject, figures
from models.train.frames import CORRUPTIONS
from models.train.report import table, write_report
from models.train.scores import agreement, calibration_error, fer_plus_majority, reliability, score
from tests.train.data_files import astronaut_face, noise, votes, write_fer2013, write_fer_plus, write_sheets
from webapp.config import Settings
from webapp.protocol import LABELS
from webapp.vision.classify import load_classifier

ANGRY, DISGUST, FEAR, HAPPY = range(4)
LABELLED = np.array([ANGRY, ANGRY, ANGRY, ANGRY, HAPPY, HAPPY, FEAR, UNKNOWN])
ANSWERED = np.array([ANGRY, ANGRY, ANGRY, HAPPY, HAPPY, ANGRY, HAPPY, HAPPY])


def sure_of(answers: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.eye(7, dtype=np.float32)[answers]


def test_figures_are_those_worked_out_by_hand() -> None:
    """Of 4 angry faces 3 are right, of 2 happy 1, of 1 fearful 0; the face without a label does not count."""
    result = score(LABELLED, sure_of(ANSWERED))
    assert result.confusion[ANGRY].tolist() == [3, 0, 0, 1, 0, 0, 0]
    assert result.confusion[FEAR].tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert result.confusion.sum() == 7
    assert result.accuracy == pytest.approx(4 / 7)
    assert result.recall[[ANGRY, HAPPY, FEAR]] == pytest.approx([3 / 4, 1 / 2, 0])
    assert result.precision[[ANGRY, HAPPY, FEAR]] == pytest.approx([3 / 4, 1 / 3, 0])
    assert result.f1[[ANGRY, HAPPY]] == pytest.approx([3 / 4, 2 / 5])
    assert result.balanced_accuracy == pytest.approx((3 / 4 + 1 / 2 + 0) / 3)


def test_the_json_form_holds_the_same_figures() -> None:
    figures = score(LABELLED, sure_of(ANSWERED)).as_dict()
    assert figures["images"] == 7
    assert figures["macro_f1"] == pytest.approx((3 / 4 + 2 / 5) / 3)
    assert figures["classes"]["happy"]["recall"] == pytest.approx(1 / 2)
    assert figures["confusion"][HAPPY] == [1, 0, 0, 1, 0, 0, 0]


def test_calibration_is_the_mean_gap_between_confidence_and_being_right() -> None:
    """Four answers at 0.9, of which two are right, and one at 0.3 that is wrong: (4 * 0.4 + 0.3) / 5."""
    right = np.array([True, True, False, False, False])
    confidence = np.array([0.9, 0.9, 0.9, 0.9, 0.3], np.float32)
    assert calibration_error(right, confidence) == pytest.approx((4 * 0.4 + 0.3) / 5)


def test_a_face_that_is_not_found_is_an_error() -> None:
    """Of the 4 angry faces 3 were right; one of these is now not found."""
    answered = np.ones(len(LABELLED), bool)
    answered[0] = False
    result = score(LABELLED, sure_of(ANSWERED), answered)
    assert (result.totals.sum(), result.missed.tolist()) == (7, [1, 0, 0, 0, 0, 0, 0])
    assert result.accuracy == pytest.approx(3 / 7)
    assert result.recall[ANGRY] == pytest.approx(2 / 4)
    assert result.precision[ANGRY] == pytest.approx(2 / 3)


def test_reliability_is_told_by_bins_of_confidence() -> None:
    confidence, right, counts = reliability(
        np.array([True, False, True]), np.array([0.50, 0.52, 0.99], np.float32)
    )
    assert counts.tolist() == [0] * 7 + [2] + [0] * 6 + [1]
    assert confidence[7] == pytest.approx(0.51)
    assert right[[7, 14]].tolist() == [0.5, 1.0]


def test_the_majority_is_what_most_voters_saw_unless_two_are_as_many() -> None:
    counts = [
        votes(happiness=6, neutral=4),
        votes(anger=5, disgust=5),
        votes(unknown=6, fear=4),
        votes(NF=10),
        votes(contempt=9),
    ]
    majority = fer_plus_majority(np.array(counts, np.float32))
    assert majority.tolist() == [1, UNKNOWN, UNKNOWN, UNKNOWN, 7]
    assert agreement(majority, np.array([1, 1, 1, 1, 0])) == 0.5


@pytest.fixture(scope="module")
def subject() -> Subject:
    """Two smiling faces, of which one has a copy, and two times no face, seen by the model that ships.

    No face is a slope of light: noise as coarse as this now and then has two eyes and a mouth.
    """
    slope = np.tile(np.linspace(0, 255, FACE_SIDE, dtype=np.uint8), (FACE_SIDE, 1))
    images = np.stack([astronaut_face(), astronaut_face(), slope, slope.T])
    counts = np.array([votes(happiness=9)] * 2 + [votes(NF=9)] * 2, np.float32)
    faces = FaceSet(images, np.array([HAPPY, HAPPY, ANGRY, UNKNOWN]), counts)
    copied = np.array([True, False, False, False])
    return Subject(faces, copied, load_classifier("litert", Settings().model_path), None)


@pytest.mark.slow
def test_both_ways_and_every_corruption_are_measured_and_reported(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.train.evaluate.FACE_CACHE", tmp_path / "faces")
    result = evaluate(subject) | {"model": "expression.tflite", "split": "tiny"}
    end_to_end = result["ways"]["end_to_end"]
    assert end_to_end["classes"]["happy"]["recall"] == 1
    assert (end_to_end["images"], end_to_end["missed"]) == (3, 1)  # a slope of light is no face
    assert end_to_end["found"] == 0.5
    counts = {"images": 2, "left_out": 2, "agreement": 1.0, "classes_answered": 7}
    assert counts.items() <= end_to_end["fer_plus"].items()
    assert end_to_end["fer_plus"]["left_out_voter"] == {"voter": 1.0, "model": 1.0, "votes": 18}
    low, high = end_to_end["intervals"]["accuracy"]
    assert low < end_to_end["accuracy"] <= high
    assert end_to_end["without_duplicates"]["images"] == 2
    assert list(result["corruptions"]) == ["none", *CORRUPTIONS]
    assert result["corruptions"]["rotated 20 degrees"]["found"] == pytest.approx(2 / 3)
    assert json.loads(json.dumps(result))["accuracy"] == result["ways"]["crops"]["accuracy"]
    page = write_report(result, tmp_path / "report").read_text()
    assert page.count("data:image/png;base64,") == 8 and "http" not in page
    assert (tmp_path / "report" / "confusion-end_to_end.png").is_file()


def test_the_summary_names_every_label_and_figure(subject: Subject) -> None:
    given = figures(subject, subject.faces.images, np.ones(4, bool))
    summary = table({"ways": {"crops": given}, "corruptions": {}})
    assert "Given crops, one crop: 3 faces, accuracy" in summary
    assert "without 1 near copies of training images" in summary
    assert all(f" {label} " in summary for label in LABELS)
    assert (
        "one voter against the majority of the others: 100.00%; the model against the same: 100.00%"
        in summary
    )
    assert "ICC(2,1): angry" in summary and "valence" in summary


def test_without_votes_or_training_images_the_summary_says_so(subject: Subject) -> None:
    faces = FaceSet(subject.faces.images, subject.faces.labels, np.zeros((4, 10), np.float32))
    bare = Subject(faces, None, subject.classifier, None)
    summary = table({"ways": {"crops": figures(bare, faces.images, np.ones(4, bool))}, "corruptions": {}})
    assert "FER+: no votes" in summary
    assert "near copies of training images, if any, are in" in summary


@pytest.mark.slow
def test_the_shipped_head_names_expressions_of_fer_plus() -> None:
    name = fer_plus_head(DEFAULT_MODEL)
    assert name is not None
    assert name(crop_face(astronaut_face())[0][None]).tolist() == [1]  # happiness


def test_without_the_head_there_is_none(tmp_path: Path) -> None:
    assert fer_plus_head(tmp_path / "expression.tflite") is None


def command(monkeypatch: pytest.MonkeyPatch, folder: Path, *options: object) -> dict[str, Any]:
    """Run the command with these options; returns what it wrote to `--json`."""
    monkeypatch.setattr("models.train.evaluate.FACE_CACHE", folder / "faces")
    places = ("--report", folder / "report", "--json", folder / "figures.json")
    monkeypatch.setattr("sys.argv", ["evaluate", "--crops-only", *map(str, (*options, *places))])
    main()
    figures: dict[str, Any] = json.loads((folder / "figures.json").read_text())
    assert figures == json.loads((folder / "report" / "report.json").read_text())
    return figures


def held_out(folder: Path) -> Path:
    """Sheets of a split with a name of its own, and no training images."""
    lines = [("sheet-00.png", tile, "held-out", "happy", tile, *votes(happiness=9)) for tile in (0, 1)]
    return write_sheets(folder, {0: astronaut_face(), 1: astronaut_face()[:, ::-1]}, lines)


@pytest.mark.slow
def test_a_held_out_folder_is_measured_without_training_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = command(monkeypatch, tmp_path, "--sheets", held_out(tmp_path), "--split", "held-out")
    assert (figures["split"], figures["images"], figures["accuracy"]) == ("held-out", 2, 1)
    assert "without_duplicates" not in figures
    assert "Near copies of training images stay in" in capsys.readouterr().out
    assert "no training images to compare with" in (tmp_path / "report" / "report.html").read_text()


@pytest.mark.slow
def test_training_images_may_be_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train = write_fer2013(tmp_path, np.stack([astronaut_face(), *noise(1)]), [3, 0], ["Training"] * 2)
    source = ("--sheets", held_out(tmp_path), "--split", "held-out")
    figures = command(monkeypatch, tmp_path, *source, "--train", train)
    assert figures["without_duplicates"]["duplicates"] == 2
    with pytest.raises(DataError, match="must be a folder"):
        command(monkeypatch, tmp_path, *source, "--train", tmp_path / "nowhere")


def test_the_calibration_of_the_split_it_was_fitted_on_is_cross_validated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half of the labels are wrong, so that the shipped calibration is off and a fit on them is not."""
    lines = [
        ("sheet-00.png", tile, split, ("happy", "sad")[tile % 2], tile, *votes(happiness=9))
        for split in ("validation", "held-out")
        for tile in range(20)
    ]
    data = write_sheets(tmp_path, dict.fromkeys(range(20), astronaut_face()), lines)
    figures = command(monkeypatch, tmp_path, "--sheets", data, "--split", "validation")
    own, held_out = figures["calibration_error"], figures["cross_validated"]["calibration_error"]
    assert held_out < own  # the astronaut surely smiles
    assert f"calibration error {held_out:.3f} (cross-validated; {own:.3f} on" in capsys.readouterr().out
    assert "output cross-validated" in (tmp_path / "report" / "report.html").read_text()
    other = command(monkeypatch, tmp_path, "--sheets", data, "--split", "held-out")
    assert other["calibration_error"] == own and "cross_validated" not in other


@pytest.mark.slow
def test_the_public_files_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usages = ["PrivateTest", "Training", "PrivateTest"]
    path = write_fer2013(tmp_path, np.stack([astronaut_face(), *noise(2)]), [3, 0, 3], usages)
    names = [f"fer{number:07}.png" for number in range(3)]
    write_fer_plus(tmp_path, usages, names, [votes(happiness=10), votes(anger=10), votes(unknown=10)])
    figures = command(monkeypatch, tmp_path, "--fer2013", path, "--usage", "PrivateTest")
    assert figures["images"] == 2
    assert (figures["fer_plus"]["images"], figures["fer_plus"]["left_out"]) == (1, 1)
    assert figures["without_duplicates"]["duplicates"] == 0


def laboratory(folder: Path, subfolders: dict[str, str]) -> Path:
    """The astronaut smiles in each of these subfolders; groups.csv gives the group of each."""
    lines = ["image,group"]
    for subfolder, group in subfolders.items():
        (folder / subfolder).mkdir(parents=True)
        cv2.imwrite(str(folder / subfolder / "face.png"), astronaut_face())
        lines.append(f"{subfolder}/face.png,{group}")
    (folder / "groups.csv").write_text("\n".join(lines))
    return folder


def test_a_folder_of_labelled_images_is_measured_end_to_end_and_its_groups_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """She is named right where she is said to be happy, and wrong where she is said to be sad."""
    folder = laboratory(tmp_path / "lab", {"happy": "women", "sad": "men"})
    figures = command(monkeypatch, tmp_path, "--faces", folder)
    assert list(figures["ways"]) == ["end_to_end"]
    assert (figures["images"], figures["accuracy"], figures["found"]) == (2, 0.5, 1)
    gap = figures["groups"]["men"]["gaps"]["accuracy"]
    assert gap == {"gap": -1.0, "interval": [-1.0, -1.0]}
    assert (
        "men: 1 faces, found 100.0%, accuracy 0.0% (gap to the others -100.0 points"
        in capsys.readouterr().out
    )
    page = (tmp_path / "report" / "report.html").read_text()
    assert "<th>women" in page and "Given crops" not in page
