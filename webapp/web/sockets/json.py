"""Sends acknowledgements that are JSON already as they are.

python-socketio searches every acknowledgement for binary parts and then encodes it: 0.6 ms for the
points of one face. An `EncodedJson` is opaque to it, and `WireJson` writes it down unchanged.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class EncodedJson:
    """A value as JSON text."""

    text: str


class WireJson:
    """What python-socketio takes for the `json` module."""

    loads = staticmethod(json.loads)

    @staticmethod
    def dumps(value: object, **options: Any) -> str:  # noqa: ANN401 - whatever json.dumps takes
        """The value as JSON; an EncodedJson may be all of it, or the only item of a list."""
        match value:
            case EncodedJson(text):
                return text
            case [EncodedJson(text)]:
                return f"[{text}]"
        return json.dumps(value, **options)
