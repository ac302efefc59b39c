import { Connection } from "../shared/connection.js";

/**
 * A participant's connection: joins the room before it counts as connected, and again after a loss.
 *
 * @typedef {object} Consent
 * @property {string} room
 * @property {string} alias
 * @property {true} consent
 * @property {string | undefined} language  of the text that was shown
 * @property {string} [pid]  the id that a panel or an experiment gave
 * @property {"participant" | "experiment"} [consent_source]  who asked for the consent
 *
 * @typedef {{participant: string, resume: string, alias: string, recording: boolean, baseline: boolean, video: boolean, completion: import("./completion.js").Given}} Joined
 * @typedef {import("../shared/screens.js").RoomEnding} Ending
 * @typedef {import("./memory.js").Memory} Memory
 * @typedef {import("../shared/connection.js").FrameChannel} FrameChannel
 * @typedef {import("../shared/connection.js").FrameMeta} FrameMeta
 * @typedef {import("../shared/connection.js").StateListener} StateListener
 * @typedef {object} Listener
 * @property {(joined: Joined) => void} onJoined
 * @property {(code: string, message: string) => void} onRefused
 * @property {(reason: Ending) => void} onParted
 * @property {(on: boolean) => void} onRecording
 * @property {(state: "asked" | "set" | "failed", reason?: string) => void} onBaseline  `reason` of what failed
 */

const ANSWER_TIMEOUT_MS = 8000;
const LEAVE_TIMEOUT_MS = 1500;
const RETRY_MS = 1500;

/** Behind one address many may come back at once, as after a restart of the server: it lets them in by and by. */
const RETRY_LATER_MS = 10_000;

/** Stands for the answer to a deletion that did not come. @type {import("../shared/problems.js").Problem} */
export const NO_ANSWER = { code: "server_lost", message: "" };

/** @implements {FrameChannel} */
export class RoomConnection {
  #joined = false;
  /** Whether the room was joined once: from then on a join brings back who was there. */
  #wasJoined = false;
  #isErased = false;
  #hasLeft = false;
  /** Settles with the join under way. @type {Promise<void>} */
  #joining = Promise.resolve();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  /** Settles when the server knows that its participant left. @type {Promise<void>} */
  #told = Promise.resolve();

  /**
   * @param {StateListener} onState
   * @param {Consent} consent
   * @param {Memory} memory
   * @param {Listener} listener
   */
  constructor(onState, consent, memory, listener) {
    this.onState = onState;
    this.consent = consent;
    this.memory = memory;
    this.listener = listener;
    this.connection = new Connection((state) => this.#onConnection(state), consent.room);
    this.#listen();
  }

  #listen() {
    const { listener, connection: { socket } } = this;
    socket.on("clock", (/** @type {(now_ms: number) => void} */ answer) => answer(performance.timeOrigin + performance.now()));
    socket.on("parted", (/** @type {{reason: Ending}} */ { reason }) => this.#onParted(reason));
    socket.on("recording", (/** @type {{on: boolean}} */ { on }) => listener.onRecording(on));
    socket.on("baseline", (/** @type {{state: "asked" | "set" | "failed", reason?: string}} */ { state, reason }) => listener.onBaseline(state, reason));
  }

  get connected() {
    return this.connection.connected && this.#joined;
  }

  /** @param {FrameMeta} meta @param {ArrayBuffer} image */
  async send(meta, image) {
    if (!this.#joined) throw new Error("The room is not joined yet.");
    return this.connection.send(meta, image);
  }

  /** @param {import("../shared/connection.js").ConnectionState} state */
  #onConnection(state) {
    if (state === "connected") return this.#startJoin();
    this.#joined = false;
    if (state === "lost") this.onState("lost");
  }

  #startJoin() {
    clearTimeout(this.#retry);
    if (!this.#hasLeft) this.#joining = this.#join();
  }

  async #join() {
    try {
      const answer = await this.#ask("join", { ...this.consent, resume: this.memory.resume ?? undefined });
      if ("problem" in answer) return this.#onRefused(answer.problem);
      this.#joined = this.#wasJoined = true;
      if (this.#hasLeft) return; // meanwhile
      this.memory.keep(answer);
      this.listener.onJoined(answer);
      this.onState("connected");
    } catch (error) {
      console.debug("Joining got no answer:", error);
      if (!this.connection.connected) return; // it reconnects by itself
      this.onState("lost");
      this.#retryJoin();
    }
  }

  /** @param {{code: string, message: string}} problem */
  #onRefused({ code, message }) {
    if (this.#hasLeft) return;
    // A server that has just started cannot read its rooms yet; one that lost the room says to connect again.
    if (["store_unavailable", "unavailable", "not_here"].includes(code)) this.#retryJoin();
    else if (code === "too_many_attempts" && this.#wasJoined) this.#retryJoin(RETRY_LATER_MS);
    else this.listener.onRefused(code, message);
  }

  #retryJoin(pause_ms = RETRY_MS) {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#joined || !this.connection.connected || this.#startJoin(), pause_ms);
  }

  /** @param {Ending} reason */
  #onParted(reason) {
    this.#isErased = reason === "erased" || reason === "deleted";
    if (reason === "closed") this.memory.end();
    else this.memory.forget();
    this.listener.onParted(reason);
  }

  /** Begin five seconds of looking neutral. @returns {Promise<boolean>} whether the server did */
  async recordBaseline() {
    if (!this.connected) return false;
    try {
      const answer = await this.#ask("baseline", {});
      return !("problem" in answer);
    } catch (error) {
      console.debug("The baseline got no answer:", error);
      return false;
    }
  }

  /** Set a marker. @param {string} label @param {number} time milliseconds since 1970 @returns {Promise<any>} what the server answers */
  mark(label, time) {
    return this.#ask("mark", { label, time });
  }

  /** Tell hosts what the camera's frames lack; after a loss of connection it is told again. @param {import("./readiness.js").Readiness} readiness */
  report(readiness) {
    if (!this.connected) return;
    this.#ask("readiness", readiness).catch((error) => console.debug("Readiness was not told:", error));
  }

  /** Leave for good; what was recorded stays, and who joins next in this tab is somebody else. @returns {Promise<void>} once the server knows, or does not answer */
  leave() {
    this.memory.end();
    this.#hasLeft = true;
    this.onState = () => {}; // the view is over
    const patience = new Promise((resolve) => setTimeout(resolve, LEAVE_TIMEOUT_MS));
    this.#told = Promise.race([this.#tellLeaving(), patience]).then(() => {});
    return this.#told;
  }

  /** Without a connection the server already counts us as away, and to be heard we would have to join again. */
  async #tellLeaving() {
    await this.#joining;
    if (!this.connected) return;
    await this.#ask("leave", {}, LEAVE_TIMEOUT_MS).catch((error) => console.debug("The server was not told:", error));
  }

  stop() {
    clearTimeout(this.#retry);
    void this.#told.then(() => this.connection.stop());
  }

  /** Leave, and have everything deleted; without a connection the server cannot know whose data are meant. @returns {Promise<import("../shared/problems.js").Problem | null>} null: it is */
  async withdraw() {
    if (!this.connected) return this.#isErased ? null : NO_ANSWER;
    try {
      const answer = await this.#ask("withdraw", {});
      return answer.problem ?? null;
    } catch (error) {
      if (this.#isErased) return null; // "parted" came first, and the answer found no connection
      console.debug("Deleting got no answer:", error);
      return NO_ANSWER;
    }
  }

  /** @param {string} event @param {object} data @param {number} [timeout_ms] @returns {Promise<any>} */
  #ask(event, data, timeout_ms = ANSWER_TIMEOUT_MS) {
    return this.connection.ask(timeout_ms, event, data);
  }
}
