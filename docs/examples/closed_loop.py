"""Follows a Mien room live and reacts to what faces show: a closed-loop experiment in its simplest form.

    python closed_loop.py https://mien.example.org ABCD2345 mien_...

prints a line whenever somebody has smiled for a second. The key needs the scope `rooms:read`. Only Python's
standard library is used, Python 3.8 or later.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
import urllib.error
import urllib.request
from typing import Any, Iterator

SILENCE_S = 30.0
"""The server says something at least every ten seconds; after this long without a word it is gone."""

RETRY_S = 1.0
MIN_HAPPINESS = 0.8
MIN_SMILE_S = 1.0


def events(server: str, room: str, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of a room, by name; comes back by itself and goes on where it was, until the room ends.

    Raises:
        urllib.error.HTTPError: the server refuses: a wrong key, or no such room.
    """
    last_id = ""
    while True:
        headers = {"Authorization": f"Bearer {key}"}
        if last_id:
            headers["Last-Event-ID"] = last_id
        request = urllib.request.Request(f"{server}/api/v1/rooms/{room}/stream", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=SILENCE_S) as response:
                for event_id, name, data in parsed(response):
                    last_id = event_id
                    yield name, data
                    if name == "end":
                        return
        except urllib.error.HTTPError as error:
            if error.code < 500:
                raise
        except (OSError, http.client.HTTPException) as error:
            print(f"The stream broke off ({error}); trying again.", file=sys.stderr)
        time.sleep(RETRY_S)


def parsed(lines: Iterator[bytes]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The id, name and data of each event in the lines of a stream."""
    fields: dict[str, str] = {}
    for line in lines:
        text = line.decode().rstrip("\r\n")
        if text.startswith(":"):
            continue  # a heartbeat
        if text:
            name, _, value = text.partition(": ")
            fields[name] = value
        elif "event" in fields:
            yield fields["id"], fields["event"], json.loads(fields["data"])
            fields = {}


class Smiles:
    """Notices who has smiled for `MIN_SMILE_S`, once for each smile."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._noticed: set[str] = set()

    def see(self, sample: dict[str, Any]) -> bool:
        """Take a sample; whether its participant has just smiled for long enough."""
        who, at_s = sample["participant"], sample["t"]
        if (sample["smooth_happiness"] or 0.0) < MIN_HAPPINESS:
            self._since.pop(who, None)
            self._noticed.discard(who)
            return False
        start_s = self._since.setdefault(who, at_s)
        if at_s - start_s < MIN_SMILE_S or who in self._noticed:
            return False
        self._noticed.add(who)
        return True


def main(server: str, room: str, key: str) -> None:
    """React until the room ends."""
    smiles = Smiles()
    for name, data in events(server.rstrip("/"), room, key):
        if name == "sample" and smiles.see(data):
            print(f"{data['timestamp']} {data['alias']} smiles", flush=True)  # here: change the stimulus
        elif name == "gap":
            print("Some events were missed.", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:4])
