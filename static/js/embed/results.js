import { isProblem } from "../shared/protocol.js";

/**
 * Passes frames on to the connection, and keeps count of those that have no answer yet: who asks what was measured
 * until a time gets it once that is complete.
 *
 * @typedef {import("../shared/protocol.js").Answer} Answer
 * @typedef {import("../shared/protocol.js").Result} Result
 * @typedef {import("../shared/connection.js").FrameChannel} FrameChannel
 * @typedef {import("../shared/connection.js").FrameMeta} FrameMeta
 */

/** Whoever waits for answers waits no longer; without a camera or a server none come. */
const MAX_WAIT_MS = 2000;

/** How many of the times at which something was lost are kept. */
const MAX_LOSSES = 2000;

/** @implements {FrameChannel} */
export class ResultStream {
  /** When the frames were captured that have no answer yet. @type {Set<number>} */
  #pending = new Set();
  #newest_ms = 0;
  /** When frames were captured that got no answer, or the connection was lost. @type {number[]} */
  #losses = [];
  /** @type {Set<() => void>} */
  #waiting = new Set();

  /** @param {FrameChannel} connection @param {(result: Result, captured_ms: number, round_trip_ms: number) => void} onResult */
  constructor(connection, onResult) {
    this.connection = connection;
    this.onResult = onResult;
  }

  get connected() {
    return this.connection.connected;
  }

  /** @param {FrameMeta} meta @param {ArrayBuffer} image @returns {Promise<Answer>} */
  async send(meta, image) {
    const { captured_ms } = meta;
    const sent_ms = performance.now();
    this.#pending.add(captured_ms);
    this.#newest_ms = Math.max(this.#newest_ms, captured_ms);
    try {
      const answer = await this.connection.send(meta, image);
      if (!isProblem(answer)) this.onResult(answer, captured_ms, performance.now() - sent_ms);
      return answer;
    } catch (error) {
      this.lose(captured_ms);
      throw error;
    } finally {
      this.#pending.delete(captured_ms);
      for (const look of [...this.#waiting]) look();
    }
  }

  stop() {
    for (const look of [...this.#waiting]) look();
  }

  /** Note that something is missing at a time. @param {number} at_ms since 1970 */
  lose(at_ms) {
    if (this.#losses.push(at_ms) > MAX_LOSSES) this.#losses.shift();
  }

  /**
   * Wait until all frames that were captured until a time are answered: one that was captured later has been sent by
   * then, as frames are sent in the order in which they were captured.
   * @param {number} from_ms since 1970
   * @param {number} until_ms since 1970
   * @returns {Promise<boolean>} whether they are, and none since `from_ms` was lost; false after two seconds in which none came
   */
  complete(from_ms, until_ms) {
    const isSettled = () => this.#newest_ms > until_ms && [...this.#pending].every((captured_ms) => captured_ms > until_ms);
    return new Promise((resolve) => {
      const look = () => isSettled() && end();
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(isSettled() && !this.#losses.some((at_ms) => at_ms >= from_ms && at_ms <= until_ms));
      };
      const timer = setTimeout(end, MAX_WAIT_MS);
      this.#waiting.add(look);
      look();
    });
  }
}
