"""What is known of a job: the record that lies beside its files, as JSON. Standard library and errors only.

    queued > running > done | failed        `cancelled` is what its owner hears of a job that is removed

The server writes a record once, when the job is made; from then on the job process writes it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple

from webapp.errors import FailureCode, FileError

Kind = Literal["image", "images", "video"]
"""`images` is a ZIP of them."""

State = Literal["queued", "running", "done", "failed", "cancelled"]

Lane = Literal["images", "video"]
"""Jobs of one lane run one after the other, those of both side by side: an image never waits for a video."""

LANES: tuple[Lane, ...] = ("images", "video")

INPUT = "input"
"""The name of the file that was sent, in the folder of its job."""

ADDRESS = "address:"
"""What jobs of other machines without an account count for begins like this."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something failed: in English, which names the file, and as a stable code with its numbers."""

    text: str
    code: FailureCode = "unknown"
    values: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, error: FileError) -> Reason:
        """The reason that an error gives."""
        return cls(str(error), error.code, error.values)

    @classmethod
    def from_kept(cls, kept: Any) -> Reason:  # noqa: ANN401 - JSON
        """The reason in a record; earlier versions kept the text alone."""
        return cls(kept) if isinstance(kept, str) else cls(**kept)


class Failure(NamedTuple):
    """An image of a ZIP that could not be analyzed, or a result that could not be written, and why."""

    input: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job, as it was asked for and as far as it is.

    `owner` is who may see it, `counts_for` whose limit it counts towards. `every` or `fps` say which frames
    of a video are analyzed. Times are seconds since 1970. `attempts` counts how often it was begun. `error`
    says why it failed. `results` are the files that can be fetched, by name.
    """

    id: str
    owner: str
    counts_for: str
    name: str
    kind: Kind
    media_type: str
    bytes: int
    created_s: float
    every: int = 1
    fps: float | None = None
    state: State = "queued"
    progress: float = 0.0
    remaining_s: float | None = None
    attempts: int = 0
    finished_s: float | None = None
    error: Reason | None = None
    failures: tuple[Failure, ...] = ()
    results: tuple[str, ...] = ()

    @property
    def lane(self) -> Lane:
        """Which jobs it waits for."""
        return "video" if self.kind == "video" else "images"

    @property
    def is_anonymous(self) -> bool:
        """Whether it came from another machine without an account."""
        return is_anonymous(self.counts_for)

    @property
    def is_finished(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state in ("done", "failed", "cancelled")

    def to_json(self) -> str:
        """The record as it is kept."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> JobRecord:
        """The record that was kept.

        Raises:
            ValueError: it is damaged, or was kept by another version.
        """
        try:
            kept: dict[str, Any] = json.loads(text)
            kept["failures"] = tuple(Failure(name, Reason.from_kept(why)) for name, why in kept["failures"])
            kept["error"] = kept["error"] and Reason.from_kept(kept["error"])
            kept["results"] = tuple(kept["results"])
            return cls(**kept)
        except (TypeError, KeyError) as error:
            raise ValueError(f"The record of a job is damaged: {error}.") from error


def is_anonymous(counts_for: str) -> bool:
    """Whether jobs that count for this are sent from another machine without an account."""
    return counts_for.startswith(ADDRESS)
