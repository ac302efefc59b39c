/**
 * Mien in an experiment: shows a room's frame, and speaks with it by messages. One file that needs no other.
 *
 *     import { Mien } from "https://mien.example/embed/mien.js";
 *     const session = await Mien.join({ server: "https://mien.example", room: "ABCD2345", participant: "P01", view: "hidden" });
 *     await session.mark("Film begins");
 *     const measured = await session.collect(began, performance.now());
 *     await session.leave();
 *
 * Times are those of `performance.now()` in this page. docs/embedding.md has the rest.
 *
 * @typedef {import("./wire_result.js").Label} Label
 * @typedef {Omit<import("./wire_result.js").WireResult, "captured"> & {time: number}} Measured  `time` on this page's clock
 * @typedef {{label: string, time: number, sent: boolean}} KeptMark  `sent`: whether the server took it
 * @typedef {"connecting" | "consent" | "idle" | "recording" | "lost" | "ended"} State
 * @typedef {{[field: string]: any}} Fields
 *
 * @typedef {object} JoinOptions
 * @property {string} server        the address of the Mien server, such as "https://mien.example"
 * @property {string} room          its code
 * @property {string} [participant] your id of the person: the alias, and the column participant_label
 * @property {HTMLElement | string} [container]  an element, or its selector; by default the end of the page
 * @property {"hidden" | "small" | "full"} [view]  by default "small"
 * @property {"ask" | "given"} [consent]  "given": your page asked for it, which the room has to allow
 * @property {string} [language]    of the frame, such as "de" or "zh-Hans"; by default the browser's
 */

/** How often, and after which pause, a server is asked again while the room moves to it from another. */
const MOVE_TRIES = 20;
const MOVE_PAUSE_MS = 300;

const VERSION = 1;
const LABELS = /** @type {const} */ (["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]);
const NEGATIVE = /** @type {const} */ (["angry", "disgust", "fear", "sad"]);

/** The frame answers at once when it is loaded; a page that the browser refused to show never does. */
const FRAME_TIMEOUT_MS = 20_000;
/** Marks that are on their way are waited for before the session ends. */
const MARKS_TIMEOUT_MS = 15_000;
/** Results are kept for `collect` for half an hour at 15 a second. */
const MAX_RESULTS = 27_000;
const CLOCK_INTERVAL_MS = 20_000;
/** Clocks of two documents on one machine that differ by less are the same clock. */
const CLOCK_TOLERANCE_MS = 1;

/** What cannot be done; docs/embedding.md lists the codes. */
export class MienError extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = "MienError";
    this.code = code;
  }
}

/** A participant in a room, as the experiment sees them. */
class Session {
  /** @type {Map<string, Set<(...values: any[]) => void>>} */
  #listeners = new Map();
  /** @type {Map<number, {resolve: (value: any) => void, reject: (error: MienError) => void}>} */
  #waiting = new Map();
  #next_id = 1;
  /** @type {Measured[]} */
  #results = [];
  /** @type {KeptMark[]} */
  #marks = [];
  /** @type {Set<Promise<unknown>>} marks that the server has not taken yet */
  #unsent = new Set();
  /** Whether what was recorded is known to be deleted. */
  #isErased = false;
  /** What to add to this page's time for that of the frame, milliseconds. */
  #clock_ms = 0;
  #listening = new AbortController();
  /** @type {State} */
  state = "connecting";
  /** @type {{participant: string, alias: string, baseline: boolean, marks: boolean} | null} who joined */
  joined = null;

  /** @param {FrameBox} box @param {string} origin of the server */
  constructor(box, origin) {
    this.box = box;
    this.origin = origin;
    window.addEventListener("message", (event) => this.#receive(event), { signal: this.#listening.signal });
  }

  /** Call `f` whenever there is a "result", or another "state", "baseline" or "readiness"; returns what ends that. @param {string} event @param {(...values: any[]) => void} f */
  on(event, f) {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(f));
    return () => void listeners.delete(f);
  }

  /**
   * Set a marker; by default now. While the server is away it is kept, and sent when it is back.
   * @param {string} label @param {{time?: number}} [options] @returns {Promise<KeptMark>}
   */
  mark(label, { time = performance.now() } = {}) {
    const mark = { label, time, sent: false };
    this.#marks.push(mark);
    const sent = this.#ask("mark", { label, time: this.#epochOf(time) }).then(() => Object.assign(mark, { sent: true }));
    this.#unsent.add(sent);
    const forget = () => void this.#unsent.delete(sent);
    sent.then(forget, forget);
    return sent;
  }

  /** Wait until the server took, or refused, all marks so far. @returns {Promise<void>} */
  async marked() {
    await Promise.allSettled([...this.#unsent]);
  }

  /** Five seconds of a neutral face, from now on: ask for it before. Resolves once the baseline is set. */
  async baseline() {
    await this.#ask("baseline");
  }

  /**
   * What was measured between two times, complete as soon as the last frame before `to` is answered.
   * @param {number} from @param {number} [to] by default now
   */
  async collect(from, to = performance.now()) {
    const complete = await this.#ask("complete", { from: this.#epochOf(from), until: this.#epochOf(to) }).catch(() => false);
    return { ...this.measured(from, to), complete };
  }

  /** The same without waiting: frames that are on their way are missing. @param {number} from @param {number} [to] */
  measured(from, to = performance.now()) {
    const within = (/** @type {{time: number}} */ { time }) => time >= from && time <= to;
    const marks = this.#marks.filter(within).map((mark) => ({ ...mark }));
    return { from, to, ...summaryOf(this.#results.filter(within)), marks };
  }

  /** Have light, face and frame rate watched until the returned function is called. @param {(readiness: Fields) => void} f */
  check(f) {
    const end = this.on("readiness", f);
    void this.#ask("check", { on: true }).catch((error) => console.debug("Mien cannot check:", error));
    return () => {
      end();
      void this.#ask("check", { on: false }).catch((error) => console.debug("Mien cannot check:", error));
    };
  }

  /** Leave, with what was recorded deleted if `erase`. Marks on their way are sent first. @param {{erase?: boolean}} [options] */
  async leave({ erase = false } = {}) {
    if (this.state !== "ended") await this.#takeLeave(erase);
    this.end();
    if (erase && !this.#isErased) throw new MienError("ended", "The session had ended before: nothing was deleted.");
  }

  /** @param {boolean} erase */
  async #takeLeave(erase) {
    const patience_ms = this.state === "lost" ? 2000 : MARKS_TIMEOUT_MS;
    await Promise.race([this.marked(), new Promise((done) => setTimeout(done, patience_ms))]);
    try {
      await this.#ask("leave", { erase });
      this.#isErased ||= erase;
    } catch (error) {
      // The end of the session may be told before the answer.
      if (!(error instanceof MienError && error.code === "ended")) throw error;
    }
  }

  /** Called by `join`: ask the frame to join, and wait until it did. @param {Fields} asked @returns {Promise<void>} */
  enter(asked) {
    return new Promise((resolve, reject) => {
      this.#waiting.set(0, { resolve, reject });
      const text = "The room's frame does not answer. Either the server is away, or the browser blocks the frame.";
      const timer = setTimeout(() => this.#fail(new MienError("server_lost", text)), FRAME_TIMEOUT_MS);
      this.#listening.signal.addEventListener("abort", () => clearTimeout(timer));
      this.box.frame.addEventListener("load", () => this.#post("join", asked), { once: true });
      this.on("state", () => clearTimeout(timer));
      this.box.place();
    });
  }

  /** Remove the frame. */
  end() {
    this.#fail(new MienError("ended", "The session has ended."));
    this.#setState("ended");
    this.#listening.abort();
    clearInterval(this.clockUpdates);
    this.box.remove();
  }

  /** @param {MessageEvent} event */
  #receive({ source, origin, data }) {
    if (source !== this.box.frame.contentWindow || origin !== this.origin || data?.mien !== VERSION) return;
    if (data.type === "result") this.#onResult(data.result);
    else if (data.type === "answer") this.#settle(data.id, (one) => one.resolve(data.value));
    else if (data.type === "refused") this.#settle(data.id, (one) => one.reject(new MienError(data.code, data.message)));
    else if (data.type === "joined") void this.#onJoined(data);
    else if (data.type === "error") this.#fail(new MienError(data.code, data.message));
    else if (data.type === "layout") this.box.layout(data);
    else if (data.type === "state") this.#setState(data.state, data.reason);
    else if (data.type === "baseline") this.#emit("baseline", data.state, data.reason);
    else if (data.type === "readiness") this.#emit("readiness", data.readiness);
  }

  /** @param {import("./wire_result.js").WireResult} result */
  #onResult({ captured, ...rest }) {
    const measured = { time: captured - this.#clock_ms - performance.timeOrigin, ...rest };
    if (this.#results.push(measured) > MAX_RESULTS) this.#results.splice(0, 1000);
    this.#emit("result", measured);
  }

  /** @param {Fields} joined */
  async #onJoined({ participant, alias, baseline, marks }) {
    this.joined = { participant, alias, baseline, marks };
    await this.#compareClocks();
    this.clockUpdates = setInterval(() => void this.#compareClocks(), CLOCK_INTERVAL_MS);
    this.#settle(0, ({ resolve }) => resolve(undefined));
  }

  /**
   * Both documents tell the time since 1970 by `performance.timeOrigin`, each by the wall clock as it was when its
   * process began: if that clock was set in between, they differ, which the fastest of some exchanges shows.
   */
  async #compareClocks() {
    /** @type {{difference_ms: number, error_ms: number} | null} */
    let best = null;
    for (let count = 0; count < 5; count += 1) {
      const asked_ms = performance.now();
      const frame_ms = await this.#ask("clock").catch(() => null);
      if (frame_ms === null) return;
      const error_ms = (performance.now() - asked_ms) / 2;
      const difference_ms = frame_ms - performance.timeOrigin - asked_ms - error_ms;
      if (!best || error_ms < best.error_ms) best = { difference_ms, error_ms };
    }
    if (best) this.#clock_ms = Math.abs(best.difference_ms) <= best.error_ms + CLOCK_TOLERANCE_MS ? 0 : best.difference_ms;
  }

  /** @param {number} time on this page's clock @returns {number} since 1970, on the frame's */
  #epochOf(time) {
    return performance.timeOrigin + time + this.#clock_ms;
  }

  /** @param {State} state @param {string} [reason] why it ended */
  #setState(state, reason) {
    if (state === this.state && !reason) return;
    this.state = state;
    this.#isErased ||= reason === "erased" || reason === "deleted";
    this.#emit("state", { state, ...(reason ? { reason } : {}) });
    if (state === "ended") this.#fail(new MienError("ended", `The session has ended: ${reason ?? "left"}.`));
  }

  /** @param {MienError} error */
  #fail(error) {
    for (const id of [...this.#waiting.keys()]) if (id === 0 || error.code === "ended") this.#settle(id, ({ reject }) => reject(error));
  }

  /** @param {string} event @param {unknown[]} values */
  #emit(event, ...values) {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(...values);
  }

  /** @param {number} id @param {(one: {resolve: (value: any) => void, reject: (error: MienError) => void}) => void} settle */
  #settle(id, settle) {
    const one = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (one) settle(one);
  }

  /** @param {string} type @param {Fields} [fields] @returns {Promise<any>} */
  #ask(type, fields = {}) {
    if (this.state === "ended") return Promise.reject(new MienError("ended", "The session has ended."));
    const id = this.#next_id++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#post(type, { id, ...fields });
    });
  }

  /** @param {string} type @param {Fields} fields */
  #post(type, fields) {
    this.box.frame.contentWindow?.postMessage({ mien: VERSION, type, ...fields }, this.origin);
  }
}

/** The frame in the page: its place and its size, as its content needs them. */
class FrameBox {
  /** @param {string} url @param {HTMLElement} container @param {string} view */
  constructor(url, container, view) {
    this.container = container;
    this.view = view;
    this.frame = document.createElement("iframe");
    Object.assign(this.frame, { title: "Mien", allow: "camera", src: url });
    this.layout({ asking: false, height: 0 });
  }

  place() {
    this.container.append(this.frame);
  }

  remove() {
    this.frame.remove();
  }

  /** @param {Fields} layout `asking`: the person reads and consents; `height` of the content in pixels */
  layout({ asking, height }) {
    const isOwn = this.container !== document.body && this.view !== "hidden";
    const isPixel = this.view === "hidden" && !asking;
    const style = isOwn ? inContainer(height) : asking ? OVER_THE_PAGE : isPixel ? A_PIXEL : inTheCorner(this.view, height);
    this.frame.style.cssText = `border: 0; color-scheme: light dark; ${style}`;
    this.frame.tabIndex = isPixel ? -1 : 0;
    this.frame.ariaHidden = isPixel ? "true" : null;
    if (isPixel && document.activeElement === this.frame) this.frame.blur(); // the experiment listens for keys
  }
}

const OVER_THE_PAGE = "position: fixed; inset: 0; z-index: 2147483647; width: 100%; height: 100%; background: Canvas;";

/** In view and drawn, as browsers slow down frames that are not; a pixel that nobody sees. */
const A_PIXEL = "position: fixed; inset: auto 0 0 auto; width: 1px; height: 1px; pointer-events: none;";

/** @param {number} height */
function inContainer(height) {
  return `display: block; width: 100%; height: ${Math.ceil(height)}px;`;
}

/** @param {string} view @param {number} height */
function inTheCorner(view, height) {
  const width = view === "full" ? "min(100vw, 40rem)" : "14rem";
  return `position: fixed; inset: auto 0 0 auto; z-index: 2147483646; width: ${width}; height: ${Math.ceil(height)}px; max-height: 100vh;`;
}

/**
 * What some frames have in common. Means are over the frames with a face, of each frame alone, as in the columns
 * without a prefix of the room's export. Pure.
 * @param {Measured[]} results
 */
export function summaryOf(results) {
  const shown = results.flatMap(({ face, time }) => (face ? [{ face, time, valence: valenceOf(face.raw_probabilities) }] : []));
  const mean = shown.length > 0 ? Object.fromEntries(LABELS.map((label) => [label, meanOf(shown.map(({ face }) => face.raw_probabilities[label]))])) : null;
  const times = results.map(({ time }) => time).sort((first, second) => first - second);
  return {
    frames: results.length,
    face_frames: shown.length,
    face_share: results.length > 0 ? shown.length / results.length : null,
    mean,
    valence: meanOf(shown.map(({ valence }) => valence)),
    strongest: strongestOf(shown),
    mean_interval: times.length > 1 ? (times[times.length - 1] - times[0]) / (times.length - 1) : null,
    quality: meanOf(shown.map(({ face }) => face.score)),
    results,
  };
}

/** The expression other than neutral that came nearest to certain, and when. @param {{face: import("./wire_result.js").WireFace, time: number}[]} shown */
function strongestOf(shown) {
  /** @type {{expression: Label, probability: number, time: number} | null} */
  let strongest = null;
  for (const { face, time } of shown) {
    for (const expression of LABELS) {
      const probability = face.raw_probabilities[expression];
      if (expression !== "neutral" && (!strongest || probability > strongest.probability)) strongest = { expression, probability, time };
    }
  }
  return strongest;
}

/** Happy minus the largest of angry, disgust, fear and sad. @param {Record<Label, number>} probabilities */
function valenceOf(probabilities) {
  return probabilities.happy - Math.max(...NEGATIVE.map((label) => probabilities[label]));
}

/** @param {number[]} values @returns {number | null} */
function meanOf(values) {
  return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
}

/** Make sure that a room is open and allows this page: a frame that a browser refuses tells nobody why. @param {string} url of the frame */
async function checkRoom(url) {
  const ask = () => fetch(`${url}/status`, { credentials: "omit" }).then((response) => response.json()).catch(() => null);
  let answer = await ask();
  for (let tries = 0; answer?.problem?.code === "not_here" && tries < MOVE_TRIES; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, MOVE_PAUSE_MS));
    answer = await ask();
  }
  if (answer === null) throw new MienError("server_lost", `The Mien server at ${new URL(url).origin} does not answer.`);
  if (answer.problem) throw new MienError(answer.problem.code, answer.problem.message);
  if (!answer.allowed) throw new MienError("origin_refused", `This room does not name the origin ${location.origin} among its allowed_origins.`);
  if (answer.state === "closed") throw new MienError("room_closed", "This room is closed.");
}

/** @param {HTMLElement | string | undefined} container @returns {HTMLElement} */
function elementOf(container = document.body) {
  const found = typeof container === "string" ? document.querySelector(container) : container;
  if (found instanceof HTMLElement) return found;
  throw new MienError("bad_request", `The page has no container ${String(container)}.`);
}

/**
 * Join a room: resolves once the person consented, the camera is open and the room joined.
 * @param {JoinOptions} options @returns {Promise<Session>}
 * @throws {MienError}
 */
async function join({ server, room, participant = "", container, view = "small", consent = "ask", language = "" }) {
  const url = new URL(`embed/${encodeURIComponent(room)}`, server.endsWith("/") ? server : `${server}/`).href;
  const place = view === "hidden" ? document.body : elementOf(container);
  await checkRoom(url);
  const address = language ? `${url}?lang=${encodeURIComponent(language)}` : url;
  const session = new Session(new FrameBox(address, place, view), new URL(url).origin);
  try {
    await session.enter({ participant, view, consent });
  } catch (error) {
    session.end();
    throw error;
  }
  return session;
}

export const Mien = Object.freeze({ join, version: VERSION });
