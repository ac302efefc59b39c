"""Load the export of a room: `python docs/load_export.py mien-CODE.zip`.

Needs pandas; with Py-Feat installed, `as_fex` gives the samples as a `feat.Fex`: `fex.emotions`,
`fex.faceboxes`, `fex.poses`, and `fex.extract_mean()` and its like for each participant. Tried with pandas
3.1.1 and Py-Feat 2.1.5. Mien's samples have no action units and no landmarks, so `fex.aus` is empty.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd

EMOTIONS = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
FACE_BOX = ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore"]
POSE = ["Pitch", "Roll", "Yaw"]


def load(path: Path) -> pd.DataFrame:
    """The samples of an export, with times as times."""
    with zipfile.ZipFile(path) as archive, archive.open("samples.csv") as file:
        return pd.read_csv(file, parse_dates=["timestamp", "received"])


def as_fex(samples: pd.DataFrame) -> Any:  # noqa: ANN401 - feat.Fex, where Py-Feat is installed
    """The samples as Py-Feat knows them, with a session for each participant."""
    from feat import Fex  # type: ignore[import-not-found,unused-ignore]

    return Fex(
        samples,
        detector="Mien",
        emotion_columns=EMOTIONS,
        facebox_columns=FACE_BOX,
        facepose_columns=POSE,
        time_columns=["timestamp", "t"],
        au_columns=[],
        landmark_columns=[],
        sessions=samples["participant"],
    )


def main(path: Path) -> None:
    """Print what each participant showed, on the mean."""
    samples = load(path)
    print(samples.groupby("alias")[[*EMOTIONS, "valence"]].mean().round(3).to_string())
    marked = samples[samples["marker"].notna()]
    print(marked[["alias", "t", "marker"]].to_string(index=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
