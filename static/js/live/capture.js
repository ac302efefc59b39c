import { createEncoder } from "./encoder.js";

/**
 * Takes pictures of the video and sends them: the next when an answer is back, two under way at most.
 *
 * @typedef {import("../shared/protocol.js").Answer} Answer
 * @typedef {{answer: Answer, captured_ms: number, round_trip_ms: number, side: number}} Answered
 *   `captured_ms` on the clock of `performance.now()`
 */

const UNDER_WAY_LIMIT = 2;

/** Where a video cannot say when it has a new picture. */
const FRAME_INTERVAL_MS = 33;

export class Capture {
  #seq = 0;
  #under_way = 0;
  #due_ms = 0;
  #running = false;
  /** @type {import("./encoder.js").Encoder} */
  #encoder = createEncoder();

  /**
   * @param {object} parts
   * @param {HTMLVideoElement} parts.video
   * @param {import("../shared/connection.js").Link} parts.link
   * @param {import("./rate.js").RateController} parts.rate
   * @param {import("../shared/smoothing.js").SmoothingChoice} parts.smoothing
   * @param {number} parts.max_bytes the largest picture that the server takes
   * @param {(answered: Answered) => void} parts.onAnswer
   */
  constructor({ video, link, rate, smoothing, max_bytes, onAnswer }) {
    this.video = video;
    this.link = link;
    this.rate = rate;
    this.smoothing = smoothing;
    this.max_bytes = max_bytes;
    this.onAnswer = onAnswer;
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    this.#awaitFrame();
  }

  /** Take no more pictures until `start()`. */
  pause() {
    this.#running = false;
  }

  stop() {
    this.pause();
    this.#encoder.stop();
  }

  #awaitFrame() {
    const next = () => {
      if (!this.#running) return;
      this.#awaitFrame();
      this.#sendIfDue(performance.now());
    };
    if ("requestVideoFrameCallback" in this.video) this.video.requestVideoFrameCallback(next);
    else setTimeout(next, FRAME_INTERVAL_MS);
  }

  /** @param {number} now_ms */
  #sendIfDue(now_ms) {
    const { interval_ms } = this.rate.step;
    const ready = this.video.videoWidth > 0 && this.link.connected && this.#under_way < UNDER_WAY_LIMIT;
    if (!ready || now_ms < this.#due_ms) return;
    // A camera's pictures come a little early or late: the next is due by the plan, not by this one.
    this.#due_ms = Math.max(this.#due_ms + interval_ms, now_ms + interval_ms / 2);
    void this.#send(now_ms);
  }

  /** @param {number} captured_ms */
  async #send(captured_ms) {
    this.#under_way += 1;
    try {
      const picture = await this.#picture();
      const sent_ms = performance.now();
      const answer = await this.link.send(this.#meta(captured_ms), picture);
      const round_trip_ms = performance.now() - sent_ms;
      if (this.#running) this.onAnswer({ answer, captured_ms, round_trip_ms, side: this.rate.step.side });
    } catch (error) {
      // Lost, late or too large. The link tells of losses itself; here the load is made lighter.
      this.rate.refused(performance.now());
      console.debug("A picture got no answer:", error);
    } finally {
      this.#under_way -= 1;
    }
  }

  /** The video as it is now, as JPEG. */
  async #picture() {
    const { side, quality } = this.rate.step;
    const blob = await this.#encoder.encode(this.video, side, quality);
    if (blob.size > this.max_bytes) throw new Error(`The picture has ${blob.size} bytes, at most ${this.max_bytes} are taken.`);
    return blob.arrayBuffer();
  }

  /** @param {number} captured_ms @returns {import("../shared/protocol.js").FrameMeta} */
  #meta(captured_ms) {
    const meta = { seq: this.#seq++, captured_ms: performance.timeOrigin + captured_ms };
    const smoothing_s = this.smoothing.time_s;
    return smoothing_s === undefined ? meta : { ...meta, smoothing_s };
  }
}
