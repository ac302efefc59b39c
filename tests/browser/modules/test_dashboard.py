"""The grid of tiles, the minute before, and markers that wait."""

from __future__ import annotations

from tests.browser.modules.run import Run

MARKERS = """
    const server = { up: true, refuses: null, got: [] };
    const said = [];
    const queue = new js.marker_queue.MarkerQueue({
        send: async (marker) => {
            if (!server.up) throw new TypeError("Failed to fetch");
            if (server.refuses) throw new js.api.ApiError("no", server.refuses);
            server.got.push([marker.label, marker.time]);
        },
        serverTime: (at_ms) => server.offset === null ? null : 1767225600000 + at_ms,
        onWaiting: (waiting) => said.push(waiting.map(({ label }) => label)),
        onRefused: (refused) => said.push(`refused ${refused.map(({ label }) => label)}`),
    });
    const idle = () => new Promise((done) => setTimeout(done, 20));
"""


def test_tiles_are_as_large_as_their_number_allows(run: Run) -> None:
    layouts = run(
        """
        const space = { width: 1248, height: 540 };
        const of = (count, hasVideo) => js.grid.gridOf(count, space, hasVideo);
        const both = (count) => [false, true].map((hasVideo) => ({ count, ...of(count, hasVideo) }));
        return [1, 2, 4, 13, 30].flatMap(both);
        """
    )
    for layout in layouts:
        rows = -(-layout["count"] // layout["columns"])
        assert rows * layout["height"] + (rows - 1) * 8 <= 540
    heights = [layout["height"] for layout in layouts[::2]]
    assert heights == sorted(heights, reverse=True)
    assert [layout["columns"] for layout in layouts if layout["count"] == 2] == [2, 2]
    assert {layout["size"] for layout in layouts if layout["count"] == 30} == {"dense"}


def test_tiles_that_do_not_fit_stay_readable_on_a_page_that_scrolls(run: Run) -> None:
    phone = run("return js.grid.gridOf(30, { width: 358, height: 200 }, false);")
    assert phone["columns"] == 2 and phone["height"] >= 92


def test_the_minute_before_is_read_with_its_times_and_gaps(run: Run) -> None:
    past = run(
        """
        const [happy, sad] = [[0, 0, 0, 250, 0, 0, 0, 190], [0, 0, 0, 0, 250, 0, 0, 10]];
        const nothing = Array(8).fill(255);
        const values = new Uint8Array([...nothing, ...happy, ...sad, ...nothing, ...nothing, ...sad]).buffer;
        const sent = { step_ms: 500, age_ms: 100, ids: ["", "a"], values };
        return [...js.past.decodePast(sent, 10_000)];
        """
    )
    assert [
        (name, [(row["at_ms"], round(row["value"]["valence"], 2)) for row in rows]) for name, rows in past
    ] == [
        ("", [(9400, 0.9), (9900, -0.9)]),
        ("a", [(9900, -0.9)]),
    ]
    assert past[0][1][0]["value"]["probabilities"] == [0, 0, 0, 1, 0, 0, 0]


def test_markers_that_cannot_be_sent_wait_with_their_times_and_keep_their_order(run: Run) -> None:
    got, said, size = run(
        MARKERS
        + """
        server.up = false;
        queue.add("A", 1000);
        await idle();
        queue.add("B", 2000);
        await idle();
        server.up = true;
        await queue.flush();
        queue.add("C", 9000);
        await idle();
        return [server.got, said, queue.size];
        """
    )
    times = [f"2026-01-01T00:00:0{second}.000Z" for second in (1, 2, 9)]
    assert got == [list(pair) for pair in zip("ABC", times, strict=True)]
    assert said[0] == ["A"] and ["A", "B"] in said and said[-1] == []
    assert size == 0


def test_a_marker_that_is_refused_is_said_and_holds_up_no_other(run: Run) -> None:
    assert run(
        MARKERS
        + """
        server.refuses = 503;
        queue.add("A", 1000);
        queue.add("B", 1500);
        await idle();
        const waiting = queue.size;
        server.refuses = 409;
        await queue.flush();
        const last = said.at(-1);
        server.refuses = null;
        queue.add("C", 2000);
        await idle();
        return [waiting, last, server.got.map(([label]) => label)];
        """
    ) == [2, "refused A,B", ["C"]]


def test_a_marker_of_before_the_first_summary_gets_its_time_when_the_clocks_are_known(run: Run) -> None:
    assert run(
        MARKERS
        + """
        server.offset = null;
        server.up = false;
        queue.add("A", 1000);
        await idle();
        server.offset = 0;
        server.up = true;
        await queue.flush();
        return server.got;
        """
    ) == [["A", "2026-01-01T00:00:01.000Z"]]
