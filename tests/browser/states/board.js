// A room's board: unfolded, its menus, questions and markers, its alarms, and tiles that say all that tiles can say.
async ({ check, load, frame, pause }) => {
  const byId = (id) => document.getElementById(id);
  const { RecordingBar } = await load("dashboard/recording_bar");
  const { RoomActions } = await load("dashboard/room_actions");
  const { TileGrid } = await load("dashboard/grid");
  const { Tile } = await load("dashboard/tile/tile");
  const { attentionText, readyText } = await load("dashboard/attention");

  byId("unfold").click();
  for (const menu of document.querySelectorAll(".board-actions details")) {
    menu.open = true;
    check("menu");
    menu.open = false;
  }

  const recording = { state: "started", started_ms: 0, stored: 1234567, waiting: 250, lost: 0, problem: null };
  const bar = new RecordingBar();
  const shown = (changes, what) => {
    bar.show({ ...recording, ...changes }, "open", 3_723_000);
    check(what);
  };
  shown({}, "recording");
  shown({ problem: "x" }, "samples wait");
  shown({ problem: "x", lost: 5 }, "samples are lost");
  shown({ lost: 5000 }, "samples were lost");
  bar.showLost(performance.now());
  check("no connection");

  const GOOD = { face: "ok", light: "ok", size: "ok", pose: "ok", rate: "ok" };
  const person = {
    alias: "P7", label: null, expression: "surprise", probabilities: [0, 0, 0, 0, 0, 1, 0], relative: null, valence: -0.25,
    frames_per_s: 15, latency_ms: 1234, warning: null, readiness: GOOD,
    baseline: "none", baseline_left_s: null, baseline_reason: null, baseline_ms: null,
  };
  const expressions = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];
  const people = [
    ...expressions.map((expression, index) => ({ expression, relative: expressions.map((_, at) => Number(at === index)), readiness: null })),
    ...["left", "no frames", "no face", "several faces"].map((warning) => ({ warning, expression: null, readiness: null })),
    ...["dark", "bright", "backlit", "flat", "unknown"].map((light) => ({ readiness: { ...GOOD, light } })),
    ...["far", "near"].map((size) => ({ readiness: { ...GOOD, size } })),
    ...["turned", "tilted"].map((pose) => ({ readiness: { ...GOOD, pose } })),
    { readiness: { ...GOOD, rate: "slow" } },
    ...["asked", "running", "set"].map((baseline) => ({ baseline, baseline_left_s: 4.2, baseline_ms: Date.now() })),
    ...["no_answer", "no_frames", "no_face", "several_faces"].map((baseline_reason) => ({ baseline: "failed", baseline_reason })),
  ].map((one, index) => ({ ...person, ...one, id: `x${index}`, alias: `P${index}` }));
  const tiles = people.map((one) => {
    const tile = new Tile(() => undefined);
    tile.show(one, performance.now());
    byId("tiles").append(tile.root);
    return tile;
  });
  new TileGrid(byId("board"), byId("tiles"), byId("board-top")).show(2); // on a phone as wide as the page
  await frame();
  byId("attention").textContent = attentionText(people);
  byId("ready").textContent = readyText(people);
  check("tiles");
  tiles[0].root.querySelector("details").open = true;
  check("a tile's menu");
  for (const tile of tiles) tile.stop();

  const question = byId("confirm");
  const actions = new RoomActions({ code: byId("board").dataset.room, samples: () => 1234567, serverTime: () => Date.now(), warn: () => undefined }, async () => null);
  const asks = (ask, what) => {
    void ask();
    check(what);
    question.close();
  };
  asks(() => actions.close(), "close?");
  asks(() => actions.delete(), "delete?");
  asks(() => actions.act("remove", "x", "P7"), "remove?");
  asks(() => actions.act("delete", "x", "P7"), "delete their data?");
  await pause();

  await actions.openMarkers();
  check("markers");
  const [[edit], [, remove]] = [...document.querySelectorAll(".marker-row")].map((row) => row.querySelectorAll("button"));
  byId("add-marker").click();
  check("a marker is added");
  edit.click();
  check("a marker is edited");
  asks(() => remove.click(), "delete a marker?");
  byId("marker-list").close();
}
