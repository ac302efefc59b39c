"""Which participant is which subject of the data set."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from typing import Any

from webapp.export.figures.names import file_part
from webapp.export.snapshot import RoomSnapshot

DEFAULT_TASK = "expression"


def subject_labels(people: Sequence[Any], recorded: Container[str]) -> dict[str, str]:
    """The label of each participant, by id: letters and digits alone, as BIDS wants.

    It is the label that the participant has in the experiment, without all other characters; where there is
    none, or another has the same (those who were `recorded`, by id, before others), it is the number of the
    participant in the order of consent. Nobody gets a number that is the label of somebody else.
    """
    digits = max(2, len(str(len(people))))
    labels: dict[str, str] = {}
    taken: set[str] = set()
    for one in sorted(people, key=lambda one: one.id not in recorded):
        own = plain(one.participant_label or "")
        if own and own.casefold() not in taken:
            labels[one.id] = own
            taken.add(own.casefold())
    for number, one in enumerate(people, 1):
        if one.id not in labels:
            labels[one.id] = _free(f"{number:0{digits}d}", taken)
            taken.add(labels[one.id])
    return {one.id: labels[one.id] for one in people}


def task_label(room: RoomSnapshot) -> str:
    """The room's name as the label of a task."""
    words = file_part(room.room.name).split("-")
    return "".join(word[:1].upper() + word[1:] for word in words) or DEFAULT_TASK


def plain(text: str) -> str:
    """The ASCII letters and digits of a text."""
    return re.sub(r"[^A-Za-z0-9]", "", file_part(text))


def _free(label: str, taken: set[str]) -> str:
    while label in taken:
        label = f"0{label}"
    return label
