import { RollingWindow } from "../shared/rolling_window.js";

/**
 * What the answers tell about the live view: which notices are due, how many results a second come, and the
 * typical round trip. Pure: the clock comes in as an argument.
 *
 * A single busy answer among many good ones is no news; several within two seconds are.
 *
 * @typedef {object} StatusNow
 * @property {boolean} busy
 * @property {boolean} unavailable
 * @property {boolean} noFace
 * @property {number} frames_per_s  never more than `allowed_per_s`: both are of the last two seconds
 * @property {number} allowed_per_s
 * @property {number | null} round_trip_ms  the median; null while no result comes
 */

const WINDOW_MS = 2000;
const MIN_BUSY_ANSWERS = 3;
const MIN_UNAVAILABLE_MS = 1000;
const MIN_NO_FACE_MS = 1500;

export class Status {
  /** @type {RollingWindow<number>} */
  #round_trips_ms = new RollingWindow(WINDOW_MS);
  /** @type {RollingWindow<number>} */
  #allowed_per_s = new RollingWindow(WINDOW_MS);
  /** @type {RollingWindow<null>} */
  #busy = new RollingWindow(WINDOW_MS);
  /** @type {number | null} */
  #unavailable_since_ms = null;
  #unavailable_ms = -Infinity;
  /** @type {number | null} */
  #no_face_since_ms = null;

  /** A result came. @param {number} faces how many it has @param {number} round_trip_ms @param {number} now_ms */
  result(faces, round_trip_ms, now_ms) {
    this.#round_trips_ms.add(round_trip_ms, now_ms);
    this.#unavailable_since_ms = null;
    if (faces > 0) this.#no_face_since_ms = null;
    else this.#no_face_since_ms ??= now_ms;
  }

  /** A problem came in place of a result. @param {string} code @param {number} now_ms */
  problem(code, now_ms) {
    if (code === "busy") this.#busy.add(null, now_ms);
    if (code === "unavailable") {
      this.#unavailable_since_ms ??= now_ms;
      this.#unavailable_ms = now_ms;
    }
  }

  /** How many frames a second may be sent now. @param {number} per_s @param {number} now_ms */
  allow(per_s, now_ms) {
    this.#allowed_per_s.add(per_s, now_ms);
  }

  /** Forget what notices rest on, as after a pause; the rate runs out by itself. */
  reset() {
    this.#busy.clear();
    this.#unavailable_since_ms = null;
    this.#no_face_since_ms = null;
  }

  /** @param {number} now_ms @returns {StatusNow} */
  at(now_ms) {
    const sorted = this.#round_trips_ms.values(now_ms).sort((first, second) => first - second);
    const unavailable_ms = this.#unavailable_since_ms === null ? 0 : this.#unavailable_ms - this.#unavailable_since_ms;
    const allowed_per_s = Math.max(0, ...this.#allowed_per_s.values(now_ms));
    return {
      busy: this.#busy.items(now_ms).length >= MIN_BUSY_ANSWERS,
      unavailable: unavailable_ms >= MIN_UNAVAILABLE_MS,
      noFace: sorted.length > 0 && this.#no_face_since_ms !== null && now_ms - this.#no_face_since_ms >= MIN_NO_FACE_MS,
      frames_per_s: Math.min((1000 * sorted.length) / WINDOW_MS, allowed_per_s),
      allowed_per_s,
      round_trip_ms: sorted.length > 0 ? sorted[Math.floor(sorted.length / 2)] : null,
    };
  }
}
