// A participant's page: every screen, and whatever the live view, its menu and its dialog can say.
async ({ check, load, screens, show, pause }, { codes }) => {
  const byId = (id) => document.getElementById(id);
  const { Completion } = await load("room/completion");
  const { SessionState } = await load("room/session_state");
  const { Checklist } = await load("room/checklist");
  const { NeutralPrompt } = await load("room/neutral_prompt");
  const { problemText } = await load("shared/problems");

  new Completion().show({ code: "FILMS-2026-7781", return_url: "/" });
  for (const name of screens()) {
    show(name);
    check(name);
  }

  show("start");
  const problem = byId("join-problem");
  problem.hidden = false;
  for (const code of codes) {
    problem.textContent = problemText({ code, message: "" });
    check(`refused: ${code}`);
  }

  show("live");
  const session = new SessionState();
  session.connection("connected");
  for (const video of [false, true]) {
    session.join({ recording: false, video });
    check(`not recorded, video ${video}`);
  }
  session.recording(true);
  check("recorded");
  session.paused(true);
  check("paused");
  session.connection("lost");
  check("lost");

  const GOOD = { face: "ok", light: "ok", size: "ok", pose: "ok", rate: "ok" };
  const WRONG = { face: ["none", "several"], light: ["dark", "bright", "backlit", "flat"], size: ["far", "near"], pose: ["turned", "tilted"], rate: ["slow"] };
  const checklist = new Checklist();
  for (const [name, states] of Object.entries(WRONG)) {
    for (const state of ["unknown", ...states]) {
      checklist.show({ ...GOOD, [name]: state, ready: false });
      check(`${name}: ${state}`);
    }
  }
  checklist.show({ ...GOOD, ready: true });
  check("ready");

  const prompt = new NeutralPrompt(() => undefined);
  prompt.start();
  check("neutral face");
  for (const failure of [null, "several_faces", "no_frames", "no_face"]) {
    prompt.showOutcome(failure);
    check(`neutral face: ${failure}`);
  }
  prompt.stop();

  byId("session-menu").open = true;
  byId("compare").hidden = false;
  check("menu");
  byId("withdraw").click();
  check("withdraw");
  byId("withdraw-confirm").click(); // nobody has joined, so it fails
  await pause();
  check("withdraw failed");
  byId("withdraw-dialog").close();
}
