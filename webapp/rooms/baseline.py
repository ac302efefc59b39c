"""Probabilities relative to a person's own neutral face. Pure; docs/baseline.md says more.

The logits of a frame are the logarithms of its seven probabilities, which are the classifier's logits up to a
constant that softmax takes away again. A person's baseline is the mean of the logits over some seconds of
looking neutral; relative probabilities are the softmax of the logits minus the baseline.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

BASELINE_S = 5.0
MIN_FRAMES = 5
"""Fewer frames with exactly one face make no baseline."""

ANSWER_TIMEOUT_S = 10.0
"""Pages begin two seconds after they were asked; one that has not by now is closed or hidden."""

END_TIMEOUT_S = 2.0
"""The first frame after the five seconds ends them; where none comes for so long, they failed."""

MIN_PROBABILITY = 1e-4
"""Smaller ones count as this: the logarithm of a tiny probability would outweigh all others."""

Vector = tuple[float, ...]


def logits(probabilities: Sequence[float]) -> Vector:
    """Log probabilities, bounded below by `MIN_PROBABILITY`."""
    return tuple(math.log(max(probability, MIN_PROBABILITY)) for probability in probabilities)


def softmax(values: Sequence[float]) -> Vector:
    """Probabilities that sum to 1."""
    highest = max(values)
    powers = [math.exp(value - highest) for value in values]
    return tuple(power / sum(powers) for power in powers)


def relative(probabilities: Sequence[float], baseline: Sequence[float]) -> Vector:
    """The probabilities relative to a baseline.

    A frame like the baseline gets the same probability for each of the seven.
    """
    shifted = [value - mean for value, mean in zip(logits(probabilities), baseline, strict=True)]
    return softmax(shifted)


Failure = Literal["no_answer", "no_frames", "no_face", "several_faces"]
"""Why a try brought no baseline."""

StateName = Literal["none", "asked", "running", "failed", "set"]


class BaselineTaking:
    """The five seconds over which a person looks neutral; times are `time.monotonic` seconds.

    One thread at a time may call it: `Recorder` does so under the room's lock.
    """

    def __init__(self, now_s: float) -> None:
        self._until_s = now_s + BASELINE_S
        self._logits: list[Vector] = []
        self._without_face = 0
        self._with_several = 0

    def add(self, faces: Sequence[Sequence[float]]) -> None:
        """Take a frame: the plain probabilities of each of its faces. Only those with one face count."""
        if len(faces) == 1:
            self._logits.append(logits(faces[0]))
        elif faces:
            self._with_several += 1
        else:
            self._without_face += 1

    def left_s(self, now_s: float) -> float:
        """How many seconds are left."""
        return max(0.0, self._until_s - now_s)

    def is_over(self, now_s: float) -> bool:
        """Whether the five seconds are over."""
        return now_s >= self._until_s

    def mean(self) -> Vector | None:
        """The baseline, or None if a face was seen too seldom."""
        if len(self._logits) < MIN_FRAMES:
            return None
        return tuple(sum(values) / len(values) for values in zip(*self._logits, strict=True))

    def failure(self) -> Failure:
        """What was in the way where `mean` is None."""
        if self._with_several > self._without_face:
            return "several_faces"
        return "no_face" if self._without_face else "no_frames"


@dataclass(frozen=True, slots=True)
class BaselineState:
    """How a person's baseline goes, for hosts: `left_s` while it runs, `reason` where it failed.

    `set_ms` is when it was set, in milliseconds since 1970; None if that was before the server's start.
    """

    name: StateName
    left_s: float | None = None
    reason: Failure | None = None
    set_ms: float | None = None


@dataclass(slots=True)
class BaselineProgress:
    """The tries at one person's baseline; times are `time.monotonic` seconds, `set_ms` is since 1970.

    It changes under the room's lock; any thread may read it.
    """

    taking: BaselineTaking | None = None
    set_ms: float | None = None
    _asked_s: float | None = None
    _failure: Failure | None = None

    def ask(self, now_s: float) -> None:
        """The person is asked to look neutral; their page begins in a moment."""
        self._asked_s, self._failure = now_s, None

    def begin(self, now_s: float) -> None:
        """The person looks neutral from now on."""
        self.taking = BaselineTaking(now_s)
        self._asked_s = self._failure = None

    def finish(self, now_ms: float) -> Vector | None:
        """End the five seconds; the baseline, if they brought one."""
        taking, self.taking = self.taking, None
        mean = taking.mean() if taking else None
        if mean is not None:
            self.set_ms = now_ms
        elif taking is not None:
            self._failure = taking.failure()
        return mean

    @property
    def failure(self) -> Failure | None:
        """Why the last try failed, if it did."""
        return self._failure

    def stop(self) -> None:
        """The person went away: a try that runs is over."""
        self.taking = self._asked_s = None

    def state(self, is_set: bool, now_s: float) -> BaselineState:
        """How it goes now; `is_set` says whether the person has a baseline, from any try."""
        taking, asked_s = self.taking, self._asked_s
        if taking is not None and not taking.is_over(now_s - END_TIMEOUT_S):
            return BaselineState("running", left_s=taking.left_s(now_s))
        if asked_s is not None and now_s - asked_s < ANSWER_TIMEOUT_S:
            return BaselineState("asked")
        failure = "no_frames" if taking else "no_answer" if asked_s is not None else self._failure
        if failure is not None:
            return BaselineState("failed", reason=failure)
        return BaselineState("set", set_ms=self.set_ms) if is_set else BaselineState("none")
