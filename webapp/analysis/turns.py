"""Whose turn it is at the workers.

Clients get turns one after another, but frames differ: one of four megapixels takes a worker thirty times as
long as one of 640 x 480. Whoever has lately used much more of the workers' time than others who wait is
passed over.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable

MEMORY_S = 5.0
"""After this time, what was used counts 1/e."""

EXPECTED_S = 0.01
"""What a job counts until it is known how long it took."""

FAIR_RATIO = 1.5
FAIR_S = 0.03
"""Owners who differ by less get turns one after another."""

NEGLIGIBLE_S = 0.001
"""Whoever has used less is forgotten: a thirtieth of what makes a difference."""

MAX_EXPONENT = 6.0
"""Weights are reckoned anew, and owners who are gone forgotten, when the weight is e to this power."""


class Turns:
    """The time of workers that each owner has used lately. Not locked: the pool's lock is held.

    What is used later weighs more, instead of what was used earlier losing weight: so nothing has to be
    reckoned anew when two owners are compared.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._origin_s = clock()
        self._used: dict[object, float] = {}

    def charge(self, owner: object, seconds: float) -> None:
        """Count time that an owner used; negative where too much was counted."""
        weight = self._weight()
        self._used[owner] = self._used.get(owner, 0.0) + seconds * weight

    def next(self, waiting: Iterable[object]) -> object:
        """Whose turn it is of those who wait, the one that waits longest first."""
        line, weight = list(waiting), self._weight()
        used = [self._used.get(owner, 0.0) for owner in line]
        fair = FAIR_RATIO * max(0.0, min(used)) + FAIR_S * weight
        return next(owner for owner, seconds in zip(line, used, strict=True) if seconds <= fair)

    def _weight(self) -> float:
        """What a second used now weighs. Ask for it before anything in `_used`, which it may reckon anew."""
        exponent = (self._clock() - self._origin_s) / MEMORY_S
        if exponent < MAX_EXPONENT:
            return math.exp(exponent)
        self._origin_s += exponent * MEMORY_S
        lighter = math.exp(-exponent)
        kept = {owner: seconds * lighter for owner, seconds in self._used.items()}
        self._used = {owner: seconds for owner, seconds in kept.items() if abs(seconds) > NEGLIGIBLE_S}
        return 1.0
