/**
 * Decides how large, how good and how often pictures are sent. Pure: the clock comes in as an argument.
 *
 * Down a step when answers take long or the server is busy, at once; up a step when all has been well for a
 * while. A step up that did not last makes the next one wait twice as long.
 *
 * @typedef {object} Step
 * @property {number} side         pixels of the picture's longer side
 * @property {number} quality      of the JPEG, 0 to 1
 * @property {number} interval_ms  the least time between two pictures
 */

/** @type {readonly Step[]} from best to least */
export const STEPS = [
  { side: 640, quality: 0.8, interval_ms: 1000 / 30 },
  { side: 640, quality: 0.65, interval_ms: 1000 / 24 },
  { side: 480, quality: 0.7, interval_ms: 1000 / 20 },
  { side: 480, quality: 0.6, interval_ms: 1000 / 15 },
  { side: 320, quality: 0.65, interval_ms: 1000 / 12 },
  { side: 320, quality: 0.5, interval_ms: 1000 / 8 },
  { side: 320, quality: 0.4, interval_ms: 1000 / 4 },
];

/** A typical round trip over this is slow: the box would trail the face. */
const SLOW_MS = 180;

/** Under this there is room for more. */
const WELL_MS = 100;

/** After a step down, answers to older pictures say nothing about it yet. */
const SETTLE_MS = 800;

const WAIT_FIRST_MS = 4000;
const WAIT_LONGEST_MS = 64000;

/** Weight of the newest round trip in the running mean. */
const NEWEST_WEIGHT = 0.2;

export class RateController {
  #index = 0;
  #wait_ms = WAIT_FIRST_MS;
  #mean_ms = 0;
  #changed_ms = -Infinity;
  #well_since_ms = Infinity;
  #raised_ms = -Infinity;

  /** What to send now. @returns {Step} */
  get step() {
    return STEPS[this.#index];
  }

  /** An answer came. @param {number} round_trip_ms @param {number} now_ms */
  answered(round_trip_ms, now_ms) {
    const mean_ms = this.#mean_ms || round_trip_ms;
    this.#mean_ms = mean_ms + NEWEST_WEIGHT * (round_trip_ms - mean_ms);
    if (this.#mean_ms > SLOW_MS) this.#lower(now_ms);
    else if (this.#mean_ms < WELL_MS) this.#well(now_ms);
    else this.#well_since_ms = Infinity;
  }

  /** The server was busy, or no answer came in time. @param {number} now_ms */
  refused(now_ms) {
    this.#lower(now_ms);
  }

  /** @param {number} now_ms */
  #lower(now_ms) {
    this.#well_since_ms = Infinity;
    if (now_ms - this.#changed_ms < SETTLE_MS) return;
    if (now_ms - this.#raised_ms < 2 * this.#wait_ms) this.#wait_ms = Math.min(2 * this.#wait_ms, WAIT_LONGEST_MS);
    this.#change(Math.min(this.#index + 1, STEPS.length - 1), now_ms);
  }

  /** @param {number} now_ms */
  #well(now_ms) {
    this.#well_since_ms = Math.min(this.#well_since_ms, now_ms);
    if (this.#index === 0 || now_ms - this.#well_since_ms < this.#wait_ms) return;
    this.#raised_ms = now_ms;
    this.#change(this.#index - 1, now_ms);
  }

  /** @param {number} index @param {number} now_ms */
  #change(index, now_ms) {
    this.#index = index;
    this.#changed_ms = now_ms;
    this.#well_since_ms = Infinity;
    this.#mean_ms = 0;
  }
}
