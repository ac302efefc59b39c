"""The fault suite's own report: what is broken is said, and ends the run with an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faults import __main__ as command
from tests.faults import report, suite
from tests.faults.outcome import Outcome, at_least, check, none
from tests.faults.suite import Fault


def outcome(lost: int) -> Outcome:
    figures = (none("samples lost", lost), at_least("frames", 10, 5))
    return Outcome("Nothing is lost.", "1 store killed", f"{lost} samples", figures)


def unavailable(seconds: float) -> Outcome:
    pytest.skip("no such program")


def failing(seconds: float) -> Outcome:
    raise RuntimeError("the server was not ready")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of the reports, where these faults are all there are."""
    faults = (
        Fault("harmless", lambda seconds: outcome(0), 1),
        Fault("lossy", lambda seconds: outcome(3), 1),
        Fault("impossible here", unavailable, 1),
        Fault("unfinished", failing, 1),
    )
    monkeypatch.setattr(suite, "FAULTS", faults)
    monkeypatch.setattr(report, "FOLDER", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "code", "status"),
    [
        ("harmless", 0, "kept"),
        ("lossy", 1, "BROKEN"),
        ("impossible", 0, "not checked"),
        ("unfinished", 1, "BROKEN"),
    ],
)
def test_only_a_broken_promise_ends_the_run_with_an_error(
    run: Path, name: str, code: int, status: str
) -> None:
    assert command.main([name]) == code
    (fault,) = json.loads((run / "report.json").read_text())["faults"]
    assert fault["status"] == status


def test_the_report_has_what_was_promised_done_and_lost(run: Path) -> None:
    assert command.main([]) == 1
    text = (run / "report.md").read_text()
    assert "| lossy | Nothing is lost. | 1 store killed | 3 samples | BROKEN |" in text
    assert "| lossy | samples lost | at most 0 | 3 | BROKEN |" in text
    assert "| impossible here |  | no such program |  | not checked |" in text
    assert "the server was not ready" in text


def test_a_word_that_names_no_fault_is_answered_with_the_names(run: Path) -> None:
    with pytest.raises(SystemExit, match="harmless, lossy"):
        command.main(["moon"])


def test_a_broken_promise_fails_its_test_with_all_figures() -> None:
    check(outcome(0))
    with pytest.raises(AssertionError, match="BROKEN: samples lost: 3"):
        check(outcome(3))
