"""The report of a run of the fault suite: a table on the screen, and Markdown and JSON in build/faults."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from tests.bench.measure import machine
from tests.faults.outcome import Outcome, limit_of
from tests.helpers.serving import PROJECT_ROOT
from webapp.version import VERSION

FOLDER = PROJECT_ROOT / "build" / "faults"

KEPT, BROKEN, NOT_CHECKED = "kept", "BROKEN", "not checked"


@dataclass(frozen=True, slots=True)
class Line:
    """A fault of the report; without an outcome, `reason` says why there is none."""

    name: str
    status: str
    took_s: float
    outcome: Outcome | None = None
    reason: str = ""


def markdown(lines: Sequence[Line]) -> str:
    """The whole report."""
    head = f"Mien {VERSION}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}"
    parts = ["# Fault suite", head, _summary(lines), "## Figures", _figures(lines)]
    return "\n\n".join(part for part in parts if part) + "\n"


def write(lines: Sequence[Line]) -> None:
    """Keep the report, also of a run that is not over."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "report.md").write_text(markdown(lines))
    content = {"version": VERSION, "machine": machine(), "faults": [_fields(line) for line in lines]}
    (FOLDER / "report.json").write_text(json.dumps(content, indent=1) + "\n")


def _summary(lines: Sequence[Line]) -> str:
    rows = [
        (line.name, line.outcome.promise, line.outcome.done, line.outcome.lost, line.status)
        if line.outcome
        else (line.name, "", line.reason, "", line.status)
        for line in lines
    ]
    return _table(("fault", "promised", "done", "lost", "promise"), rows)


def _figures(lines: Sequence[Line]) -> str:
    rows = [
        (line.name, figure.name, limit_of(figure), f"{figure.got:.4g}", KEPT if figure.reached else BROKEN)
        for line in lines
        if line.outcome
        for figure in line.outcome.figures
    ]
    return _table(("fault", "figure", "limit", "measured", "promise"), rows)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(_cell(text) for text in row) + " |" for row in cells)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _fields(line: Line) -> dict[str, object]:
    """A line as JSON has it."""
    fields: dict[str, object] = {
        "name": line.name,
        "status": line.status,
        "took_s": round(line.took_s, 1),
        "reason": line.reason,
    }
    if line.outcome is None:
        return fields
    figures = [asdict(figure) | {"reached": figure.reached} for figure in line.outcome.figures]
    texts = {"promise": line.outcome.promise, "done": line.outcome.done, "lost": line.outcome.lost}
    return fields | texts | {"figures": figures}
