import { Mien } from "./mien.js";

/**
 * Mien in jsPsych 8: an extension that adds what a face showed to each trial's data, and a trial type for the check
 * before the start. docs/embedding.md says how to use them, docs/examples/jspsych is an experiment that does.
 *
 * @typedef {import("./mien.js").MienError} MienError
 * @typedef {Awaited<ReturnType<typeof Mien.join>>} Session
 * @typedef {ReturnType<Session["measured"]> & {complete?: boolean}} Collected
 * @typedef {{name?: string, markers?: boolean}} TrialParameters
 *   `name` in the markers, by default "trial" and its index; `markers`: false for none
 * @typedef {{[field: string]: any}} Fields
 * @typedef {{data: any, extensions: Fields, finishTrial: (data: Fields) => void, getProgress: () => {current_trial_global: number}}} JsPsych
 */

const VERSION = "1.0.0";

/** jsPsych's ParameterType, by its names. */
const TYPE = { BOOL: 0, STRING: 1, INT: 2, FLOAT: 3, HTML_STRING: 8, OBJECT: 12 };

const LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];

const FLOATS = [...LABELS, "valence", "strongest_probability", "strongest_time", "face_share", "frame_interval", "quality", "start", "end"];

/** Adds to a trial's data what the face showed during it, and marks its start and its end. */
export class MienExtension {
  static info = {
    name: "mien",
    version: VERSION,
    data: {
      ...Object.fromEntries(FLOATS.map((name) => [`mien_${name}`, { type: TYPE.FLOAT }])),
      mien_strongest: { type: TYPE.STRING },
      mien_frames: { type: TYPE.INT },
      mien_complete: { type: TYPE.BOOL },
    },
  };

  /** @type {Session | null} */
  session = null;
  /** Why there is no session. @type {MienError | null} */
  problem = null;
  /** Settles once the room is joined, or cannot be. @type {Promise<void>} */
  ready = Promise.resolve();
  #options = /** @type {import("./mien.js").JoinOptions | null} */ (null);
  #start_ms = 0;
  #isWarned = false;
  /** @type {Set<Promise<void>>} trials whose last frames have no answer yet */
  #unfinished = new Set();

  /** @param {JsPsych} jsPsych */
  constructor(jsPsych) {
    this.jsPsych = jsPsych;
  }

  /** Join: jsPsych 8 does not wait for this, the check before the start does. @param {import("./mien.js").JoinOptions} options */
  initialize(options) {
    this.#options = options;
    return this.join();
  }

  /** Join, again if it did not work. */
  join() {
    this.problem = null;
    const options = /** @type {import("./mien.js").JoinOptions} */ (this.#options);
    this.ready = Mien.join(options).then(
      (session) => void (this.session = session),
      (problem) => void (this.problem = problem),
    );
    return this.ready;
  }

  on_start() {}

  /** @param {TrialParameters} [parameters] */
  on_load(parameters) {
    this.#start_ms = performance.now();
    this.#mark("start", this.#start_ms, parameters);
  }

  /** @param {TrialParameters} [parameters] @returns {Fields} without the frames that are on their way: `complete()` adds them */
  on_finish(parameters) {
    const [from, to, index] = [this.#start_ms, performance.now(), this.#index];
    this.#mark("end", to, parameters);
    const { session } = this;
    if (!session) return dataOf(null, from, to);
    const finished = session.collect(from, to).then((collected) => this.#update(index, dataOf(collected, from, to)));
    this.#unfinished.add(finished);
    void finished.then(() => this.#unfinished.delete(finished));
    return dataOf(session.measured(from, to), from, to);
  }

  /** Wait until the data of all trials have their last frames, and the server all markers: a moment after the last trial. */
  async complete() {
    await Promise.all([...this.#unfinished, this.session?.marked()]);
  }

  get #index() {
    return this.jsPsych.getProgress().current_trial_global;
  }

  /** @param {number} index @param {Fields} data */
  #update(index, data) {
    const trial = this.jsPsych.data.get().values().find((/** @type {Fields} */ { trial_index }) => trial_index === index);
    if (trial) Object.assign(trial, data);
  }

  /** @param {"start" | "end"} what @param {number} time @param {TrialParameters} [parameters] */
  #mark(what, time, { name = `trial ${this.#index}`, markers = true } = {}) {
    if (!markers || !this.session) return;
    this.session.mark(`${name} ${what}`, { time }).catch((error) => {
      if (!this.#isWarned) console.warn("Mien took no marker:", error);
      this.#isWarned = true;
    });
  }
}

/** The columns of a trial; null where nothing was measured. @param {Collected | null} collected @param {number} from @param {number} to @returns {Fields} */
function dataOf(collected, from, to) {
  const { mean = null, strongest = null, ...rest } = /** @type {Partial<Collected>} */ (collected ?? {});
  return {
    ...Object.fromEntries(LABELS.map((label) => [`mien_${label}`, mean ? mean[label] : null])),
    mien_valence: rest.valence ?? null,
    mien_strongest: strongest?.expression ?? null,
    mien_strongest_probability: strongest?.probability ?? null,
    mien_strongest_time: strongest ? strongest.time - from : null,
    mien_face_share: rest.face_share ?? null,
    mien_frames: rest.frames ?? 0,
    mien_frame_interval: rest.mean_interval ?? null,
    mien_quality: rest.quality ?? null,
    mien_start: performance.timeOrigin + from,
    mien_end: performance.timeOrigin + to,
    mien_complete: rest.complete ?? false,
  };
}

/** What a check may find, in the order in which a person can do something about it. */
const CHECKS = /** @type {const} */ (["face", "light", "size", "pose", "rate"]);

const TEXTS = {
  title: "Before we begin",
  waiting: "Connecting to the camera …",
  face: { ok: "Your face is visible.", none: "No face is visible: look at the camera.", several: "More than one face is visible.", unknown: "Looking for your face …" },
  light: { ok: "The light is good.", dark: "It is too dark: turn on a light.", bright: "It is too bright.", backlit: "The light is behind you: turn around, or close a curtain.", flat: "Your face has little contrast: clean the lens, or move the light.", unknown: "Measuring the light …" },
  size: { ok: "You are at a good distance.", far: "Come closer.", near: "Move back a little.", unknown: "Measuring the distance …" },
  pose: { ok: "You face the camera.", turned: "Face the camera.", tilted: "Hold your head upright.", unknown: "Looking at your position …" },
  rate: { ok: "The connection is fast enough.", slow: "The connection is slow.", unknown: "Measuring the connection …" },
  next: "Continue",
  anyway: "Continue anyway",
  again: "Try again",
  problem: "The camera session could not begin.",
  /** By the codes of errors; of others `other` and the error are shown. */
  problems: {
    camera_denied: "This page is not allowed to use your camera. Click the camera or settings icon next to the address and allow it, then try again.",
    camera_missing: "No camera was found. Plug one in or turn it on, then try again.",
    camera_in_use: "The camera does not start. Close other apps and tabs that use it, then try again.",
    insecure: "Browsers allow the camera only over https. Ask the researcher for an address that begins with https://.",
    consent_declined: "You did not consent, so your camera stays off. If you want to take part after all, try again.",
    room_closed: "The session is over. Tell the researcher if you expected it to be open.",
    no_such_room: "There is no such session. Tell the researcher.",
    room_full: "The session is full. Ask the researcher whether you can join later.",
    cannot_resume: "Your earlier session has ended. Try again to begin a new one.",
    too_many_attempts: "Many people are joining from your network. Wait ten seconds, then try again.",
    server_lost: "The server does not answer. Check your network connection, then try again.",
    other: "Tell the researcher about this:",
  },
};

/** @typedef {{[name in keyof typeof TEXTS]?: (typeof TEXTS)[name] extends string ? string : {[state: string]: string}}} OwnTexts */

/** The texts with those of an experiment in place of the English ones. @param {OwnTexts} own @returns {typeof TEXTS} */
function textsWith(own) {
  const entries = Object.entries(TEXTS).map(([name, english]) => {
    const text = own[/** @type {keyof typeof TEXTS} */ (name)] ?? english;
    return [name, typeof english === "string" ? text : { ...english, .../** @type {object} */ (text) }];
  });
  return Object.fromEntries(entries);
}

/** A trial that waits for the session, and until face, light and connection are good enough. */
export class MienCheckPlugin {
  static info = {
    name: "mien-check",
    version: VERSION,
    parameters: {
      /** Texts in place of the English ones, by their names; some or all of them. */
      texts: { type: TYPE.OBJECT, default: {} },
      /** After so many milliseconds people may continue without; null for never. */
      skip_after: { type: TYPE.INT, default: 20_000 },
    },
    data: { passed: { type: TYPE.BOOL }, rt: { type: TYPE.INT }, readiness: { type: TYPE.OBJECT }, problem: { type: TYPE.STRING } },
  };

  /** @param {JsPsych} jsPsych */
  constructor(jsPsych) {
    this.jsPsych = jsPsych;
  }

  /** @param {HTMLElement} display @param {{texts: OwnTexts, skip_after: number | null}} parameters */
  trial(display, { texts, skip_after }) {
    const extension = /** @type {MienExtension} */ (this.jsPsych.extensions.mien);
    const screen = new CheckScreen(display, textsWith(texts));
    const began_ms = performance.now();
    const timer = skip_after === null ? 0 : setTimeout(() => screen.allowSkip(), skip_after);
    let end = () => {};
    let isOver = false;
    const begin = async () => {
      await extension.ready;
      if (isOver) return;
      if (extension.problem) return screen.showProblem(extension.problem);
      end = extension.session?.check((readiness) => screen.show(readiness)) ?? end;
    };
    screen.onAgain = () => void extension.join().then(begin);
    screen.onContinue = () => {
      clearTimeout(timer);
      isOver = true;
      end();
      display.replaceChildren();
      const { readiness } = screen;
      this.jsPsych.finishTrial({ passed: readiness?.ready ?? false, rt: Math.round(performance.now() - began_ms), readiness, problem: extension.problem?.code ?? null });
    };
    void begin();
  }
}

/** What the check shows: one line for each of its questions, and a button. */
class CheckScreen {
  /** @type {Fields | null} */
  readiness = null;
  #canSkip = false;
  onContinue = () => {};
  onAgain = () => {};

  /** @param {HTMLElement} display @param {typeof TEXTS} texts */
  constructor(display, texts) {
    this.texts = texts;
    this.list = made("ul", "", "mien-check-list");
    this.list.style.cssText = "display: inline-block; text-align: start; line-height: 1.8; list-style: none; padding: 0;";
    this.next = made("button", texts.next, "jspsych-btn");
    this.again = made("button", texts.again, "jspsych-btn");
    const heading = made("h1", texts.title);
    heading.style.fontSize = "1.5em";
    const status = made("div", "");
    status.setAttribute("role", "status");
    status.append(this.list);
    this.buttons = made("p", "");
    this.buttons.append(this.next);
    display.replaceChildren(heading, status, this.buttons);
    this.list.append(made("li", texts.waiting));
    this.next.disabled = true;
    this.next.addEventListener("click", () => this.onContinue());
    this.again.addEventListener("click", () => this.#tryAgain());
  }

  /** @param {Fields} readiness */
  show(readiness) {
    this.readiness = readiness;
    const lines = CHECKS.map((name) => {
      const found = /** @type {Fields} */ (this.texts[name])[readiness[name]];
      return made("li", `${readiness[name] === "ok" ? "✓" : "·"} ${found ?? readiness[name]}`);
    });
    this.list.replaceChildren(...lines);
    this.#enable();
  }

  /** @param {MienError} problem */
  showProblem({ code, message }) {
    const { problem, problems } = this.texts;
    const known = /** @type {{[code: string]: string}} */ (problems)[code];
    const lines = known ? [known] : [problems.other, `${message} (${code})`];
    this.list.replaceChildren(...[problem, ...lines].map((text) => made("li", text)));
    this.buttons.prepend(this.again, " ");
  }

  allowSkip() {
    this.#canSkip = true;
    this.#enable();
  }

  #tryAgain() {
    this.again.remove();
    this.list.replaceChildren(made("li", this.texts.waiting));
    this.onAgain();
  }

  #enable() {
    const isReady = this.readiness?.ready === true;
    this.next.disabled = !isReady && !this.#canSkip;
    this.next.textContent = isReady || !this.#canSkip ? this.texts.next : this.texts.anyway;
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {string} text @param {string} [className]
 */
function made(tag, text, className = "") {
  const element = document.createElement(tag);
  return Object.assign(element, { textContent: text, className });
}
