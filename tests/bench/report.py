"""What benchmarks leave behind: tables on the screen, JSON and plots in build/bench, and the goals with what
was reached."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402 - the backend comes first

from tests.bench.measure import machine
from tests.helpers.serving import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "build" / "bench"

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that must reach a limit: at least it, or, with `at_most`, at most it."""

    name: str
    got: float
    limit: float
    at_most: bool = False

    @property
    def reached(self) -> bool:
        """Whether it does."""
        return self.got <= self.limit if self.at_most else self.got >= self.limit


def print_rows(title: str, rows: Sequence[Row]) -> None:
    """Rows of the same columns as a table; numbers with one decimal."""
    columns = list(rows[0])
    cells = [columns, *([_text(row[column]) for column in columns] for row in rows)]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    print(f"\n{title}\n{machine()}")
    for line in cells:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))


def print_goals(goals: Sequence[Goal]) -> None:
    """Every goal, what was got, and whether that is enough."""
    print(f"\n{'Goals':72}{'wanted':>10}{'got':>10}")
    for goal in goals:
        wanted = f"{'<=' if goal.at_most else '>='} {goal.limit:g}"
        print(f"{goal.name:72}{wanted:>10}{goal.got:10.2f}  {'yes' if goal.reached else 'NO'}")


def write_json(name: str, rows: Sequence[Row]) -> None:
    """Keep the rows, with the machine that they come from."""
    content = {"machine": machine(), "rows": rows}
    _path(f"{name}.json").write_text(json.dumps(content, indent=1, default=str) + "\n")


def write_goals(name: str, goals: Sequence[Goal]) -> None:
    """Keep the goals."""
    write_json(name, [asdict(goal) | {"reached": goal.reached} for goal in goals])


def write_plot(name: str, rows: Sequence[Row], x: str, left: str, right: str) -> None:
    """Two columns over a third, each with its own axis."""
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    positions = [str(row[x]) for row in rows]
    for ax, column, colour in ((axes, left, "#0072B2"), (axes.twinx(), right, "#D55E00")):
        ax.plot(positions, [float(str(row[column])) for row in rows], marker="o", color=colour)
        ax.set_ylabel(column, color=colour)
        ax.set_ylim(bottom=0)
    axes.set_xlabel(x)
    axes.set_title(f"{name}: {machine()}", fontsize=8)
    figure.savefig(_path(f"{name}.png"), dpi=120)
    plt.close(figure)


def _path(name: str) -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    return FOLDER / name


def _text(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
