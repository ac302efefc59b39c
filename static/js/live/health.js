/**
 * Tells from the answers which notices are due. Pure: the clock comes in as an argument.
 *
 * One busy answer among many good ones is no news; some within two seconds are.
 */

const BUSY_ANSWERS = 3;
const BUSY_WINDOW_MS = 2000;
const UNAVAILABLE_MS = 1000;
const NO_FACE_MS = 1500;

export class Health {
  /** @type {number[]} */
  #busy_ms = [];
  /** @type {number | null} */
  #unavailable_since_ms = null;
  #unavailable_ms = -Infinity;
  /** @type {number | null} */
  #empty_since_ms = null;

  /** A result with or without faces. @param {number} faces @param {number} now_ms */
  result(faces, now_ms) {
    this.#unavailable_since_ms = null;
    if (faces > 0) this.#empty_since_ms = null;
    else this.#empty_since_ms ??= now_ms;
  }

  /** A problem in place of a result. @param {string} code @param {number} now_ms */
  problem(code, now_ms) {
    if (code === "busy") this.#busy_ms.push(now_ms);
    if (code === "unavailable") {
      this.#unavailable_since_ms ??= now_ms;
      this.#unavailable_ms = now_ms;
    }
  }

  /** Nothing is known any more, as after a pause. */
  reset() {
    this.#busy_ms = [];
    this.#unavailable_since_ms = null;
    this.#empty_since_ms = null;
  }

  /** Which notices are due. @param {number} now_ms */
  at(now_ms) {
    this.#busy_ms = this.#busy_ms.filter((then_ms) => now_ms - then_ms < BUSY_WINDOW_MS);
    const unavailable_ms = this.#unavailable_since_ms === null ? 0 : this.#unavailable_ms - this.#unavailable_since_ms;
    return {
      busy: this.#busy_ms.length >= BUSY_ANSWERS,
      unavailable: unavailable_ms >= UNAVAILABLE_MS,
      noFace: this.#empty_since_ms !== null && now_ms - this.#empty_since_ms >= NO_FACE_MS,
    };
  }
}
