"""What charts show: spans, leaders, gaps; and the lines for screen readers."""

from __future__ import annotations

from tests.browser.modules.run import Run


def test_a_rolling_window_keeps_its_span_and_no_more(run: Run) -> None:
    assert run(
        """
        const values = new js.rolling_window.RollingWindow(1000);
        for (let now = 0; now <= 5000; now += 250) values.add(now, now);
        const kept = values.values(5000);
        const later = values.items(5600).map(({ at_ms }) => at_ms);
        values.clear();
        return [kept, later, values.values(5600)];
        """
    ) == [[4250, 4500, 4750, 5000], [4750, 5000], []]


def test_a_line_for_screen_readers_changes_for_news_only_and_not_too_often(run: Run) -> None:
    assert run(
        """
        const line = document.createElement("p");
        const announcer = new js.announcements.Announcer(line, 1000);
        const said = [];
        const texts = [["Happy", 0], ["Sad", 500], ["Sad", 1000], ["Happy", 1500], ["Happy", 2000]];
        for (const [text, now] of texts) {
            announcer.say(text, now);
            said.push(line.textContent);
        }
        return said;
        """
    ) == ["Happy", "Happy", "Sad", "Sad", "Happy"]


def test_what_came_too_soon_is_said_once_it_may_and_only_the_newest(run: Run) -> None:
    assert run(
        """
        const line = document.createElement("p");
        const announcer = new js.announcements.Announcer(line, 60);
        for (const text of ["Sit nearer", "Turn on a light", "You are ready"]) announcer.say(text, 0);
        const before = line.textContent;
        await new Promise((done) => setTimeout(done, 300));
        return [before, line.textContent];
        """
    ) == ["Sit nearer", "You are ready"]


def test_compared_with_neutral_an_expression_is_named_only_where_it_stands_out(run: Run) -> None:
    assert run(
        """
        const names = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];
        const even = Object.fromEntries(names.map((name) => [name, 1 / 7]));
        const plain = { expression: "happy", confidence: 0.9, probabilities: { ...even, happy: 0.9 } };
        const faces = [
            plain,
            { ...plain, relative_probabilities: even },
            { ...plain, relative_probabilities: { ...even, sad: 0.4 } },
        ];
        return js.baseline.comparedWithNeutral({ faces }).faces.map(({ expression }) => expression);
        """
    ) == ["happy", "neutral", "sad"]


def test_the_timeline_knows_which_expression_led_when(run: Run) -> None:
    assert run(
        """
        const even = Object.fromEntries(
            ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"].map((name) => [name, 0.1]));
        const sample = (label, at_s) => ({ at_ms: 1000 * at_s, value: label && { ...even, [label]: 0.4 } });
        const pause = { at_ms: 9000, value: { ...even, sad: 0.4 } };
        return js.minute_chart.leaders([...["happy", "happy", null, "sad", "sad"].map(sample), pause])
            .map(({ label, from_ms, to_ms }) => [label, from_ms, to_ms]);
        """
    ) == [["happy", 0, 2000], ["sad", 3000, 4000], ["sad", 9000, 9000]]


def test_the_timeline_names_each_expression_once_where_it_led_longest(run: Run) -> None:
    assert run(
        """
        const interval = (label, from_ms, to_ms) => ({ label, from_ms, to_ms });
        return js.minute_chart.longest([interval("sad", 0, 1000), interval("happy", 1000, 3000),
            interval("sad", 3000, 9000), interval("happy", 9000, 9500)])
            .map(({ label, from_ms }) => [label, from_ms]);
        """
    ) == [["sad", 3000], ["happy", 1000]]


def test_a_chart_leaves_a_gap_where_nothing_was_measured(run: Run) -> None:
    columns = run(
        """
        const shares = [1, 0, 0, 0, 0, 0, 0];
        const points = [0.1, 0.104, 0.2, 0.204].map((position) => ({ position, shares }));
        points.push({ position: 0.208, shares: null });
        const area = { left: 0, top: 0, width: 6000, height: 10 };
        return js.chart_style.columnsOf(area, points).map(({ left, right }) => [left, right]);
        """
    )
    assert [right for _, right in columns] == [600, 624, 1200, 1224]
    assert [left for left, _ in columns] == [575, 600, 1175, 1200]
