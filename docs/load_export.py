"""Load the export of a room, CSV or Parquet: `python docs/load_export.py mien-CODE.zip`.

Needs pandas, and pyarrow for Parquet. With Py-Feat installed, `as_fex` returns the samples as a `feat.Fex`:
`fex.emotions`, `fex.faceboxes`, `fex.poses`, and `fex.extract_mean()` and similar methods by participant.
Tested with pandas 3.1.1 and Py-Feat 2.1.5. Mien's samples have no action units and no landmarks, so `fex.aus`
is empty.
"""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path
from typing import IO, Any

import pandas as pd

EMOTIONS = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
FACE_BOX = ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore"]
POSE = ["Pitch", "Roll", "Yaw"]
TIMES = ["timestamp", "received", "captured"]
TEXTS = ["participant", "alias", "model", "marker"]


def load(path: Path) -> pd.DataFrame:
    """The samples of an export; times are UTC in milliseconds, and empty cells are missing values."""
    with zipfile.ZipFile(path) as archive:
        if "samples.parquet" in archive.namelist():
            return pd.read_parquet(io.BytesIO(archive.read("samples.parquet")))
        with archive.open("samples.csv") as file:
            return _read_csv(file)


def _read_csv(file: IO[bytes]) -> pd.DataFrame:
    """Read without guessing types: an alias may be "NA", and an identifier may look like a number."""
    texts = dict.fromkeys(TEXTS, "str")
    samples = pd.read_csv(file, dtype=texts, keep_default_na=False, na_values=[""])
    for name in TIMES:  # a participant's clock may show an impossible date
        times = pd.to_datetime(samples[name], format="ISO8601", utc=True, errors="coerce")
        samples[name] = times.dt.as_unit("ms")
    return samples


def participant_means(samples: pd.DataFrame) -> pd.DataFrame:
    """The mean of each participant, by alias; the last row is the mean of the participants.

    Frames are averaged, not rows: a frame has one row for each face and would count that many times.
    """
    person, values = ["participant", "alias"], [*EMOTIONS, "valence"]
    frames = samples.groupby([*person, "recording", "frame"])[values].mean()
    means = frames.groupby(person).mean().droplevel("participant").sort_index()
    return pd.concat([means, means.mean().to_frame("All participants").T])


def as_fex(samples: pd.DataFrame) -> Any:  # noqa: ANN401 - feat.Fex, where Py-Feat is installed
    """The samples in Py-Feat's form, with one session for each participant."""
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
    """Print the mean of each participant, and the frames with markers."""
    samples = load(path)
    print(participant_means(samples).round(3).to_string())
    marked = samples[samples["marker"].notna()]
    print(marked[["alias", "t", "marker"]].to_string(index=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
