"""How much one frame tells of a face's expression, against other frames of the same face. Pure, no I/O."""

from __future__ import annotations

MIN_QUALITY = 0.1
"""Of a face that is hardly seen: if all frames are poor, their mean is still better than one of them."""

HIDDEN_SCORE, CLEAR_SCORE = 0.5, 0.9
"""Between these scores quality rises evenly from MIN_QUALITY to 1.

Of faces under faults, those with the lowest eighth of the scores were named as without faults in 69% of
the frames, those with the highest in 94%. Size, sharpness and pose add little to the score, which is low for
faces that are small, blurred or turned; docs/experiments.md, "Fusion over time", has the figures.
"""


def frame_quality(score: float) -> float:
    """The quality of a frame, MIN_QUALITY to 1, in which a face has this score (see `protocol.Face`)."""
    clearness = (score - HIDDEN_SCORE) / (CLEAR_SCORE - HIDDEN_SCORE)
    return MIN_QUALITY + (1 - MIN_QUALITY) * min(1.0, max(0.0, clearness))
