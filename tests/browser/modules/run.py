"""Runs pieces of JavaScript with the pure modules of the pages, where they belong: in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Run = Callable[[str], Any]
"""Takes a piece of JavaScript that finds the modules in `js`, such as `js.rate.RateController`."""

MODULES = (
    "dashboard/api",
    "dashboard/grid",
    "dashboard/marker_queue",
    "dashboard/past",
    "live/overlay/geometry",
    "live/overlay/labels",
    "live/overlay/motion",
    "live/rate",
    "live/scene",
    "live/status",
    "live/panel/minute_chart",
    "room/baseline",
    "shared/announcements",
    "shared/chart_style",
    "shared/problems",
    "shared/rolling_window",
    "shared/translate",
)
