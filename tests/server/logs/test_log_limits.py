from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from webapp.server.logs.log_limits import LINES_PER_WINDOW, WINDOW_S, RepetitionFilter


class Lines(logging.Handler):
    """Keeps what is logged, as it would be written."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.lines: list[str] = []
        self.addFilter(RepetitionFilter(lambda: self.now_s))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def log() -> Iterator[Lines]:
    handler = Lines()
    names = ("engineio.test", "mien.test")
    for name in names:
        logging.getLogger(name).addHandler(handler)
    yield handler
    for name in names:
        logging.getLogger(name).removeHandler(handler)


def fail(logger: str, text: str = "no") -> None:
    try:
        raise ValueError(text)
    except ValueError:
        logging.getLogger(logger).exception("%s failed", "it")


def test_a_message_that_repeats_is_counted_instead(log: Lines) -> None:
    for number in range(1000):
        logging.getLogger("mien.test").warning("packet %d is bad", number)
    assert log.lines == [f"packet {number} is bad" for number in range(LINES_PER_WINDOW)]
    log.now_s = WINDOW_S
    logging.getLogger("mien.test").warning("packet %d is bad", 1000)
    assert log.lines[-1] == f"packet 1000 is bad ({1000 - LINES_PER_WINDOW} more like it)"


def test_a_message_of_another_kind_is_logged_all_the_same(log: Lines) -> None:
    for _ in range(100):
        logging.getLogger("mien.test").warning("one kind")
    logging.getLogger("mien.test").warning("another")
    assert log.lines[-1] == "another"


def test_a_traceback_of_a_library_is_one_short_line(log: Lines) -> None:
    fail("engineio.test", "x" * 10_000 + "\n" + "y")
    (line,) = log.lines
    assert line.startswith("it failed: ValueError: xxx")
    assert len(line) <= 200 and "\n" not in line


def test_no_client_begins_a_line_or_a_command_of_a_terminal_in_what_a_library_logs(log: Lines) -> None:
    logging.getLogger("engineio.test").error("Invalid session x\n2026-05-04 CRITICAL mien: \x1b[2J\u2028gone")
    assert log.lines == ["Invalid session x 2026-05-04 CRITICAL mien:  [2J gone"]


def test_a_traceback_of_our_own_is_kept(log: Lines) -> None:
    fail("mien.test")
    assert "Traceback" in log.lines[0]
