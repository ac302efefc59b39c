/**
 * Decides how often, how large and in what quality frames are sent. Pure: the clock comes in as an argument.
 *
 * Additive increase, multiplicative decrease (Chiu and Jain, 1989, "Analysis of the increase and decrease
 * algorithms for congestion avoidance in computer networks"): it brings pages that share a server to equal
 * rates without knowing of each other. The sign of a full server is a refusal, or, as in LEDBAT (RFC 6817), a
 * round trip that is longer than the shortest one: the difference is time in a queue.
 *
 * @typedef {object} Step
 * @property {number} side         pixels of the frame's longer side
 * @property {number} quality      of the JPEG, 0 to 1
 * @property {number} interval_ms  the shortest time between two frames
 */

export const INITIAL_PER_S = 15;
export const MIN_PER_S = 2;
export const MAX_PER_S = 30;

/** Each second without a sign of a full server allows one more frame a second. */
const INCREASE_PER_S = 1;

/** The fraction of the rate that a sign leaves; CUBIC's (RFC 9438): TCP's half is seen as stutter. */
const DECREASE_FACTOR = 0.7;

/** Queued for longer than this, a frame's box would trail the face; below half of it there is room for more. */
const MAX_QUEUED_MS = 80;

/** After a decrease, answers to older frames say nothing about it yet. */
const SETTLE_MS = 800;

/** The shortest round trip is forgotten this fast, as a network may become slower for good. */
const FORGET_MS_PER_S = 1;

/** Weight of the newest round trip in the running mean. */
const NEWEST_WEIGHT = 0.2;

/** The frame size at each rate: at low rates frames are small too, as the network may be the bottleneck. */
const SIZES = [
  { from_per_s: 10, side: 640, quality: 0.8 },
  { from_per_s: 5, side: 480, quality: 0.7 },
  { from_per_s: 0, side: 320, quality: 0.6 },
];

export class RateController {
  #per_s = INITIAL_PER_S;
  #mean_ms = 0;
  #shortest_ms = Infinity;
  #answered_ms = 0;
  #lowered_ms = -Infinity;

  /** How many frames a second are sent at most. */
  get frames_per_s() {
    return this.#per_s;
  }

  /** What to send now. @returns {Step} */
  get step() {
    const { side, quality } = SIZES.find(({ from_per_s }) => this.#per_s >= from_per_s) ?? SIZES[0];
    return { side, quality, interval_ms: 1000 / this.#per_s };
  }

  /** An answer came. @param {number} round_trip_ms @param {number} now_ms */
  answered(round_trip_ms, now_ms) {
    const elapsed_s = Math.min(Math.max(now_ms - this.#answered_ms, 0) / 1000, 1);
    this.#answered_ms = now_ms;
    this.#shortest_ms = Math.min(round_trip_ms, this.#shortest_ms + FORGET_MS_PER_S * elapsed_s);
    this.#mean_ms += (this.#mean_ms ? NEWEST_WEIGHT : 1) * (round_trip_ms - this.#mean_ms);
    const queued_ms = this.#mean_ms - this.#shortest_ms;
    if (queued_ms > MAX_QUEUED_MS) this.#lower(now_ms);
    else if (queued_ms < MAX_QUEUED_MS / 2) this.#raise(elapsed_s, now_ms);
  }

  /** The server was busy, or no answer came in time. @param {number} now_ms */
  refused(now_ms) {
    this.#lower(now_ms);
  }

  /** @param {number} elapsed_s @param {number} now_ms */
  #raise(elapsed_s, now_ms) {
    if (now_ms - this.#lowered_ms < SETTLE_MS) return;
    this.#per_s = Math.min(this.#per_s + INCREASE_PER_S * elapsed_s, MAX_PER_S);
  }

  /** @param {number} now_ms */
  #lower(now_ms) {
    if (now_ms - this.#lowered_ms < SETTLE_MS) return;
    this.#per_s = Math.max(this.#per_s * DECREASE_FACTOR, MIN_PER_S);
    this.#lowered_ms = now_ms;
    this.#mean_ms = 0;
  }
}
