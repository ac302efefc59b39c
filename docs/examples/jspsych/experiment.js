/**
 * Twenty words of half a second each, with the person's expression measured meanwhile.
 *
 * Open it as index.html?server=https://mien.example&room=ABCD2345&pid=P01: see README.md beside this file.
 */

const address = new URLSearchParams(location.search);
const server = address.get("server") ?? "http://localhost:5000";
const room = address.get("room") ?? "";
const participant = address.get("pid") ?? "";
const trials = Number(address.get("trials") ?? 20);

const { MienExtension, MienCheckPlugin } = await import(`${server}/embed/jspsych-mien.js`);
const { initJsPsych } = jsPsychModule;

const WORDS = ["table", "sunrise", "window", "spider", "friend", "corner", "holiday", "needle", "pencil", "laughter"];

const jsPsych = initJsPsych({
  extensions: [{ type: MienExtension, params: { server, room, participant, view: "hidden", consent: address.get("consent") ?? "ask" } }],
  on_finish: finish,
});

const word = {
  type: jsPsychHtmlKeyboardResponse,
  stimulus: jsPsych.timelineVariable("word"),
  choices: "NO_KEYS",
  trial_duration: 500,
  css_classes: ["word"],
  data: { part: "word" },
  extensions: [{ type: MienExtension }],
};

const words = {
  timeline: [word],
  timeline_variables: Array.from({ length: trials }, (_, index) => ({ word: WORDS[index % WORDS.length] })),
};

/** The data have the last frames now; a study sends them to its own server here. */
async function finish() {
  const mien = jsPsych.extensions.mien;
  await mien.complete();
  await mien.session?.leave();
  const shown = document.createElement("pre");
  shown.id = "data";
  shown.tabIndex = 0;
  shown.textContent = JSON.stringify(jsPsych.data.get().filter({ part: "word" }).values(), null, 2);
  const end = Object.assign(document.createElement("main"), { className: "end" });
  end.append(heading("Thank you. What was measured:"), shown);
  jsPsych.getDisplayElement().replaceChildren(end);
  window.finished = true;
}

/** @param {string} text */
function heading(text) {
  return Object.assign(document.createElement("h1"), { textContent: text });
}

window.jsPsych = jsPsych;
await jsPsych.run([{ type: MienCheckPlugin }, words]);
