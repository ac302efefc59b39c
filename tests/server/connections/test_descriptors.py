from __future__ import annotations

import pytest

from webapp.server.connections.descriptors import SHORTAGE_S, Shortage


def test_a_shortage_lasts_some_seconds_and_is_announced_once_and_its_end_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now_s = 100.0
    shortage = Shortage(clock=lambda: now_s)
    shortage.accepted()
    assert not shortage and caplog.messages == []
    for _ in range(20):
        shortage.begin("Too many open files")
        shortage.accepted()  # an idle connection made way
        now_s += SHORTAGE_S / 2
        assert shortage
    now_s += SHORTAGE_S
    assert not shortage
    for _ in range(2):
        shortage.accepted()
    assert caplog.messages == [
        "no connection can be accepted at the moment: Too many open files",
        "connections are accepted again",
    ]
