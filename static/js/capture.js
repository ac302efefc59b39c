/**
 * Takes pictures of the video and sends them: the next when an answer is back, two under way at most.
 *
 * @typedef {import("./protocol.js").Answer} Answer
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
  #canvas = document.createElement("canvas");

  /**
   * @param {object} parts
   * @param {HTMLVideoElement} parts.video
   * @param {import("./link.js").Link} parts.link
   * @param {import("./rate.js").RateController} parts.rate
   * @param {number} parts.max_bytes the largest picture that the server takes
   * @param {(answered: Answered) => void} parts.onAnswer
   */
  constructor({ video, link, rate, max_bytes, onAnswer }) {
    this.video = video;
    this.link = link;
    this.rate = rate;
    this.max_bytes = max_bytes;
    this.onAnswer = onAnswer;
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    this.#awaitFrame();
  }

  stop() {
    this.#running = false;
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
      const meta = { seq: this.#seq++, captured_ms: performance.timeOrigin + captured_ms };
      const answer = await this.link.send(meta, picture);
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

  /** The video as it is now, as JPEG; not mirrored. */
  async #picture() {
    const { side, quality } = this.rate.step;
    const { videoWidth, videoHeight } = this.video;
    const scale = Math.min(1, side / Math.max(videoWidth, videoHeight));
    this.#canvas.width = Math.round(scale * videoWidth);
    this.#canvas.height = Math.round(scale * videoHeight);
    this.#canvas.getContext("2d", { alpha: false })?.drawImage(this.video, 0, 0, this.#canvas.width, this.#canvas.height);
    const blob = await new Promise((/** @type {BlobCallback} */ take) => this.#canvas.toBlob(take, "image/jpeg", quality));
    if (!blob) throw new Error("The browser could not encode the picture.");
    if (blob.size > this.max_bytes) throw new Error(`The picture has ${blob.size} bytes, at most ${this.max_bytes} are taken.`);
    return blob.arrayBuffer();
  }
}
