"""What one connection, one address and all together may use; `docs/limits.md` explains each limit.

Every field is a setting: `frames_per_s` is `MIEN_FRAMES_PER_S`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any


def _whole(default: int, low: int, high: int) -> Any:  # noqa: ANN401 - as `field`, so that the type is the field's
    return field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits that a server's settings may change.

    Those of a connection hold for each Socket.IO connection, and each says what the connection may use of one
    thing if it uses nothing else: half of the frames leave half of the bytes.
    """

    connections: int = _whole(4096, 1, 1_000_000)
    connections_per_address: int = _whole(400, 1, 1_000_000)
    handshakes_per_s: int = _whole(50, 1, 1_000_000)
    frames_per_s: int = _whole(200, 1, 100_000)
    messages_per_s: int = _whole(1000, 1, 100_000)
    events_per_s: int = _whole(25, 1, 100_000)
    megabytes_per_s: int = _whole(64, 1, 100_000)
    unread_mb: int = _whole(8, 1, 1000)
    head_timeout_s: int = _whole(20, 1, 3600)
    body_timeout_s: int = _whole(60, 1, 3600)
    idle_timeout_s: int = _whole(75, 1, 3600)
    send_timeout_s: int = _whole(30, 1, 3600)
    ping_timeout_s: int = _whole(20, 1, 3600)
    analyze_at_once: int = _whole(16, 1, 10_000)
    analyze_at_once_per_sender: int = _whole(4, 1, 10_000)

    @classmethod
    def described(cls) -> Iterator[tuple[str, int, int, int]]:
        """Each limit's name, default, and the lowest and the highest value that it may have."""
        for one in fields(cls):
            default = getattr(cls(), one.name)
            yield one.name, default, one.metadata["low"], one.metadata["high"]
