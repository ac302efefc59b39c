"""Every code of a problem has a text in the pages' language, and its line in the documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from webapp.errors import FailureCode, NotJoinedError, RoomError, UnavailableError

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "static" / "js"

ENTRY = re.compile(r'^  \["(\w+)", .*=> ', re.MULTILINE)

FAILURE_CODES = set(get_args(FailureCode))
IN_GENERAL = "unknown"
"""Said by the text that stands for all other codes."""


def codes_of(module: str) -> set[str]:
    """The codes that a module of the pages has a text for."""
    return set(ENTRY.findall((SCRIPTS / module).read_text()))


def kinds(error: type[RoomError]) -> Iterator[type[RoomError]]:
    """An error and all that are special cases of it."""
    yield error
    for each in error.__subclasses__():
        yield from kinds(each)


def test_every_problem_of_a_room_has_a_text_on_the_pages() -> None:
    sent = {error.code for error in kinds(RoomError)}
    sent |= {NotJoinedError.code, UnavailableError.code, "store_unavailable"}
    assert sent - codes_of("shared/problems.js") == set()


def test_every_reason_why_a_file_fails_has_a_text_on_its_page() -> None:
    assert FAILURE_CODES - {IN_GENERAL} - codes_of("files/problems.js") == set()


def test_every_reason_why_a_file_fails_is_documented() -> None:
    document = (ROOT / "docs" / "jobs.md").read_text()
    table = document.split("| code | means |")[1].split("\n\n")[0]
    named = set(re.findall(r"`(\w+)`", " ".join(line.split("|")[1] for line in table.splitlines() if line)))
    assert named == FAILURE_CODES


def test_no_text_of_a_page_names_a_setting_of_the_server() -> None:
    named = [path.name for path in SCRIPTS.rglob("*.js") if "MIEN_" in path.read_text()]
    assert named == []
