"""How charts look, in the report as on the pages.

The same values are in static/js/shared/ (chart_style.js, expressions.js) and static/css/base.css; a test
compares them.
"""

from __future__ import annotations

COLOURS = {
    "angry": "#D55E00",
    "disgust": "#009E73",
    "fear": "#CC79A7",
    "happy": "#E69F00",
    "sad": "#0072B2",
    "surprise": "#56B4E9",
    "neutral": "#7F7F7F",
}
"""Okabe and Ito's, one for each expression."""

INKS = {
    "light": {
        "paper": "#f5f5f3",
        "surface": "#ffffff",
        "ink": "#14161b",
        "ink-soft": "#585c66",
        "line": "#dddfe0",
    },
    "dark": {
        "paper": "#0e1014",
        "surface": "#171a20",
        "ink": "#f1f2f4",
        "ink-soft": "#a3a8b3",
        "line": "#2a2e37",
    },
}
"""The colours of everything else, by the names of the pages' variables."""

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'
GRID_OPACITY = 0.16
GRID_SHARES = (0, 0.5, 1)
GRID_WIDTH = 1
VALENCE_WIDTH = 1.75
MARKER_WIDTH = 1.5

HATCHES = {
    "angry": "M0 0L6 6",
    "disgust": "M0 6L6 0",
    "fear": "M0 3H6",
    "happy": "M3 0V6",
    "sad": "M0 3H6M3 0V6",
    "surprise": "M0 0L6 6M0 6L6 0",
    "neutral": "",
}
"""The pattern that each expression has on paper, where it may be printed in black and white."""
