/**
 * Captures a camera's frames in a worker and sends them, with at most two waiting for their answer, as
 * `live/capture.js` does from a video that is drawn.
 *
 * @typedef {import("./stream_worker.js").Encoded} Encoded
 * @typedef {import("./stream_worker.js").Order} Order
 * @typedef {import("../shared/protocol.js").Answer} Answer
 */

const MAX_IN_FLIGHT = 2;

/** While there is no connection, a frame is given up; the next may be sent after this time. */
const PAUSE_MS = 250;

/** The pause before a worker that could not be loaded is started again; the server may be restarting. */
const RESTART_MS = 2000;

export class StreamCapture {
  #seq = 0;
  #running = true;
  /** @type {Worker | null} */
  #worker = null;
  #restarting = 0;

  /** Whether this browser hands a camera's frames to a worker. */
  static get isSupported() {
    return "MediaStreamTrackProcessor" in globalThis && typeof OffscreenCanvas === "function";
  }

  /**
   * @param {object} parts
   * @param {MediaStreamTrack} parts.track
   * @param {import("../shared/connection.js").FrameChannel} parts.connection
   * @param {import("../live/rate.js").RateController} parts.rate
   * @param {number} parts.max_bytes of the largest image that the server accepts
   * @param {(answered: {answer: Answer, round_trip_ms: number}) => void} parts.onAnswer
   */
  constructor({ track, connection, rate, max_bytes, onAnswer }) {
    this.track = track;
    this.connection = connection;
    this.rate = rate;
    this.max_bytes = max_bytes;
    this.onAnswer = onAnswer;
  }

  start() {
    const Processor = /** @type {any} */ (globalThis).MediaStreamTrackProcessor;
    const { readable } = new Processor({ track: this.track, maxBufferSize: 1 });
    this.#worker = new Worker(new URL("./stream_worker.js", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }) => void this.#send(data);
    this.#worker.onerror = () => this.#restart();
    this.#order({ readable, credits: MAX_IN_FLIGHT }, [readable]);
  }

  stop() {
    this.#running = false;
    clearTimeout(this.#restarting);
    this.#worker?.terminate();
    this.#worker = null;
  }

  #restart() {
    if (!this.#running) return;
    this.#worker?.terminate();
    this.#restarting = setTimeout(() => this.start(), RESTART_MS);
  }

  /** @param {Order} order @param {Transferable[]} [handedOver] */
  #order(order, handedOver = []) {
    this.#worker?.postMessage({ step: this.rate.step, ...order }, handedOver);
  }

  /** @param {Encoded} encoded */
  async #send({ captured_ms, image }) {
    let pause_ms = 0;
    try {
      if (image.byteLength === 0) throw new Error("The browser could not encode the frame.");
      if (image.byteLength > this.max_bytes) throw new Error(`The image has ${image.byteLength} bytes; the server accepts at most ${this.max_bytes}.`);
      const sent_ms = performance.now();
      const answer = await this.connection.send({ seq: this.#seq++, captured_ms }, image);
      if (this.#running) this.onAnswer({ answer, round_trip_ms: performance.now() - sent_ms });
    } catch (error) {
      // Lost, late or too large. The connection reports losses itself; here the load is reduced.
      this.rate.refused(performance.now());
      console.debug("A frame got no answer:", error);
      pause_ms = PAUSE_MS;
    }
    if (pause_ms > 0) setTimeout(() => this.#order({ credits: 1 }), pause_ms);
    else this.#order({ credits: 1 });
  }
}
