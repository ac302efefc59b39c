"""What a report says about a room as a whole, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from webapp.export.snapshot import RoomSnapshot
from webapp.export.statistics.recordings import RoomStatistics, group_means
from webapp.export.tables import EPOCH, iso


class Facts(NamedTuple):
    """The numbers of the head and of the methods; a number is None where nothing was recorded.

    `people` have frames; `rates_per_s` is their lowest, mean and highest rate. `frames_with_others` counts
    the frames in which another face than the main one was found, `people_with_others` whose they are.
    """

    dates: str
    version: str
    models: str
    runtime: str
    smoothing_s: float | None
    consented: int
    people: int
    recordings: int
    minutes: float
    frames: int
    rates_per_s: tuple[float, float, float] | None
    face_share: float | None
    quality: float | None
    frames_with_others: int
    people_with_others: int
    lost: int
    waiting: int


def facts_of(room: RoomSnapshot, statistics: RoomStatistics, about: Mapping[str, Any]) -> Facts:
    """Gather the facts, once all samples were read."""
    group, rates = group_means(statistics.tallies()), statistics.rates_per_s()
    others = [
        (participant_id, person.frames_with_others)
        for one in statistics.recordings
        for participant_id, person in one.people.items()
        if person.frames_with_others
    ]
    return Facts(
        dates=_dates(room),
        version=str(about.get("mien", "")),
        models=", ".join(statistics.models) or str(about.get("model", "")),
        runtime=str(about.get("runtime", "")),
        smoothing_s=about.get("smoothing_s"),
        consented=len(room.participants),
        people=group.people,
        recordings=len(statistics.recordings),
        minutes=sum(one.span_s for one in statistics.recordings) / 60,
        frames=group.frames,
        rates_per_s=(min(rates), sum(rates) / len(rates), max(rates)) if rates else None,
        face_share=group.face_share,
        quality=group.quality,
        frames_with_others=sum(frames for _, frames in others),
        people_with_others=len({participant_id for participant_id, _ in others}),
        lost=int(about.get("lost", 0)),
        waiting=int(about.get("waiting", 0)),
    )


def _dates(room: RoomSnapshot) -> str:
    """The day of the first recording, and that of the last if it is another one, in UTC."""
    starts = [one.started_ms for one in room.recordings] or [room.room.created_ms]
    days = [date_text(starts[0]), date_text(starts[-1])]
    return " to ".join(dict.fromkeys(days))


def date_text(at_ms: float) -> str:
    """A day, such as 4 May 2026."""
    moment = datetime.fromisoformat(iso(at_ms) or EPOCH.isoformat())
    return f"{moment.day} {moment:%B %Y}"


def time_text(at_ms: float | None) -> str:
    """The time of a day, such as 10:11 UTC; empty where there is none."""
    whole = iso(at_ms)
    return f"{datetime.fromisoformat(whole):%H:%M} UTC" if whole else ""
