from __future__ import annotations

import json

import pytest
from socketio.packet import ACK, Packet

from webapp.web.sockets.json import EncodedJson, WireJson


class WirePacket(Packet):  # type: ignore[misc]  # python-socketio is untyped
    json = WireJson


def test_an_answer_that_is_json_already_goes_out_as_it_is() -> None:
    packet = WirePacket(ACK, namespace="/", id=7, data=[EncodedJson('{"seq":1}')])
    assert packet.encode() == '37[{"seq":1}]'


@pytest.mark.parametrize("value", [{"a": [1, 2]}, [], [1, "two"], "text", None, ["event", {"x": 1.5}]])
def test_everything_else_is_encoded_as_usual(value: object) -> None:
    assert json.loads(WireJson.dumps(value, separators=(",", ":"))) == value
    assert WireJson.loads(json.dumps(value)) == value
