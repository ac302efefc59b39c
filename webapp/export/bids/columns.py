"""The columns of the data set's files, as their JSON sidecars explain them."""

from __future__ import annotations

from typing import Any

from webapp.export.bids.resample import MAX_GAP_S, RATE_HZ
from webapp.export.codebook import COLUMNS
from webapp.export.statistics.tally import MEASURES

SIGNALS = (*MEASURES, "FaceScore", "Pitch", "Roll", "Yaw")
"""The columns of the samples that are resampled, of the main face."""

PHYSIO_COLUMNS = ("face", *SIGNALS)

_UNITS = {"Pitch": "deg", "Roll": "deg", "Yaw": "deg"}
_MEANINGS = {column.name: column.meaning for column in COLUMNS}

EVENTS: dict[str, Any] = {
    "onset": {"Description": "When the marker was set, since the start of the recording", "Units": "s"},
    "duration": {"Description": "A marker is a moment: 0", "Units": "s"},
    "trial_type": {"Description": "Label of the marker"},
    "source": {
        "Description": "Who set the marker",
        "Levels": {
            "board": "The host, on the dashboard",
            "api": "A program",
            "participant": "The participant",
            "lsl": "A Lab Streaming Layer stream",
        },
    },
}

PARTICIPANTS: dict[str, Any] = {
    "participant_id": {"Description": "Subject of this data set"},
    "mien_id": {"Description": "The participant in sourcedata: an identifier made at random"},
    "alias": {"Description": "The name that the participant gave, or got"},
    "participant_label": {"Description": "The participant's label in the experiment"},
    "samples": {"Description": "Rows of the participant in sourcedata"},
}


def physio_sidecar(task: str, about: dict[str, Any]) -> dict[str, Any]:
    """What a `_physio.json` says."""
    return {
        "SamplingFrequency": RATE_HZ,
        "StartTime": 0,
        "Columns": list(PHYSIO_COLUMNS),
        "TaskName": task,
        "Manufacturer": "Mien",
        "SoftwareVersions": str(about.get("mien", "")),
        "RecordingType": "continuous",
        "Resampling": (
            f"Mean of the frames within each 1/{RATE_HZ} s, centered on the sample; linear interpolation "
            f"between samples at most {MAX_GAP_S:g} s apart; n/a elsewhere. The frames as they came are in "
            "sourcedata."
        ),
        "face": {
            "Description": "Share of the frames of this sample that show a face; n/a where there is no frame",
            "Units": "arbitrary",
        },
        **{
            name: {
                "Description": f"{_MEANINGS[name]}. Of the main face.",
                "Units": _UNITS.get(name, "arbitrary"),
            }
            for name in SIGNALS
        },
    }
