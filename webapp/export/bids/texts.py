"""TSV and JSON as BIDS wants them, and the data set's README."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from webapp.export.bids.resample import RATE_HZ
from webapp.export.csv import text_cell
from webapp.export.snapshot import RoomSnapshot
from webapp.export.statistics.main_face import MIN_FRAMES
from webapp.export.tables import iso

MISSING = "n/a"
DIGITS = 6
BIDS_VERSION = "1.8.0"


def tsv(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as lines of tab-separated values; what is missing is `n/a`, and no text begins a formula."""
    return "".join("\t".join(map(_cell, row)) + "\n" for row in rows)


def json_text(value: Any) -> str:  # noqa: ANN401 - whatever JSON takes
    """Indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def description(room: RoomSnapshot, about: dict[str, Any]) -> dict[str, Any]:
    """`dataset_description.json`."""
    return {
        "Name": room.room.name or room.room.code,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "Mien", "Version": str(about.get("mien", ""))}],
    }


def readme(room: RoomSnapshot, about: dict[str, Any]) -> str:
    """`README`: what was recorded, and what was done to it."""
    return f"""\
{room.room.name}

Facial expressions of {len(room.participants)} participants, recorded with Mien {about.get("mien", "")} in
{len(room.recordings)} recordings of the room {room.room.code}, which was made at {iso(room.room.created_ms)}.
The expression model is {about.get("model", "")}. The values say what faces showed, as the model estimated it;
they are not what people felt.

Each recording is a run. `_physio.tsv.gz` has the participant's main face at {RATE_HZ} samples a second,
resampled from frames that came at uneven times; the sidecar says how. `_events.tsv` has the markers. The main
face of a frame is the one with the largest mean box over its recording, where a face that was tracked for
fewer than {MIN_FRAMES} frames weighs proportionally less.

`sourcedata` has what was recorded, unchanged: each participant's samples with all faces, the markers and the
participants as CSV, and `room.json` with a code book of every column. Add the authors of the study, and its
license, to dataset_description.json before you share this data set.
"""


def _cell(value: Any) -> str:  # noqa: ANN401 - a text, a number or nothing
    if isinstance(value, float):
        return f"{round(value, DIGITS):g}" if value == int(value) else str(round(value, DIGITS))
    if isinstance(value, str):
        value = text_cell(" ".join(value.split()))
    return str(value) if value not in (None, "") else MISSING
