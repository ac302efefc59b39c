import { createEncoder } from "./encoder.js";

/**
 * Captures frames of the video and sends them, with at most two waiting for their answer.
 *
 * @typedef {import("../shared/protocol.js").Answer} Answer
 * @typedef {{answer: Answer, captured_ms: number, round_trip_ms: number}} Answered
 *   `captured_ms` on the clock of `performance.now()`
 */

const MAX_IN_FLIGHT = 2;

/** For browsers whose video does not tell when it has a new frame. */
const FRAME_INTERVAL_MS = 33;

export class Capture {
  #seq = 0;
  #in_flight = 0;
  #due_ms = 0;
  #running = false;
  /** @type {import("./encoder.js").Encoder} */
  #encoder = createEncoder();

  /**
   * @param {object} parts
   * @param {HTMLVideoElement} parts.video
   * @param {import("../shared/connection.js").FrameChannel} parts.connection
   * @param {import("./rate.js").RateController} parts.rate
   * @param {Pick<import("../shared/smoothing.js").SmoothingChoice, "time_s">} parts.smoothing
   * @param {number} parts.max_bytes of the largest image that the server accepts
   * @param {(answered: Answered) => void} parts.onAnswer
   */
  constructor({ video, connection, rate, smoothing, max_bytes, onAnswer }) {
    this.video = video;
    this.connection = connection;
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

  /** Capture nothing until `start()`. */
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
    const ready = this.video.videoWidth > 0 && this.connection.connected && this.#in_flight < MAX_IN_FLIGHT;
    if (!ready || now_ms < this.#due_ms) return;
    // Frames come a little early or late: when the next is due goes by the schedule, not by this one.
    this.#due_ms = Math.max(this.#due_ms + interval_ms, now_ms + interval_ms / 2);
    void this.#send(now_ms);
  }

  /** @param {number} captured_ms */
  async #send(captured_ms) {
    this.#in_flight += 1;
    try {
      const image = await this.#encodeFrame();
      const sent_ms = performance.now();
      const answer = await this.connection.send(this.#meta(captured_ms), image);
      const round_trip_ms = performance.now() - sent_ms;
      if (this.#running) this.onAnswer({ answer, captured_ms, round_trip_ms });
    } catch (error) {
      // Lost, late or too large. The connection reports losses itself; here the load is reduced.
      this.rate.refused(performance.now());
      console.debug("A frame got no answer:", error);
    } finally {
      this.#in_flight -= 1;
    }
  }

  /** The video's current frame as JPEG. */
  async #encodeFrame() {
    const { side, quality } = this.rate.step;
    const blob = await this.#encoder.encode(this.video, side, quality);
    if (blob.size > this.max_bytes) throw new Error(`The image has ${blob.size} bytes; the server accepts at most ${this.max_bytes}.`);
    return blob.arrayBuffer();
  }

  /** @param {number} captured_ms @returns {import("../shared/protocol.js").FrameMeta} */
  #meta(captured_ms) {
    const meta = { seq: this.#seq++, captured_ms: performance.timeOrigin + captured_ms };
    const smoothing_s = this.smoothing.time_s;
    return smoothing_s === undefined ? meta : { ...meta, smoothing_s };
  }
}
