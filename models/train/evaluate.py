"""Measures a model: `python -m models.train.evaluate --sheets DIR --split validation --json FILE`.

The model is the file as served, run by the server's own classifier. It is measured on the given images,
aligned where the face mesh finds a face and left as they are elsewhere, and end to end, through a camera's
frame and all that the server does with it, where a face that is not found is an error; and so under the
corruptions of webcams. On given images, one network with one crop compares with published figures; the server
averages over the mirror images of undecided crops, so both are measured, in both ways. `--report` gets one
HTML page with the plots in it, the plots as PNG, and the figures as JSON.

`--faces FOLDER` measures a laboratory's own images instead; see `labelled_folder` for what it holds.

Any split that labels.csv names can be measured, without training images too. Where these are elsewhere,
`--train` says so; without any, near copies of training images cannot be told and stay in.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.train.batches import as_input
from models.train.calibration import CALIBRATED_ON, hold_out
from models.train.data import UNKNOWN, USAGES, VOTES, DataError, FaceSet, read_split
from models.train.duplicates import near_duplicates
from models.train.faces import DEFAULT_DATA, FACE_CACHE, aligned_faces
from models.train.figures import FerPlus, Images, Subject, figures
from models.train.frames import CORRUPTIONS, crop_by_server
from models.train.labelled_folder import crop_images, read_folder
from models.train.report import table, write_report
from models.train.scores import score
from webapp.config import Runtime
from webapp.vision.classify import Classifier, load_classifier, probabilities_with_mirrored

DEFAULT_MODEL = Path("models/expression.tflite")
DEFAULT_REPORT = Path("build/report")
FER_PLUS_HEAD = "fer_plus_head.npz"
CORRUPTED_IMAGES = 1000


def evaluate(subject: Subject, crops_only: bool = False) -> dict[str, Any]:
    """All figures in their JSON form; those of the given crops, one each, also stand at the top."""
    faces = subject.faces
    crops, _ = aligned_faces(faces.images, FACE_CACHE)
    folds = hold_out(subject.classifier.probabilities(crops), faces.labels) if subject.calibrated_on else []
    given = np.ones(len(faces), bool)
    ways = {
        "crops": figures(subject, crops, given, folds),
        "crops_mirrored": figures(subject, crops, given, folds, mirror=True),
    }
    corruptions: dict[str, Any] = {}
    if not crops_only:
        by_server, found = crop_by_server(faces.images, None)
        ways["end_to_end_one_crop"] = figures(subject, by_server, found, folds)
        ways["end_to_end"] = figures(subject, by_server, found, folds, mirror=True)
        corruptions = under_corruptions(subject)
    return {**ways["crops"], "ways": ways, "corruptions": corruptions}


def evaluate_folder(folder: Path, classifier: Classifier) -> dict[str, Any]:
    """All figures of the labelled images of a folder, end to end; see `labelled_folder`."""
    images = read_folder(folder)
    crops, found = crop_images(images.paths)
    nobody = np.zeros((len(crops), len(VOTES)), np.float32)
    subject = Subject(FaceSet(crops, images.labels, nobody), None, classifier, None, groups=images.groups)
    result = figures(subject, crops, found, mirror=True)
    return {**result, "ways": {"end_to_end": result}, "corruptions": {}}


def under_corruptions(subject: Subject) -> dict[str, Any]:
    """End to end without corruption and with each, on the same CORRUPTED_IMAGES labelled faces."""
    known = np.flatnonzero(subject.faces.labels != UNKNOWN)
    chosen = subject.faces.take(
        known[np.linspace(0, len(known) - 1, min(CORRUPTED_IMAGES, len(known))).astype(int)]
    )
    results = {}
    for corruption in (None, *CORRUPTIONS):
        crops, found = crop_by_server(chosen.images, corruption)
        answers = probabilities_with_mirrored(subject.classifier, crops)
        accuracy = score(chosen.labels, answers, found).accuracy
        results[corruption or "none"] = {
            "images": len(chosen),
            "accuracy": accuracy,
            "found": float(found.mean()),
        }
    for result in results.values():
        result["lost"] = results["none"]["accuracy"] - result["accuracy"]
    return results


def fer_plus_head(model: Path) -> FerPlus | None:
    """What names FER+'s eight expressions: the other head that was trained with the model, if it is there.

    It is applied to the features of `expression.keras` beside the model.
    """
    head, whole = model.with_name(FER_PLUS_HEAD), model.with_name("expression.keras")
    if not (head.is_file() and whole.is_file()):
        return None
    import keras

    network = keras.saving.load_model(whole, compile=False)
    features = keras.Model(network.inputs, network.get_layer("features").output)
    with np.load(head) as kept:
        kernel, bias = kept["kernel"], kept["bias"]

    def name(crops: Images) -> NDArray[np.int64]:
        logits = features.predict(as_input(crops), batch_size=256, verbose=0) @ kernel + bias
        answers: NDArray[np.int64] = logits.argmax(axis=1)
        return answers

    return name


def runtime_of(model: Path) -> Runtime:
    """What runs this file."""
    return "litert" if model.suffix == ".tflite" else "keras"


def find_copies(faces: FaceSet, data: Path, train: Path | None) -> NDArray[np.bool_] | None:
    """Which faces have a near copy among the training images of `train`, or else of `data`.

    None where `data` has no training images, which need not be an error: a held-out folder has none.

    Raises:
        DataError: `train` is given, and has none.
    """
    try:
        others = read_split(train or data, "train")
    except DataError as error:
        if train:
            raise
        print(f"Near copies of training images stay in ({error} --train can name another place.)")
        return None
    return near_duplicates(faces.images, others.images)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure a model on a split of FER2013.")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--sheets", type=Path, default=DEFAULT_DATA, help="folder of sheets")
    source.add_argument("--fer2013", type=Path, help="Kaggle's fer2013.csv, fer2013new.csv beside it")
    source.add_argument("--faces", type=Path, help="folder of images, a subfolder for each expression")
    parser.add_argument("--split", default="validation", help="a split that labels.csv names")
    parser.add_argument("--usage", help="the same for fer2013.csv, such as PrivateTest")
    parser.add_argument("--train", type=Path, help="where the training images are, if not at the source")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help=".tflite or .keras")
    parser.add_argument("--crops-only", action="store_true", help="leave out what needs frames: seconds")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--report", type=Path, default=DEFAULT_REPORT, help="folder of the report")
    return parser.parse_args()


def main() -> None:
    """Evaluate from the command line."""
    chosen = arguments()
    classifier = load_classifier(runtime_of(chosen.model), chosen.model)
    if chosen.faces:
        result = {"split": str(chosen.faces), **evaluate_folder(chosen.faces, classifier)}
    else:
        result = _evaluate_split(chosen, classifier)
    result = {"model": chosen.model.name, **result}
    print(table(result))
    print(f"\nreport: {write_report(result, chosen.report)}")
    for file in filter(None, (chosen.report / "report.json", chosen.json)):
        file.write_text(json.dumps(result, indent=2) + "\n")


def _evaluate_split(chosen: argparse.Namespace, classifier: Classifier) -> dict[str, Any]:
    data: Path = chosen.fer2013 or chosen.sheets
    split = chosen.usage or chosen.split
    faces = read_split(data, split)
    copied = None if split == "train" else find_copies(faces, data, chosen.train)
    calibrated_on = split in (CALIBRATED_ON, USAGES[CALIBRATED_ON])
    subject = Subject(faces, copied, classifier, fer_plus_head(chosen.model), calibrated_on)
    return {"split": split, **evaluate(subject, chosen.crops_only)}


if __name__ == "__main__":
    main()
