"""Figures as SVG: inside the report's page, or as files that need nothing else."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

from webapp.config import PROJECT_ROOT
from webapp.export.figures import style
from webapp.export.figures.figure import LEFT, TIMES_HEIGHT, Figure
from webapp.export.figures.marker_labels import LANE_HEIGHT
from webapp.export.figures.shapes import WIDTH
from webapp.protocol import LABELS


@cache
def environment() -> Environment:
    """The templates of exports, with what figures need."""
    found = Environment(
        loader=FileSystemLoader(PROJECT_ROOT / "templates" / "export"),
        autoescape=select_autoescape(["html", "svg"]),
        trim_blocks=True,
        auto_reload=False,
    )
    found.filters["number"] = lambda value: f"{value:.1f}".removesuffix(".0")
    found.globals.update(
        labels=LABELS,
        left=LEFT,
        plot_width=WIDTH,
        lane_height=LANE_HEIGHT,
        legend_top=TIMES_HEIGHT + 4,
        patterns=style.HATCHES,
    )
    return found


def figure_svg(figure: Figure, element_id: str, *, is_file: bool = False) -> str:
    """A figure as an SVG element, or as a file; `element_id` is that of its title."""
    style_sheet = _file_css() if is_file else ""
    return str(_macros().figure(figure, element_id, style_sheet))


def hatches_svg() -> str:
    """The patterns that figures in a page refer to when they are printed."""
    return str(_macros().hatches())


@cache
def figure_css() -> str:
    """The style of figures; the page, or the file, has the inks."""
    return (
        environment()
        .get_template("figure.css")
        .render(
            colours=style.COLOURS,
            font=style.FONT,
            grid_width=style.GRID_WIDTH,
            grid_opacity=style.GRID_OPACITY,
            valence_width=style.VALENCE_WIDTH,
            marker_width=style.MARKER_WIDTH,
        )
    )


def inks_css(theme: str) -> str:
    """The variables of one of the `INKS`."""
    return " ".join(f"--{name}: {colour};" for name, colour in style.INKS[theme].items())


@cache
def _file_css() -> str:
    return f"svg {{ {inks_css('light')} }}\n{figure_css()}"


@cache
def _macros() -> Any:  # noqa: ANN401 - Jinja's module has the macros as attributes
    return environment().get_template("figure.svg").module
