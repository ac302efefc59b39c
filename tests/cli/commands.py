"""Runs `mien analyze` and reads what it wrote."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from webapp.cli.main import main


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["analyze", *map(str, arguments)])


def all_forms(folder: Path) -> list[str]:
    """The options for results of every form in a folder."""
    return [word for form in ("csv", "json", "parquet") for word in (f"--{form}", f"{folder}/r.{form}")]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def inputs_of(found: Sequence[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(Path(row["input"]).name for row in found))
