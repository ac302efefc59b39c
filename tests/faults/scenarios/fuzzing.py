"""Coverage-guided fuzzing of what reads the bytes of others, by atheris (libFuzzer for Python)."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.fuzz.corpus import seeds
from tests.faults.fuzz.targets import TARGETS
from tests.faults.outcome import NOTHING, Outcome, at_least, none
from tests.faults.report import FOLDER
from tests.helpers.serving import PROJECT_ROOT

END_TIMEOUT_S = 120.0
INPUT_TIMEOUT_S = 20
"""An input that takes longer is a failure: a busy machine is slower than this one by far less."""

MAX_INPUT_BYTES = 100_000
MAX_MEMORY_MB = 2048
MIN_INPUTS = 500

INPUTS = re.compile(r"^stat::number_of_executed_units:\s+(\d+)", re.MULTILINE)
COVERAGE = re.compile(r"\bcov: (\d+)")
FAILED = ("crash-", "timeout-", "oom-", "leak-", "slow-unit-")

PROMISE = "Whatever reads the bytes of others reads them or refuses them, in bounded time and memory."


@dataclass(frozen=True, slots=True)
class _Fuzzed:
    """How many inputs a target had, how many places of the code they reached, and those that failed."""

    inputs: int
    coverage: int
    failures: list[Path]
    said: str


def run(seconds: float) -> Outcome:
    """Fuzz every target for an equal part of the time; FUZZ_SECONDS in the environment replaces it."""
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not installed; it has wheels for Linux only")
    each_s = float(os.environ.get("FUZZ_SECONDS", seconds)) / len(TARGETS)
    fuzzed = {name: _fuzz(name, max(1, round(each_s))) for name in TARGETS}
    failures = [path for one in fuzzed.values() for path in one.failures]
    for path in failures:
        print(f"failing input, in {path}: {path.read_bytes()[:200].hex()}")
    counts = ", ".join(f"{name} {one.inputs:,} ({one.coverage} places)" for name, one in fuzzed.items())
    return Outcome(
        promise=PROMISE,
        done=f"inputs by target: {counts}",
        lost="; ".join(path.name for path in failures[:5]) or NOTHING,
        figures=(
            none("failing inputs", len(failures)),
            at_least(
                "inputs of the target that had fewest", min(one.inputs for one in fuzzed.values()), MIN_INPUTS
            ),
        ),
    )


def _fuzz(name: str, seconds: int) -> _Fuzzed:
    """Fuzz a target; what it finds stays in build/faults/fuzz and is where the next run begins."""
    folder = FOLDER / "fuzz" / name
    corpus, failures = folder / "corpus", folder / "failures"
    shutil.rmtree(failures, ignore_errors=True)
    for each in (corpus, failures):
        each.mkdir(parents=True, exist_ok=True)
    for seed in seeds(name):
        (corpus / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        f"-timeout={INPUT_TIMEOUT_S}",
        f"-rss_limit_mb={MAX_MEMORY_MB}",
        f"-max_len={MAX_INPUT_BYTES}",
        f"-artifact_prefix={failures}/",
        "-print_final_stats=1",
    ]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.faults.fuzz.drive", name, *options, str(corpus)],
        cwd=PROJECT_ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=seconds + END_TIMEOUT_S,
        check=False,
    )
    said = done.stderr.decode(errors="replace")
    found = sorted(path for path in failures.iterdir() if path.name.startswith(FAILED))
    if done.returncode and not found:
        raise RuntimeError(f"Fuzzing {name} ended with {done.returncode}: {said[-2000:]}")
    inputs, coverage = INPUTS.findall(said), COVERAGE.findall(said)
    return _Fuzzed(int(inputs[-1]) if inputs else 0, int(coverage[-1]) if coverage else 0, found, said)
