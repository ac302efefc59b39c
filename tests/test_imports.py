"""Who may import whom: each contract of `[tool.importlinter]` holds and can fail; no test imports another."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

BREACHES = [
    ("layers", {"webapp/store/new.py": "import webapp.rooms"}),
    ("layers", {"webapp/server/new.py": "import webapp.ipc.framing"}),
    ("layers", {"webapp/new.py": ""}),
    ("layers", {"webapp/new/__init__.py": ""}),
    (
        "circles",
        {"webapp/rooms/one.py": "import webapp.rooms.two", "webapp/rooms/two.py": "import webapp.rooms.one"},
    ),
    ("worker-side", {"webapp/vision/new.py": "import webapp.store"}),
    (
        "worker-side",
        {"webapp/analysis/new.py": "", "webapp/analysis/worker.py": "import webapp.analysis.new"},
    ),
    ("vision-is-the-workers", {"webapp/rooms/new.py": "import webapp.vision.headers"}),
    ("worker-is-a-process", {"webapp/web/new.py": "import webapp.analysis.worker"}),
    ("jobs-run-in-a-process", {"webapp/web/new.py": "import webapp.jobs.work.runner"}),
    ("no-vision-libraries", {"webapp/analysis/new.py": "import numpy"}),
    ("eventlet", {"webapp/rooms/new.py": "import eventlet"}),
    ("web-framework", {"webapp/store/new.py": "from flask import request"}),
    ("training", {"webapp/analysis/new.py": "import models.train.settings"}),
]
"""For each contract a change that breaks it: lines added to modules, most of them new."""


def loaded_by(modules: list[str], suspects: set[str]) -> set[str]:
    """Those of the suspects that a Python holds which imports these modules and nothing else."""
    program = (
        f"import importlib, sys, warnings; warnings.simplefilter('ignore')\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        f"print(*{suspects!r} & set(sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


def modules_of_the_server() -> list[str]:
    """All modules that the serving process may import."""
    paths = [path.relative_to(ROOT) for path in ROOT.glob("webapp/**/*.py")]
    names = [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in sorted(paths)]
    elsewhere = (
        *("webapp.vision", "webapp.media", "webapp.analysis.worker", "webapp.analysis.files"),
        *("webapp.jobs.work", "webapp.cli", "webapp.__main__", "webapp.store.migrations"),
    )
    return [name for name in names if not f"{name}.".startswith(tuple(f"{part}." for part in elsewhere))]


def test_a_worker_loads_neither_flask_nor_socketio_nor_eventlet() -> None:
    modules = ["webapp.analysis.worker", "webapp.vision.pipeline"]
    assert loaded_by(modules, {"flask", "flask_socketio", "socketio", "eventlet"}) == set()


def test_the_serving_process_loads_no_vision_library() -> None:
    modules = modules_of_the_server()
    assert {"webapp.app", "webapp.analysis.worker_pool", "webapp.server"} <= set(modules)
    assert loaded_by(modules, {"cv2", "av", "tensorflow", "keras", "ai_edge_litert"}) == set()


def lint_imports(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()"]
    return subprocess.run(
        [*command, "--no-cache", *options], cwd=root, capture_output=True, text=True, check=False
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The packages and their contracts, to be changed."""
    only_source = shutil.ignore_patterns("*.keras", "*.tflite", "*.npz", "__pycache__")
    for package in ("webapp", "models"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=only_source)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_all_contracts_hold(copy: Path) -> None:
    run = lint_imports(copy)
    assert run.returncode == 0, run.stdout


def test_every_contract_is_broken_by_an_example() -> None:
    assert {contract["id"] for contract in CONTRACTS} == {contract for contract, _ in BREACHES}


@pytest.mark.parametrize(("contract", "sources"), BREACHES)
def test_a_contract_can_fail(copy: Path, contract: str, sources: dict[str, str]) -> None:
    for path, source in sources.items():
        (copy / path).parent.mkdir(exist_ok=True)
        with (copy / path).open("a") as module:
            module.write(f"\n{source}\n")
    run = lint_imports(copy, "--contract", contract)
    assert (run.returncode, "0 kept, 1 broken" in run.stdout) == (1, True), run.stdout + run.stderr


def imported(source: str) -> Iterator[str]:
    """The full names of all that a module imports, wherever it does."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def from_test_modules(source: str) -> list[str]:
    """What a module imports of a test module, or as one."""
    return [name for name in imported(source) if name.startswith("tests.") and ".test_" in name]


@pytest.mark.parametrize(
    "source",
    [
        "from tests.rooms.test_server import api",
        "from tests.rooms import test_server",
        "import tests.rooms.test_server",
        "def late():\n    from tests.rooms.test_server import api",
    ],
)
def test_an_import_of_a_test_module_is_found(source: str) -> None:
    assert from_test_modules(source)


def test_no_module_imports_a_test_module() -> None:
    """What several need is a helper, so that a test can be changed without a look at others."""
    sources = {path.relative_to(ROOT): path.read_text() for path in (ROOT / "tests").rglob("*.py")}
    found = {str(path): names for path, source in sources.items() if (names := from_test_modules(source))}
    assert len(sources) > 100 and found == {}
