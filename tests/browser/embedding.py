"""An experiment's page in a browser: it joins a room, runs trials, and tells what it measured."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from playwright.sync_api import Page

from tests.helpers.experiment_site import ExperimentSite
from tests.helpers.room_client import api, make_room
from tests.helpers.serving import Server

LIMIT_MS = 60_000
"""For a join: generous, as it only decides how soon a failure is known."""

CAPTURED_ERROR_MS = 1.01
"""The export rounds down to whole milliseconds; an epoch time in double precision is exact to 0.0003."""

JOIN = """async ([server, room, options, limit_ms]) => {
    const { Mien } = await import(`${server}/embed/mien.js`);
    window.Mien = Mien;
    const late = () => new Error('no answer in time');
    const timeout = new Promise((_, fail) => setTimeout(() => fail(late()), limit_ms));
    const joined = Mien.join({ server, room, ...options });
    try {
        window.session = await Promise.race([joined, timeout]);
        window.states = [];
        session.on('state', ({ state, reason }) => states.push(reason ? `${state} ${reason}` : state));
        return { state: session.state, ...session.joined };
    } catch (error) {
        return { name: error.name, code: error.code, message: error.message };
    }
}"""

WITHIN = """(promise, limit_ms) => Promise.race([
    promise, new Promise((_, fail) => setTimeout(() => fail(new Error('no answer in time')), limit_ms))])"""

TRIALS = """async ([count, duration_ms, label]) => {
    const nextFrame = () => new Promise((done) => requestAnimationFrame(done));
    const word = document.body.appendChild(document.createElement('p'));
    const trials = [];
    const marks = [];
    let start = await nextFrame();
    for (let index = 0; index < count; index += 1) {
        word.textContent = `word ${index}`;
        if (label) marks.push(session.mark(`${label} ${index}`, { time: start }));
        let now = start;
        while (now - start < duration_ms) now = await nextFrame();
        trials.push({ start, end: now });
        start = now;
    }
    word.remove();
    await Promise.allSettled(marks);
    return trials;
}"""
"""Runs trials that begin and end with a frame of the display; gives when each began and ended."""

COLLECT = """async ([trials]) => {
    const collected = [];
    for (const { start, end } of trials) collected.push(await session.collect(start, end));
    return collected;
}"""


def embeddable_room(server: Server, *sites: ExperimentSite, **settings: object) -> str:
    """A room that these sites may embed."""
    origins = [site.origin for site in sites]
    return make_room(server, allowed_origins=origins, **settings)


def join(page: Page, server: Server, room: str, **options: object) -> dict[str, Any]:
    """Join a room from an experiment's page; who joined, or the name, code and message of the error."""
    answer: dict[str, Any] = page.evaluate(JOIN, [server.url, room, options, LIMIT_MS])
    return answer


def show_frame(page: Page, url: str) -> int:
    """Show a frame, as a page does that uses no module of ours; its number."""
    number: int = page.evaluate(
        """(url) => new Promise((loaded) => {
            const frame = Object.assign(document.createElement('iframe'), { src: url, allow: 'camera' });
            frame.onload = () => loaded([...document.querySelectorAll('iframe')].indexOf(frame));
            document.body.append(frame);
        })""",
        url,
    )
    return number


def run(page: Page, script: str, *arguments: object) -> Any:  # noqa: ANN401 - whatever the page returns
    """What an asynchronous expression of the page comes to: `await session.mark('x')`, with `args`."""
    return page.evaluate(
        f"([args, limit_ms]) => ({WITHIN})((async () => {script})(), limit_ms)", [arguments, LIMIT_MS]
    )


def record(server: Server, room: str) -> None:
    """Start recording a room."""
    assert api(server, "POST", f"/rooms/{room}/recording", {"state": "started"}).status_code == 200


def rows_captured_at(samples: list[dict[str, str]], times_ms: list[float]) -> list[dict[str, str]]:
    """The exported rows of the frames captured at these exact times since 1970, one row each."""
    found = [min(samples, key=lambda row: abs(milliseconds(row["captured"]) - at_ms)) for at_ms in times_ms]
    for row, at_ms in zip(found, times_ms, strict=True):
        assert abs(milliseconds(row["captured"]) - at_ms) < CAPTURED_ERROR_MS, (row["captured"], at_ms)
    assert len({row["captured"] for row in found}) == len(times_ms)
    return found


def milliseconds(text: str) -> float:
    """Milliseconds since 1970 of a time in an export."""
    return 1000 * datetime.fromisoformat(text).timestamp()


def run_trials(
    page: Page, count: int = 20, duration_ms: float = 500, label: str = ""
) -> list[dict[str, float]]:
    """When each of some trials began and ended, on the page's clock; marked at each start if labelled."""
    trials: list[dict[str, float]] = page.evaluate(TRIALS, [count, duration_ms, label])
    return trials


def collected(page: Page, trials: list[dict[str, float]]) -> list[dict[str, Any]]:
    """What was measured in each of these trials."""
    found: list[dict[str, Any]] = page.evaluate(COLLECT, [trials])
    return found
