import { Link } from "../shared/connection.js";

/**
 * The connection of a participant: joins the room before it counts as connected, and again after a loss.
 *
 * @typedef {{room: string, alias: string, consent: true}} Consent
 * @typedef {{participant: string, resume: string, alias: string, recording: boolean, baseline: boolean, video: boolean}} Joined
 * @typedef {import("../shared/screens.js").RoomEnding} Ending
 * @typedef {object} Listener
 * @property {(joined: Joined) => void} onJoined
 * @property {(code: string, message: string) => void} onRefused
 * @property {(reason: Ending) => void} onParted
 * @property {(on: boolean) => void} onRecording
 * @property {(state: "asked" | "set" | "failed") => void} onBaseline
 */

const ANSWER_LIMIT_MS = 8000;
const QUIT_LIMIT_MS = 1500;
const RETRY_MS = 1500;

export class RoomLink extends Link {
  #joined = false;
  /** Settles when the server knows that its participant left. @type {Promise<void>} */
  #told = Promise.resolve();

  /**
   * @param {(state: import("../shared/connection.js").LinkState) => void} onState
   * @param {Consent} consent
   * @param {Memory} memory
   * @param {Listener} listener
   */
  constructor(onState, consent, memory, listener) {
    super(onState, { room: consent.room });
    this.consent = consent;
    this.memory = memory;
    this.listener = listener;
    this.socket.on("disconnect", () => (this.#joined = false));
    this.socket.on("clock", (/** @type {(now_ms: number) => void} */ answer) => answer(performance.timeOrigin + performance.now()));
    this.socket.on("parted", (/** @type {{reason: Ending}} */ { reason }) => this.#part(reason));
    this.socket.on("recording", (/** @type {{on: boolean}} */ { on }) => listener.onRecording(on));
    this.socket.on("baseline", (/** @type {{state: "asked" | "set" | "failed"}} */ { state }) => listener.onBaseline(state));
  }

  get connected() {
    return super.connected && this.#joined;
  }

  welcome() {
    void this.#join();
  }

  async #join() {
    try {
      const answer = await this.#ask("join", { ...this.consent, resume: this.memory.resume ?? undefined });
      if ("problem" in answer) return this.#refuse(answer.problem);
      this.#joined = true;
      this.memory.keep(answer);
      this.listener.onJoined(answer);
      this.onState("connected");
    } catch (error) {
      console.debug("Joining got no answer:", error);
      if (!this.socket.connected) return; // it comes back by itself
      this.onState("lost");
      this.#joinLater();
    }
  }

  /** @param {{code: string, message: string}} problem */
  #refuse({ code, message }) {
    // A server that has just started cannot read its rooms yet.
    if (code === "store_unavailable" || code === "unavailable") this.#joinLater();
    else this.listener.onRefused(code, message);
  }

  #joinLater() {
    setTimeout(() => this.connected || !this.socket.connected || this.welcome(), RETRY_MS);
  }

  /** @param {Ending} reason */
  #part(reason) {
    this.memory.forget();
    this.listener.onParted(reason);
  }

  /** Begin five seconds of looking neutral. */
  async takeBaseline() {
    await this.#ask("baseline", {});
  }

  /** Leave for good; what was recorded stays, and who joins next in this tab is somebody else. */
  quit() {
    this.memory.forget();
    this.onState = () => {}; // the view is over
    this.#told = this.#ask("quit", {}, QUIT_LIMIT_MS).catch((error) => console.debug("The server was not told:", error));
  }

  stop() {
    void this.#told.then(() => super.stop());
  }

  /** Leave, and have everything deleted. @returns {Promise<boolean>} whether it is */
  async erase() {
    const answer = await this.#ask("erase", {});
    return "erased" in answer;
  }

  /** @param {string} event @param {object} data @param {number} [limit_ms] @returns {Promise<any>} */
  #ask(event, data, limit_ms = ANSWER_LIMIT_MS) {
    return this.socket.timeout(limit_ms).emitWithAck(event, data);
  }
}

/**
 * What this tab remembers of a room, so that a reload or a crash brings the same participant back. Where the
 * browser gives pages no store, it is remembered as long as the page is open.
 */
export class Memory {
  #text = "";

  /** @param {string} room */
  constructor(room) {
    this.key = `mien:${room}`;
  }

  /** @returns {{resume: string, alias: string} | null} */
  get #kept() {
    const text = inStore((store) => store.getItem(this.key)) ?? this.#text;
    return text ? JSON.parse(text) : null;
  }

  get resume() {
    return this.#kept?.resume ?? null;
  }

  get alias() {
    return this.#kept?.alias ?? null;
  }

  /** @param {Joined} joined */
  keep({ resume, alias }) {
    this.#text = JSON.stringify({ resume, alias });
    inStore((store) => store.setItem(this.key, this.#text));
  }

  forget() {
    this.#text = "";
    inStore((store) => store.removeItem(this.key));
  }
}

/** @template T @param {(store: Storage) => T} use @returns {T | null} null where there is no store */
function inStore(use) {
  try {
    return use(sessionStorage);
  } catch {
    return null;
  }
}
