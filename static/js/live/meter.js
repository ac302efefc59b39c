/** Measures results a second and the typical round trip over the last two seconds. Pure. */

const WINDOW_MS = 2000;

export class Meter {
  /** @type {{at_ms: number, round_trip_ms: number}[]} */
  #answers = [];

  /** @param {number} round_trip_ms @param {number} now_ms */
  count(round_trip_ms, now_ms) {
    this.#answers.push({ at_ms: now_ms, round_trip_ms });
  }

  /** @param {number} now_ms @returns {{frames_per_s: number, round_trip_ms: number | null}} */
  at(now_ms) {
    this.#answers = this.#answers.filter(({ at_ms }) => now_ms - at_ms < WINDOW_MS);
    const sorted = this.#answers.map(({ round_trip_ms }) => round_trip_ms).sort((a, b) => a - b);
    return {
      frames_per_s: (1000 * this.#answers.length) / WINDOW_MS,
      round_trip_ms: sorted.length > 0 ? sorted[Math.floor(sorted.length / 2)] : null,
    };
  }
}
