"""Unmasking a 40 kB websocket payload: ours against eventlet's, in one run.

`python -m tests.bench.bench_unmasking`
"""

from __future__ import annotations

import os

from eventlet.websocket import RFC6455WebSocket

from tests.bench.measure import print_table, timed
from webapp.server.websocket import apply_mask

PAYLOAD_BYTES = 40_000
MASK = (17, 34, 51, 204)


def main() -> None:
    """Time both and print the ratio of the medians."""
    payload = os.urandom(PAYLOAD_BYTES)
    ours = timed("numpy", lambda: apply_mask(payload, MASK))
    theirs = timed("eventlet, a byte at a time", lambda: RFC6455WebSocket._apply_mask(payload, MASK))
    print_table(f"Unmasking {PAYLOAD_BYTES:,} bytes", [ours, theirs])
    print(f"numpy is {theirs.median_ms / ours.median_ms:.0f} times as fast")


if __name__ == "__main__":
    main()
