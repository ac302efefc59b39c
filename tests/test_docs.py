"""The documents say what is true of the code."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from webapp.config.limits import Limits
from webapp.server.connections.refusals import REFUSALS

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("models/*.md")]
    if path.is_file()
)


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_lead_to_files(document: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_make_targets_that_are_named_exist(document: Path) -> None:
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", document.read_text(), re.MULTILINE))
    assert named <= make_targets()


def test_every_setting_is_documented_and_every_documented_setting_is_read() -> None:
    config = (ROOT / "webapp" / "config" / "settings.py").read_text()
    read = {f"MIEN_{name}" for name in re.findall(r'read\.\w+\(\s*"(\w+)"', config)}
    read |= {f"MIEN_{name.upper()}" for name, *_ in Limits.described()}
    documented = set(
        re.findall(r"^\| `(MIEN_\w+)`", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    )
    assert read == documented


@pytest.mark.parametrize(("name", "default"), [(name, default) for name, default, *_ in Limits.described()])
def test_limits_are_listed_with_their_defaults(name: str, default: int) -> None:
    settings = (ROOT / "docs" / "settings.md").read_text()
    assert re.search(rf"^\| `MIEN_{name.upper()}` \|.*\| `{default}` \|$", settings, re.MULTILINE)
    rows = [row for row in (ROOT / "docs" / "limits.md").read_text().splitlines() if row.startswith("|")]
    (row, *_) = [row for row in rows if f"`MIEN_{name.upper()}`" in row]
    assert str(default) in row.replace(",", "")


def test_what_is_refused_is_listed_under_the_name_that_metrics_have() -> None:
    source = "".join(path.read_text() for path in (ROOT / "webapp").rglob("*.py"))
    counted = set(re.findall(r'count_refusal\(\s*"([^"]+)"\)', source)) | REFUSALS.keys()
    table = (ROOT / "docs" / "limits.md").read_text()
    assert len(counted) > 15
    assert [limit for limit in counted if f"`{limit}`" not in table] == []


def test_make_help_names_every_target_and_setting() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {f"make {target}" for target in make_targets()} <= set(re.findall(r"make [a-z-]+", shown))
    assert "MIEN_WORKERS" in shown


def test_the_map_of_the_code_names_every_module_of_the_server() -> None:
    architecture = (ROOT / "ARCHITECTURE.md").read_text()
    modules = [path.name for path in (ROOT / "webapp").glob("[a-z]*.py")]
    assert [name for name in modules if name not in architecture] == []


def test_no_document_names_a_feeling_as_if_a_camera_saw_it() -> None:
    for document in DOCUMENTS:
        assert not re.search(
            r"emotions? felt|detects? emotions?|how (people|you) feel", document.read_text()
        ), document


SECURITY_ROWS = [
    line
    for line in (ROOT / "docs" / "security.md").read_text().split("## Requirements")[1].splitlines()
    if line.startswith("|") and not line.startswith(("| requirement", "|---"))
]


@pytest.mark.parametrize("row", SECURITY_ROWS, ids=lambda row: row.split("|")[1].strip()[:60])
def test_every_security_requirement_names_tests_that_exist_or_says_that_none_does(row: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
    assert len(named) == row.count("::")
    assert named or "| not covered" in row
    for path, name in named:
        assert f"def {name}(" in (ROOT / path).read_text(), f"{path}::{name}"
