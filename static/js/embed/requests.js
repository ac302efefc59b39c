import { CHECKS } from "../room/readiness.js";
import { ReadinessMonitor } from "../room/readiness_monitor.js";
import { element } from "../shared/dom.js";

/**
 * What the page around asks of a session: marks, a baseline, what is complete, the clock, whether the face is well
 * seen, and to leave.
 *
 * @typedef {import("./embedder.js").Embedder} Embedder
 * @typedef {import("./embedder.js").Message} Message
 * @typedef {import("../room/readiness.js").Readiness} Readiness
 * @typedef {import("./session.js").FrameSession} FrameSession
 * @typedef {object} Context
 * @property {boolean} takesMarks  whether the room takes markers from participants
 * @property {(erase: boolean) => Promise<import("../shared/problems.js").Problem | null>} leave  what kept it from that
 * @property {(on: boolean) => void} watch  have the video play, or let it rest again where nobody sees it
 */

const BASELINE_TIMEOUT_MS = 15_000;

/** Why five seconds brought no baseline, by the server's reasons. @type {Map<string | undefined, string>} */
const BASELINE_FAILURES = new Map([
  ["no_face", "The face was not clearly visible."],
  ["several_faces", "More than one face was visible."],
  ["no_frames", "Too few frames arrived."],
]);

export class Requests {
  /** @type {ReadinessMonitor | null} */
  #monitor = null;
  /** What was found last, for hosts. @type {Readiness | null} */
  #readiness = null;
  /** @type {Map<Message, ReturnType<typeof setTimeout>>} those who wait for a baseline */
  #baselines = new Map();

  /** @param {Embedder} embedder @param {Context} context */
  constructor(embedder, context) {
    this.embedder = embedder;
    this.context = context;
  }

  /** @param {Message} message @param {FrameSession | null} session */
  take(message, session) {
    if (message.type === "clock") return this.embedder.answer(message, performance.timeOrigin + performance.now());
    if (!session?.connection) return this.embedder.refuse(message, "not_joined", "This frame has not joined, or its session has ended.");
    if (message.type === "mark") this.#mark(message, session);
    else if (message.type === "baseline") void this.#beginBaseline(message, session);
    else if (message.type === "complete") void this.#complete(message, session);
    else if (message.type === "check") this.#check(message, session);
    else if (message.type === "leave") void this.#leave(message);
    else this.embedder.refuse(message, "bad_request", `There is no message of the type ${message.type}.`);
  }

  stop() {
    this.#monitor?.stop();
    this.#monitor = this.#readiness = null;
    this.#endBaselines((message) => this.embedder.refuse(message, "ended", "The session ended."));
  }

  /** Also after a loss of connection: the server has forgotten what was found. @param {FrameSession | null} session */
  onJoined(session) {
    if (this.#readiness) session?.connection?.report(this.#readiness);
  }

  /** @param {import("../shared/protocol.js").Result} result */
  onResult(result) {
    this.#monitor?.take(result);
  }

  /** @param {"asked" | "set" | "failed"} state @param {string} [reason] of what failed */
  onBaseline(state, reason) {
    if (state === "set") this.#endBaselines((message) => this.embedder.answer(message, { state }));
    const failure = BASELINE_FAILURES.get(reason) ?? "No baseline was recorded.";
    if (state === "failed") this.#endBaselines((message) => this.embedder.refuse(message, "baseline_failed", failure));
  }

  /** @param {Message} message @param {FrameSession} session */
  #mark(message, session) {
    const { label, time } = message;
    if (!this.context.takesMarks) return this.embedder.refuse(message, "markers_not_allowed", "This room takes no markers from participants: set participant_markers.");
    if (typeof label !== "string" || typeof time !== "number") return this.embedder.refuse(message, "bad_request", "A mark has a label and a time.");
    session.marks?.add({
      label,
      time,
      onSet: () => this.embedder.answer(message, { label, time }),
      onRefused: (code, text) => this.embedder.refuse(message, code, text),
    });
  }

  /** @param {Message} message @param {FrameSession} session */
  async #beginBaseline(message, session) {
    const timeout = setTimeout(() => this.#endBaselines((one) => this.embedder.refuse(one, "server_lost", "No baseline came in time.")), BASELINE_TIMEOUT_MS);
    this.#baselines.set(message, timeout);
    if (await session.connection?.recordBaseline()) return;
    this.#endBaselines((one) => this.embedder.refuse(one, "server_lost", "The server does not answer."));
  }

  /** @param {(message: Message) => void} settle */
  #endBaselines(settle) {
    for (const [message, timeout] of this.#baselines) {
      clearTimeout(timeout);
      settle(message);
    }
    this.#baselines.clear();
  }

  /** @param {Message} message @param {FrameSession} session */
  async #complete(message, session) {
    this.embedder.answer(message, (await session.results?.complete(Number(message.from ?? message.until), Number(message.until))) ?? false);
  }

  /** Watch light and face, or stop; hosts see what was found last. @param {Message} message @param {FrameSession} session */
  #check(message, session) {
    const onChange = (/** @type {Readiness} */ readiness) => {
      this.embedder.send("readiness", { readiness });
      if (CHECKS.every((name) => readiness[name] === "unknown")) return;
      this.#readiness = readiness;
      session.connection?.report(readiness);
    };
    this.#monitor?.stop();
    this.#monitor = message.on === true ? new ReadinessMonitor(element("video", HTMLVideoElement), onChange) : null;
    this.context.watch(message.on === true);
    this.#monitor?.start();
    this.embedder.answer(message, true);
  }

  /** @param {Message} message */
  async #leave(message) {
    const problem = await this.context.leave(message.erase === true);
    if (problem) this.embedder.refuse(message, problem.code, problem.message || "The server did not confirm that the data are deleted.");
    else this.embedder.answer(message, true);
  }
}
