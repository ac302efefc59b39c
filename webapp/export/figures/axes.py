"""The axes of a figure: times across, and values up."""

from __future__ import annotations

from typing import NamedTuple

from webapp.export.figures.shapes import WIDTH

MAX_TICKS = 6
TICK_STEPS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400)
HOUR_S = 3600


class Tick(NamedTuple):
    """A line of the grid across time, and the time that it stands for."""

    x: float
    text: str


def ticks(span_s: float) -> list[Tick]:
    """The lines of the grid across a recording: at most `MAX_TICKS` steps, of a round number of seconds."""
    step_s = next((step_s for step_s in TICK_STEPS_S if span_s / step_s <= MAX_TICKS), TICK_STEPS_S[-1])
    return [Tick(WIDTH * at_s / span_s, clock_text(at_s)) for at_s in range(0, int(span_s) + 1, step_s)]


def clock_text(at_s: float) -> str:
    """A time of a recording as minutes and seconds, with hours from the first one on."""
    whole = int(at_s)
    minutes, seconds = divmod(whole % HOUR_S, 60)
    return f"{whole // HOUR_S}:{minutes:02d}:{seconds:02d}" if whole >= HOUR_S else f"{minutes}:{seconds:02d}"


def moment_text(at_s: float) -> str:
    """The same with tenths of a second, where it is not whole: an experiment's trials are short."""
    tenths = round(10 * at_s)
    return clock_text(tenths // 10) + (f".{tenths % 10}" if tenths % 10 else "")


def time_title(span_s: float) -> str:
    """What the axis of time says; `clock_text` writes hours from the first one on."""
    return f"Time in the recording ({clock_unit(span_s)})"


def clock_unit(span_s: float) -> str:
    """How `clock_text` writes the end of such a span."""
    return "h:min:s" if span_s >= HOUR_S else "min:s"
