"""A person in a room, and what they show just now. Pure state: the clock is passed in.

`now_s` is `time.monotonic`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from webapp.protocol import Box, Face
from webapp.rooms.baseline import BaselineProgress
from webapp.rooms.clock_sync import ClockOffset
from webapp.rooms.readiness import Readiness
from webapp.store.concurrency import Turn
from webapp.store.records import ParticipantRecord

MAX_ALIAS_LENGTH = 30

MAX_LABEL_LENGTH = 100
"""Of the id that a panel or an experiment gives a participant."""

AWAY_TIMEOUT_S = 120.0
"""How long the seat of someone whose connection was lost is kept."""

RATE_WINDOW_S = 2.0


@dataclass(frozen=True, slots=True)
class ShownImage:
    """The newest frame of somebody whom hosts may see: a JPEG, PNG or WebP, and the boxes of its faces.

    Boxes are pixels of `width` x `height`. It is in memory only, and the next one replaces it.
    """

    content: bytes
    width: int
    height: int
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """The last analyzed frame of a participant: `face` is the largest of `faces` faces, if any.

    `image` is None unless hosts may see it.
    """

    at_s: float
    latency_ms: float
    faces: int
    face: Face | None
    image: ShownImage | None = None


KEPT_CONNECTIONS = 4
"""Frames of connections before these no longer arrive."""


@dataclass(slots=True)
class FaceNumbers:
    """Continues the numbering of a participant's faces over connections, each of which begins with 1.

    Otherwise a bystander could get the number that the participant's own face had before the page was
    reloaded. Frames of a connection that has ended may arrive late. The room's lock guards it.
    """

    _before: dict[str, int] = field(default_factory=dict)
    _last: int = 0

    def numbered(self, connection: str, faces: Sequence[Face]) -> tuple[Face, ...]:
        """The faces of a frame from a connection, with the numbers that they have in exports."""
        before = self._before.setdefault(connection, self._last)
        if len(self._before) > KEPT_CONNECTIONS:
            del self._before[next(iter(self._before))]
        numbered = tuple(replace(face, id=before + face.id) for face in faces)
        self._last = max([self._last, *(face.id for face in numbered)])
        return numbered


ELSEWHERE = "another node's"
"""Stands for the connection of a participant in a list, whose room another node serves."""


@dataclass(slots=True)
class Participant:
    """A person in a room; `connection` is None while they are away (since `away_s`).

    Any thread may read it. `record`, `next_frame`, `face_numbers` and `baseline` change under the lock of the
    room, `connection` and `away_s` under that of `Presence`; `turn` keeps the writes of the record to the
    store in order.
    `readiness` is what their page said last, None before it did.
    """

    record: ParticipantRecord
    connection: str | None = None
    away_s: float = 0.0
    next_frame: int = 0
    face_numbers: FaceNumbers = field(default_factory=FaceNumbers)
    clock: ClockOffset = field(default_factory=ClockOffset)
    baseline: BaselineProgress = field(default_factory=BaselineProgress)
    readiness: Readiness | None = None
    seen: Seen | None = None
    turn: Turn = field(default_factory=Turn)
    _frames_s: deque[float] = field(default_factory=lambda: deque(maxlen=200))

    def count_frame(self, now_s: float) -> None:
        """Note that a frame was analyzed."""
        self._frames_s.append(now_s)

    def frames_per_s(self, now_s: float) -> float:
        """Analysed frames a second, over the last seconds."""
        return sum(now_s - at_s <= RATE_WINDOW_S for at_s in tuple(self._frames_s)) / RATE_WINDOW_S

    def holds_seat(self, now_s: float) -> bool:
        """Whether nobody else can have their seat."""
        if self.record.left_ms is not None:
            return False
        return self.connection is not None or now_s - self.away_s < AWAY_TIMEOUT_S


def clean_alias(given: object) -> str:
    """The letters with marks, digits, blanks, dots and hyphens of an alias, from its first letter or digit.

    Spreadsheets take a text that begins otherwise for a formula.
    """
    text = unicodedata.normalize("NFC", given) if isinstance(given, str) else ""
    kept = re.sub(r"^\W+", "", "".join(filter(_may_be_in_alias, text)))
    return kept[:MAX_ALIAS_LENGTH].strip()


def _may_be_in_alias(character: str) -> bool:
    """Marks are a part of letters, as the vowels of Hindi and Thai."""
    return re.match(r"[\w .-]", character) is not None or unicodedata.category(character).startswith("M")


def clean_label(given: object) -> str:
    """The id of a participant as a panel or an experiment gave it, without what cannot be stored or seen."""
    text = "".join(filter(str.isprintable, given)) if isinstance(given, str) else ""
    return text.strip()[:MAX_LABEL_LENGTH].strip()
