"""When frames are sent, and how large they are."""

from __future__ import annotations

import pytest

from tests.browser.modules.run import Run


def test_rate_falls_at_once_and_rises_slowly(run: Run) -> None:
    first, lowest, after_10_s, at_last = run(
        """
        const rate = new js.rate.RateController();
        let now = 0;
        const answers = (round_trip_ms, seconds) => {
            for (const end = now + 1000 * seconds; now < end; now += 50) rate.answered(round_trip_ms, now);
            return rate.frames_per_s;
        };
        return [answers(40, 1), answers(400, 20), answers(40, 10), answers(40, 60)];
        """
    )
    assert first == pytest.approx(16, abs=0.3)
    assert lowest == pytest.approx(2)
    assert after_10_s == pytest.approx(12, abs=1)
    assert at_last == 30


def test_rate_stays_high_on_a_network_that_is_slow_but_not_full(run: Run) -> None:
    assert (
        run(
            """
            const rate = new js.rate.RateController();
            for (let now = 0; now < 60000; now += 50) rate.answered(250 + 30 * Math.sin(now), now);
            return rate.frames_per_s;
            """
        )
        == 30
    )


def test_rate_goes_down_when_refused_but_not_for_each_of_many_at_once(run: Run) -> None:
    first, second = run(
        """
        const rate = new js.rate.RateController();
        for (let now = 0; now < 100; now += 10) rate.refused(now);
        const first = rate.frames_per_s;
        rate.refused(2000);
        return [first, rate.frames_per_s];
        """
    )
    assert (first, second) == (pytest.approx(0.7 * 15), pytest.approx(0.7 * 0.7 * 15))


def test_frames_become_smaller_as_they_become_fewer(run: Run) -> None:
    sides = run(
        """
        const rate = new js.rate.RateController();
        const sides = [];
        for (let now = 0; now < 8000; now += 1000) { rate.refused(now); sides.push(rate.step.side); }
        return sides;
        """
    )
    assert sides[0] == 640
    assert sides[-1] == 320
    assert sides == sorted(sides, reverse=True)


def test_pages_that_share_a_full_server_come_to_equal_rates_and_use_it(run: Run) -> None:
    """A server of 100 frames a second with a queue; six pages, the last joins when the others fill it."""
    rates, served, longest_ms = run(
        """
        const CAPACITY = 100, STEP_MS = 20, END_MS = 240000;
        const pages = Array.from({ length: 6 }, () => new js.rate.RateController());
        const sums = pages.map(() => 0);
        let queued = 0, served = 0, longest_ms = 0;
        for (let now = 0; now < END_MS; now += STEP_MS) {
            const here = now < 60000 ? pages.slice(0, 5) : pages;
            const sent = here.map((page) => page.frames_per_s * STEP_MS / 1000);
            const waiting = queued + sent.reduce((sum, one) => sum + one);
            const done = Math.min(waiting, CAPACITY * STEP_MS / 1000);
            queued = waiting - done;
            for (const page of here) page.answered(20 + 1000 * queued / CAPACITY, now);
            if (now < END_MS / 2) continue;
            served += done;
            longest_ms = Math.max(longest_ms, 1000 * queued / CAPACITY);
            pages.forEach((page, index) => { sums[index] += page.frames_per_s; });
        }
        const turns = END_MS / 2 / STEP_MS;
        return [sums.map((sum) => sum / turns), served / (END_MS / 2000) / CAPACITY, longest_ms];
        """
    )
    assert min(rates) > 0.9 * max(rates)
    assert served > 0.85
    assert longest_ms < 300


def test_no_more_frames_a_second_are_shown_than_were_allowed(run: Run) -> None:
    shown = run(
        """
        const status = new js.status.Status();
        const shown = [];
        for (let now = 0; now <= 6000; now += 100) {
            const allowed = now < 3000 ? 10 : 2;
            status.allow(allowed, now);
            if (now < 3000 || now % 400 === 0) status.result(1, 30, now);
            const { frames_per_s, allowed_per_s } = status.at(now);
            shown.push([frames_per_s, allowed_per_s]);
        }
        return shown;
        """
    )
    assert all(frames <= allowed for frames, allowed in shown)
    assert shown[29][1] == 10
    assert shown[-1] == [2, 2]
