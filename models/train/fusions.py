"""Ways to fuse the frames of one face over time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from webapp.analysis.quality import MIN_QUALITY, frame_quality
from webapp.analysis.smoothing import CREEP, DEADBAND, followed, mixed, pooled, smoothing_weight
from webapp.config import Settings
from webapp.protocol import LABELS, Probabilities

SMOOTHING_S = Settings().smoothing_s
SMOOTHER_S = 0.5
"""Another step of the page's range input."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What the server found of a face in one frame, in the track with this id.

    `sharpness` is the standard deviation of the crop's Laplacian by that of its gray values; `width` is in
    pixels, `yaw` in degrees.
    """

    track: int
    raw: Probabilities
    score: float
    sharpness: float
    width: float
    yaw: float


Frames = Sequence[Observation | None]
"""One after another; None where no face was found."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What the server found in a sequence that shows one face and then another.

    `labels` are indices into LABELS; `clean` are the probabilities of both faces without faults, in the order
    of LABELS, NaN where not found.
    """

    labels: tuple[int, int]
    clean: tuple[list[float], list[float]]
    frames: Frames


Mean = Callable[[Probabilities, Probabilities, float], Probabilities]
Quality = Callable[[Observation], float]


@dataclass(frozen=True, slots=True)
class _State:
    track: int
    seen_s: float
    recent: Probabilities
    shown: Probabilities
    evidence: float


@dataclass(frozen=True, slots=True)
class Fusion:
    """One way: `webapp.analysis.smoothing` with another mean, other qualities or another dead band.

    The qualities are multiplied; without any, all frames count alike.
    """

    title: str
    mean: Mean
    qualities: tuple[Quality, ...] = ()
    deadband: float = DEADBAND
    smoothing_s: float = SMOOTHING_S

    def fuse(self, frames: Frames, rate: float) -> NDArray[np.float64]:
        """The (n, 7) probabilities shown after each of n frames that come at a rate; NaN where None."""
        rows = np.full((len(frames), len(LABELS)), np.nan)
        state = None
        for number, frame in enumerate(frames):
            if frame is not None:
                state = self._after(state, frame, number / rate)
                rows[number] = [state.shown[label] for label in LABELS]
        return rows

    def _after(self, state: _State | None, frame: Observation, now_s: float) -> _State:
        quality = math.prod(of(frame) for of in self.qualities)
        if state is None or state.track != frame.track:
            return _State(frame.track, now_s, frame.raw, frame.raw, quality)
        elapsed_s = now_s - state.seen_s
        weight = smoothing_weight(elapsed_s, self.smoothing_s)
        evidence = (1 - weight) * state.evidence + weight * quality
        recent = self.mean(state.recent, frame.raw, weight * quality / evidence)
        creep = smoothing_weight(elapsed_s, CREEP * self.smoothing_s)
        shown = followed(state.shown, recent, creep, self.deadband)
        return _State(frame.track, now_s, recent, shown, evidence)


def newest(old: Probabilities, new: Probabilities, weight: float) -> Probabilities:
    """The new ones alone."""
    return new


def by_score(frame: Observation) -> float:
    """The quality that is served."""
    return frame_quality(frame.score)


def by_sharpness(frame: Observation) -> float:
    """Faces blurred by 2 to 6% of their side have a sharpness of 0.13 to 0.36, most others over 0.4."""
    return _rising(frame.sharpness, 0.15, 0.5)


def by_size(frame: Observation) -> float:
    """Crops are 48 pixels wide, a little wider than faces."""
    return _rising(frame.width, 16, 45)


def by_pose(frame: Observation) -> float:
    """Heads that turn to the side."""
    return _rising(-abs(frame.yaw), -35, -12)


def _rising(value: float, low: float, high: float) -> float:
    """MIN_QUALITY up to `low`, 1 from `high`, and evenly between."""
    return MIN_QUALITY + (1 - MIN_QUALITY) * min(1.0, max(0.0, (value - low) / (high - low)))


DEADBAND_BEFORE = 0.15
"""That of the arithmetic mean, when it was served."""

SINGLE = Fusion("single frames", newest, deadband=0.0)
BEFORE = Fusion("arithmetic mean, dead band 0.15 (time only)", mixed, deadband=DEADBAND_BEFORE)
SERVED = Fusion("log space, dead band 0.13, score (served)", pooled, (by_score,))

FUSIONS = (
    SINGLE,
    Fusion("arithmetic mean", mixed, deadband=0.0),
    BEFORE,
    Fusion("log space", pooled, deadband=0.0),
    Fusion("log space, dead band 0.15", pooled, deadband=DEADBAND_BEFORE),
    Fusion("log space, dead band 0.13", pooled),
    Fusion("... sharpness", pooled, (by_sharpness,)),
    Fusion("... size", pooled, (by_size,)),
    Fusion("... pose", pooled, (by_pose,)),
    SERVED,
    Fusion("... score, sharpness", pooled, (by_score, by_sharpness)),
    Fusion("... score, sharpness, size, pose", pooled, (by_score, by_sharpness, by_size, by_pose)),
    Fusion("log space, dead band 0.15, score", pooled, (by_score,), DEADBAND_BEFORE),
    Fusion("arithmetic mean, dead band 0.13", mixed),
    Fusion("arithmetic mean, dead band 0.13, score", mixed, (by_score,)),
    Fusion("time only, 0.5 s", mixed, deadband=DEADBAND_BEFORE, smoothing_s=SMOOTHER_S),
    Fusion("served, 0.5 s", pooled, (by_score,), smoothing_s=SMOOTHER_S),
)
