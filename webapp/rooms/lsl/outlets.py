"""Lab Streaming Layer: each participant is an outlet, each room's markers are another.

With `MIEN_LSL=1` LabRecorder and others find them in the network and line them up with EEG and eye tracking.
A participant's stream has the type `Expression` and 12 float32 channels, NaN where no face was found; of
several faces it carries the largest. A room's markers have the type `Markers`. Times are those of the samples
(when the camera saw it), on LSL's clock. https://labstreaminglayer.readthedocs.io
"""

from __future__ import annotations

import math
import threading
import time
from typing import Any

from webapp.errors import SettingsError
from webapp.protocol import LABELS
from webapp.rooms.participant import Participant
from webapp.rooms.room import Room
from webapp.store.records import MarkerRecord, SampleRecord

CHANNELS = (*LABELS, "valence", "score", "pitch", "roll", "yaw")
NO_FACE = [math.nan] * len(CHANNELS)


class LslOutlets:
    """The streams of all rooms; a participant's is made when they join, and ends when they are gone.

    Any thread may call it; `_lock` guards both dictionaries.

    Raises:
        SettingsError: pylsl is not installed, or does not work here.
    """

    def __init__(self) -> None:
        try:
            import pylsl
        except (ImportError, RuntimeError) as error:
            raise SettingsError(
                f"MIEN_LSL is 1, but pylsl cannot be used: {error}. Install requirements-lab.txt."
            ) from error
        self._pylsl = pylsl
        self._lock = threading.Lock()
        self._participants: dict[str, Any] = {}
        self._markers: dict[str, Any] = {}

    def joined(self, room: Room, participant: Participant) -> None:
        """Offer the streams, so that a recorder finds them before the first sample and the first marker."""
        with self._lock:
            if participant.record.id not in self._participants:
                self._participants[participant.record.id] = self._stream(room, participant)
        self._marker_stream(room)

    def samples(self, room: Room, participant: Participant, samples: list[SampleRecord]) -> None:
        """Send the samples of one frame: the largest face, or none. Of who is gone nothing is sent."""
        stream = self._participants.get(participant.record.id)
        if stream is not None:
            largest = max(samples, key=lambda sample: sample.box[2] if sample.box else 0.0)
            stream.push_sample(_values(largest), self._lsl_time(largest.timestamp_ms))

    def marker(self, room: Room, marker: MarkerRecord) -> None:
        """Send a marker, unless LSL is where it came from."""
        if marker.source == "lsl":
            return
        stream = self._marker_stream(room)
        if stream is not None:
            stream.push_sample([marker.label], self._lsl_time(marker.at_ms))

    def left(self, participant_id: str) -> None:
        """End a participant's stream."""
        with self._lock:
            self._participants.pop(participant_id, None)

    def ended(self, room: Room) -> None:
        """End the stream of a room's markers."""
        with self._lock:
            self._markers.pop(room.code, None)

    def _stream(self, room: Room, participant: Participant) -> Any:  # noqa: ANN401 - pylsl has no types
        record = participant.record
        name = f"Mien {room.code} {record.alias}"
        info = self._info(name, "Expression", len(CHANNELS), "float32", f"mien-{room.code}-{record.id}")
        channels = info.desc().append_child("channels")
        for label in CHANNELS:
            channels.append_child("channel").append_child_value("label", label)
        return self._pylsl.StreamOutlet(info)

    def _marker_stream(self, room: Room) -> Any:  # noqa: ANN401 - pylsl has no types
        """A room's stream of markers, made if need be; None where the room has ended."""
        with self._lock:
            if room.is_deleted or room.state == "closed":
                return None
            if room.code not in self._markers:
                name, source_id = f"Mien markers {room.code}", f"mien-{room.code}-markers"
                self._markers[room.code] = self._pylsl.StreamOutlet(
                    self._info(name, "Markers", 1, "string", source_id)
                )
            return self._markers[room.code]

    def _info(self, name: str, kind: str, channels: int, form: str, source_id: str) -> Any:  # noqa: ANN401
        rate = self._pylsl.IRREGULAR_RATE
        return self._pylsl.StreamInfo(name, kind, channels, rate, form, source_id)

    def _lsl_time(self, at_ms: float) -> float:
        """A time of the server's wall clock on LSL's clock."""
        local_s: float = self._pylsl.local_clock()
        return local_s - (time.time() - at_ms / 1000)


def _values(sample: SampleRecord) -> list[float]:
    if sample.raw is None or sample.pose is None or sample.valence is None or sample.score is None:
        return NO_FACE
    return [*sample.raw, sample.valence, sample.score, *sample.pose]
