"""The live view as tests use it: start it, read what it draws, answer its frames in the server's place."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, WebSocketRoute

from tests.browser.videos import MARKS
from tests.helpers.faces import face, probabilities
from tests.helpers.waiting import wait_until
from webapp.codec import encode_result, problem_to_wire
from webapp.errors import BusyError, UnavailableError
from webapp.protocol import STAGES, Result

FRAME_EVENT = re.compile(r'^451-(?P<ack>\d+)\["frame",(?P<meta>\{.*?\})')
"""Engine.IO message (4), Socket.IO binary event (5) with one attachment (1), acknowledgement id."""

TURN_S = 10
MAX_TURNS = 3

RESTS_ON = 3
"""Frames that a box's place and velocity rest on: with fewer recent ones it trails or overshoots a face."""

Answer = dict[str, Any]


def start(page: Page, screen: str = "start") -> None:
    """Press the button of the start screen, or of another one, and wait for the live view."""
    page.click(f'[data-screen="{screen}"] [data-start]')
    page.wait_for_selector('[data-screen="live"]', state="visible")


def wait_for_label(page: Page, label: str) -> None:
    """Wait until the panel names this expression."""
    page.wait_for_function("name => document.getElementById('readout-name').textContent === name", arg=label)


def drawings(page: Page, seconds: float) -> list[dict[str, Any]]:
    """What the overlay drew in this time, and on until it drew something; see drawn.js for the records."""
    page.evaluate(Path(__file__).with_name("drawn.js").read_text(), MARKS)
    page.wait_for_timeout(1000 * seconds)
    page.wait_for_function("() => window.drawn.length > 0")
    drawn: list[dict[str, Any]] = page.evaluate("window.drawn")
    return drawn


def drawing(page: Page, faces: int = 1) -> dict[str, Any]:
    """What the overlay draws now, once that is so many faces, none of which fades.

    Faces fade where no results come, as for a moment on a busy machine.
    """
    drawings(page, seconds=0.5)
    newest = page.wait_for_function(
        """count => {
            const drawing = window.drawn.at(-1);
            const isWhole = drawing.faces.every(({ opacity }) => opacity === 1);
            return isWhole && drawing.faces.length === count && drawing;
        }""",
        arg=faces,
    )
    found: dict[str, Any] = newest.json_value()
    return found


def note_answers(page: Page) -> None:
    """Have a page, not opened yet, note when each of its frames was captured and answered."""
    page.add_init_script(path=Path(__file__).with_name("answers.js"))


def fresh_drawings(page: Page, max_age_ms: float, count: int) -> list[dict[str, Any]]:
    """Drawings that rest on RESTS_ON frames of at most this age: `count`, or as many as a slow machine makes.

    The page notes its answers; see `note_answers`.
    """
    drawings(page, seconds=0)
    fresh: list[dict[str, Any]] = []
    for _ in range(MAX_TURNS):
        page.wait_for_timeout(1000 * TURN_S)
        drawn, answered = page.evaluate("[window.drawn, window.answered]")
        fresh = [drawing for drawing in drawn if _age_ms(drawing, answered) <= max_age_ms]
        if len(fresh) >= count:
            break
    return fresh


def _age_ms(drawing: dict[str, Any], answered: list[dict[str, float]]) -> float:
    """How old the oldest of the newest RESTS_ON frames is that were answered before a drawing."""
    captured_ms = [one["captured_ms"] for one in answered if one["arrived_ms"] <= drawing["time_ms"]]
    newest_ms = sorted(captured_ms)[-RESTS_ON:]
    return drawing["time_ms"] - newest_ms[0] if len(newest_ms) == RESTS_ON else math.inf


def changes_s(page: Page, element_id: str, seconds: float = 5, at_least: int = 0) -> list[tuple[float, str]]:
    """When an element's text changed, and to what, in this time and on until there are enough changes.

    The times are those that the page asked its clock for last: what it went by when it changed the text.
    """
    changes: list[tuple[float, str]] = page.evaluate(
        """async ([id, seconds, atLeast]) => {
            const changes = [];
            const element = document.getElementById(id);
            const now = performance.now.bind(performance);
            let asked_ms = now();
            performance.now = () => (asked_ms = now());
            const note = () => changes.push([asked_ms / 1000, element.textContent]);
            const observer = new MutationObserver(note);
            observer.observe(element, { childList: true, characterData: true, subtree: true });
            const pause = (s) => new Promise((done) => setTimeout(done, 1000 * s));
            await pause(seconds);
            while (changes.length < atLeast) await pause(0.1);
            observer.disconnect();
            delete performance.now;
            return changes;
        }""",
        [element_id, seconds, at_least],
    )
    return changes


def answer_frames(page: Page, answer: Callable[[int], Answer]) -> list[bytes]:
    """Answer each frame of a page, not opened yet, with `answer(seq)` in place of the server.

    The list that is returned fills with the frames.
    """
    frames: list[bytes] = []

    def route(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def forward(message: str | bytes) -> None:
            event = FRAME_EVENT.match(message) if isinstance(message, str) else None
            if event:
                seq = json.loads(event["meta"])["seq"]
                socket.send(f"43{event['ack']}[{json.dumps(answer(seq))}]")
            elif isinstance(message, str):
                server.send(message)
            else:
                frames.append(message)

        socket.on_message(forward)

    page.route_web_socket("**/socket.io/**", route)
    return frames


def wait_for(page: Page, condition: Callable[[], object]) -> None:
    """Wait until something holds of what Playwright tells, such as of a list that fills."""

    def holds() -> object:
        page.wait_for_timeout(50)  # lets Playwright take what happened
        return condition()

    wait_until(holds)


def wait_for_more(page: Page, frames: Sequence[object], count: int = 1) -> None:
    """Wait until a list that fills has so many more."""
    wanted = len(frames) + count
    wait_for(page, lambda: len(frames) >= wanted)


def sent_frames(page: Page) -> list[bytes]:
    """A list that fills with the frames that a page, not opened yet, sends."""
    frames: list[bytes] = []

    def listen(payload: str | bytes) -> None:
        if isinstance(payload, bytes):
            frames.append(payload)

    page.on("websocket", lambda socket: socket.on("framesent", listen))
    return frames


def sent_meta(page: Page) -> list[dict[str, Any]]:
    """A list that fills with what a page, not opened yet, says of each frame that it sends."""
    metas: list[dict[str, Any]] = []

    def listen(payload: str | bytes) -> None:
        event = FRAME_EVENT.match(payload) if isinstance(payload, str) else None
        if event:
            metas.append(json.loads(event["meta"]))

    page.on("websocket", lambda socket: socket.on("framesent", listen))
    return metas


def result(expression: str, seq: int = 0, confidence: float = 0.9) -> Answer:
    """A result with one face in the center of a 640 x 480 frame, as the server writes it."""
    shown = probabilities(expression, confidence)
    one = replace(face(x=260, y=170, width=120), probabilities=shown, raw_probabilities=shown, id=1)
    answer: Answer = json.loads(encode_result(Result(seq, 640, 480, (one,), dict.fromkeys(STAGES, 1.0))))
    return answer


def problem(code: str) -> Answer:
    """A problem as the server writes it."""
    error = next(kind for kind in (BusyError, UnavailableError) if kind.code == code)
    return problem_to_wire(0, error("The server cannot answer now."))
