"""What a hidden session costs an experiment of another origin: `python -m tests.bench.bench_embed`.

Trials of 500 ms, each of which begins and ends with a frame of the display, in one page: by turns without
Mien and with a session that is recorded. The server and its worker share the machine with the browser.
"""

from __future__ import annotations

import statistics

from playwright.sync_api import Page

from tests.bench.browser import browser_with
from tests.bench.report import Goal, print_goals, print_rows, write_goals, write_json
from tests.browser import embedding, videos
from tests.helpers.experiment_site import ExperimentSite
from tests.helpers.room_client import TOKEN
from tests.helpers.serving import Server

TURNS = 3
TRIALS = 20
TRIAL_MS = 500.0
MAX_LONGER_MEDIAN_MS = 5.0
MAX_LONGER_WORST_MS = 20.0
MIN_RESULTS_PER_S = 10.0

JOINING = {"participant": "P01", "view": "hidden", "consent": "given"}


def main() -> list[Goal]:
    """Measure, and say what of the goals was reached."""
    with (
        ExperimentSite() as site,
        Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server,
        browser_with(lambda path: videos.write_still(path, (64, 0, 1.0))) as browser,
    ):
        page = browser.new_page()
        page.goto(f"{site.origin}/blank")
        return measure(page, server, site)


def measure(page: Page, server: Server, site: ExperimentSite) -> list[Goal]:
    """Trials by turns without and with a session, and what the session measured meanwhile."""
    room = embedding.embeddable_room(server, site, consent_by_experiment=True, participant_markers=True)
    embedding.record(server, room)
    without: list[float] = []
    within: list[float] = []
    frames = 0
    for turn in range(TURNS):
        without += durations(embedding.run_trials(page, TRIALS, TRIAL_MS))
        joined = embedding.join(page, server, room, **JOINING)
        assert "alias" in joined, joined
        trials = embedding.run_trials(page, TRIALS, TRIAL_MS, label=f"turn {turn}, trial")
        within += durations(trials)
        frames += sum(one["frames"] for one in embedding.collected(page, trials))
        embedding.run(page, "session.leave()")
    rows = [row_of("without Mien", without), row_of("with a session", within)]
    print_rows(f"{TURNS * TRIALS} trials of {TRIAL_MS:g} ms, milliseconds", rows)
    write_json("embed_trials", rows)
    longer_ms = statistics.median(within) - statistics.median(without)
    return [
        Goal("a trial is longer, median, ms", longer_ms, MAX_LONGER_MEDIAN_MS, at_most=True),
        Goal("a trial is longer, worst, ms", max(within) - max(without), MAX_LONGER_WORST_MS, at_most=True),
        Goal("results a second in a hidden frame", 1000 * frames / sum(within), MIN_RESULTS_PER_S),
    ]


def durations(trials: list[dict[str, float]]) -> list[float]:
    """How long each trial was, in milliseconds."""
    return [trial["end"] - trial["start"] for trial in trials]


def row_of(name: str, taken_ms: list[float]) -> dict[str, object]:
    """Median, 95th percentile and worst of some durations."""
    return {
        "trials": name,
        "median": statistics.median(taken_ms),
        "95th percentile": statistics.quantiles(taken_ms, n=20)[-1],
        "worst": max(taken_ms),
    }


if __name__ == "__main__":
    reached = main()
    print_goals(reached)
    write_goals("embed", reached)
