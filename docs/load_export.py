"""Load what Mien exports: `python docs/load_export.py mien-CODE.zip`.

    samples = load("mien-CODE.zip")         # the ZIP of a room: CSV, Parquet or BIDS
    samples = load("results.csv")           # results of files: CSV, JSON or Parquet
    tables = load_tables("mien-CODE.zip")   # markers, participants and (not of BIDS) summary
    signals = load_physio("mien-CODE.zip")  # of BIDS: the main faces, resampled

All forms of the same data load as the same frames. Needs pandas, and pyarrow for Parquet. With Py-Feat
installed, `as_fex` returns the samples as a `feat.Fex`: `fex.emotions`, `fex.faceboxes`, `fex.poses`, and
`fex.extract_mean()` and similar methods by participant. `as_openface` names the columns as OpenFace does.
Tested with pandas 3.1.1 and Py-Feat 2.1.5. Mien's samples have no action units and no landmarks, so `fex.aus`
is empty.
"""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

EMOTIONS = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
MEASURES = [*EMOTIONS, "valence"]
FACE_BOX = ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore"]
POSE = ["Pitch", "Roll", "Yaw"]
TIMES = ["timestamp", "received", "captured"]
TEXTS = ["participant", "alias", "model", "marker", "participant_label"]
ALL_TIMES = [*TIMES, "time", "consented", "left"]
ALL_TEXTS = [
    *TEXTS,
    *("input", "label", "source", "scope"),
    *("information_version", "baseline", "consent_language", "consent_source"),
]
TABLES = ("markers", "participants", "summary")

GUARD = r"(^'(?=[\t\n])|(?:^|(?<=[;\t\n]))'(?=\s*[=+\-@＝＋－＠]))"  # noqa: RUF001 - full-width signs too
"""The apostrophes that CSV has before what a spreadsheet would run as a formula."""

MIN_FRAMES = 25
"""A face that was tracked for fewer frames weighs less where the main face is chosen."""


def load(path: Path | str) -> pd.DataFrame:
    """The samples of a room's export, or the results of files.

    Times are UTC in milliseconds, and empty cells are missing values.

    Raises:
        ValueError: a ZIP file has no samples.
    """
    path = Path(path)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return _samples_of(archive)
    if path.suffix == ".json":
        return _read_json(path)
    return pd.read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)


def load_tables(path: Path | str) -> dict[str, pd.DataFrame]:
    """The tables of a room's export beside the samples, by name, from any of its forms."""
    with zipfile.ZipFile(path) as archive:
        names = {Path(name).name: name for name in archive.namelist() if not name.startswith("sub-")}
        found = {}
        for table in TABLES:
            if f"{table}.parquet" in names:
                found[table] = pd.read_parquet(io.BytesIO(archive.read(names[f"{table}.parquet"])))
            elif f"{table}.csv" in names:
                with archive.open(names[f"{table}.csv"]) as file:
                    found[table] = _read_csv(file)
    return found


def load_physio(path: Path | str) -> pd.DataFrame:
    """The resampled signals of a BIDS export, with columns `subject`, `run` and `t` in seconds.

    Raises:
        ValueError: a ZIP file has none.
    """
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith("_physio.tsv.gz")]
        if not names:
            raise ValueError("No signals: the BIDS export of a room with samples has them.")
        return pd.concat([_read_physio(archive, name) for name in names], ignore_index=True)


def main_faces(samples: pd.DataFrame) -> pd.DataFrame:
    """One row for each frame: of its main face, or of no face.

    A camera may see more faces than the participant's own. The main face of a frame is, of those in it, the
    one with the greatest weight in its recording (with equal weights the one with the lower number): the sum
    of the areas of its boxes, divided by the number of its frames or by `MIN_FRAMES`, whichever is more, and
    rounded. Results of files have an `input` in place of participant and recording.
    """
    source = ["participant", "recording"] if "participant" in samples else ["input"]
    area = samples["FaceRectWidth"] * samples["FaceRectHeight"]
    face = area.groupby([*(samples[name] for name in source), samples["face_id"]])
    weight = (face.transform("sum") / face.transform("count").clip(lower=MIN_FRAMES)).round()
    order = samples.assign(_weight=weight).sort_values(["_weight", "face_id"], ascending=[False, True])
    main = order.drop_duplicates([*source, "frame"])
    return main.drop(columns="_weight").loc[lambda rows: rows.index.sort_values()]


def participant_means(samples: pd.DataFrame) -> pd.DataFrame:
    """The mean of each participant, by alias; the last row is the mean of the participants.

    The main face of each frame counts, and each participant counts alike: as in report.html and summary.csv.
    """
    person = ["participant", "alias"]
    frames = main_faces(samples)
    means = frames.groupby(person)[MEASURES].mean().droplevel("participant").sort_index()
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


def as_openface(samples: pd.DataFrame) -> pd.DataFrame:
    """The samples under OpenFace's names, as far as they mean the same.

    `frame`, `face_id` (from 0), `timestamp` (seconds since the start of the recording or file), `confidence`
    (FaceScore, which is another measure of the same), `success` (1 with a face, else 0), and the head's
    rotation `pose_Rx`, `pose_Ry`, `pose_Rz` in radians, in OpenFace's convention R = Rx * Ry * Rz in
    coordinates of the camera: x to the right, y down, z away from it. Mien's is roll * yaw * pitch, so the
    angles are converted, not only renamed. What OpenFace has no column for keeps its name.
    """
    rotation = _openface_rotation(*(np.radians(samples[name].to_numpy(float)) for name in POSE))
    head = {
        "frame": samples["frame"],
        "face_id": samples["face_id"] - 1,
        "timestamp": samples["t"],
        "confidence": samples["FaceScore"].fillna(0.0),
        "success": samples["face_id"].notna().astype(int),
        **dict(zip(("pose_Rx", "pose_Ry", "pose_Rz"), rotation, strict=True)),
    }
    rest = samples.drop(columns=["frame", "face_id", "timestamp", "t", "FaceScore", *POSE], errors="ignore")
    return pd.concat([pd.DataFrame(head, index=samples.index), rest], axis=1)


def _openface_rotation(pitch: Any, roll: Any, yaw: Any) -> tuple[Any, Any, Any]:  # noqa: ANN401 - arrays
    """The angles about x, y and z whose rotation Rx * Ry * Rz is Rz(roll) * Ry(-yaw) * Rx(-pitch)."""
    x, y = -pitch, -yaw
    across_z = np.sin(roll) * np.sin(x) + np.cos(roll) * np.sin(y) * np.cos(x)
    down_z = -np.cos(roll) * np.sin(x) + np.sin(roll) * np.sin(y) * np.cos(x)
    across_y = -np.sin(roll) * np.cos(x) + np.cos(roll) * np.sin(y) * np.sin(x)
    about_x = np.arctan2(-down_z, np.cos(y) * np.cos(x))
    return about_x, np.arcsin(across_z), np.arctan2(-across_y, np.cos(roll) * np.cos(y))


def _samples_of(archive: zipfile.ZipFile) -> pd.DataFrame:
    names = archive.namelist()
    if "samples.parquet" in names:
        return pd.read_parquet(io.BytesIO(archive.read("samples.parquet")))
    parts = []
    for name in names:
        if name == "samples.csv" or name.endswith("_samples.csv"):
            with archive.open(name) as file:
                parts.append(_read_csv(file))
    if not parts:
        raise ValueError("This export has no samples: nothing was recorded, or it is not one of Mien's.")
    samples = pd.concat(parts, ignore_index=True)
    return samples.sort_values(["recording", "t"], kind="stable", ignore_index=True)


def _read_csv(file: IO[bytes] | Path) -> pd.DataFrame:
    """Read without guessing types: an alias may be "NA", and an identifier may look like a number."""
    texts = dict.fromkeys(ALL_TEXTS, "str")
    table = pd.read_csv(file, dtype=texts, keep_default_na=False, na_values=[""])
    for name in set(ALL_TEXTS) & set(table.columns):
        table[name] = table[name].str.replace(GUARD, "", regex=True)
    for name in set(ALL_TIMES) & set(table.columns):  # a participant's clock may show an impossible date
        times = pd.to_datetime(table[name], format="ISO8601", utc=True, errors="coerce")
        table[name] = times.dt.as_unit("ms")
    return table


def _read_json(path: Path) -> pd.DataFrame:
    """Results of files as JSON: one frame with its faces a line, as rows with the columns of the CSV."""
    frames = json.loads(path.read_text(encoding="utf-8"))
    return pd.DataFrame([row for frame in frames for row in _json_rows(frame)])


def _json_rows(frame: dict[str, Any]) -> list[dict[str, Any]]:
    head = {name: frame[name] for name in ("input", "frame", "t")}
    return [{**head, **_json_face(face)} for face in frame["faces"] or [None]]


def _json_face(face: dict[str, Any] | None) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(["face_id", *FACE_BOX, *POSE, *MEASURES])
    values |= {f"smooth_{name}": None for name in EMOTIONS}
    if face is None:
        return values
    raw, smooth, pose = face["raw_probabilities"], face["probabilities"], face["pose"]
    negative = max(raw[label] for label in ("angry", "disgust", "fear", "sad"))
    return {
        "face_id": face["id"],
        **dict(zip(FACE_BOX, [*face["box"], face["score"]], strict=True)),
        **{name: pose[name.lower()] for name in POSE},
        **{name: raw[label] for name, label in zip(EMOTIONS, LABELS, strict=True)},
        "valence": raw["happy"] - negative,
        **{f"smooth_{name}": smooth[label] for name, label in zip(EMOTIONS, LABELS, strict=True)},
    }


def _read_physio(archive: zipfile.ZipFile, name: str) -> pd.DataFrame:
    sidecar = json.loads(archive.read(name.replace(".tsv.gz", ".json")))
    with archive.open(name) as file:
        signals = pd.read_csv(file, sep="\t", names=sidecar["Columns"], na_values=["n/a"], compression="gzip")
    parts = dict(part.split("-", 1) for part in Path(name).name.split("_") if "-" in part)
    signals.insert(0, "subject", parts["sub"])
    signals.insert(1, "run", int(parts["run"]))
    signals.insert(2, "t", sidecar["StartTime"] + signals.index / sidecar["SamplingFrequency"])
    return signals


def main(path: Path) -> None:
    """Print the mean of each participant, and the frames with markers."""
    samples = load(path)
    print(participant_means(samples).round(3).to_string())
    marked = samples[samples["marker"].notna()]
    print(marked[["alias", "t", "marker"]].to_string(index=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
